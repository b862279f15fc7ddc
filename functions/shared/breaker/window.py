"""The sliding window: calls and failures in buckets of one second, added up from all environments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log

BUCKET_SECONDS = 1
"""Width of a bucket. Environments flush at most once in that time."""

CHANCE = 1e-4
"""Largest chance of an opening without cause at one look. A window of 10 s is renewed 360 times an hour."""


@dataclass(frozen=True)
class Count:
    """Calls that were judged, and how many of them failed."""

    calls: int = 0
    failures: int = 0

    @property
    def rate(self) -> float:
        """Share of failures, 0 without calls."""
        return self.failures / self.calls if self.calls else 0.0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.calls + other.calls, self.failures + other.failures)


Buckets = Mapping[int, Count]
"""Counts by the number of their bucket: seconds since the epoch, divided by BUCKET_SECONDS."""


def bucket_of(now: float) -> int:
    """Return the bucket of a moment."""
    return int(now // BUCKET_SECONDS)


def within(bucket: int, now: float, window_seconds: int) -> bool:
    """Return whether a bucket is in the window that ends now.

    Clocks of Lambda environments differ by milliseconds. A bucket that is further ahead than one was written
    by a wrong clock, and is not counted, or it would stay in the window for as long as that clock is ahead.
    """
    current = bucket_of(now)
    return current - window_seconds // BUCKET_SECONDS < bucket <= current + 1


def tally(buckets: Buckets, now: float, window_seconds: int) -> Count:
    """Return the counts of the window that ends now."""
    return [Count(), *sums(buckets, now, window_seconds)][-1]


def sums(buckets: Buckets, now: float, window_seconds: int) -> Iterator[Count]:
    """Return the counts of the newest bucket, of the two newest, and so on to those of the whole window."""
    found = sorted((bucket for bucket in buckets if within(bucket, now, window_seconds)), reverse=True)
    return accumulate(buckets[bucket] for bucket in found)


def is_failing(count: Count, least_calls: int, rate: float) -> bool:
    """Return whether there are enough calls, the share of failures is reached, and it is not chance.

    Two thirds of the rate must be ruled out: a dependency that fails one caller in three (at a rate of 50 %)
    has 10 failures in 20 calls every few minutes. The chance of so many failures is bounded by Chernoff's
    inequality, exp(-calls * KL(found, tolerated)). At 50 % it asks for 17 failures in 20 calls, 32 in 50, and
    from 157 calls on for no more than the rate itself.
    """
    if count.calls < least_calls or count.rate < rate:
        return False
    found, tolerated = count.rate, rate * 2 / 3
    divergence = found * log(found / tolerated)
    if found < 1:
        divergence += (1 - found) * log((1 - found) / (1 - tolerated))
    return exp(-count.calls * divergence) <= CHANCE
