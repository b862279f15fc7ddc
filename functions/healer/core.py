"""The decision: a pure function of what was observed.

It returns the incident as it must stand in the ledger before anything is done. `respond` decides while
nothing is in place, `verify` once something is, `people` about requests and drift; `transitions` moves.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.facts import alarming, goes_on, live_of, next_remedy
from selfheal.functions.healer.incident import Incident, Plan, Standing
from selfheal.functions.healer.observation import Decision, Live, Observation
from selfheal.functions.healer.people import answer, drift
from selfheal.functions.healer.respond import MAX_ATTEMPTS, respond
from selfheal.functions.healer.states import TERMINAL
from selfheal.functions.healer.transitions import (
    OUTLIVES,
    answering,
    applied,
    escalated,
    is_held,
    is_leased,
    leased_again,
    moved,
    notified,
    reverted,
    telling,
    without,
)
from selfheal.functions.healer.verify import VERIFY_WITHIN, expired, may_revert, verify, watch
from selfheal.functions.healer.words import Effect, Reason, Status, Verb
from selfheal.functions.shared.contract import Mode

OWED_FOR = timedelta(minutes=15)
"""How long a notice that could not be sent rests before it is tried again."""

_ASKED_FOR = (Reason.ROLLED_BACK, Reason.RESTORING)
"""Reverts that a person asked for: a healer that only observes by override still carries them out."""


def decide(seen: Observation, now: datetime) -> Decision:
    """Return the one step to take for one target now.

    Level-triggered: nothing but the present state counts, so a lost, late, duplicated or forged notification
    changes nothing, and a run that died is continued from its recorded intent.
    """
    incident = seen.incident
    if incident is None:
        return respond(seen, None, now)
    if incident.effect is not None and is_leased(incident, now):
        return Decision(Reason.BUSY)
    first = _notice(incident, now) or _without_remedy(seen, incident, now)
    if first is not None:
        return first
    if not incident.is_open:
        return _closed(seen, incident, now)
    if incident.effect is Effect.APPLY:
        return _resume_act(seen, incident, now)
    if incident.effect is Effect.REVERT:
        return _resume_revert(seen, incident, now)
    if seen.command is not None and not goes_on(incident, seen.command):
        return answer(seen, incident, seen.command, now)
    if incident.status is Status.VERIFYING:
        return verify(seen, incident, now)
    if incident.status is Status.ESCALATED:
        return _escalated(seen, incident, now)
    return respond(seen, incident, now)


def retire(incident: Incident | None, now: datetime) -> Decision:
    """Return the last step for a target that is no longer configured: people are told what stands there.

    It stops blocking `up`, and is not looked at again.
    """
    reason = Reason.TARGET_REMOVED
    if incident is None or (incident.effect is not None and is_leased(incident, now)):
        return Decision(reason)
    if incident.reason is reason:
        return _notify_again(incident, now) if incident.effect is Effect.NOTIFY else Decision(reason)
    path = () if incident.status in TERMINAL else (Status.ESCALATED,)
    standing = _perhaps_standing(incident, now)
    left = moved(incident, now, reason, *path, standing=standing, purpose=None, watching=False)
    return Decision(reason, telling(left, now))


def _perhaps_standing(incident: Incident, now: datetime) -> tuple[Standing, ...]:
    """Return what stands, and what was begun and may have been done."""
    if incident.effect is not Effect.APPLY or incident.plan is None:
        return incident.standing
    return (*without(incident, incident.plan), Standing(incident.plan, iso(now)))


def _without_remedy(seen: Observation, incident: Incident, now: datetime) -> Decision | None:
    """Leave to people what a deployment took the remedy of, and with it the permission to look."""
    verifying = incident.status is Status.VERIFYING
    working = incident.is_open and (verifying or incident.effect in (Effect.APPLY, Effect.REVERT))
    if not working or incident.plan is None or seen.target.remedy_of(incident.plan.key) is not None:
        return None
    via = (Status.INCONCLUSIVE,) if verifying else ()
    standing = _perhaps_standing(incident, now)
    return Decision(Reason.NO_REMEDY, escalated(incident, now, Reason.NO_REMEDY, *via, standing=standing))


def _closed(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Nothing is open: a person's request, a new incident, drift, or nothing."""
    if seen.command is not None:
        return answer(seen, incident, seen.command, now)
    last = incident.standing[-1].plan.key if incident.standing else None
    removed = last is not None and seen.target.remedy_of(last) is None
    if last is not None and (removed or seen.is_about(last)) and not alarming(seen):
        return drift(seen, incident, now)
    return respond(seen, None, now)


