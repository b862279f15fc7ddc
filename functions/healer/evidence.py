"""What the metrics show: whether an alarm is real, and whether the service is healthy again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import log

from selfheal.functions.healer.target import AlarmRule
from selfheal.functions.shared.contract import Series

ERROR_OF_THE_TEST = 0.001
"""Probability of calling a broken service healthy, and of calling a healthy one broken."""

CORROBORATION_PERIODS = 5
"""An alarm counts as real if one of its last five periods breached the rule."""
CORROBORATION_SECONDS = 60
"""Periods of at least the last minute are considered, even if those are more than five."""

_STANDARD_PERIOD = 60


class Verdict(StrEnum):
    """What the requests since the remediation show."""

    HEALTHY = "healthy"
    BROKEN = "broken"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Bucket:
    """Requests and errors of one period of an alarm's metrics."""

    start: datetime
    requests: int
    errors: int


@dataclass(frozen=True)
class Count:
    """A number of requests, and how many of them failed."""

    requests: int
    errors: int


def period_of(series: Series, values: Mapping[str, float | None]) -> Count | None:
    """Return what one period shows, or None if its data says nothing (yet).

    This is the arithmetic of the alarms (`components/metrics.py`), over the same cases. The first metrics of
    requests and errors are published together, 0 errors included: if one is missing or there are more errors
    than requests, the other is late. What is throttled is neither, so it is counted even alone.

    Args:
        series: The metrics of an alarm.
        values: The sum of each metric in the period; None or absent if it has no datapoint.

    """
    requests, errors = values.get(series.requests[0]), values.get(series.errors[0])
    others = [values.get(name) for name in series.requests[1:]]
    known = [value for value in others if value is not None]
    if (requests is None) != (errors is None) or (requests is None and not known):
        return None
    if requests is None or errors is None:
        requests = errors = 0.0
    if errors > requests:
        return None
    return Count(int(requests + sum(known)), int(errors + sum(known)))


def breaching(rule: AlarmRule, counted: Count | Bucket) -> bool:
    """Return whether one period breaches the rule, as the alarm calculates it."""
    return counted.errors >= rule.min_errors and counted.errors / counted.requests >= rule.error_rate


def reach(rule: AlarmRule) -> timedelta:
    """Return how far back a breach still confirms an alarm that is in ALARM now."""
    return timedelta(seconds=max(CORROBORATION_SECONDS, CORROBORATION_PERIODS * rule.period) + rule.period)


def breaches(rule: AlarmRule, buckets: Iterable[Bucket], since: datetime, now: datetime) -> list[Bucket]:
    """Return the recent periods in which the metrics breach the alarm's rule, oldest first.

    An alarm state can be forced, stale or wrong, so it is checked against the metrics. Only periods that
    begin at or after `since` count.
    """
    earliest = max(since, now - reach(rule))
    return [bucket for bucket in buckets if bucket.start >= earliest and breaching(rule, bucket)]


def count(rule: AlarmRule, buckets: Iterable[Bucket], since: datetime, now: datetime) -> Count:
    """Sum the periods that begin at or after `since` and whose data has had time to arrive.

    Data may arrive after the end of a period: up to 2 s later for high-resolution metrics, up to a minute
    later for the metrics that AWS publishes. An error that arrives late must not look like a healthy service.
    """
    late = timedelta(seconds=2 if rule.period < _STANDARD_PERIOD else 60)
    latest = now - late - timedelta(seconds=rule.period)
    requests = errors = 0
    for bucket in buckets:
        if since <= bucket.start <= latest:
            requests, errors = requests + bucket.requests, errors + bucket.errors
    return Count(requests, errors)


def verdict(seen: Count, natural_error_rate: float, alarm_error_rate: float, *, tests: int = 1) -> Verdict:
    """Test the natural error rate against the alarm's error rate.

    This is the sequential probability ratio test (A. Wald, "Sequential Tests of Statistical Hypotheses",
    1945). It may be evaluated after every request, and the probability of either wrong verdict is still at
    most ERROR_OF_THE_TEST. Without requests the verdict is UNDECIDED. For rates of 0.1 % and 5 %, 138
    requests without an error give the verdict HEALTHY.

    Args:
        seen: Requests and errors since the remediation.
        natural_error_rate: Share of requests that fail when the service is healthy, above 0.
        alarm_error_rate: Error rate at which the alarm fires, above the natural rate.
        tests: Number of tests that answer the same question. Each gets an equal part of the error.

    """
    if seen.requests <= 0:
        return Verdict.UNDECIDED
    # At a rate of exactly 1, the logarithm for a success is not defined.
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
