"""Whether a recording shows what the demonstration claims; what was not recorded did not happen. Pure."""

from collections.abc import Iterable

from selfheal.cli.demo.model import Recording
from selfheal.cli.demo.timeline import (
    SETTLING_SECONDS,
    acted_at,
    alarm_ok,
    counts,
    evidence_text,
    opening_alarm,
    same_rate,
)
from selfheal.functions.healer.incident import Incident

SAME_MOMENT_SECONDS = 1.0
"""Alarm history and ledger take the time differently: times closer than this count as the same."""

HEALTHY = "healthy"
"""The healer's verdict on evidence that shows recovery."""


def failures(recording: Recording) -> list[str]:
    """Return why the run does not count as healed by evidence and put back; empty when it does."""
    return [*_of_fault(recording), *_of_act(recording), *_of_recovery(recording), *_of_baseline(recording)]


def _of_fault(recording: Recording) -> Iterable[str]:
    if not any(sample.failed for sample in recording.samples):
        yield f"no request failed in {len(recording.samples)}: there was nothing to heal"
    if opening_alarm(recording) is None:
        yield "no alarm of the stack went to ALARM"


def _of_act(recording: Recording) -> Iterable[str]:
    if recording.incident is None:
        yield "the ledger holds no incident"
        return
    if acted_at(recording) is None:
        yield f"the healer did not act: {_state(recording.incident)}"
        return
    after = counts(recording).after_act
    if after.requests == 0:
        yield f"nothing shows that errors stopped: no request was sent {SETTLING_SECONDS:g} s after the act"
    if after.errors:
        yield (
            f"errors continued after the act: {after.errors} of {after.requests} requests that were sent "
            f"more than {SETTLING_SECONDS:g} s after it failed"
        )
    live, plan = recording.rates.healed, recording.incident.plan
    planned = plan.after if plan else None
    if live is not None and not same_rate(live, planned):
        yield f"the live FAILURE_RATE is {live} after the act; the plan says {planned}"


def _of_recovery(recording: Recording) -> Iterable[str]:
    incident = recording.incident
    if incident is None:
        return
    if incident.is_open or not incident.closed_at:
        yield f"recovery was not shown by evidence: {_state(incident)}"
        return
    if evidence_text(incident) is None:
        yield "the incident says RECOVERED, but holds no evidence: no request was counted after the act"
    judged = incident.evidence.verdict if incident.evidence else "missing"
    if judged != HEALTHY:
        yield f"the incident says RECOVERED, but its evidence is {judged}, not {HEALTHY}"
    back = alarm_ok(recording)
    closed = recording.since_began(incident.closed_at)
    if back is None or back.at > closed + SAME_MOMENT_SECONDS:
        yield "the incident says RECOVERED before its alarm was back to OK"


def _of_baseline(recording: Recording) -> Iterable[str]:
    if recording.stopped_because:
        yield recording.stopped_because
    if recording.restore is None and recording.left_out:
        return
    if recording.restore is None:
        yield "the second up, which restores the baseline, was not reached"
    elif not same_rate(recording.rates.restored, recording.rates.baseline):
        yield (
            f"the baseline was not restored: the live FAILURE_RATE is {recording.rates.restored} "
            f"after the second up, stack configuration says {recording.rates.baseline}"
        )


def _state(incident: Incident) -> str:
    return f"the incident is {incident.status} ({incident.reason})"
