"""Determines the state of an alarm from its datapoints, as CloudWatch documents it. Pure.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data" with its section
"Avoiding premature transitions to alarm state",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from selfheal.sandbox.alarms.alarm import Alarm, Comparison, Missing

_BREACHES: Mapping[Comparison, Callable[[float, float], bool]] = {
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.GREATER: operator.gt,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
}


class State(StrEnum):
    """State of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Datapoint:
    """A period with data."""

    start: int
    """When its period began, in epoch seconds."""

    value: float
    breaching: bool


@dataclass(frozen=True)
class Verdict:
    """The outcome of one evaluation."""

    state: State

    used: tuple[Datapoint, ...]
    """The datapoints that were evaluated, oldest first: the latest, at most EvaluationPeriods of them."""

    filled: int
    """How many of the EvaluationPeriods lack a datapoint and were treated as the alarm declares."""

    windows: tuple[int, ...]
    """The start of every period in the evaluation range, oldest first."""


def evaluate(alarm: Alarm, datapoints: Mapping[int, float], now: float, previous: State) -> Verdict:
    """Evaluate the periods that are complete at `now` (epoch seconds).

    `datapoints` maps the start of a period to its value; periods outside of `alarm.windows(now)` are ignored.
    `previous` is the current state, which an alarm that ignores missing data may keep.
    """
    windows = alarm.windows(now)
    breaches = _BREACHES[alarm.comparison]
    real = [
        Datapoint(start, datapoints[start], breaches(datapoints[start], alarm.threshold))
        for start in windows
        if start in datapoints
    ]
    # Datapoints of the extra periods are used before missing ones are filled.
    used = tuple(real[-alarm.evaluation_periods :])
    filled = alarm.evaluation_periods - len(used)
    state = _state(alarm, used, filled, windows[-1], previous)
    return Verdict(state, used, filled, tuple(windows))


def _state(alarm: Alarm, used: tuple[Datapoint, ...], filled: int, newest: int, previous: State) -> State:
    breaching = sum(point.breaching for point in used)
    if filled and alarm.missing is Missing.BREACHING:
        breaching += filled
    if breaching >= alarm.datapoints_to_alarm:
        return State.ALARM
    all_breach = all(point.breaching for point in used)
    if not filled or not all_breach or alarm.missing in {Missing.BREACHING, Missing.NOT_BREACHING}:
        return State.OK
    if alarm.missing is Missing.IGNORE:
        return previous
    # All datapoints are breaching, but there are too few. The state is ALARM once the oldest is so old that
    # the missing ones would have arrived ("Avoiding premature transitions to alarm state"). Until then it is
    # INSUFFICIENT_DATA, according to an earlier edition of the page (row - - - - X).
    age = (newest - used[0].start) // alarm.period + 1 if used else 0
    return State.ALARM if age >= alarm.datapoints_to_alarm else State.INSUFFICIENT_DATA
