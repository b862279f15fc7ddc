"""The decision: a pure function of the observation.

Which file decides what:

    decide.py    dispatch; resuming the intents and notices of a run that died; holds that end
    respond.py   no change is in place yet: act, propose a plan, wait for a guard, or escalate
    verify.py    a change is in place or was reverted: did it help, is it still needed, has it expired
    people.py    requests of people, and drift after recovery
    guards.py    budgets, cool-down, blast radius, flapping: what delays or prevents a remediation

They read properties of the observation (observation.py, evidence.py). They return the incident as it must be
in the ledger before anything is changed (incident.py).
"""

from datetime import timedelta

from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.people import answer, drift
from selfheal.functions.healer.respond import MAX_ATTEMPTS, respond
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.verify import VERIFY_WITHIN, expired, may_revert, verify, watch
from selfheal.functions.shared.contract import Mode

OWED_FOR = timedelta(minutes=15)
"""How long to wait before a notice that could not be sent is tried again."""

_ASKED_FOR = (Reason.ROLLED_BACK, Reason.RESTORING)
"""Reverts that a person requested. They are done even while an override sets the mode to observe."""


def decide(seen: Observation) -> Decision:
    """Return the one step to take for one target now.

    The decision is level-triggered: it depends on the current state only. A lost, late, duplicated or forged
    notification therefore makes no difference, and the next run resumes one that died from its intent.
    """
    incident = seen.incident
    if incident is None:
        return respond(seen, None)
    if incident.effect is not None and incident.is_leased(seen.now):
        return Decision(Reason.BUSY)
    first = _notice(seen, incident) or _without_remedy(seen, incident)
    if first is not None:
        return first
    match incident.effect:
        case Effect.APPLY:
            return _resume_act(seen, incident)
        case Effect.REVERT:
            return _resume_revert(seen, incident)
        case _:
            pass
    if seen.command is not None and not seen.is_restoring:
        return answer(seen, incident, seen.command)
    match incident.status:
        case Status.RECOVERED:
            return _recovered(seen, incident)
        case Status.VERIFYING:
            return verify(seen, incident)
        case Status.ESCALATED:
            return _escalated(seen, incident)
        case _:
            return respond(seen, incident)


def retire(seen: Observation) -> Decision:
    """Return the last step for a target that is no longer configured: people are told which changes remain.

    The target then no longer blocks `up`, and the healer ignores it.
    """
    incident, reason = seen.incident, Reason.TARGET_REMOVED
    if incident is None or (incident.effect is not None and incident.is_leased(seen.now)):
        return Decision(reason)
    if incident.reason is not reason:
        return Decision.of(incident.retired(seen.now))
    return _notify_again(seen, incident) if incident.effect is Effect.NOTIFY else Decision(reason)


def _notice(seen: Observation, incident: Incident) -> Decision | None:
    """Return the step that sends a notice, if one is due."""
    if incident.effect is Effect.NOTIFY:
        return _notify_again(seen, incident)
    owed = incident.effect is None and incident.owed_at is not None
    if not owed or seen.now < parse_iso(incident.owed_at or "") + OWED_FOR:
        return None
    return Decision(Reason.NOTICE_DUE, incident.telling_again(seen.now))


def _notify_again(seen: Observation, incident: Incident) -> Decision:
    """Try a notice again. After MAX_ATTEMPTS, healing continues and the notice is tried again later."""
    if incident.attempts >= MAX_ATTEMPTS:
        return Decision(Reason.NOTICE_OWED, incident.owing(seen.now))
    return Decision(Reason.NOTICE_DUE, incident.trying_again(seen.now))


def _without_remedy(seen: Observation, incident: Incident) -> Decision | None:
    """Escalate a change whose remedy a deployment removed: the role may no longer read the setting."""
    plan = incident.plan
    if not incident.is_acting or plan is None or seen.target.remedy_of(plan.key) is not None:
        return None
    via = (Status.INCONCLUSIVE,) if incident.status is Status.VERIFYING else ()
    return Decision.of(incident.maybe_done().escalated(seen.now, Reason.NO_REMEDY, *via))


def _recovered(seen: Observation, incident: Incident) -> Decision:
    """Handle drift, or a new alarm, after recovery."""
    last = incident.last_standing
    if last is not None and not seen.ringing and (seen.is_about(last.plan.key) or not seen.last_is_remedy):
        return drift(seen, incident, last)
    return respond(seen, None)


