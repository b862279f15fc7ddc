"""The decision about requests of people, and about drift after recovery."""

from dataclasses import replace

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Answered, Standing
from selfheal.functions.healer.notices import remind_of_drift
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.verify import expired, reverting
from selfheal.functions.shared.contract import Mode


def answer(seen: Observation, incident: Incident, command: Request) -> Decision:
    """Decide about a command. It is answered once, and the incident records the answer."""
    if command.is_too_long(seen.now):
        return _refuse(seen, incident, command, Reason.VALID_TOO_LONG)
    if command.is_over(seen.now):
        # A part of it may have been done, so people must be told that the rest was not.
        return _refuse(seen, incident, command, Reason.COMMAND_EXPIRED, tell=True)
    if command.verb is Verb.RELEASE:
        return Decision.of(incident.released(seen.now).answering(_done(seen, command, Reason.RELEASED)))
    after_recovery = command.verb in (Verb.RESTORE, Verb.ACCEPT)
    last = incident.last_standing
    # The incident of a configured target is closed by evidence only.
    if command.verb is Verb.CLOSE or last is None or incident.is_open is after_recovery:
        return _refuse(seen, incident, command, Reason.COMMAND_REFUSED)
    if command.verb is Verb.ACCEPT:
        # The next `up` restores what Pulumi owns. Any other change stays until someone restores it.
        kept = tuple([replace(each, accepted=True) for each in incident.standing if not each.plan.is_pulumis])
        accepted = replace(incident, standing=kept).moved(seen.now, Reason.DRIFT_ACCEPTED)
        return Decision.of(accepted.answering(_done(seen, command, Reason.DRIFT_ACCEPTED)))
    return _undo(seen, incident, command, last)


def answer_approval(seen: Observation, decision: Decision) -> Decision:
    """Answer an approval that cannot be used any more, as a part of the step that was decided.

    An approval that waits for a guard stays valid. One that was left unanswered could be used for a later
    proposal of the same incident, when nobody expects it any more.
    """
    given, before, after = seen.approval, seen.incident, decision.incident
    if given is None or before is None or (after is not None and given.id in after.answered):
        return decision
    why = _unusable(seen, given, before, after)
    # An effect that is pending must not be ended by an answer.
    if why is None or (after is None and before.effect is not None):
        return decision
    if after is None:
        return _refuse(seen, before, given, why, tell=why is Reason.APPROVAL_EXPIRED)
    plan = after.plan.digest(after.target) if after.plan is not None else None
    done = after.effect is Effect.APPLY and plan == given.plan
    answered = after.answering(given.answered(seen.now, why, done=done))
    tell = why is Reason.APPROVAL_EXPIRED and after.effect is None
    return replace(decision, incident=answered.telling(seen.now, given.id) if tell else answered)


def _unusable(seen: Observation, given: Request, before: Incident, after: Incident | None) -> Reason | None:
    """Return why an approval is not used, now and later; None if it may still be."""
    if given.is_too_long(seen.now):
        return Reason.VALID_TOO_LONG
    if before.status is not Status.PROPOSED:
        return Reason.COMMAND_REFUSED
    if after is not None and after.status is not Status.PROPOSED:
        return after.reason
    if given.is_over(seen.now):
        return Reason.APPROVAL_EXPIRED
    return Reason.MODE_FORBIDS if seen.mode is Mode.OBSERVE else None


def _undo(seen: Observation, incident: Incident, command: Request, last: Standing) -> Decision:
    """Revert the changes in place, the last one first, one per run."""
    plan = last.plan
    # A part of the rollback is done, and nobody was told yet.
    tell = incident.status is Status.ESCALATED and incident.reason is Reason.ROLLED_BACK
    if not seen.last_is_remedy:
        return _refuse(seen, incident, command, Reason.NO_REMEDY, tell=tell)
    live = seen.live_of(plan.key)
    if live.exists and not live.is_known(plan.kind):
        # The value is unknown, so the change stays recorded, and the command waits until it expires.
        return Decision(Reason.CONFIGURATION_UNREADABLE)
    if not live.exists or live.value != plan.after:
        return _refuse(seen, incident.no_longer(plan), command, Reason.VALUE_CHANGED, tell=tell)
    if seen.baseline is Mode.OBSERVE:
        # In mode observe, the healer's role has no permission to change anything.
        return _refuse(seen, incident, command, Reason.MODE_FORBIDS)
    if not seen.may_revert:
        return _refuse(seen, incident, command, Reason.REVERT_REFUSED, tell=tell)
    if not live.is_settled:
        return Decision(Reason.TARGET_BUSY)
    purpose = Reason.RESTORING if command.verb is Verb.RESTORE else Reason.ROLLED_BACK
    decision = reverting(seen, incident, plan, live, purpose)
    if decision.incident is None or len(incident.standing) > 1:
        # More changes are in place: the next run continues with the request.
        return decision
    return replace(decision, incident=decision.incident.answering(_done(seen, command, purpose)))


def drift(seen: Observation, incident: Incident, last: Standing) -> Decision:
    """Handle drift, until the baseline is restored or people accept the change."""
    plan = last.plan
    remedy = seen.target.remedy_of(plan.key)
    if remedy is None:
        # The setting may not be read any more: people end the drift with `accept`.
        return remind_of_drift(seen, incident)
    live = seen.live_of(plan.key)
    if not live.exists:
        # The target's function, or what the setting belongs to, was deleted: people ought to know.
        return Decision.of(incident.ended(seen.now, Reason.TARGET_GONE, plan).telling(seen.now))
    if not live.is_known(plan.kind):
        return remind_of_drift(seen, incident)
    is_baseline = remedy.baseline is not None and remedy.baseline == plan.after
    if live.value != plan.after or (is_baseline and plan.is_pulumis):
        return Decision.of(incident.ended(seen.now, Reason.DRIFT_ENDED, plan))
    over = expired(seen, incident)
    if over is not None or not is_baseline:
        return over or remind_of_drift(seen, incident)
    return Decision(Reason.DRIFT_STANDS)


def _done(seen: Observation, command: Request, answer: Reason) -> Answered:
    return command.answered(seen.now, answer, done=True)


def _refuse(
    seen: Observation, incident: Incident, asked: Request, answer: Reason, *, tell: bool = False
) -> Decision:
    """Record why a request is not carried out. The incident keeps its own reason."""
    answered = incident.moved(seen.now, incident.reason).answering(
        asked.answered(seen.now, answer, done=False)
    )
    return Decision(answer, answered.telling(seen.now, asked.id) if tell else answered)
