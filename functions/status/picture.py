"""The picture: how a stack is now, as plain data, and how it is made of what AWS answers. Pure.

One model for the status API and for `selfheal watch`. Its JSON form is an interface: keys are added, never
changed. What could not be read is null or left out, and always said in `problems`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.incident import BUDGET_WINDOW, Incident, not_before
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.items import from_item
from selfheal.functions.healer.reasons import MEANS
from selfheal.functions.healer.states import Status
from selfheal.functions.healer.target import Setting
from selfheal.functions.shared.breaker.circuit import Circuit, State
from selfheal.functions.shared.breaker.settings import BreakerSettings

MOST_INCIDENTS = 20
"""Incidents of a picture. What is open, or still stands, is never left out for that."""

MOST_STEPS = 30
"""Of an incident's history. The ledger has more: that of an incident of weeks would fill each picture."""

_ARN = re.compile(r"\barn:aws[a-z-]*:[^\s\"']*?([^\s\"':/]*)(?=[\s\"',;)]|$)")


@dataclass(frozen=True)
class AlarmNow:
    """An alarm of a target. All but the name are None where its state could not be read."""

    name: str
    state: str | None = None
    """OK, ALARM or INSUFFICIENT_DATA."""
    since: str | None = None
    reason: str | None = None
    """As CloudWatch words it."""


@dataclass(frozen=True)
class TargetNow:
    """A target of the healer."""

    name: str
    alarms: tuple[AlarmNow, ...]


@dataclass(frozen=True)
class Step:
    """One line of an incident's history."""

    at: str
    source: str
    to: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {"at": self.at, "from": self.source, "to": self.to, "reason": self.reason}


@dataclass(frozen=True)
class IncidentNow:
    """An incident, without what only its details need."""

    id: str
    target: str
    status: str
    reason: str
    means: str
    """What the reason means, in a sentence."""
    open: bool
    opened_at: str
    closed_at: str | None
    remedy: str | None
    """What is planned, or stands: `environment:FAILURE_RATE 0.3 → 0`. None without a plan."""
    drift: bool
    """Whether it is over, and a change of the healer that nobody has accepted still stands."""
    steps: int
    """Number of its transitions, those that the history leaves out included."""
    history: tuple[Step, ...]
    """The last MOST_STEPS of them, oldest first."""

    def to_json(self) -> dict[str, Any]:
        """Return its JSON form."""
        return asdict(self) | {"history": [each.to_json() for each in self.history]}


@dataclass(frozen=True)
class BudgetNow:
    """Remediations of all targets in the last 24 hours."""

    used: int
    limit: int | None
    """None where the ledger does not tell it."""


@dataclass(frozen=True)
class ForcedNow:
    """What a person decided about a circuit, and until when."""

    state: str
    by: str
    why: str
    until: str


@dataclass(frozen=True)
class CircuitNow:
    """A circuit."""

    name: str
    state: str
    """closed, open or half-open."""
    at_rest: bool
    """Whether it is closed and its consumers run at full concurrency."""
    since: str | None
    """None if nothing was ever written."""
    next_probe_at: str | None
    """While it is open."""
    forced: ForcedNow | None
    openings: int
    """Since it was last stable."""
    calls: int
    """In the last 10 s."""
    failures: int
    """Of these calls."""


@dataclass(frozen=True)
class QueueNow:
    """A queue. SQS counts approximately."""

    name: str
    waiting: int
    in_flight: int
    delayed: int


@dataclass(frozen=True)
class LettersNow:
    """A place of dead letters."""

    name: str
    letters: int | None
    """Of a bucket at most 1,000. None where they could not be counted."""


