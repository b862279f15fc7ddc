"""What the metrics say: whether an alarm is real, and whether the service is well again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import log

from selfheal.functions.healer.target import AlarmRule

ERROR_OF_THE_TEST = 0.001
"""Probability of calling a broken service healthy, and of calling a healthy one broken."""

CORROBORATION_PERIODS = 5
"""An alarm counts as real when one of its last five periods breached ..."""
CORROBORATION_SECONDS = 60
"""... and never fewer than the last minute's."""

_STANDARD_PERIOD = 60


class Verdict(StrEnum):
    """What the requests since the act show."""

    HEALTHY = "healthy"
    BROKEN = "broken"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Bucket:
    """What one alarm's metrics counted in one period."""

    start: datetime
    requests: int
    errors: int


@dataclass(frozen=True)
class Count:
    """Requests and errors, summed."""

    requests: int
    errors: int


def reach(rule: AlarmRule) -> timedelta:
    """Return how far back a breach still counts for an alarm that rings now."""
    return timedelta(seconds=max(CORROBORATION_SECONDS, CORROBORATION_PERIODS * rule.period) + rule.period)


def breaches(rule: AlarmRule, buckets: Iterable[Bucket], since: datetime, now: datetime) -> list[Bucket]:
    """Return the recent periods in which the metrics themselves breach the alarm's rule, oldest first.

    An alarm state can be forced, stale or wrong. A recent period that begins at or after `since` must show
    at least the rule's errors and at least its rate.
    """
    earliest = max(since, now - reach(rule))
    return breaching(rule, [bucket for bucket in buckets if bucket.start >= earliest])


def breaching(rule: AlarmRule, buckets: Iterable[Bucket]) -> list[Bucket]:
    """Return the periods that show at least the rule's errors and at least its rate."""
    return [
        bucket
        for bucket in buckets
        if bucket.errors >= rule.min_errors and bucket.errors >= rule.error_rate * bucket.requests
    ]


def count(rule: AlarmRule, buckets: Iterable[Bucket], since: datetime, now: datetime) -> Count:
    """Sum the periods that begin at or after a moment and have had time to arrive whole.

    A period may still grow after its end: by 2 s for high-resolution metrics, by a minute for those that AWS
    itself counts. An error that arrives late must not look like health.
    """
    late = timedelta(seconds=2 if rule.period < _STANDARD_PERIOD else 60)
    latest = now - late - timedelta(seconds=rule.period)
    requests = errors = 0
    for bucket in buckets:
        if since <= bucket.start <= latest:
            requests, errors = requests + bucket.requests, errors + bucket.errors
    return Count(requests, errors)


def verdict(seen: Count, natural_error_rate: float, alarm_error_rate: float, *, tests: int = 1) -> Verdict:
    """Test "as healthy as ever" against "fails at the alarm's rate", as often as one likes.

    The sequential probability ratio test (A. Wald, "Sequential Tests of Statistical Hypotheses", 1945) may be
    looked at after every request and still bounds both errors by ERROR_OF_THE_TEST. No requests is UNDECIDED.
    At 0.1 % against 5 %, 138 requests without an error show health.

    Args:
        seen: Requests and errors since the act.
        natural_error_rate: What the service fails at when it is well, above 0.
        alarm_error_rate: What the alarm calls broken, above the natural rate.
        tests: How many such tests look at the same question; they share the error.

    """
    if seen.requests <= 0:
        return Verdict.UNDECIDED
    # A rate of exactly 1 leaves no room for the logarithm of a success.
    broken = min(alarm_error_rate, 0.999)
    successes = max(0, seen.requests - seen.errors)
    ratio = seen.errors * log(broken / natural_error_rate) + successes * log(
        (1 - broken) / (1 - natural_error_rate)
    )
    error = ERROR_OF_THE_TEST / tests
    bound = log((1 - error) / error)
    if ratio <= -bound:
        return Verdict.HEALTHY
    if ratio >= bound:
        return Verdict.BROKEN
    return Verdict.UNDECIDED
