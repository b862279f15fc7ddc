"""How an incident moves: each function returns it as it stands after exactly one more write."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.incident import Evidence, Hold, Incident, Plan, Standing, Transition
from selfheal.functions.healer.observation import Observation
from selfheal.functions.healer.states import WAYS
from selfheal.functions.healer.target import AlarmRule
from selfheal.functions.healer.words import Effect, Reason, Status

LEASE = timedelta(seconds=40)
"""A run that recorded an intent may be at it for its timeout, 30 s; the rest is for clock skew.

It is also what keeps two runs apart where AWS has no compare-and-swap: concurrency and mappings.
"""

HISTORY = 200
"""Lines that are kept, so that an incident of weeks still fits into one item."""

ANSWERED = 10
"""Requests of people whose ids are kept."""

OUTLIVES = frozenset({Reason.NO_REMEDY_HELPED, Reason.FLAPPING, Reason.ROLLED_BACK})
"""Holds that the end of an incident does not end: what did not help must not be tried for ever."""


def opened(seen: Observation, rule: AlarmRule, began: datetime, now: datetime) -> Incident:
    """Return a new incident, not yet in the ledger, with what it inherits from the one before."""
    last = seen.incident
    window = now - timedelta(seconds=seen.limits.flapping_window_seconds)
    earlier = last.recent_incidents if last else ()
    return Incident(
        id=f"{seen.target.name}-{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}Z",
        target=seen.target.name,
        alarm=rule.name,
        opened_at=iso(now),
        began_at=iso(began),
        status=Status.OPEN,
        reason=Reason.ALARM_CONFIRMED,
        mode=seen.mode,
        version=last.version if last else 0,
        standing=last.standing if last else (),
        hold=last.hold if last and is_held(last, now) else None,
        recent_acts=last.recent_acts if last else (),
        recent_incidents=(*since(earlier, window), iso(now)),
    )


def applied(incident: Incident, now: datetime, reason: Reason = Reason.APPLIED) -> Incident:
    """Return the incident once its remedy is in place; one that had to be applied again goes to people."""
    if incident.plan is None:
        raise ValueError(f"{incident.id}: nothing was planned, so nothing can have been applied")
    done: dict[str, Any] = {
        "acts": incident.acts + 1,
        "acted_at": iso(now),
        "standing": (*without(incident, incident.plan), Standing(incident.plan, iso(now))),
        "watching": False,
        "evidence": None,
    }
    if incident.purpose is Reason.RELAPSED:
        return escalated(incident, now, Reason.RELAPSED, **done)
    return moved(incident, now, reason, Status.VERIFYING, purpose=None, **done)


def reverted(incident: Incident, now: datetime) -> Incident:
    """Return the incident once the value before is back in place; why it was decides what follows."""
    if incident.plan is None:
        raise ValueError(f"{incident.id}: nothing was planned, so nothing can have been reverted")
    rest = without(incident, incident.plan)
    if incident.purpose is Reason.ROLLED_BACK:
        done = escalated(incident, now, Reason.ROLLED_BACK, standing=rest, purpose=None)
        # One at a time, the last first: people are told when all of it is undone.
        return replace(done, effect=None, lease_until=None) if rest else done
    if incident.purpose is Reason.NO_REMEDY_HELPED:
        return moved(incident, now, Reason.REVERTED, Status.OPEN, standing=rest, purpose=None)
    return moved(
        incident,
        now,
        Reason.REVERTED,
        Status.VERIFYING,
        standing=rest,
        watching=True,
        acted_at=iso(now),
        evidence=None,
    )


def probed(incident: Incident, sent: int, failed: int) -> Incident:
    """Return the incident with more probes counted."""
    seen = incident.evidence or Evidence(incident.acted_at or incident.opened_at, 0, 0, "undecided")
    counted = replace(seen, probes=seen.probes + sent, probe_errors=seen.probe_errors + failed)
    return replace(
        incident, version=incident.version + 1, effect=None, lease_until=None, attempts=0, evidence=counted
    )


def deferred(incident: Incident) -> Incident:
    """Return the incident after an effect that the world refused for now: the next run looks afresh."""
    return replace(incident, version=incident.version + 1, reason=Reason.DEFERRED, lease_until=None)


def notified(incident: Incident) -> Incident:
    """Return the incident once people were told."""
    return replace(
        incident, version=incident.version + 1, effect=None, lease_until=None, attempts=0, owed_at=None
    )


def escalated(
    incident: Incident, now: datetime, reason: Reason, *via: Status, until: str | None = None, **changes: Any
) -> Incident:
    """Return the incident in the hands of people, who are to be told, and held.

    Args:
        incident: As it was.
        now: The moment.
        reason: Why people are needed.
        via: States that it passes through.
        until: When the hold ends by itself; None: when a person releases it, or the incident closes.
        changes: Fields to set beside.

    """
    hold, before = Hold(reason, iso(now), until), incident.hold
    if before is not None and before.until is None and before.reason in OUTLIVES and reason not in OUTLIVES:
        hold = before  # it ends by a release, not by what happens meanwhile
    fields: dict[str, Any] = {"hold": hold, "escalated_at": iso(now), "purpose": None, **changes}
    return telling(moved(incident, now, reason, *via, Status.ESCALATED, **fields), now)


def intending(
    incident: Incident, now: datetime, effect: Effect, reason: Reason, *path: Status, **changes: Any
) -> Incident:
    """Return the incident with an effect to be carried out by this run, and by no other for the lease."""
    fields: dict[str, Any] = {"effect": effect, "lease_until": iso(now + LEASE), "attempts": 1, **changes}
    return moved(incident, now, reason, *path, **fields)


def telling(incident: Incident, now: datetime) -> Incident:
    """Return the incident with a notice to send."""
    return replace(incident, effect=Effect.NOTIFY, lease_until=iso(now + LEASE), attempts=1)


def leased_again(incident: Incident, now: datetime) -> Incident:
    """Return the incident with its pending effect tried once more."""
    return replace(
        incident, version=incident.version + 1, lease_until=iso(now + LEASE), attempts=incident.attempts + 1
    )


def moved(incident: Incident, now: datetime, reason: Reason, *path: Status, **changes: Any) -> Incident:
    """Return the incident after one write that takes it along a path; pending effects end unless renewed.

    Raises:
        ValueError: for a way that `states.WAYS` does not have. Nothing was written then.

    """
    lines: list[Transition] = []
    source = incident.status
    for status in path:
        if (source, status) not in WAYS:
            raise ValueError(f"{incident.id}: there is no way from {source} to {status} ({reason})")
        lines.append(Transition(iso(now), source.value, status.value, reason.value))
        source = status
    fields: dict[str, Any] = {"effect": None, "lease_until": None, **changes}
    return replace(
        _recorded(incident, lines, reason) if lines else incident,
        status=source,
        reason=reason,
        version=incident.version + 1,
        **fields,
    )


def _recorded(incident: Incident, lines: list[Transition], reason: Reason) -> Incident:
    """Return the incident with transitions in its history, and in the fields that decisions are made by."""
    at = lines[-1].at
    passed = [line.to for line in lines]
    return replace(
        incident,
        history=(*incident.history, *lines)[-HISTORY:],
        transitions=incident.transitions + len(lines),
        last_transition=lines[-1],
        acting_since=at if Status.ACTING in passed else incident.acting_since,
        reverted_at=at if reason is Reason.REVERTED else incident.reverted_at,
        released_at=at if reason is Reason.RELEASED else incident.released_at,
        recoveries=incident.recoveries + passed.count(Status.RECOVERED),
        reasons=incident.reasons if reason in incident.reasons else (*incident.reasons, reason),
    )


def answering(incident: Incident, request_id: str) -> Incident:
    """Return the incident with a person's request marked as dealt with; part of another write."""
    return replace(incident, answered=(*incident.answered, request_id)[-ANSWERED:])


def without(incident: Incident, plan: Plan) -> tuple[Standing, ...]:
    """Return what stands beside the setting of one plan."""
    return tuple(each for each in incident.standing if each.plan.key != plan.key)


def since(moments: tuple[str, ...], earliest: datetime) -> tuple[str, ...]:
    """Return the moments that are not before another."""
    return tuple(moment for moment in moments if parse_iso(moment) >= earliest)


def is_held(incident: Incident, now: datetime) -> bool:
    """Return whether the healer must leave the target alone."""
    hold = incident.hold
    return hold is not None and (hold.until is None or now < parse_iso(hold.until))


def is_leased(incident: Incident, now: datetime) -> bool:
    """Return whether the run that recorded the intent may still be at it."""
    return incident.lease_until is not None and now < parse_iso(incident.lease_until)