@dataclass(frozen=True)
class Picture:
    """How a stack is now."""

    at: str
    mode: str | None = None
    """act, suggest or observe: what is in effect. None where it is not known."""
    baseline: str | None = None
    """The mode that was deployed."""
    targets: tuple[TargetNow, ...] = ()
    incidents: tuple[IncidentNow, ...] = ()
    """Open ones first, of these the escalated; then drift; and the newest first."""
    budget: BudgetNow | None = None
    circuits: tuple[CircuitNow, ...] = ()
    queues: tuple[QueueNow, ...] = ()
    dead_letters: tuple[LettersNow, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be read, and why, a sentence each."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form. Times are ISO 8601 in UTC, null where there is none."""
        return {
            "at": self.at,
            "stack": {"mode": self.mode, "baseline": self.baseline},
            "targets": [_plain(each) for each in self.targets],
            "incidents": [each.to_json() for each in self.incidents],
            "budget": None if self.budget is None else asdict(self.budget),
            "circuits": [asdict(each) for each in self.circuits],
            "queues": [asdict(each) for each in self.queues],
            "dead_letters": [asdict(each) for each in self.dead_letters],
            "problems": list(self.problems),
        }


def without_arns(value: Any) -> Any:
    """Return JSON in which each ARN is its last part: callers of a service need no account and no role."""
    if isinstance(value, str):
        return _ARN.sub(r"\1", value)
    if isinstance(value, list):
        return [without_arns(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: without_arns(each) for key, each in cast("dict[str, Any]", value).items()}
    return value


def _plain(target: TargetNow) -> dict[str, Any]:
    return {"name": target.name, "alarms": [asdict(each) for each in target.alarms]}


def alarm_now(described: Mapping[str, Any]) -> AlarmNow:
    """Return an alarm of an answer to DescribeAlarms."""
    # StateUpdatedTimestamp also moves when only the evaluation's state changes.
    since: datetime = described.get("StateTransitionedTimestamp") or described["StateUpdatedTimestamp"]
    return AlarmNow(described["AlarmName"], described["StateValue"], iso(since), described.get("StateReason"))


def targets_now(
    alarms: Mapping[str, Sequence[str]], found: Mapping[str, AlarmNow]
) -> tuple[tuple[TargetNow, ...], list[str]]:
    """Return the targets with their alarms, and what is wrong with these.

    Args:
        alarms: Names of alarms by target.
        found: The alarms that there are, by name.

    """
    targets = tuple(
        TargetNow(name, tuple(found.get(alarm, AlarmNow(alarm)) for alarm in of))
        for name, of in alarms.items()
    )
    missing = [
        f"the alarm {alarm} of target {name} does not exist: deploy the stack again"
        for name, of in alarms.items()
        for alarm in of
        if alarm not in found
    ]
    return targets, missing


def incidents_now(items: Iterable[Mapping[str, Any]]) -> tuple[tuple[IncidentNow, ...], list[str]]:
    """Return the incidents that items of the ledger hold, and what is wrong with those that cannot be read.

    The current incident of a target, once closed, has an archived copy of the same id, which may be older.
    """
    found: dict[str, IncidentNow] = {}
    problems: list[str] = []
    for item in sorted(items, key=_is_current):
        try:
            incident = from_item(item)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problems.append(f"could not read an incident: {error or type(error).__name__}")
        else:
            found[incident.id] = incident_now(incident, current=_is_current(item))
    newest = sorted(found.values(), key=lambda each: each.opened_at, reverse=True)
    worst = sorted(newest, key=lambda each: (not each.open, each.status != Status.ESCALATED, not each.drift))
    urgent = sum(each.open or each.drift for each in worst)
    return tuple(worst[: max(MOST_INCIDENTS, urgent)]), problems


def _is_current(item: Mapping[str, Any]) -> bool:
    return item["sk"]["S"] == "incident"


def incident_now(incident: Incident, *, current: bool) -> IncidentNow:
    """Return an incident as a picture has it.

    Args:
        incident: As the ledger has it.
        current: Whether it is the last one of its target, which alone tells what stands on it.

    """
    drift = current and not incident.is_open and incident.drifts
    plans = [each.plan for each in incident.standing if not each.accepted] if drift else []
    if not plans and incident.plan is not None:
        plans = [incident.plan]
    return IncidentNow(
        id=incident.id,
        target=incident.target,
        status=incident.status.value,
        reason=incident.reason.value,
        means=MEANS[incident.reason],
        open=incident.is_open,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        remedy="; ".join(map(remedy_text, plans)) or None,
        drift=drift,
        steps=max(incident.transitions, len(incident.history)),
        history=tuple(
            Step(each.at, each.source, each.to, each.reason) for each in incident.history[-MOST_STEPS:]
        ),
    )


def remedy_text(plan: Plan) -> str:
    """Return what a plan changes, such as `environment:FAILURE_RATE 0.3 → 0`."""
    setting = Setting(plan.kind, printable(plan.setting) if plan.setting else "")
    return f"{setting} {printable(plan.before)} → {printable(plan.after)}"


def printable(text: str | None) -> str:
    """Return a value so that all of it is visible: control characters, and leading or trailing space."""
    if text is None:
        return "not set"
    plain = bool(text) and text.isprintable() and text == text.strip()
    return text if plain else ascii(text)


def budget_now(acts: Sequence[str], limit: int | None, now: datetime) -> BudgetNow:
    """Return how much of the budget is used: of these remediations, those of the last 24 hours."""
    return BudgetNow(len(not_before(tuple(acts), now - BUDGET_WINDOW)), limit)


def circuit_now(circuit: Circuit, now: datetime) -> CircuitNow:
    """Return a circuit as a picture has it."""
    seconds = now.timestamp()
    count, forced = circuit.count(seconds, BreakerSettings()), circuit.forced_now(seconds)
    return CircuitNow(
        name=circuit.name,
        state=circuit.state.value,
        at_rest=circuit.at_rest,
        since=_time(circuit.changed_at) if circuit.changed_at else None,
        next_probe_at=_time(circuit.until) if circuit.state is State.OPEN else None,
        forced=None
        if forced is None
        else ForcedNow(forced.state.value, forced.by, forced.why, _time(forced.until)),
        openings=circuit.openings,
        calls=count.calls,
        failures=count.failures,
    )


def queue_now(name: str, attributes: Mapping[str, str]) -> QueueNow:
    """Return a queue of an answer to GetQueueAttributes."""
    return QueueNow(name, *(int(attributes[each]) for each in QUEUE_ATTRIBUTES))


QUEUE_ATTRIBUTES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
"""What is asked of a queue: waiting, in flight, delayed."""


def letters_now(name: str, attributes: Mapping[str, str]) -> LettersNow:
    """Return a dead-letter queue of an answer to GetQueueAttributes, letters that are looked at included."""
    queue = queue_now(name, attributes)
    return LettersNow(name, queue.waiting + queue.in_flight + queue.delayed)


def _time(seconds: float) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))


def age_seconds(moment: str, at: str) -> float:
    """Return the seconds from a moment to the time of a picture; 0 for one that is later."""
    return max(0.0, (parse_iso(at) - parse_iso(moment)).total_seconds())
