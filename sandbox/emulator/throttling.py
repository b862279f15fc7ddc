"""Throttled calls: which are hit, and how each service of AWS refuses one. No state."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MESSAGE = "Rate exceeded"
"""What the services say."""


LONGEST_SECONDS = 86400.0
"""How far ahead a throttle's end may be."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Refusal(NamedTuple):
    """An error of AWS."""

    code: str
    status: int


_OF_PROTOCOL: Mapping[str, Refusal] = {
    "json": Refusal("ThrottlingException", 400),
    "query": Refusal("Throttling", 400),
    "rest-json": Refusal("TooManyRequestsException", 429),
    "rest-xml": Refusal("Throttling", 400),
}
"""By protocol. Source: "Common errors" of the services' API references."""

_OF_SERVICE: Mapping[str, Refusal] = {
    "apigateway": Refusal("TooManyRequestsException", 429),
    "ec2": Refusal("RequestLimitExceeded", 503),
    "events": Refusal("ThrottlingException", 400),
    "fis": Refusal("ThrottlingException", 429),
    "lambda": Refusal("TooManyRequestsException", 429),
    "scheduler": Refusal("ThrottlingException", 429),
    "sqs": Refusal("RequestThrottled", 403),
}
"""Of services with a code of their own. Sources: their API references, "Errors" of their operations; of EC2
the developer guide, "Request throttling for the Amazon EC2 API"."""

_CBOR = re.compile(r"/service/[^/]+/operation/(\w+)")


def refusal(service: str, protocol: str) -> Refusal:
    """Return the refusal of a service, by botocore's names for it and for its protocol."""
    return _OF_SERVICE.get(service) or _OF_PROTOCOL.get(protocol) or _OF_PROTOCOL["json"]


def operation_of(  # noqa: PLR0917  (a request, as ministack passes it)
    actions: Any,
    service: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    query: Mapping[str, Any],
) -> str | None:
    """Return the operation that a request calls, in each protocol; `actions` is ministack's `iam_actions`."""
    if cbor := _CBOR.fullmatch(path):
        return cbor[1]
    named = actions._action_from_query(query, body, headers.get("content-type", ""))  # noqa: SLF001
    named = named or actions._action_from_target(headers)  # noqa: SLF001
    return named or actions._match_rest_action(service, method, path, query)  # noqa: SLF001


class FaultRefusedError(Exception):
    """A fault cannot be made; the text says why."""

    def __init__(self, text: str, status: int = 400) -> None:
        """Keep the HTTP status beside the text."""
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Throttle:
    """Calls of one operation are refused."""

    id: str
    service: str
    """botocore's name for it, for example `ssm`."""
    operation: str
    """For example `GetParameters`."""
    share: float
    """Of the calls, by chance. Above 0, at most 1."""
    until: float
    """In seconds since the epoch."""

    def hits(self, service: str, operation: str | None, now: float, roll: float) -> bool:
        """Return whether it refuses a call; `roll` is a random number in [0, 1)."""
        return (
            (self.service, self.operation) == (service, operation) and now < self.until and roll < self.share
        )


def parse_throttle(
    id_: str, given: Mapping[str, Any], operations: Callable[[str], list[str]], now: float
) -> Throttle:
    """Return the fault that was asked for.

    `operations` returns those of a service that can be throttled, and none for an unknown one. Raises
    FaultRefusedError with what is allowed.
    """
    if not _ID.fullmatch(id_):
        raise FaultRefusedError(f"the id must be 1 to 100 letters, digits, '-', '_' and '.', got {id_!r}")
    names = {"kind", "service", "operation", "share", "until"}
    if set(given) != names:
        raise FaultRefusedError(
            f"a throttle has {', '.join(sorted(names))}, got {', '.join(sorted(given)) or 'none'}"
        )
    service, operation = given["service"], given["operation"]
    known = operations(service) if isinstance(service, str) else []
    if not known:
        raise FaultRefusedError(
            f"service must be botocore's name of a service whose operations the emulator knows, such as "
            f"ssm, dynamodb, sqs or lambda, got {service!r}"
        )
    if operation not in known:
        raise FaultRefusedError(
            f"{service} has no operation {operation!r}: it is named as in AWS's API, such as {known[0]}"
        )
    share, until = _number(given["share"]), _number(given["until"])
    if not 0 < share <= 1:
        raise FaultRefusedError(f"share must be above 0 and at most 1, got {given['share']!r}")
    if not now < until <= now + LONGEST_SECONDS:
        raise FaultRefusedError(
            f"until must be seconds since the epoch, in the future by at most a day (it is {now:.0f}), got "
            f"{given['until']!r}"
        )
    return Throttle(id_, service, operation, share, until)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
