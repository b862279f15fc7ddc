"""How AWS calls fail: which failures mean that a resource is gone, and which pass by themselves."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error, for example `ResourceNotFoundException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def gone_is_fine(*codes: str) -> Generator[None]:
    """Swallow the errors with these codes: what was to be deleted is not there."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in codes:
            raise


def refused(operation: str, code: str, message: str) -> ClientError:
    """Return the error of AWS for what the emulator lets through."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def or_none(codes: str | tuple[str, ...], call: Callable[[], Any]) -> Any:
    """Return the answer of a call, or None if it fails with one of these codes."""
    with gone_is_fine(*((codes,) if isinstance(codes, str) else codes)):
        return call()
    return None


def retried(
    call: Callable[[], Any],
    passing: Callable[[ClientError], bool],
    *,
    seconds: float = 60.0,
    pause: float = 0.5,
) -> None:
    """Call until it succeeds or fails with something that does not pass by itself, for at most `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            call()
        except ClientError as error:
            if not passing(error) or time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
        else:
            return