def _escalated(seen: Observation, incident: Incident) -> Decision:
    """Leave the target to people until the hold ends, and record what they revert in the meantime."""
    if _hold_ends(seen, incident):
        return Decision.of(incident.released(seen.now, seen.mode))
    last, live = incident.last_standing, seen.live
    if last is not None and live is not None and seen.is_about(last.plan.key):
        plan = last.plan
        if not live.exists or (live.is_known(plan.kind) and live.value != plan.after):
            return Decision(Reason.DRIFT_ENDED, incident.ended(seen.now, incident.reason, plan))
    return expired(seen, incident) or watch(seen, incident)


def _hold_ends(seen: Observation, incident: Incident) -> bool:
    if incident.hold is None:
        return incident.reason is Reason.TARGET_REMOVED  # and the target is configured again
    # A hold in mode observe sent no notice, so nobody knows that there is anything to release.
    unasked = incident.mode is Mode.OBSERVE and seen.mode is not Mode.OBSERVE
    return not incident.is_held(seen.now) or (unasked and not incident.hold.outlives)


def _resume_act(seen: Observation, incident: Incident) -> Decision:
    """Find out whether the act was done: its intent is recorded, and the run that recorded it has ended."""
    plan, now = incident.planned, seen.now
    live = seen.live_of(plan.key)
    if live.is_between(plan.kind):
        return Decision(Reason.TARGET_BUSY)
    if live.exists and live.value is not None and live.value == plan.after:
        same_world = live.world == plan.world
        return Decision.of(
            incident.applied(now, Reason.APPLIED_EARLIER if same_world else Reason.ALREADY_APPLIED)
        )
    if seen.command is not None and seen.command.verb is Verb.ROLLBACK:
        # The act was not done, and a person does not want it: there is nothing to revert.
        return Decision.of(incident.escalated(now, Reason.ROLLED_BACK).answering(seen.command.id))
    if _touched(incident, plan, live):
        return Decision.of(incident.escalated(now, Reason.VALUE_CHANGED))
    remedy = seen.target.next_remedy(incident.tried)
    if remedy is None or remedy.setting != plan.key:
        # A deployment has changed the remedies since, so the intent is out of date.
        return Decision.of(incident.reopened(now, Reason.DEPLOYMENT_IN_PROGRESS))
    return respond(seen, incident)


def _resume_revert(seen: Observation, incident: Incident) -> Decision:
    plan, now = incident.planned, seen.now
    live = seen.live_of(plan.key)
    if live.is_between(plan.kind):
        return Decision(Reason.TARGET_BUSY)
    if live.exists and not live.is_readable(plan.kind):
        return Decision.of(incident.escalated(now, Reason.CONFIGURATION_UNREADABLE))
    if not live.exists or live.value not in (plan.before, plan.after):
        return Decision.of(incident.no_longer(plan).escalated(now, Reason.VALUE_CHANGED))
    if live.value == plan.before:
        return Decision(Reason.REVERTED, incident.reverted(now))
    refused = _refused(seen, incident, plan, live)
    if refused is not None:
        return Decision.of(incident.escalated(now, refused))
    if not live.is_settled:
        return Decision(Reason.TARGET_BUSY)
    return Decision(incident.purpose or Reason.ROLLED_BACK, incident.trying_again(now, live.token))


def _refused(seen: Observation, incident: Incident, plan: Plan, live: Live) -> Reason | None:
    """Return why a revert that was begun must not continue."""
    if incident.attempts >= MAX_ATTEMPTS:
        return Reason.ATTEMPTS_EXHAUSTED
    if seen.mode is Mode.OBSERVE and incident.purpose not in _ASKED_FOR:
        return Reason.MODE_FORBIDS
    if not may_revert(seen, plan):
        return Reason.REVERT_REFUSED
    if _touched(incident, plan, live):
        return Reason.VALUE_CHANGED
    late = seen.now >= parse_iso(incident.acting_since or incident.opened_at) + VERIFY_WITHIN
    return Reason.TARGET_BUSY if late and not live.is_settled else None


def _touched(incident: Incident, plan: Plan, live: Live) -> bool:
    """Return whether someone wrote the setting since the intent, while code and configuration are unchanged.

    The act may have been done, and reverted by a person before it was recorded. Whether to repeat it is not
    the healer's decision. This cannot be detected for settings without a revision.
    """
    return bool(incident.token) and live.token != incident.token and live.world == plan.world
