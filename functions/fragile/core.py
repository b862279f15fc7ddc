"""Whether and how a request fails: plain functions over plain data."""

from enum import StrEnum
from hashlib import sha256


class FaultMode(StrEnum):
    """How an injected fault shows itself."""

    EXCEPTION = "exception"
    """An exception escapes the handler: Lambda counts an error, the caller sees a 5xx."""
    LATENCY = "latency"
    """A delay, then an exception, as from a slow dependency that gives up."""
    STATUS_CODE = "status-code"
    """The handler answers 503: Lambda counts no error, only the function's own metric shows it."""
    TIMEOUT = "timeout"
    """The handler sleeps past its own timeout, and Lambda ends it."""
    PARTIAL = "partial"
    """The same callers always fail, as when one address of three is allowed: the rate is their share."""


def parse_rate(text: str) -> float:
    """Return the failure rate, from 0 (never) to 1 (always).

    Raises:
        ValueError: when the text is no number in that range.

    """
    try:
        rate = float(text)
    except ValueError:
        rate = float("nan")
    if not 0 <= rate <= 1:
        raise ValueError(
            f"FAILURE_RATE must be a number from 0 to 1, got {text!r}; set it in stack configuration"
        )
    return rate


def share_of(caller: str) -> float:
    """Place a caller in [0, 1), always the same one, evenly over callers."""
    return int.from_bytes(sha256(caller.encode()).digest()[:8], "big") / 2**64


def fails(mode: FaultMode, rate: float, roll: float, caller: str) -> bool:
    """Return whether this request fails.

    Args:
        mode: The fault mode.
        rate: From 0 to 1: the probability of failure, or with PARTIAL the share of callers that fail.
        roll: A random number in [0, 1).
        caller: What identifies the caller, its source address for example.

    """
    return (share_of(caller) if mode is FaultMode.PARTIAL else roll) < rate
