"""The moments of a recorded run, and the requests and errors between them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from selfheal.cli.demo.model import AlarmChange, MomentKey, Recording, Sample
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.words import Status

SETTLING_SECONDS = 2.0
"""How long after the act a request may still meet the old configuration: an update takes half a second to
settle in the emulator. The healer itself waits longer before it counts evidence."""

TITLES: dict[MomentKey, str] = {
    MomentKey.DEPLOYED: "deployed",
    MomentKey.FIRST_ERROR: "first error",
    MomentKey.ALARM: "alarm",
    MomentKey.ACT: "act",
    MomentKey.LAST_ERROR: "last error",
    MomentKey.ALARM_OK: "alarm back to OK",
    MomentKey.RECOVERED: "recovered by evidence",
    MomentKey.BASELINE_RESTORED: "baseline restored",
    MomentKey.ERRORS_AGAIN: "errors possible again",
}


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
class Count:
    """Requests and errors of one phase."""

    requests: int
    errors: int

    @property
    def rate(self) -> float:
        """Errors per request, from 0 to 1; 0 without requests."""
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Counts:
    """Requests by phase, sorted by when they were sent."""

    before_act: Count
    settling: Count
    """From the act for SETTLING_SECONDS, while the old configuration may still answer."""
    after_act: Count
    """From then until the second `up`: the phase in which no error may happen."""
    after_restore: Count
    """From the start of the second `up`, which puts the failure rate back."""

    @property
    def total(self) -> Count:
        """All phases together."""
        phases = (self.before_act, self.settling, self.after_act, self.after_restore)
        return Count(sum(p.requests for p in phases), sum(p.errors for p in phases))


def acted_at(recording: Recording) -> float | None:
    """Return when the ledger says that the remedy was applied, in seconds since traffic began, or None."""
    incident = recording.incident
    return recording.since_began(incident.acted_at) if incident and incident.acted_at else None


def count(samples: Iterable[Sample]) -> Count:
    """Count requests and errors."""
    failed = [sample.failed for sample in samples]
    return Count(len(failed), sum(failed))


def counts(recording: Recording) -> Counts:
    """Count the requests of each phase; without an act everything is before it."""
    act = acted_at(recording)
    settled = act + SETTLING_SECONDS if act is not None else None
    restore = recording.restore.started if recording.restore else None
    phases: tuple[list[Sample], ...] = ([], [], [], [])
    for sample in recording.samples:
        if act is None or sample.sent < act:
            phases[0].append(sample)
        elif restore is not None and sample.sent >= restore:
            phases[3].append(sample)
        elif settled is not None and sample.sent < settled:
            phases[1].append(sample)
        else:
            phases[2].append(sample)
    return Counts(*(count(phase) for phase in phases))


def opening_alarm(recording: Recording) -> AlarmChange | None:
    """Return the change to ALARM that began the incident; of any alarm while the ledger names none."""
    name = recording.incident.alarm if recording.incident else None
    rung = [change for change in recording.alarm_changes if change.state == "ALARM"]
    return next((change for change in rung if name in (None, change.name)), None)


def alarm_ok(recording: Recording) -> AlarmChange | None:
    """Return the first change of the opening alarm back to OK."""
    opened = opening_alarm(recording)
    if opened is None:
        return None
    back = (
        c for c in recording.alarm_changes if c.name == opened.name and c.state == "OK" and c.at > opened.at
    )
    return next(back, None)


def timeline(recording: Recording) -> list[Moment]:
    """Return the moments that happened, in the order of their time."""
    found = [*_of_traffic(recording), *_of_alarms(recording), *_of_incident(recording), *_of_stack(recording)]
    order = list(MomentKey)
    return sorted(found, key=lambda moment: (moment.seconds, order.index(moment.key)))


def _moment(recording: Recording, key: MomentKey, seconds: float, detail: str) -> Moment:
    at = (recording.began + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    return Moment(key, round(seconds, 3), at.replace("+00:00", "Z"), detail)


def _of_traffic(recording: Recording) -> Iterable[Moment]:
    end = recording.restore.started if recording.restore else float("inf")
    ordered = sorted(recording.samples, key=lambda sample: sample.done)
    failed = [sample for sample in ordered if sample.failed and sample.sent < end]
    if failed:
        yield _moment(recording, MomentKey.FIRST_ERROR, failed[0].done, _answer(failed[0]))
    # Before the act, the latest error is merely the latest so far.
    if failed and acted_at(recording) is not None:
        total = count(sample for sample in recording.samples if sample.sent < end)
        detail = (
            f"{_answer(failed[-1])}; {total.errors} errors in {total.requests} requests until the second up"
        )
        yield _moment(recording, MomentKey.LAST_ERROR, failed[-1].done, detail)
    again = next((sample for sample in ordered if sample.failed and sample.sent >= end), None)
    if again:
        yield _moment(
            recording, MomentKey.ERRORS_AGAIN, again.done, f"{_answer(again)}: the fault is live again"
        )


def _answer(sample: Sample) -> str:
    return f"HTTP {sample.status}" if sample.status is not None else "no answer"


def _of_alarms(recording: Recording) -> Iterable[Moment]:
    opened, closed = opening_alarm(recording), alarm_ok(recording)
    if opened:
        yield _moment(recording, MomentKey.ALARM, opened.at, opened.name)
    if closed:
        yield _moment(recording, MomentKey.ALARM_OK, closed.at, closed.name)


def _of_incident(recording: Recording) -> Iterable[Moment]:
    incident, act = recording.incident, acted_at(recording)
    if incident is None:
        return
    if act is not None:
        intended = next((each.at for each in incident.history if each.to == Status.ACTING), None)
        intent = f"; intent recorded at {recording.since_began(intended):.1f} s" if intended else ""
        yield _moment(recording, MomentKey.ACT, act, f"{remedy(incident)}{intent}")
    if not incident.is_open and incident.closed_at:
        seconds = recording.since_began(incident.closed_at)
        told = evidence_text(incident) or "no evidence in the ledger"
        yield _moment(recording, MomentKey.RECOVERED, seconds, told)


def _of_stack(recording: Recording) -> Iterable[Moment]:
    took, rate = recording.deploy_seconds, recording.rates.deployed
    detail = f"by the unmodified program in {took:.1f} s, FAILURE_RATE {rate}"
    yield _moment(recording, MomentKey.DEPLOYED, recording.deployed, detail)
    restore = recording.restore
    if restore and same_rate(recording.rates.restored, recording.rates.baseline):
        done = ", ".join(f"{number} {what}" for what, number in sorted(restore.changes.items()) if number)
        detail = f"second up: FAILURE_RATE {recording.rates.restored} ({done or 'no change'})"
        yield _moment(recording, MomentKey.BASELINE_RESTORED, restore.finished, detail)


def remedy(incident: Incident) -> str:
    """Return what the incident's plan changes, for example `FAILURE_RATE 0.3 → 0`; a dash without a plan."""
    plan = incident.plan
    return f"{plan.setting} {plan.before} → {plan.after}" if plan else "—"


def evidence_text(incident: Incident) -> str | None:
    """Return the evidence in words, or None when no request was counted after the act."""
    found = incident.evidence
    if found is None or found.requests <= 0:
        return None
    return f"{found.errors} errors in {found.requests} requests after the act"


def same_rate(one: str | None, other: str | None) -> bool:
    """Compare two rates as numbers ("0.30" equals "0.3"); what is absent or no number equals nothing."""
    try:
        return one is not None and other is not None and float(one) == float(other)
    except ValueError:
        return False


def buckets(samples: Sequence[Sample], width: float, until: float) -> list[Count]:
    """Count requests per stretch of `width` seconds, from zero to `until`, by when they were sent."""
    number = max(1, int(until // width) + 1)
    slots: list[list[Sample]] = [[] for _ in range(number)]
    for sample in samples:
        slot = int(sample.sent // width)
        if 0 <= slot < number:
            slots[slot].append(sample)
    return [count(slot) for slot in slots]
