"""Which notices are kept back for a summary, and which are repeated: neither silence nor a flood.

An escalation is told at once. Where a target fails again and again and the healer leaves it alone, one is
told and the others are counted: the next reminder sums them up. What is unresolved is told again every
`remind_seconds`, until somebody acts.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.deadlines import UNTOLD_FOR
from selfheal.functions.healer.incident import Incident, not_before
from selfheal.functions.healer.incident_fields import Guard
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode

LEFT_ALONE = frozenset({Reason.HELD, Reason.FLAPPING, Reason.BUDGET_SPENT})
"""Why the healer leaves a target alone however often it fails. After the first notice there is a summary."""

ALIKE = LEFT_ALONE | {
    Reason.NO_REMEDY,
    Reason.TARGET_BUSY,
    Reason.CONFIGURATION_UNREADABLE,
    Reason.VARIABLE_MISSING,
    Reason.NO_EARLIER_VERSION,
    Reason.ALREADY_APPLIED,
    Reason.BREAKER_OWNS,
    Reason.CIRCUIT_FORCED,
    Reason.NO_EVIDENCE,
    Reason.ALARM_STUCK,
    Reason.ALARM_SILENT,
}
"""Why incidents without a change end with people. Many of them in a day are summed up likewise."""


def escalated(
    seen: Observation,
    incident: Incident,
    reason: Reason,
    *via: Status,
    until: str | None = None,
    guard: Guard | None = None,
    tell: bool = True,
) -> Incident:
    """Escalate, and notify people unless this is one of many that they hear of in a summary."""
    alike = reason in ALIKE and not incident.acts
    began = incident.quiet_since
    if alike and began is not None and seen.now < parse_iso(began) + _every(seen):
        return incident.escalated(seen.now, reason, *via, until=until, guard=guard, tell=False).kept_back()
    called = incident.escalated(seen.now, reason, *via, until=until, guard=guard, tell=tell)
    lately = not_before(incident.recent_incidents, seen.now - _every(seen))
    many = reason in LEFT_ALONE or len(lately) > seen.limits.flapping_limit
    return replace(called, quiet_since=iso(seen.now)) if tell and alike and many else called


def reminder(seen: Observation, incident: Incident) -> Decision | None:
    """Return the notice that is due because nobody has acted, or because nobody has heard of it yet."""
    if incident.effect in (Effect.APPLY, Effect.REVERT):
        return None
    due = _open_due(seen, incident) if incident.is_open else _closed_due(seen, incident)
    if due is None or seen.now < due:
        return None
    if incident.reminded_at is None and not incident.quiet:
        return Decision.of(incident.moved(seen.now, incident.reason).telling(seen.now))
    return Decision.of(incident.reminded(seen.now))


def remind_of_drift(seen: Observation, incident: Incident) -> Decision:
    """Remind people of a change that stands after recovery."""
    told = parse_iso(incident.reminded_at or incident.closed_at or incident.opened_at)
    if seen.now < told + _every(seen) or not incident.drifts:
        return Decision(Reason.DRIFT_STANDS)
    return Decision.of(incident.reminded(seen.now, Reason.DRIFT_STANDS))


def _open_due(seen: Observation, incident: Incident) -> datetime | None:
    if incident.reminded_at is not None:
        return parse_iso(incident.reminded_at) + _every(seen)
    if incident.quiet and incident.quiet_since is not None:
        return parse_iso(incident.quiet_since) + _every(seen)
    if incident.mode is Mode.OBSERVE and not incident.acts:
        return None
    return parse_iso(incident.opened_at) + UNTOLD_FOR


def _closed_due(seen: Observation, incident: Incident) -> datetime | None:
    """Return when people hear again of a closed incident: of its hold, or of those that were summed up."""
    if incident.quiet and incident.quiet_since is not None:
        return parse_iso(incident.quiet_since) + _every(seen)
    hold = incident.hold
    held = hold is not None and hold.until is None and hold.outlives
    # Of a target that is configured, `people.drift` looks first whether the change still stands.
    waits = held or (incident.drifts and incident.reason is Reason.TARGET_REMOVED)
    return parse_iso(incident.reminded_at) + _every(seen) if waits and incident.reminded_at else None


def _every(seen: Observation) -> timedelta:
    return timedelta(seconds=seen.limits.remind_seconds)
