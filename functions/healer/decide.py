"""The decision: a pure function of the observation.

Which file decides what:

    decide.py    dispatch; resuming the intents and notices of a run that died; holds that end
    respond.py   no change is in place yet: act, propose a plan, wait for a guard, or escalate
    verify.py    a change is in place or was reverted: did it help, is it reverted, has it expired
    people.py    requests of people, and drift after recovery
    deadlines.py how long each wait may last, who is told then, and what follows
    notices.py   what is summed up, and what is told again
    guards.py    budgets, cool-down, blast radius, flapping: what delays or prevents a remediation

They read properties of the observation: observation.py, which holds what was read (readings.py) and has the
evidence judged (judging.py, by the arithmetic of evidence.py). They return the incident as it must be in the
ledger before anything is changed (incident.py).
"""

from dataclasses import replace
from datetime import timedelta

from selfheal.functions.healer import deadlines
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.notices import reminder
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.people import answer, answer_approval, drift
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.respond import MAX_ATTEMPTS, respond
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.verify import expired, verify, watch
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
    decided = _repointed(seen, incident) or _go_on(seen, incident) if incident is not None else None
    decided = decided or respond(seen, incident if incident is not None and incident.is_open else None)
    decided = answer_approval(seen, decided)
    if incident is None or decided.incident is not None or decided.reason is Reason.BUSY:
        return decided
    return reminder(seen, incident) or decided


def _go_on(seen: Observation, incident: Incident) -> Decision | None:
    """Return the next step of an incident; None where nothing is in place, so that `respond` decides."""
    if incident.effect is not None and incident.is_leased(seen.now):
        return Decision(Reason.BUSY)
    first = _notice(seen, incident) or _without_remedy(seen, incident)
    if first is not None:
        return first
    if incident.effect in (Effect.APPLY, Effect.REVERT):
        incident = _rolling_back(seen, incident)
        plan = incident.planned
        live = seen.live_of(plan.key)
        if live.is_between(plan.kind):
            return _between(seen, incident)
        resume = _resume_act if incident.effect is Effect.APPLY else _resume_revert
        return resume(seen, incident, plan, live)
    if seen.command is not None and not seen.is_restoring:
        return answer(seen, incident, seen.command)
    if incident.status is Status.VERIFYING:
        return verify(seen, incident, incident.planned)
    if incident.status is Status.ESCALATED:
        return _escalated(seen, incident)
    last = incident.last_standing
    if not incident.is_open and last is not None and not seen.sounding and seen.tells_of_last:
        return drift(seen, incident, last)
    return None


def _repointed(seen: Observation, incident: Incident) -> Decision | None:
    """Close the incident of what the target was before, and tell people what remains; None if it is the same.

    A deployment has pointed the target to another function under the same name. Nothing that was planned,
    held or learned is about that one.
    """
    if not incident.is_of_another(seen.target.function) or not (incident.is_open or incident.standing):
        return None
    if incident.effect is not None and incident.is_leased(seen.now):
        return Decision(Reason.BUSY)
    why = f"the target was {incident.function}, and a deployment has pointed it to {seen.target.function}"
    reason = Reason.TARGET_REPOINTED
    asked = [each for each in (seen.approval, seen.command) if each is not None]
    given = [each.answered(seen.now, reason, done=False) for each in asked]
    closed = incident.closed(seen.now, "the healer", why, reason)
    return Decision.of(replace(closed, hold=None).answering(*given))


def retire(seen: Observation) -> Decision:
    """Return the next step for a target that is no longer configured. The target itself is never touched.

    People are told which changes remain, and the target no longer blocks `up`. After that the healer only
    answers people: it closes the incident when one of them says so, and refuses everything else.
    """
    incident, reason = seen.incident, Reason.TARGET_REMOVED
    if incident is None or (incident.effect is not None and incident.is_leased(seen.now)):
        return Decision(reason)
    command, asked = seen.command, [each for each in (seen.approval, seen.command) if each is not None]
    expired = command is not None and command.is_over(seen.now)
    given = [each.answered(seen.now, _why_not(seen, each), done=False) for each in asked]
    if incident.is_open or incident.standing:
        if command is not None and command.verb is Verb.CLOSE and _why_not(seen, command) is reason:
            closed = incident.closed(seen.now, command.by, command.why)
            done = command.answered(seen.now, Reason.CLOSED, done=True)
            return Decision.of(closed.answering(*given[:-1], done))
        if incident.reason is not reason:
            return Decision.of(incident.retired(seen.now).answering(*given))
    notice = _notice(seen, incident)
    if notice is not None or not given:
        return notice or reminder(seen, incident) or Decision(reason)
    answered = incident.moved(seen.now, incident.reason).answering(*given)
    # Nobody may be waiting for the answer any more, and the incident is not closed.
    return Decision.of(answered.telling(seen.now, given[-1].id) if expired else answered)


def _why_not(seen: Observation, request: Request) -> Reason:
    """Return why a request about a removed target is refused. Only `close` is not, unless it is over."""
    if request.is_too_long(seen.now):
        return Reason.VALID_TOO_LONG
    expired = Reason.APPROVAL_EXPIRED if request.verb is Verb.APPROVE else Reason.COMMAND_EXPIRED
    return expired if request.is_over(seen.now) else Reason.TARGET_REMOVED


