"""An alarm as this sandbox evaluates it, and which alarms it refuses. Pure.

Sources: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html ; CloudWatch API
reference, PutMetricAlarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from selfheal.sandbox.alarms.syntax import parse
from selfheal.sandbox.errors import SandboxError

EXTRA_PERIODS = 2
"""Periods looked at beyond EvaluationPeriods, in case some have no data.

AWS publishes no formula. Its worked examples look at 5 periods for an alarm over 3; somebody who measured an
alarm over 1 period of 900 s saw it keep its last datapoint for just over 3 periods.
"""

_DAY = 86_400
_MINUTE = 60
_SHORT_PERIODS = (10, 20, 30)
_SUMMABLE = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")


class State(StrEnum):
    """What an alarm says."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """How an alarm treats a period without data."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class Comparison(StrEnum):
    """When a datapoint breaches. The others that CloudWatch has are for anomaly detection only."""

    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    GREATER = "GreaterThanThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"


class AlarmRefusedError(SandboxError):
    """An alarm in a form that this sandbox does not evaluate."""


@dataclass(frozen=True)
class Metric:
    """One raw metric that an alarm reads."""

    id: str
    """Its name in metric math."""

    query: Mapping[str, Any]
    """Namespace, MetricName and Dimensions, as GetMetricData takes them."""

    stat: str
    """Sum, Average, Minimum, Maximum, SampleCount, or whatever else GetMetricData takes, such as p99."""

    unit: str | None = None
    """Only datapoints of this unit. Default: any."""


