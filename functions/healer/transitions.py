"""How an incident moves: each function returns it as it stands after exactly one more write."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from functions.healer.clock import iso, parse_iso
from functions.healer.model import Effect, Incident, Observation, Reason, Status, Transition
from functions.healer.target import AlarmRule

LEASE = timedelta(seconds=40)
"""A run that recorded an intent may be at it for its timeout, 30 s; the rest is for clock skew."""


def applied(incident: Incident, now: datetime, reason: Reason = Reason.APPLIED) -> Incident:
    """Return the incident once its remedy is in place."""
    return moved(
        incident,
        now,
        reason,
        Status.VERIFYING,
        acts=incident.acts + 1,
        acted_at=iso(now),
        override_stands=True,
    )


def reverted(incident: Incident, now: datetime) -> Incident:
    """Return the incident once the value before is back in place: people take over."""
    return escalated(incident, now, Reason.REVERTED, override_stands=False, lease_until=None)


def deferred(incident: Incident) -> Incident:
    """Return the incident after an effect that the world refused for now: the next run looks afresh."""
    return replace(incident, version=incident.version + 1, reason=Reason.DEFERRED, lease_until=None)


def notified(incident: Incident) -> Incident:
    """Return the incident once people were told."""
    return replace(incident, version=incident.version + 1, effect=None, lease_until=None, attempts=0)


def opened(seen: Observation, rule: AlarmRule, now: datetime) -> Incident:
    """Return a new incident, not yet in the ledger."""
    return Incident(
        id=f"{seen.target.name}-{now:%Y%m%dT%H%M%SZ}",
        target=seen.target.name,
        alarm=rule.name,
        opened_at=iso(now),
        status=Status.OPEN,
        reason=Reason.ALARM_CONFIRMED,
        mode=seen.mode,
        version=seen.incident.version if seen.incident else 0,
    )


def escalated(incident: Incident, now: datetime, reason: Reason, *via: Status, **changes: Any) -> Incident:
    """Return the incident in the hands of people, who are to be told."""
    told = moved(incident, now, reason, *via, Status.ESCALATED, escalated_at=iso(now))
    return replace(telling(told, now), **changes)


def telling(incident: Incident, now: datetime) -> Incident:
    """Return the incident with a notice to send."""
    return replace(incident, effect=Effect.NOTIFY, lease_until=iso(now + LEASE), attempts=1)


def leased_again(incident: Incident, now: datetime) -> Incident:
    """Return the incident with its pending effect tried once more."""
    return replace(
        incident, version=incident.version + 1, lease_until=iso(now + LEASE), attempts=incident.attempts + 1
    )


def moved(incident: Incident, now: datetime, reason: Reason, *path: Status, **changes: Any) -> Incident:
    """Return the incident after one write that takes it along a path; pending effects end unless renewed."""
    history = list(incident.history)
    source = incident.status
    for status in path:
        history.append(Transition(iso(now), source.value, status.value, reason.value))
        source = status
    fields: dict[str, Any] = {"effect": None, "lease_until": None, **changes}
    return replace(
        incident, status=source, reason=reason, version=incident.version + 1, history=tuple(history), **fields
    )


def is_leased(incident: Incident, now: datetime) -> bool:
    """Return whether the run that recorded the intent may still be at it."""
    return incident.lease_until is not None and now < parse_iso(incident.lease_until)
