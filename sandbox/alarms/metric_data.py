"""The GetMetricData request for an alarm, and the datapoints of the answer. Pure.

Windows slide by a minute (or 10 s) even if the period is longer: an alarm with a period of 300 s evaluates
minutes 1 to 5, then 2 to 6 (CloudWatch user guide, "Alarm evaluation"). GetMetricData aligns long periods to
a fixed grid, so the windows are assembled here from periods of one step.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from selfheal.sandbox.alarms.alarm import Alarm, Metric
from selfheal.sandbox.alarms.series import Series, divide
from selfheal.sandbox.errors import SandboxError

_PARTS: Mapping[str, tuple[tuple[str, ...], Callable[..., float]]] = {
    "Sum": (("Sum",), sum),
    "SampleCount": (("SampleCount",), sum),
    "Minimum": (("Minimum",), min),
    "Maximum": (("Maximum",), max),
    "Average": (("Sum", "SampleCount"), lambda sums, counts: divide(sum(sums), sum(counts))),
}


class ReadingError(SandboxError):
    """The answer of GetMetricData is not complete."""


def request(alarm: Alarm, now: float) -> dict[str, Any]:
    """Return the arguments of GetMetricData for the evaluation range of an alarm at `now` (epoch seconds)."""
    windows = alarm.windows(now)
    queries = [
        {
            "Id": _query_id(number, part),
            "MetricStat": {
                "Metric": dict(metric.query),
                "Period": alarm.step,
                "Stat": stat,
                **({"Unit": metric.unit} if metric.unit else {}),
            },
        }
        for number, metric in enumerate(alarm.metrics)
        for part, stat in enumerate(_stats(alarm, metric))
    ]
    return {
        "MetricDataQueries": queries,
        "StartTime": datetime.fromtimestamp(windows[0], UTC),
        "EndTime": datetime.fromtimestamp(windows[-1] + alarm.period, UTC),
    }


def datapoints(alarm: Alarm, now: float, results: Sequence[Mapping[str, Any]]) -> dict[str, Series]:
    """Return each metric's datapoints in the windows of `now`, from the MetricDataResults of `request`.

    Raises ReadingError if a result is missing or incomplete, which is not the same as no data.
    """
    answers: dict[str, dict[int, float]] = {}
    for result in results:
        if result.get("StatusCode", "Complete") not in {"Complete", "PartialData"}:
            said = "; ".join(str(message.get("Value")) for message in result.get("Messages") or [])
            raise ReadingError(
                f"GetMetricData answers {result['StatusCode']} for {result['Id']}: {said or 'no text'}"
            )
        points = zip(result["Timestamps"], result["Values"], strict=True)
        # PartialData: more of the same series is on the next page.
        answers.setdefault(result["Id"], {}).update(
            (int(at.timestamp()), float(value)) for at, value in points
        )
    windows = alarm.windows(now)
    return {
        metric.id: _series(alarm, windows, metric.stat, _answered(alarm, number, metric, answers))
        for number, metric in enumerate(alarm.metrics)
    }


def _stats(alarm: Alarm, metric: Metric) -> tuple[str, ...]:
    return (metric.stat,) if alarm.step == alarm.period else _PARTS[metric.stat][0]


def _query_id(number: int, part: int) -> str:
    return f"q{number}_{part}"


def _answered(
    alarm: Alarm, number: int, metric: Metric, answers: Mapping[str, Mapping[int, float]]
) -> list[Mapping[int, float]]:
    ids = [_query_id(number, part) for part, _ in enumerate(_stats(alarm, metric))]
    for query in ids:
        if query not in answers:
            name = f"{metric.query['Namespace']} {metric.query['MetricName']}"
            raise ReadingError(f"GetMetricData gives no result for {name} ({metric.stat})")
    return [answers[query] for query in ids]


def _series(alarm: Alarm, windows: Sequence[int], stat: str, parts: list[Mapping[int, float]]) -> Series:
    if alarm.step == alarm.period:
        return {start: parts[0][start] for start in windows if start in parts[0]}
    _, combine = _PARTS[stat]
    series: dict[int, float] = {}
    for start in windows:
        steps = range(start, start + alarm.period, alarm.step)
        values = [[part[step] for step in steps if step in part] for part in parts]
        if all(values):
            series[start] = combine(*values)
    return {start: value for start, value in series.items() if math.isfinite(value)}