@dataclass(frozen=True)
class Alarm:
    """What is needed to evaluate one alarm."""

    name: str
    comparison: Comparison
    threshold: float

    period: int
    """Seconds: 10, 20, 30 or a multiple of 60 (divided by `speed`)."""

    evaluation_periods: int
    """N: how many of the latest periods count."""

    datapoints_to_alarm: int
    """M, 1 to N: how many of them must breach."""

    missing: Missing
    metrics: tuple[Metric, ...]
    expressions: Mapping[str, str]
    """Metric math by id; empty for an alarm on one metric."""

    watched: str
    """The id of the metric or expression that is compared with the threshold."""

    speed: int = 1
    """How many times faster than declared its periods run. Tests only."""

    @property
    def step(self) -> int:
        """Seconds between two evaluations, which is also how far its window slides: 10 or 60 s.

        A statistic that cannot be put together from shorter periods (a percentile) is read for whole, aligned
        periods, so its window moves by a period at a time.
        """
        step = (_MINUTE if self.period * self.speed >= _MINUTE else 10) // self.speed
        summable = all(metric.stat in _SUMMABLE for metric in self.metrics)
        return step if summable or self.period == step else self.period

    def windows(self, now: float) -> list[int]:
        """Return the start (epoch seconds) of each period in the evaluation range, oldest first.

        The newest period is complete: it ends at the latest multiple of `step` up to `now`.
        """
        end = int(now // self.step) * self.step
        count = self.evaluation_periods + EXTRA_PERIODS
        return [end - back * self.period for back in range(count, 0, -1)]


def read_alarm(description: Mapping[str, Any], *, speed: int = 1) -> Alarm:
    """Return the alarm that one of DescribeAlarms' MetricAlarms describes.

    `speed` divides its period: 1 (the default), 2, 5 or 10. Raises AlarmRefusedError or MathError, saying
    what is not evaluated, rather than leave out a part of what the alarm means.
    """
    _refuse_unknown_forms(description)
    entries: Sequence[Mapping[str, Any]] = description.get("Metrics") or [_single_metric(description)]
    metrics = tuple(_metric(entry) for entry in entries if entry.get("MetricStat"))
    expressions = {entry["Id"]: entry["Expression"] for entry in entries if entry.get("Expression")}
    for expression in expressions.values():
        parse(expression)
    # A single entry is watched whatever it says: ReturnData defaults to true for it.
    watched = [entry["Id"] for entry in entries if entry.get("ReturnData", len(entries) == 1)]
    if len(watched) != 1 or not metrics:
        raise AlarmRefusedError(
            "its Metrics need at least one MetricStat and exactly one entry with ReturnData true; "
            f"they have {len(metrics)} and {len(watched)}"
        )
    periods = {int(entry["MetricStat"]["Period"]) for entry in entries if entry.get("MetricStat")}
    evaluation_periods = int(description["EvaluationPeriods"])
    alarm = Alarm(
        name=description["AlarmName"],
        comparison=Comparison(description["ComparisonOperator"]),
        threshold=float(description["Threshold"]),
        period=_checked_period(periods, evaluation_periods),
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=int(description.get("DatapointsToAlarm") or evaluation_periods),
        missing=Missing(description.get("TreatMissingData") or _default_treatment(metrics)),
        metrics=metrics,
        expressions=expressions,
        watched=watched[0],
    )
    return alarm if speed == 1 else replace(alarm, period=alarm.period // speed, speed=speed)


def _refuse_unknown_forms(description: Mapping[str, Any]) -> None:
    for key, form in (
        ("ThresholdMetricId", "an anomaly detection band"),
        ("EvaluationCriteria", "a query in another language"),
    ):
        if description.get(key):
            raise AlarmRefusedError(f"it compares with {form} ({key}); allowed is a fixed Threshold")
    if "WallClockWindow" in (description.get("EvaluationWindow") or {}):
        raise AlarmRefusedError(
            "its EvaluationWindow is WallClockWindow; allowed is SlidingWindow, the default"
        )
    if description.get("EvaluateLowSampleCountPercentile") == "ignore":
        raise AlarmRefusedError(
            "EvaluateLowSampleCountPercentile is ignore; allowed is evaluate, the default"
        )
    if description.get("ComparisonOperator") not in set(Comparison):
        raise AlarmRefusedError(
            f"its ComparisonOperator is {description.get('ComparisonOperator')!r}; "
            f"allowed are {', '.join(Comparison)}"
        )


def _single_metric(description: Mapping[str, Any]) -> Mapping[str, Any]:
    if not description.get("MetricName") or not description.get("Namespace"):
        # An endpoint that drops Metrics would make every math alarm look like this.
        raise AlarmRefusedError("DescribeAlarms gives neither MetricName and Namespace nor Metrics for it")
    return {
        "Id": "m1",
        "MetricStat": {
            "Metric": {key: description.get(key) for key in ("Namespace", "MetricName", "Dimensions")},
            "Period": description["Period"],
            # Both can be set on an endpoint that fills a default in for Statistic.
            "Stat": description.get("ExtendedStatistic") or description.get("Statistic"),
            "Unit": description.get("Unit"),
        },
    }


def _metric(entry: Mapping[str, Any]) -> Metric:
    if entry.get("AccountId"):
        raise AlarmRefusedError(
            f"its metric {entry['Id']} is of account {entry['AccountId']}; allowed is its own"
        )
    stat = entry["MetricStat"]
    metric = stat["Metric"]
    query = {
        "Namespace": metric["Namespace"],
        "MetricName": metric["MetricName"],
        "Dimensions": [{"Name": d["Name"], "Value": d["Value"]} for d in metric.get("Dimensions") or []],
    }
    return Metric(entry["Id"], query, stat["Stat"], stat.get("Unit"))


def _checked_period(periods: set[int], evaluation_periods: int) -> int:
    if len(periods) > 1:
        raise AlarmRefusedError(
            f"its metrics have the periods {sorted(periods)} s; allowed is one for all of them"
        )
    period = periods.pop()
    if period <= 0 or (period not in _SHORT_PERIODS and period % _MINUTE):
        raise AlarmRefusedError(f"its period is {period} s; allowed are 10, 20, 30 and multiples of 60")
    if period * evaluation_periods > _DAY:
        raise AlarmRefusedError(
            f"it looks at {evaluation_periods} periods of {period} s; allowed is one day in all, {_DAY} s"
        )
    return period


def _default_treatment(metrics: tuple[Metric, ...]) -> Missing:
    # Documented on the page named above as the one namespace with another default.
    dynamodb = all(metric.query["Namespace"] == "AWS/DynamoDB" for metric in metrics)
    return Missing.IGNORE if dynamodb else Missing.MISSING
