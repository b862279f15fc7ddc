"""The moments of a recorded run, and the requests and errors between them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from math import inf
from typing import Any

from selfheal.cli.demo.model import AlarmChange, MomentKey, Recording, Sample
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Evidence
from selfheal.functions.healer.states import Status

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
    """Count the requests of each phase, by when they were sent; without an act everything is before it."""
    acted = acted_at(recording)
    act = inf if acted is None else acted
    restore = recording.restore.started if recording.restore else inf
    settled = min(act + SETTLING_SECONDS, restore)

    def phase(start: float, end: float) -> Count:
        return count(sample for sample in recording.samples if start <= sample.sent < end)

    return Counts(
        phase(-inf, act), phase(act, settled), phase(settled, restore), phase(max(act, restore), inf)
    )


def opening_alarm(recording: Recording) -> AlarmChange | None:
    """Return the change to ALARM that began the incident; of any alarm while there is no incident."""
    name = recording.incident.alarm if recording.incident else None
    rung = (change for change in recording.alarm_changes if change.state == "ALARM")
    return next((change for change in rung if name in (None, change.name)), None)


def alarm_ok(recording: Recording) -> AlarmChange | None:
    """Return the first change of the opening alarm back to OK."""
    opened = opening_alarm(recording)
    later = (each for each in recording.alarm_changes if opened and each.at > opened.at)
    return next((each for each in later if opened and (each.name, each.state) == (opened.name, "OK")), None)


def timeline(recording: Recording) -> list[Moment]:
    """Return the moments that happened, in the order of their time."""
    order = list(MomentKey)
    moments: list[Moment] = []
    for key, seconds, detail in (*_of_stack(recording), *_of_traffic(recording), *_of_incident(recording)):
        at = iso(recording.began + timedelta(seconds=seconds))
        moments.append(Moment(key, round(seconds, 3), at, detail))
    return sorted(moments, key=lambda moment: (moment.seconds, order.index(moment.key)))


def _of_stack(recording: Recording) -> _Moments:
    rates, restore = recording.rates, recording.restore
    took = f"by the unmodified program in {recording.deploy_seconds:.1f} s"
    yield MomentKey.DEPLOYED, recording.deployed, f"{took}, FAILURE_RATE {rates.deployed}"
    if restore and same_rate(rates.restored, rates.baseline):
        done = ", ".join(f"{number} {what}" for what, number in sorted(restore.changes.items()) if number)
        detail = f"second up: FAILURE_RATE {rates.restored} ({done or 'no change'})"
        yield MomentKey.BASELINE_RESTORED, restore.finished, detail


def _of_traffic(recording: Recording) -> _Moments:
    end = recording.restore.started if recording.restore else inf
    failed = [sample for sample in sorted(recording.samples, key=lambda each: each.done) if sample.failed]
    early, late = ([each for each in failed if (each.sent < end) is before] for before in (True, False))
    if early:
        yield MomentKey.FIRST_ERROR, early[0].done, _answer(early[0])
    if (
        early and acted_at(recording) is not None
    ):  # before the act, the latest error is not known to be the last
        total = count(sample for sample in recording.samples if sample.sent < end)
        errors = f"{total.errors} errors in {total.requests} requests until the second up"
        yield MomentKey.LAST_ERROR, early[-1].done, f"{_answer(early[-1])}; {errors}"
    if late:
        yield MomentKey.ERRORS_AGAIN, late[0].done, f"{_answer(late[0])}: the fault is live again"


def _answer(sample: Sample) -> str:
    return f"HTTP {sample.status}" if sample.status is not None else "no answer"


def _of_incident(recording: Recording) -> _Moments:
    if opened := opening_alarm(recording):
        yield MomentKey.ALARM, opened.at, opened.name
    if closed := alarm_ok(recording):
        yield MomentKey.ALARM_OK, closed.at, closed.name
    incident, act = recording.incident, acted_at(recording)
    if incident and act is not None:
        intended = next((each.at for each in incident.history if each.to == Status.ACTING), None)
        intent = f"; intent recorded at {recording.since_began(intended):.1f} s" if intended else ""
        yield MomentKey.ACT, act, f"{remedy(incident)}{intent}"
    if incident and not incident.is_open and incident.closed_at:
        evidence = evidence_text(incident) or "no evidence in the ledger"
        yield MomentKey.RECOVERED, recording.since_began(incident.closed_at), evidence


def remedy(incident: Incident | None) -> str:
    """Return what the incident's plan changes, for example `FAILURE_RATE 0.3 → 0`; a dash without a plan."""
    plan = incident.plan if incident else None
    return f"{plan.setting} {plan.before} → {plan.after}" if plan else "—"


def evidence_text(incident: Incident) -> str | None:
    """Return the evidence in words, or None when no request was counted after the act."""
    found = incident.evidence
    if found is None or found.requests <= 0:
        return None
    return f"{found.errors} errors in {found.requests} requests after the act"


def evidence_recorded(evidence: Evidence) -> dict[str, Any]:
    """Return the evidence as the incident has it, as JSON."""
    return asdict(evidence) | {"counts": [asdict(each) for each in evidence.counts]}


def evidence_rows(evidence: Evidence) -> str:
    """Return the evidence as the incident has it, in one line: of each series of metrics, and of probes."""
    counts = [
        f"{each.namespace} {each.errors} errors of {each.requests}, complete until {each.until}"
        for each in evidence.counts
    ]
    probes = [f"{evidence.probe_errors} of {evidence.probes} probes failed"] if evidence.probes else []
    return "; ".join([*counts, *probes, f"{evidence.verdict} since {evidence.since}"])


def same_rate(one: str | None, other: str | None) -> bool:
    """Compare two rates as numbers ("0.30" equals "0.3"); what is absent or no number equals nothing."""
    try:
        return one is not None and other is not None and float(one) == float(other)
    except ValueError:
        return False


def buckets(samples: Sequence[Sample], width: float, until: float) -> list[Count]:
    """Count requests per stretch of `width` seconds, from zero to `until`, by when they were sent."""
    slots = range(max(1, int(until // width) + 1))
    return [count(sample for sample in samples if sample.sent // width == slot) for slot in slots]