def give_up(seen: Observation, incident: Incident) -> Decision:
    """Leave a change to people whose target could not be observed for too long."""
    via = (Status.INCONCLUSIVE,) if incident.status is Status.VERIFYING else ()
    return _call_people(seen, incident.maybe_done(), Reason.TARGET_UNREADABLE, *via)


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
    return _call_people(seen, incident.maybe_done(), Reason.NO_REMEDY, *via)


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


def _between(seen: Observation, incident: Incident) -> Decision:
    """Wait for AWS to finish with what was intended, for a while; whether it was done cannot be seen.

    A rollback need not wait: the change counts as in place, and the request is answered once the value can be
    read, or when it expires.
    """
    if _asked_back(seen) is not None and incident.effect is Effect.APPLY:
        begun = incident.maybe_done()
        return Decision.of(begun.escalated(seen.now, Reason.ROLLED_BACK, tell=False))
    if not _is_late(seen, incident):
        return Decision(Reason.TARGET_BUSY)
    return _call_people(seen, incident.maybe_done(), Reason.TARGET_BUSY)


def _rolling_back(seen: Observation, incident: Incident) -> Incident:
    """Return the incident as a requested rollback, if what it reverts anyway was asked back meanwhile."""
    command = _asked_back(seen)
    if incident.effect is not Effect.REVERT or command is None:
        return incident
    asked = replace(incident, purpose=Reason.ROLLED_BACK)
    # With more changes in place the next runs continue with the request.
    if len(incident.standing) > 1:
        return asked
    return asked.answering(command.answered(seen.now, Reason.ROLLED_BACK, done=True))


def _asked_back(seen: Observation) -> Request | None:
    """Return the request to roll back, if there is one that is valid now. Any other is refused later."""
    command = seen.command
    if command is None or command.verb is not Verb.ROLLBACK:
        return None
    return None if command.is_over(seen.now) or command.is_too_long(seen.now) else command


def _is_late(seen: Observation, incident: Incident) -> bool:
    """Return whether an intent is older than it may become."""
    limit = deadlines.within(Status.ACTING, Reason.TARGET_BUSY)
    return limit is not None and seen.now >= parse_iso(incident.acting_since or incident.opened_at) + limit


def _resume_act(seen: Observation, incident: Incident, plan: Plan, live: Live) -> Decision | None:
    """Find out whether the act was done: its intent is recorded, and the run that recorded it has ended.

    None: it was not done, and is still to be done.
    """
    touched = _touched(incident, plan, live)
    if live.exists and live.value is not None and live.value == plan.after:
        same_world = live.world == plan.world
        reason = Reason.APPLIED_EARLIER if same_world else Reason.ALREADY_APPLIED
        return Decision.of(incident.applied(seen.now, reason))
    asked = _asked_back(seen)
    if asked is not None:
        # The act was not done, and a person does not want it: there is nothing to revert.
        done = asked.answered(seen.now, Reason.ROLLED_BACK, done=True)
        return _call_people(seen, incident.answering(done), Reason.ROLLED_BACK)
    if touched:
        return _call_people(seen, incident, Reason.VALUE_CHANGED)
    if _is_late(seen, incident):
        return _call_people(seen, incident, Reason.ATTEMPTS_EXHAUSTED)
    remedy = seen.target.next_remedy(incident.tried)
    if remedy is None or remedy.setting != plan.key:
        # A deployment has changed the remedies since, so the intent is out of date.
        return Decision.of(incident.reopened(seen.now, Reason.DEPLOYMENT_IN_PROGRESS))
    return None


def _resume_revert(seen: Observation, incident: Incident, plan: Plan, live: Live) -> Decision:
    """Find out whether the revert was done; if not, whether it may go on."""
    refused = _refused(seen, incident, plan, live)
    if live.exists and live.is_readable(plan.kind) and live.value == plan.before:
        return Decision(Reason.REVERTED, incident.reverted(seen.now))
    if not live.exists or (live.is_readable(plan.kind) and live.value != plan.after):
        return _call_people(seen, incident.no_longer(plan), Reason.VALUE_CHANGED)
    if refused is not None:
        return _call_people(seen, incident, refused)
    if not live.is_settled:
        return Decision(Reason.TARGET_BUSY)
    return Decision(incident.purpose or Reason.ROLLED_BACK, incident.trying_again(seen.now, live.token))


def _refused(seen: Observation, incident: Incident, plan: Plan, live: Live) -> Reason | None:
    """Return why a revert that was begun must not continue."""
    reasons = (
        (not live.is_readable(plan.kind), Reason.CONFIGURATION_UNREADABLE),
        (incident.attempts >= MAX_ATTEMPTS, Reason.ATTEMPTS_EXHAUSTED),
        (seen.mode is Mode.OBSERVE and incident.purpose not in _ASKED_FOR, Reason.MODE_FORBIDS),
        (not seen.may_revert, Reason.REVERT_REFUSED),
        (_touched(incident, plan, live), Reason.VALUE_CHANGED),
        (_is_late(seen, incident) and not live.is_settled, Reason.TARGET_BUSY),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _call_people(seen: Observation, incident: Incident, reason: Reason, *via: Status) -> Decision:
    return Decision.of(incident.escalated(seen.now, reason, *via))


def _touched(incident: Incident, plan: Plan, live: Live) -> bool:
    """Return whether someone wrote the setting since the intent, while code and configuration are unchanged.

    The act may have been done, and reverted by a person before it was recorded. Whether to repeat it is not
    the healer's decision. This cannot be detected for settings without a revision.
    """
    return bool(incident.token) and live.token != incident.token and live.world == plan.world
