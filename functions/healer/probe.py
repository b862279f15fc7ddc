"""Probes: idempotent requests that the healer sends when there is too little traffic for evidence."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

_SERVER_ERROR = 500


def probe(  # noqa: PLR0917 - what to call and how long, spelled out
    client: Any,
    function: str,
    payload: str,
    most: int,
    seconds: float,
    clock: Callable[[], float],
    *,
    limited: bool = False,
) -> tuple[int, int]:
    """Invoke a function repeatedly, one call at a time, and count the failures.

    A probe has failed if the function raised, answered with a status of 500 or more, was throttled, or did
    not answer within the client's timeout.

    Args:
        client: A boto3 Lambda client that does not retry, because each call is one sample.
        function: Name of the function, or `name:alias` if its callers use an alias.
        payload: The request that the owner declared, as JSON text.
        most: Maximum number of probes.
        seconds: Time after which no probe starts. The last one may take as long as the client's timeouts.
        clock: Returns monotonic time in seconds.
        limited: Whether a limit of concurrency of the healer's own is in place. What it throttles is then no
            failure, and the first ends the probes of this run.

    Returns:
        How many probes were sent, and how many of them failed.

    Raises:
        botocore.exceptions.ClientError: when the cause is not the service: a missing permission, a function
            that does not exist, or an error of Lambda itself.
        botocore.exceptions.BotoCoreError: when Lambda cannot be reached.

    """
    began, sent, failed = clock(), 0, 0
    while sent < most and clock() - began < seconds:
        fails = _fails(client, function, payload, limited=limited)
        if fails is None:
            break
        sent, failed = sent + 1, failed + fails
    return sent, failed


def _fails(client: Any, function: str, payload: str, *, limited: bool) -> bool | None:
    """Send one probe. None: the healer's own limit refused it."""
    try:
        answer = client.invoke(FunctionName=function, Payload=payload.encode())
        body: bytes = answer["Payload"].read()
    except ReadTimeoutError:
        return True
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "TooManyRequestsException":
            return None if limited else True
        raise
    return "FunctionError" in answer or _status(body) >= _SERVER_ERROR


def _status(body: bytes) -> int:
    """Return the HTTP status in an answer, or 0 if it has none."""
    try:
        return int(json.loads(body)["statusCode"])
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError):
        return 0
