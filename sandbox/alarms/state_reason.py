"""Formats the StateReason and StateReasonData of an evaluation as CloudWatch does. Pure.

The wording is that of published state reasons of CloudWatch.
"""

import json
from datetime import UTC, datetime
from typing import Any

from selfheal.sandbox.alarms.alarm import Alarm, Comparison, Missing
from selfheal.sandbox.alarms.state import Datapoint, State, Verdict

_SHOWN = 20
"""Datapoints in a reason, to stay within the limits of SetAlarmState: 1023 and 4000 characters."""

_LIMIT = 1023

_WORDS = {
    Comparison.GREATER_OR_EQUAL: "greater than or equal to",
    Comparison.GREATER: "greater than",
    Comparison.LESS: "less than",
    Comparison.LESS_OR_EQUAL: "less than or equal to",
}

_TREATED = {
    Missing.MISSING: "Missing",
    Missing.IGNORE: "Ignored",
    Missing.BREACHING: "Breaching",
    Missing.NOT_BREACHING: "NonBreaching",
}


def reason_text(alarm: Alarm, verdict: Verdict) -> str:
    """Return the StateReason, at most 1023 characters."""
    if verdict.state is State.INSUFFICIENT_DATA:
        verb = "datapoint was" if verdict.filled == 1 else "datapoints were"
        return f"Insufficient Data: {verdict.filled} {verb} unknown."
    text = _with_missing(alarm, verdict) if verdict.filled else _without_missing(alarm, verdict)
    return f"Threshold Crossed: {text}"[:_LIMIT]


def reason_data(alarm: Alarm, verdict: Verdict, now: float) -> str:
    """Return the StateReasonData: JSON with the period, the threshold and the latest 20 datapoints used."""
    used = verdict.used[-_SHOWN:]
    periods: dict[int, float | None] = {point.start: point.value for point in used}
    if not used:  # as CloudWatch does, list the periods that had no data
        periods = dict.fromkeys(verdict.windows[-_SHOWN:])
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": _timestamp(now),
        "period": alarm.period,
        "recentDatapoints": [point.value for point in used],
        "threshold": alarm.threshold,
        "evaluatedDatapoints": [
            {"timestamp": _timestamp(start)} | ({} if value is None else {"value": value})
            for start, value in sorted(periods.items(), reverse=True)
        ],
    }
    if used:
        data["startDate"] = _timestamp(used[0].start)
    if not alarm.expressions:
        data["statistic"] = alarm.metrics[0].stat
    return json.dumps(data, separators=(",", ":"))


def _without_missing(alarm: Alarm, verdict: Verdict) -> str:
    alarming = verdict.state is State.ALARM
    named = [point for point in verdict.used if point.breaching == alarming]
    count, total = len(named), alarm.evaluation_periods
    # Fewer than M are breaching if more than N - M are not.
    least = alarm.datapoints_to_alarm if alarming else total - alarm.datapoints_to_alarm + 1
    verb = ("was" if count == 1 else "were") + ("" if alarming else " not")
    return (
        f"{count} out of the last {total} datapoints [{_listed(named)}] {verb} {_WORDS[alarm.comparison]} "
        f"the threshold ({alarm.threshold}) (minimum {least} datapoint{'' if least == 1 else 's'} for "
        f"{'OK -> ALARM' if alarming else 'ALARM -> OK'} transition)."
    )


def _with_missing(alarm: Alarm, verdict: Verdict) -> str:
    count, total, filled = len(verdict.used), alarm.evaluation_periods, verdict.filled
    values = f" [{_listed(list(verdict.used))}]" if count else ""
    received = f"{count or 'no'} {'datapoint' if count == 1 else 'datapoints'}{values}"
    periods = "1 period" if total == 1 else f"{total} periods"
    missing = "1 missing datapoint was" if filled == 1 else f"{filled} missing datapoints were"
    verb = "was" if count == 1 else "were"
    return f"{received} {verb} received for {periods} and {missing} treated as [{_TREATED[alarm.missing]}]."


def _listed(points: list[Datapoint]) -> str:
    newest_first = points[::-1]
    shown = [
        f"{point.value} ({datetime.fromtimestamp(point.start, UTC):%d/%m/%y %H:%M:%S})"
        for point in newest_first[:_SHOWN]
    ]
    return ", ".join(shown + (["..."] if len(points) > _SHOWN else []))


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
