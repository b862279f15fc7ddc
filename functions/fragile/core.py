"""Decides whether a request fails. Pure functions."""

from selfheal.functions.shared.callers import share_of
from selfheal.functions.shared.contract import FaultMode


def parse_rate(text: str) -> float:
    """Return the failure rate, from 0 (never) to 1 (always).

    Raises:
        ValueError: when the text is not a number in that range.

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


def fails(mode: FaultMode, rate: float, roll: float, caller: str) -> bool:
    """Return whether this request fails.

    Args:
        mode: The fault mode.
        rate: From 0 to 1: the probability of failure, or with PARTIAL the share of callers that fail.
        roll: A random number in [0, 1).
        caller: Identifies the caller, for example its source address.

    """
    return (share_of(caller) if mode is FaultMode.PARTIAL else roll) < rate
