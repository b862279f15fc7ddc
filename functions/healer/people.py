"""The decision about what people asked for, and about what still stands after recovery."""

from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.facts import live_of
from selfheal.functions.healer.incident import Incident, Standing
from selfheal.functions.healer.observation import Decision, Observation, Request
from selfheal.functions.healer.transitions import answering, moved, telling, without
from selfheal.functions.healer.verify import expired, may_revert, reverting
from selfheal.functions.healer.words import Reason, Status, Verb
from selfheal.functions.shared.contract import Mode, owner

REMIND_EVERY = timedelta(days=1)


def answer(seen: Observation, incident: Incident, command: Request, now: datetime) -> Decision:
    """Decide about a command. It is dealt with once, whatever becomes of it, and the incident says how."""
    if now >= parse_iso(command.until):
        # Perhaps after a part of it was done: who asked must hear that the rest was not.
        return _note(incident, command, Reason.COMMAND_EXPIRED, now, tell=True)
    if command.verb is Verb.RELEASE:
        return _release(incident, command, now)
    after_recovery = command.verb in (Verb.RESTORE, Verb.ACCEPT)
    if not incident.standing or incident.is_open is after_recovery:
        return _note(incident, command, Reason.COMMAND_REFUSED, now)
    if command.verb is Verb.ACCEPT:
        # What Pulumi owns is the next `up`'s to say. Anything else stays until someone restores it.
        kept = tuple(replace(each, accepted=True) for each in incident.standing if not _is_pulumis(each))
        accepted = replace(incident, standing=kept, reminded_at=None)
        return _note(accepted, command, Reason.DRIFT_ACCEPTED, now)
    purpose = Reason.RESTORING if command.verb is Verb.RESTORE else Reason.ROLLED_BACK
    return _undo(seen, incident, command, purpose, now)


def drift(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Look after what stands since recovery: until the baseline is back or accepted it is open work."""
    last = incident.standing[-1].plan
    remedy = seen.target.remedy_of(last.key)
    told = parse_iso(incident.reminded_at or incident.closed_at or incident.opened_at)
    if remedy is None:
        # It cannot be read any more: people say when it is over, with `accept`.
        return _remind(incident, told, now)
    live = live_of(seen, last.key)
    is_baseline = remedy.baseline is not None and remedy.baseline == last.after
    if live.exists and not live.is_known(last.kind):
        return Decision(Reason.DRIFT_STANDS)
    ended = is_baseline and _is_pulumis(incident.standing[-1])
    if not live.exists or live.value != last.after or ended:
        return Decision(
            Reason.DRIFT_ENDED, moved(incident, now, Reason.DRIFT_ENDED, standing=without(incident, last))
        )
    over = expired(seen, incident, now)
    if over is not None:
        return over
    return Decision(Reason.DRIFT_STANDS) if is_baseline else _remind(incident, told, now)


def _is_pulumis(standing: Standing) -> bool:
    return owner(standing.plan.kind) == "pulumi"


def _remind(incident: Incident, told: datetime, now: datetime) -> Decision:
    if now < told + REMIND_EVERY or all(each.accepted for each in incident.standing):
        return Decision(Reason.DRIFT_STANDS)
    reminder = moved(incident, now, Reason.DRIFT_STANDS, reminded_at=iso(now))
    return Decision(Reason.DRIFT_STANDS, telling(reminder, now))


def _release(incident: Incident, command: Request, now: datetime) -> Decision:
    """End the hold: every remedy may be tried again, and the incidents before no longer count as flapping."""
    path = (Status.OPEN,) if incident.status is Status.ESCALATED else ()
    released = moved(
        incident,
        now,
        Reason.RELEASED,
        *path,
        hold=None,
        guard=None,
        tried=(),
        escalated_at=None,
        recent_incidents=(),
    )
    return Decision(Reason.RELEASED, answering(released, command.id))


def _undo(
    seen: Observation, incident: Incident, command: Request, purpose: Reason, now: datetime
) -> Decision:
    last = incident.standing[-1].plan
    # Half of a rollback is done and nobody was told yet.
    tell = incident.status is Status.ESCALATED and incident.reason is Reason.ROLLED_BACK
    if seen.target.remedy_of(last.key) is None:
        return _note(incident, command, Reason.NO_REMEDY, now, tell=tell)
    live = live_of(seen, last.key)
    if live.exists and not live.is_known(last.kind):
        # Not read is not changed: it stays recorded, and the command waits until it expires.
        return Decision(Reason.CONFIGURATION_UNREADABLE)
    if not live.exists or live.value != last.after:
        gone = replace(incident, standing=without(incident, last))
        return _note(gone, command, Reason.VALUE_CHANGED, now, tell=tell)
    if seen.baseline is Mode.OBSERVE:
        # The role of a healer that only observes has no permission to change anything.
        return _note(incident, command, Reason.MODE_FORBIDS, now)
    if not may_revert(seen, last):
        return _note(incident, command, Reason.REVERT_REFUSED, now, tell=tell)
    if not live.is_settled:
        return Decision(Reason.TARGET_BUSY)
    decision = reverting(seen, incident, last, purpose, now)
    if decision.incident is None or len(incident.standing) > 1:
        # More stands: the request goes on with the next run.
        return decision
    return replace(decision, incident=answering(decision.incident, command.id))


def _note(
    incident: Incident, command: Request, reason: Reason, now: datetime, *, tell: bool = False
) -> Decision:
    """Record the answer and nothing else."""
    noted = moved(incident, now, reason)
    answered = answering(noted, command.id)
    return Decision(reason, telling(answered, now) if tell else answered)
