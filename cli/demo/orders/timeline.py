"""The moments of a recorded run of the orders service, and its orders and calls between them. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from selfheal.cli.demo.model import AlarmChange
from selfheal.cli.demo.orders.model import TARGET, CircuitChange, MomentKey, OrdersRecording, order_id
from selfheal.cli.demo.timeline import evidence_text, remedy
from selfheal.cli.operator.orders_view import Call
from selfheal.functions.downstream.core import Outcome
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident_fields import Transition
from selfheal.functions.healer.states import Status
from selfheal.functions.shared.breaker.circuit import State

TITLES: dict[MomentKey, str] = {
    MomentKey.DEPLOYED: "deployed",
    MomentKey.OUTAGE: "downstream out",
    MomentKey.OPENED: "circuit opens",
    MomentKey.BAD_VERSION: "bad version deployed",
    MomentKey.ALARM: "alarm",
    MomentKey.ACT: "rolled back",
    MomentKey.MENDED: "downstream mended",
    MomentKey.AT_REST: "circuit at rest",
    MomentKey.DRAINED: "backlog drained",
    MomentKey.RECOVERED: "recovered by evidence",
}

SERVED = frozenset({Outcome.EFFECT, Outcome.DUPLICATE})
REFUSED = frozenset({Outcome.UNAVAILABLE, Outcome.ERROR, Outcome.THROTTLED})

_Moments = Iterator[tuple[MomentKey, float, str]]
"""Each with its seconds since traffic began, and what was seen."""


@dataclass(frozen=True)
class Moment:
    """One moment of the story that happened."""

    key: MomentKey
    seconds: float
    """Since traffic began; negative before it."""
    at: str
    """The same as ISO-8601 UTC with milliseconds."""
    detail: str
    """What was seen, in a sentence fragment."""

    @property
    def title(self) -> str:
        """The moment's name for people."""
        return TITLES[self.key]


@dataclass(frozen=True)
class Backlog:
    """How many orders were stored and not yet fulfilled, at any time."""

    stored: tuple[float, ...]
    """When each was stored, ascending."""
    fulfilled: tuple[float, ...]
    """When each was fulfilled, ascending."""

    @classmethod
    def of(cls, recording: OrdersRecording) -> "Backlog":
        """Return that of a run."""
        done = {fate.id: fate.fulfilled for fate in recording.fates}
        stored = sorted(sample.done for sample in recording.stored)
        ends = (done.get(order_id(sample.number)) for sample in recording.stored)
        return cls(tuple(stored), tuple(sorted(end for end in ends if end is not None)))

    def at(self, seconds: float) -> int:
        """Return how many waited."""
        # An order can be fulfilled before its answer has arrived.
        return max(0, bisect_right(self.stored, seconds) - bisect_right(self.fulfilled, seconds))

    @property
    def most(self) -> int:
        """The most that waited at once."""
        return max((self.at(at) for at in self.stored), default=0)


def timeline(recording: OrdersRecording) -> list[Moment]:
    """Return the moments that happened, in the order of their time."""
    order = list(MomentKey)
    moments: list[Moment] = []
    for key, seconds, detail in (
        *_of_deployments(recording),
        *_of_incident(recording),
        *_of_outage(recording),
    ):
        at = iso(recording.began + timedelta(seconds=seconds))
        moments.append(Moment(key, round(seconds, 3), at, detail))
    return sorted(moments, key=lambda moment: (moment.seconds, order.index(moment.key)))


def times(recording: OrdersRecording) -> dict[MomentKey, float]:
    """Return when each moment that happened was, in seconds since traffic began."""
    return {moment.key: moment.seconds for moment in timeline(recording)}


def opening_alarm(recording: OrdersRecording) -> AlarmChange | None:
    """Return the change to ALARM that began the incident of the bad version."""
    name = recording.incident.alarm if recording.incident else None
    rung = (change for change in recording.alarm_changes if change.state == "ALARM")
    return next((change for change in rung if change.name == name), None)


def opened(recording: OrdersRecording) -> CircuitChange | None:
    """Return the first opening of the circuit in the outage."""
    began = recording.outage.began if recording.outage else None
    changes = (change for change in recording.circuit if began is not None and change.at >= began)
    return next((change for change in changes if change.state is not State.CLOSED), None)


