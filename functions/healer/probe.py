"""Probes: idempotent requests of the healer's own, where callers are too few to judge a service by."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

_SERVER_ERROR = 500


def probe(  # noqa: PLR0917 - what to call and how long, spelled out
    client: Any, function: str, payload: str, most: int, seconds: float, clock: Callable[[], float]
) -> tuple[int, int]:
    """Invoke a function again and again, one call after the other, and count.

    A probe failed when the function raised, answered a status of 500 or more, was throttled, or did not
    answer before the client gave up.

    Args:
        client: A boto3 Lambda client that does not retry: each call is one sample.
        function: What to invoke: a name, or `name:alias` where callers come through an alias.
        payload: The declared request, as JSON text.
        most: Probes to send at most.
        seconds: Time after which none is begun. The last may take the client's timeouts longer.
        clock: Seconds that never go backwards.

    Returns:
        How many probes were sent, and how many of them failed.

    Raises:
        botocore.exceptions.ClientError: what is the healer's trouble and not the service's: no permission, no
            such function, Lambda itself in trouble.
        botocore.exceptions.BotoCoreError: Lambda cannot be reached.

    """
    began, sent, failed = clock(), 0, 0
    while sent < most and clock() - began < seconds:
        failed += int(_fails(client, function, payload))
        sent += 1
    return sent, failed


def _fails(client: Any, function: str, payload: str) -> bool:
    try:
        answer = client.invoke(FunctionName=function, Payload=payload.encode())
        body: bytes = answer["Payload"].read()
    except ReadTimeoutError:
        return True
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "TooManyRequestsException":
            return True
        raise
    return "FunctionError" in answer or _status(body) >= _SERVER_ERROR


def _status(body: bytes) -> int:
    """Return the status that a handler of HTTP requests answers with; 0 where an answer has none."""
    try:
        return int(json.loads(body)["statusCode"])
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError):
        return 0