def _escalated(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Leave it to people until the hold is over; note what they undid meanwhile."""
    hold = incident.hold
    # What was held in observe was held silently: nobody knows that there is anything to release.
    unasked = incident.mode is Mode.OBSERVE and seen.mode is not Mode.OBSERVE
    back = hold is None and incident.reason is Reason.TARGET_REMOVED
    ends = hold is not None and unasked and hold.reason not in OUTLIVES
    if back or (hold is not None and (ends or not is_held(incident, now))):
        reopened = moved(
            incident,
            now,
            Reason.RELEASED,
            Status.OPEN,
            hold=None,
            guard=None,
            escalated_at=None,
            mode=seen.mode,
        )
        return Decision(Reason.RELEASED, reopened)
    if incident.standing and seen.live is not None and seen.is_about(incident.standing[-1].plan.key):
        last = incident.standing[-1].plan
        live = seen.live
        if not live.exists or (live.is_known(last.kind) and live.value != last.after):
            rest = without(incident, last)
            return Decision(Reason.DRIFT_ENDED, moved(incident, now, incident.reason, standing=rest))
    return expired(seen, incident, now) or watch(seen, incident, now)


def _resume_act(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Find out whether the act was done: its intent stands and the run that made it is gone."""
    plan = _planned(incident)
    live = live_of(seen, plan.key)
    if live.is_between(plan.kind):
        return Decision(Reason.TARGET_BUSY)
    if live.exists and live.value is not None and live.value == plan.after:
        same_world = live.world == plan.world
        reason = Reason.APPLIED_EARLIER if same_world else Reason.ALREADY_APPLIED
        return Decision(reason, applied(incident, now, reason))
    if seen.command is not None and seen.command.verb is Verb.ROLLBACK:
        # It was not done, and a person does not want it: that is the rollback.
        undone = escalated(incident, now, Reason.ROLLED_BACK)
        return Decision(Reason.ROLLED_BACK, answering(undone, seen.command.id))
    if _touched(incident, plan, live):
        return Decision(Reason.VALUE_CHANGED, escalated(incident, now, Reason.VALUE_CHANGED))
    remedy = next_remedy(seen.target, incident)
    if remedy is None or remedy.setting != plan.key:
        # A deployment changed the remedies meanwhile: what was intended is not what would be done now.
        left = moved(incident, now, Reason.DEPLOYMENT_IN_PROGRESS, Status.OPEN, purpose=None)
        return Decision(Reason.DEPLOYMENT_IN_PROGRESS, left)
    return respond(seen, incident, now)


def _resume_revert(seen: Observation, incident: Incident, now: datetime) -> Decision:
    plan = _planned(incident)
    live = live_of(seen, plan.key)
    if live.is_between(plan.kind):
        return Decision(Reason.TARGET_BUSY)
    hidden = live.exists and not live.is_readable(plan.kind)
    if hidden or not live.exists or live.value not in (plan.before, plan.after):
        rest = incident.standing if hidden else without(incident, plan)
        reason = Reason.CONFIGURATION_UNREADABLE if hidden else Reason.VALUE_CHANGED
        return Decision(reason, escalated(incident, now, reason, standing=rest))
    if live.value == plan.before:
        return Decision(Reason.REVERTED, reverted(incident, now))
    if incident.attempts >= MAX_ATTEMPTS:
        return Decision(Reason.ATTEMPTS_EXHAUSTED, escalated(incident, now, Reason.ATTEMPTS_EXHAUSTED))
    if seen.mode is Mode.OBSERVE and incident.purpose not in _ASKED_FOR:
        return Decision(Reason.MODE_FORBIDS, escalated(incident, now, Reason.MODE_FORBIDS))
    if not may_revert(seen, plan):
        return Decision(Reason.REVERT_REFUSED, escalated(incident, now, Reason.REVERT_REFUSED))
    if _touched(incident, plan, live):
        return Decision(Reason.VALUE_CHANGED, escalated(incident, now, Reason.VALUE_CHANGED))
    if not live.is_settled:
        if now < parse_iso(incident.acting_since or incident.opened_at) + VERIFY_WITHIN:
            return Decision(Reason.TARGET_BUSY)
        return Decision(Reason.TARGET_BUSY, escalated(incident, now, Reason.TARGET_BUSY))
    again = replace(leased_again(incident, now), token=live.token)
    return Decision(incident.purpose or Reason.ROLLED_BACK, again)


def _touched(incident: Incident, plan: Plan, live: Live) -> bool:
    """Return whether someone wrote the setting since the intent, in an otherwise unchanged world.

    The act may have been done and taken back by a person before its record: doing it again is not ours to
    decide. Where AWS has no revision this cannot be seen.
    """
    return bool(incident.token) and live.token != incident.token and live.world == plan.world


def _planned(incident: Incident) -> Plan:
    if incident.plan is None:
        raise ValueError(f"{incident.id}: an effect is intended but there is no plan")
    return incident.plan


def _notice(incident: Incident, now: datetime) -> Decision | None:
    """Return the step towards a notice that is due; None if none is."""
    if incident.effect is Effect.NOTIFY:
        return _notify_again(incident, now)
    if incident.effect is not None or incident.owed_at is None:
        return None
    if now < parse_iso(incident.owed_at) + OWED_FOR:
        return None
    return Decision(Reason.NOTICE_DUE, telling(replace(incident, version=incident.version + 1), now))


def _notify_again(incident: Incident, now: datetime) -> Decision:
    """Try a notice again; after some tries healing goes on meanwhile, and it is tried again later."""
    if incident.attempts >= MAX_ATTEMPTS:
        return Decision(Reason.NOTICE_OWED, replace(notified(incident), owed_at=iso(now)))
    return Decision(Reason.NOTICE_DUE, leased_again(incident, now))