def at_rest(recording: OrdersRecording) -> CircuitChange | None:
    """Return when the circuit was at rest again after the outage, for good."""
    first, last = opened(recording), recording.circuit[-1] if recording.circuit else None
    return last if first and last and last.at_rest and last.at > first.at else None


def drained(recording: OrdersRecording) -> float | None:
    """Return when the last order that was stored before the mending was fulfilled; None if one never was."""
    mended = recording.outage.ended if recording.outage else None
    if mended is None:
        return None
    done = {fate.id: fate.fulfilled for fate in recording.fates}
    ends = [done.get(order_id(each.number)) for each in recording.stored if each.done <= mended]
    known = [end for end in ends if end is not None]
    return max(known, default=None) if len(known) == len(ends) else None


def calls_between(recording: OrdersRecording, start: float, end: float) -> list[Call]:
    """Return the calls that the downstream met from `start` to `end`."""
    return [call for call in recording.calls if start <= recording.called_at(call) < end]


def incident_spans(recording: OrdersRecording, target: str) -> list[tuple[float, float, Transition]]:
    """Return from when to when the incidents of a target were in the state of which step, oldest first."""
    spans: list[tuple[float, float, Transition]] = []
    for incident in sorted(recording.incidents, key=lambda each: each.opened_at):
        if incident.target != target:
            continue
        starts = [recording.since_began(each.at) for each in incident.history]
        ends = ends_of(starts, recording.ended)
        spans += [
            (at, end, step)
            for at, end, step in zip(starts, ends, incident.history, strict=True)
            if step.to not in (Status.RECOVERED, Status.CLOSED)
        ]
    return spans


def ends_of(starts: Sequence[float], last: float) -> list[float]:
    """Return when each of several stretches ends: with the next, and the last one at `last`."""
    return [*starts[1:], last][: len(starts)]


def per_slot(moments: Iterable[float], width: float, end: float) -> list[int]:
    """Count moments per stretch of `width` seconds, from zero to `end`."""
    slots = [0] * max(1, int(end // width) + 1)
    for moment in moments:
        if 0 <= moment <= end:
            slots[int(moment // width)] += 1
    return slots


def _of_deployments(recording: OrdersRecording) -> _Moments:
    took = f"by the unmodified program in {recording.deploy_seconds:.1f} s, mode act"
    yield MomentKey.DEPLOYED, recording.deployed, took
    bad = recording.bad
    if bad and recording.bad_at is not None:
        detail = f"{TARGET}: version {bad.version} of its function, which fails for each order"
        yield MomentKey.BAD_VERSION, recording.bad_at, detail


def _of_incident(recording: OrdersRecording) -> _Moments:
    if rung := opening_alarm(recording):
        yield MomentKey.ALARM, rung.at, rung.name
    incident = recording.incident
    if incident and incident.acted_at:
        yield MomentKey.ACT, recording.since_began(incident.acted_at), f"by the healer: {remedy(incident)}"
    if incident and incident.status is Status.RECOVERED and incident.closed_at:
        evidence = evidence_text(incident) or "no evidence in the ledger"
        yield MomentKey.RECOVERED, recording.since_began(incident.closed_at), f"{TARGET}: {evidence}"


def _of_outage(recording: OrdersRecording) -> _Moments:
    outage = recording.outage
    if outage is None:
        return
    yield MomentKey.OUTAGE, outage.began, "it answers 503 to every call"
    if first := opened(recording):
        met = _refused(calls_between(recording, outage.began, first.at))
        counted = f"after {met} calls that failed" if recording.calls else "no further call but probes"
        yield MomentKey.OPENED, first.at, counted
    if outage.ended is not None:
        yield MomentKey.MENDED, outage.ended, f"after {outage.ended - outage.began:.0f} s"
    if rest := at_rest(recording):
        yield MomentKey.AT_REST, rest.at, "closed after probes, and at full concurrency after a slow start"
    if (last := drained(recording)) is not None:
        yield MomentKey.DRAINED, last, "every order that was stored before the mending is fulfilled"


def _refused(calls: Sequence[Call]) -> int:
    return sum(call.outcome in REFUSED for call in calls)
