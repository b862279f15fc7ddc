"""The decision about requests of people, and about drift after recovery."""

from dataclasses import replace

from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Standing
from selfheal.functions.healer.notices import remind_of_drift
from selfheal.functions.healer.observation import Decision, Observation, Request
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.healer.verify import expired, reverting
from selfheal.functions.shared.contract import Mode


def answer(seen: Observation, incident: Incident, command: Request) -> Decision:
    """Decide about a command. It is answered once, and the incident records the answer."""
    if seen.now >= parse_iso(command.until):
        # A part of it may have been done, so people must be told that the rest was not.
        return _note(seen, incident, command, Reason.COMMAND_EXPIRED, tell=True)
    if command.verb is Verb.RELEASE:
        return Decision.of(incident.released(seen.now).answering(command.id))
    after_recovery = command.verb in (Verb.RESTORE, Verb.ACCEPT)
    last = incident.last_standing
    # The incident of a configured target is closed by evidence only.
    if command.verb is Verb.CLOSE or last is None or incident.is_open is after_recovery:
        return _note(seen, incident, command, Reason.COMMAND_REFUSED)
    if command.verb is Verb.ACCEPT:
        # The next `up` restores what Pulumi owns. Any other change stays until someone restores it.
        kept = tuple([replace(each, accepted=True) for each in incident.standing if not each.plan.is_pulumis])
        accepted = replace(incident, standing=kept)
        return _note(seen, accepted, command, Reason.DRIFT_ACCEPTED)
    return _undo(seen, incident, command, last)


def _undo(seen: Observation, incident: Incident, command: Request, last: Standing) -> Decision:
    """Revert the changes in place, the last one first, one per run."""
    plan = last.plan
    # A part of the rollback is done, and nobody was told yet.
    tell = incident.status is Status.ESCALATED and incident.reason is Reason.ROLLED_BACK
    if not seen.last_is_remedy:
        return _note(seen, incident, command, Reason.NO_REMEDY, tell=tell)
    live = seen.live_of(plan.key)
    if live.exists and not live.is_known(plan.kind):
        # The value is unknown, so the change stays recorded, and the command waits until it expires.
        return Decision(Reason.CONFIGURATION_UNREADABLE)
    if not live.exists or live.value != plan.after:
        return _note(seen, incident.no_longer(plan), command, Reason.VALUE_CHANGED, tell=tell)
    if seen.baseline is Mode.OBSERVE:
        # In mode observe, the healer's role has no permission to change anything.
        return _note(seen, incident, command, Reason.MODE_FORBIDS)
    if not seen.may_revert:
        return _note(seen, incident, command, Reason.REVERT_REFUSED, tell=tell)
    if not live.is_settled:
        return Decision(Reason.TARGET_BUSY)
    purpose = Reason.RESTORING if command.verb is Verb.RESTORE else Reason.ROLLED_BACK
    decision = reverting(seen, incident, plan, live, purpose)
    if decision.incident is None or len(incident.standing) > 1:
        # More changes are in place: the next run continues with the request.
        return decision
    return replace(decision, incident=decision.incident.answering(command.id))


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


def _note(
    seen: Observation, incident: Incident, command: Request, reason: Reason, *, tell: bool = False
) -> Decision:
    """Record the answer, without any change of the target."""
    answered = incident.moved(seen.now, reason).answering(command.id)
    return Decision.of(answered.telling(seen.now) if tell else answered)
