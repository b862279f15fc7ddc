"""Reads an alarm from its description, and refuses alarms that cannot be evaluated as declared. Pure.

Sources: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html ; CloudWatch API
reference, PutMetricAlarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from selfheal.sandbox.alarms.syntax import parse
from selfheal.sandbox.errors import SandboxError

EXTRA_PERIODS = 2
"""Periods in the evaluation range beyond EvaluationPeriods, in case some have no data.

AWS documents no formula. Its examples use a range of 5 periods for an alarm over 3; in a published
measurement an alarm over 1 period of 900 s kept its last datapoint for just over 3 periods.
"""

_DAY = 86_400
_MINUTE = 60
_SHORT_PERIODS = (10, 20, 30)
_SUMMABLE = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")


class Missing(StrEnum):
    """How an alarm treats a period without data."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class Comparison(StrEnum):
    """When a datapoint is breaching. CloudWatch has others for anomaly detection only."""

    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    GREATER = "GreaterThanThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"


class AlarmRefusedError(SandboxError):
    """The sandbox does not evaluate an alarm of this form."""


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
    """An alarm, as far as its evaluation needs it."""

    name: str
    comparison: Comparison
    threshold: float

    period: int
    """Seconds: 10, 20, 30 or a multiple of 60."""

    evaluation_periods: int
    """N: the number of latest periods that are evaluated."""

    datapoints_to_alarm: int
    """M, from 1 to N: how many of them must be breaching."""

    missing: Missing
    metrics: tuple[Metric, ...]
    expressions: Mapping[str, str]
    """Metric math by id; empty for an alarm on one metric."""

    watched: str
    """The id of the metric or expression that is compared with the threshold."""

    @property
    def step(self) -> int:
        """Seconds between two evaluations, by which the window slides: 10 or 60.

        A percentile cannot be calculated from those of shorter periods. It is read for whole, aligned
        periods, so that its window slides by one period.
        """
        step = _MINUTE if self.period >= _MINUTE else 10
        summable = all(metric.stat in _SUMMABLE for metric in self.metrics)
        return step if summable or self.period == step else self.period

    def windows(self, now: float) -> list[int]:
        """Return the start (epoch seconds) of each period in the evaluation range, oldest first.

        The newest period is complete: it ends at the latest multiple of `step` up to `now`.
        """
        end = int(now // self.step) * self.step
        count = self.evaluation_periods + EXTRA_PERIODS
        return [end - back * self.period for back in range(count, 0, -1)]


def read_alarm(description: Mapping[str, Any]) -> Alarm:
    """Return the alarm that one of DescribeAlarms' MetricAlarms describes.

    Raises AlarmRefusedError or MathError for an alarm that cannot be evaluated exactly as it is declared.
    """
    _refuse_unknown_forms(description)
    entries: Sequence[Mapping[str, Any]] = description.get("Metrics") or [_single_metric(description)]
    metrics = tuple(_metric(entry) for entry in entries if entry.get("MetricStat"))
    expressions = {entry["Id"]: entry["Expression"] for entry in entries if entry.get("Expression")}
    for expression in expressions.values():
        parse(expression)
    # ReturnData defaults to true if there is a single entry.
    watched = [entry["Id"] for entry in entries if entry.get("ReturnData", len(entries) == 1)]
    if len(watched) != 1 or not metrics:
        raise AlarmRefusedError(
            "its Metrics need at least one MetricStat and exactly one entry with ReturnData true; "
            f"they have {len(metrics)} and {len(watched)}"
        )
    periods = {int(entry["MetricStat"]["Period"]) for entry in entries if entry.get("MetricStat")}
    evaluation_periods = int(description["EvaluationPeriods"])
    return Alarm(
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
        # So is every alarm on metric math described by an endpoint that drops its Metrics.
        raise AlarmRefusedError("DescribeAlarms gives neither MetricName and Namespace nor Metrics for it")
    return {
        "Id": "m1",
        "MetricStat": {
            "Metric": {key: description.get(key) for key in ("Namespace", "MetricName", "Dimensions")},
            "Period": description["Period"],
            # Both are set if the endpoint fills in a default for Statistic.
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
    # According to the user guide, as above, the only namespace with another default.
    dynamodb = all(metric.query["Namespace"] == "AWS/DynamoDB" for metric in metrics)
    return Missing.IGNORE if dynamodb else Missing.MISSING
