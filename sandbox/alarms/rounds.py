"""One round over all alarms of an endpoint: reads metrics, evaluates, sets states that changed."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selfheal.sandbox.alarms.alarm import Alarm, AlarmRefusedError, read_alarm
from selfheal.sandbox.alarms.metric_data import datapoints, request
from selfheal.sandbox.alarms.metric_math import Scope
from selfheal.sandbox.alarms.metric_math import evaluate as calculate
from selfheal.sandbox.alarms.state import State, evaluate
from selfheal.sandbox.alarms.state_reason import reason_data, reason_text
from selfheal.sandbox.alarms.syntax import MathError

_LOG = logging.getLogger("selfheal.sandbox.alarms")

ENDPOINT = "(endpoint)"
"""Used as the alarm's name if no alarm could be read at all."""

_MAX_REASON = 1023


@dataclass(frozen=True)
class Change:
    """A change of an alarm's state."""

    alarm: str
    before: State
    after: State
    reason: str


@dataclass(frozen=True)
class Round:
    """The result of one round."""

    changes: tuple[Change, ...] = ()

    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    """Errors by alarm name, or by `ENDPOINT` if no alarm could be read."""


class Rounds:
    """Evaluates the metric alarms of a CloudWatch client, each once for every end of its window.

    Composite alarms are left to the emulator, which evaluates them when a child changes.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._done: dict[str, int] = {}  # alarm name -> the newest period that was evaluated
        self._logged: dict[str, str] = {}  # alarm name -> the problem that was logged last

    def run(self, now: float) -> Round:
        """Evaluate every alarm whose window has moved since its last evaluation, at `now` (epoch seconds).

        Raises nothing. An error of one alarm is logged and returned, does not affect the others, and is
        retried in the next round.
        """
        problems: dict[str, str] = {}
        try:
            pages = self._client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
            descriptions = [alarm for page in pages for alarm in page["MetricAlarms"]]
        except Exception as error:  # noqa: BLE001  (the next round tries again)
            self._report(problems, ENDPOINT, f"alarms cannot be read and are not evaluated: {error}")
            return Round((), problems)
        self._resolve(ENDPOINT)
        names = {description["AlarmName"] for description in descriptions}
        for past in (self._done, self._logged):  # an alarm that is deleted and created again is a new one
            for name in set(past) - names:
                del past[name]
        changes: list[Change] = []
        # On the minute alarms of all periods are due: those with short periods should notify first.
        for description in sorted(descriptions, key=_period):
            name = description["AlarmName"]
            try:
                change = self._one(description, now)
            except (AlarmRefusedError, MathError) as error:
                self._report(problems, name, f"this sandbox does not evaluate the alarm: {error}")
                change = self._refuse(description, problems[name])
            except Exception as error:  # noqa: BLE001  (one alarm must not stop the others)
                self._report(problems, name, f"not evaluated this time: {error}")
                continue
            else:
                self._resolve(name)
            if change:
                changes.append(change)
        return Round(tuple(changes), problems)

    def _one(self, description: Mapping[str, Any], now: float) -> Change | None:
        alarm = read_alarm(description)
        newest = alarm.windows(now)[-1]
        if self._done.get(alarm.name) == newest:
            return None
        before = State(description["StateValue"])
        verdict = evaluate(alarm, self._watched(alarm, now), now, before)
        change = None
        if verdict.state is not before:
            change = Change(alarm.name, before, verdict.state, reason_text(alarm, verdict))
            self._set(change, reason_data(alarm, verdict, now))
        self._done[alarm.name] = newest
        return change

    def _watched(self, alarm: Alarm, now: float) -> Mapping[int, float]:
        pages = self._client.get_paginator("get_metric_data").paginate(**request(alarm, now))
        results = [result for page in pages for result in page["MetricDataResults"]]
        metrics = datapoints(alarm, now, results)
        scope = Scope(metrics, alarm.expressions, alarm.windows(now), alarm.period)
        return calculate(alarm.watched, scope)

    def _refuse(self, description: Mapping[str, Any], why: str) -> Change | None:
        """Set an alarm that cannot be evaluated to INSUFFICIENT_DATA: it must not stay OK."""
        reason = f"Unchecked: {why}"[:_MAX_REASON]
        before = State(description["StateValue"])
        change = Change(description["AlarmName"], before, State.INSUFFICIENT_DATA, reason)
        if before is State.INSUFFICIENT_DATA and description.get("StateReason") == reason:
            return None
        try:
            self._set(change, None)
        except Exception as error:  # noqa: BLE001  (as above; the refusal itself is logged already)
            _LOG.warning("alarm %s: its state cannot be set: %s", change.alarm, error)
            return None
        return change if before is not State.INSUFFICIENT_DATA else None

    def _set(self, change: Change, data: str | None) -> None:
        self._client.set_alarm_state(
            AlarmName=change.alarm,
            StateValue=str(change.after),
            StateReason=change.reason,
            **({"StateReasonData": data} if data else {}),
        )
        _LOG.info("alarm %s: %s -> %s: %s", change.alarm, change.before, change.after, change.reason)

    def _report(self, problems: dict[str, str], name: str, text: str) -> None:
        problems[name] = text
        if self._logged.get(name) != text:
            _LOG.warning("alarm %s: %s", name, text)
            self._logged[name] = text

    def _resolve(self, name: str) -> None:
        if self._logged.pop(name, None):
            _LOG.info("alarm %s: evaluated again", name)


def _period(description: Mapping[str, Any]) -> int:
    """Return the shortest period of an alarm, in seconds."""
    stats = [query.get("MetricStat", {}) for query in description.get("Metrics", ())]
    return min((int(stat["Period"]) for stat in [*stats, description] if "Period" in stat), default=0)
