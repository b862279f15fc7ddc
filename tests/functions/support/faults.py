"""How a call that the healer makes can go wrong."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

CANARY = "canary-secret-5d1f"
"""A secret that must not leave the healer. Error texts quote it, as those of AWS may quote a request."""

Do = Callable[[], Any]
"""Makes the call and returns its answer."""
Fault = Callable[[Do], Any]
"""Takes the place of a call: returns an answer, or raises."""


class DiedError(BaseException):
    """The healer's process was killed. Nothing in the healer catches this."""


def aws_error(code: str, operation: str = "Operation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"told about {CANARY}"}}, operation)


def read_timeout() -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url="https://example.invalid")


def die() -> None:
    raise DiedError


def die_before(_do: Do) -> Any:
    raise DiedError


def die_after(do: Do) -> Any:
    do()
    raise DiedError


def throttle(_do: Do) -> Any:
    raise aws_error("TooManyRequestsException")


def refuse(_do: Do) -> Any:
    raise aws_error("AccessDeniedException")


def fail_before(_do: Do) -> Any:
    raise aws_error("InternalServiceError")


def time_out_after(do: Do) -> Any:
    do()
    raise read_timeout()


def fail_after(do: Do) -> Any:
    do()
    raise aws_error("InternalServerError")
