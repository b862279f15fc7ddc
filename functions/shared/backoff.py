"""Exponential backoff with full jitter: how long to wait before calling again what has just failed.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. A random pause between 0
and the exponential one spreads the clients over time, so that they do not come back together and fail
together. It is what Step Functions calls JitterStrategy FULL.
"""

import math
from collections.abc import Callable

BASE_SECONDS = 1.0
"""The longest pause before the second attempt. As IntervalSeconds of Step Functions by default."""

FACTOR = 2.0
"""By how much it grows with each further attempt. As BackoffRate of Step Functions by default."""

CAP_SECONDS = 20.0
"""The longest pause of all. As in the standard retry mode of the AWS SDKs."""


def longest_pause(
    attempt: int, *, base: float = BASE_SECONDS, factor: float = FACTOR, cap: float = CAP_SECONDS
) -> float:
    """Return the longest pause before an attempt, in seconds: without jitter, every client waits this long.

    Args:
        attempt: The attempt that comes after the pause, from 1. There is no pause before the first.
        base: The longest pause before the second attempt, in seconds, above 0.
        factor: By how much it grows with each further attempt, at least 1.
        cap: The most that it grows to, in seconds, at least `base`.

    Raises:
        ValueError: when a value is out of its range.

    """
    if attempt < 1:
        raise ValueError(f"attempts are counted from 1, got {attempt}: give the attempt after the pause")
    if not (0 < base <= cap < math.inf and 1 <= factor < math.inf):
        raise ValueError(
            f"a backoff needs 0 < base <= cap and factor >= 1, all finite; got base {base}, cap {cap}, "
            f"factor {factor}"
        )
    if attempt == 1:
        return 0.0
    # By logarithms: the power itself overflows at some attempt, long after the cap is reached.
    grown = math.log(base) + (attempt - 2) * math.log(factor)
    return cap if grown >= math.log(cap) else min(cap, base * factor ** (attempt - 2))


def full_jitter(
    attempt: int,
    random: Callable[[], float],
    *,
    base: float = BASE_SECONDS,
    factor: float = FACTOR,
    cap: float = CAP_SECONDS,
) -> float:
    """Return the pause before an attempt, in seconds: random, from 0 to the longest pause.

    Args:
        attempt: The attempt that comes after the pause, from 1. There is no pause before the first.
        random: Returns a number in [0, 1), for example `random.random`.
        base: The longest pause before the second attempt, in seconds, above 0.
        factor: By how much it grows with each further attempt, at least 1.
        cap: The most that it grows to, in seconds, at least `base`.

    Raises:
        ValueError: when a value is out of its range.

    """
    return random() * longest_pause(attempt, base=base, factor=factor, cap=cap)
