"""What the metrics show: whether an alarm is real, and whether the service is healthy again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import log

from selfheal.functions.healer.target import AlarmRule
from selfheal.functions.shared.contract import SERIES, Series

ERROR_OF_THE_TEST = 0.001
"""Probability of calling a broken service healthy, and of calling a healthy one broken."""

CORROBORATION_PERIODS = 5
"""An alarm counts as real if one of its last five periods breached the rule."""
CORROBORATION_SECONDS = 60
"""Periods of at least the last minute are considered, even if those are more than five."""


class Verdict(StrEnum):
    """What the requests since the remediation show."""

    HEALTHY = "healthy"
    BROKEN = "broken"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Count:
    """A number of requests, and how many of them failed."""

    requests: int
    errors: int


@dataclass(frozen=True)
class Bucket:
    """Requests and errors of one period of an alarm's metrics."""

    start: datetime
    requests: int
    errors: int
    throttled: int = 0
    """Throttled requests that are in neither, because a limit of the healer's own refused them."""


def period_of(series: Series, values: Mapping[str, float | None]) -> Count | None:
    """Return what one period shows, or None if its data says nothing (yet).

    This is the arithmetic of the alarms (`components/healing/metrics.py`), over the same cases. The first
    metrics of requests and errors are published together, 0 errors included: if one is missing or there are
    more errors than requests, the other is late. What is throttled is neither, so it is counted even alone.

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
    """Return how far back a breach still confirms an alarm that is in ALARM now.

    An alarm stays in ALARM until the last breach has left its window, and until it is evaluated again.
    """
    period = SERIES[rule.kind].period
    window = rule.window + timedelta(seconds=2 * period)
    least = timedelta(seconds=max(CORROBORATION_SECONDS, CORROBORATION_PERIODS * period))
    return max(window, least) + timedelta(seconds=period)


def breached(rule: AlarmRule, buckets: Iterable[Bucket]) -> list[Bucket]:
    """Return the periods that breach an alarm's rule, oldest first.

    The datapoint of a slow alarm covers many periods: if they breach together, those with errors are meant.
    """
    if rule.period <= SERIES[rule.kind].period:
        return [bucket for bucket in buckets if breaching(rule, bucket)]
    every = list(buckets)
    return [bucket for bucket in every if bucket.errors] if breaching(rule, total(every)) else []


def breaches(
    rule: AlarmRule, buckets: Iterable[Bucket], since: datetime, now: datetime, late: timedelta
) -> list[Bucket]:
    """Return the recent periods in which the metrics breach the alarm's rule, oldest first.

    An alarm state can be forced, stale or wrong, so it is checked against the metrics. An alarm that looks
    back also rings on for a failure that has ended: there is none if a later period, whose data is complete,
    was well.

    Args:
        rule: The alarm.
        buckets: The periods of its metrics, oldest first.
        since: Only periods that begin then or later count.
        now: The time.
        late: How long after its end a period may still change.

    """
    earliest = max(since, now - reach(rule))
    recent = [bucket for bucket in buckets if bucket.start >= earliest]
    found = breached(rule, recent)
    complete = now - late - timedelta(seconds=SERIES[rule.kind].period)
    if not found:
        return []
    after = [bucket for bucket in recent if found[-1].start < bucket.start <= complete]
    return [] if any(bucket.errors < rule.error_rate * bucket.requests for bucket in after) else found


def total(buckets: Iterable[Bucket]) -> Count:
    """Return the sum of periods."""
    requests = errors = 0
    for bucket in buckets:
        requests, errors = requests + bucket.requests, errors + bucket.errors
    return Count(requests, errors)


def floor(moment: datetime, seconds: int) -> datetime:
    """Return the beginning of the period that a moment lies in."""
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, tz=moment.tzinfo)


def verdict(
    seen: Count, natural_error_rate: float, alarm_error_rate: float, *, healthy: int = 1, broken: int = 1
) -> Verdict:
    """Test the natural error rate against the alarm's error rate.

    This is the sequential probability ratio test (A. Wald, "Sequential Tests of Statistical Hypotheses",
    1945). It may be evaluated after every request, and the probability of either wrong verdict is still at
    most ERROR_OF_THE_TEST. Without requests the verdict is UNDECIDED. For rates of 0.1 % and 5 %, 138
    requests without an error give the verdict HEALTHY.

    Args:
        seen: Requests and errors since the remediation.
        natural_error_rate: Share of requests that fail when the service is healthy, above 0.
        alarm_error_rate: Error rate at which the alarm fires, above the natural rate.
        healthy: Number of tests of which one is enough for HEALTHY. Each gets an equal part of the error.
        broken: Likewise for BROKEN.

    """
    if seen.requests <= 0:
        return Verdict.UNDECIDED
    # At a rate of exactly 1, the logarithm for a success is not defined.
    fails = min(alarm_error_rate, 0.999)
    successes = max(0, seen.requests - seen.errors)
    ratio = seen.errors * log(fails / natural_error_rate) + successes * log(
        (1 - fails) / (1 - natural_error_rate)
    )
    if ratio <= -_bound(healthy):
        return Verdict.HEALTHY
    if ratio >= _bound(broken):
        return Verdict.BROKEN
    return Verdict.UNDECIDED


def _bound(tests: int) -> float:
    error = ERROR_OF_THE_TEST / tests
    return log((1 - error) / error)


def judge(
    counts: Mapping[AlarmRule, Count], probes: Count, natural_error_rate: float, *, probed: bool
) -> Verdict:
    """Return the verdict of all metrics of a target, and of its probes.

    HEALTHY needs all metrics: what the function counts itself does not show the calls that its timeout
    killed, and Lambda does not count an answer of 503. Probes alone are enough as well, for a service without
    traffic. BROKEN by one is enough. So there are two tests for HEALTHY, and for BROKEN one of each.

    Args:
        counts: What each series of metrics shows, by the rule that it is judged by.
        probes: Probes and those that failed.
        natural_error_rate: See `verdict`.
        probed: Whether the target declares a probe.

    """
    healthy, broken = 1 + probed, len(counts) + probed
    metrics = [
        verdict(counted, natural_error_rate, rule.error_rate, healthy=healthy, broken=broken)
        for rule, counted in counts.items()
    ]
    rate = min(rule.error_rate for rule in counts)
    answers = verdict(probes, natural_error_rate, rate, healthy=healthy, broken=broken)
    if Verdict.BROKEN in (*metrics, answers):
        return Verdict.BROKEN
    well = answers is Verdict.HEALTHY or all(each is Verdict.HEALTHY for each in metrics)
    return Verdict.HEALTHY if well else Verdict.UNDECIDED
