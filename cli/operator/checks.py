"""Whether a request makes sense for an incident as it is. The healer checks again and has the last word."""

from datetime import datetime

from selfheal.cli.errors import CliError
from selfheal.cli.operator.ledger import Incidents
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.states import Effect, Status, Verb
from selfheal.functions.shared.contract import Mode


def approvable_plan(incident: Incident, incidents: Incidents, mode: Mode, digest: str | None = None) -> Plan:
    """Return the plan that may be approved now.

    Args:
        incident: The incident to approve.
        incidents: Every incident of its ledger.
        mode: The mode in effect.
        digest: The only plan to approve; None for the current one.

    Raises:
        CliError: when there is none. It says what is allowed, what was found and what to do.

    """
    _require_current(incident, incidents)
    _require_answer(Verb.APPROVE, incident, incidents)
    about = incident.id
    if incident.status is not Status.PROPOSED:
        raise CliError(
            f"Only an incident in PROPOSED can be approved; {about} is {incident.status} "
            f"({incident.reason}). What can be done about it: selfheal incidents show "
            f"{about}{incidents.options}"
        )
    if mode is Mode.OBSERVE:
        raise CliError(
            "The mode in effect is observe, in which the healer honours no approval; allowed are suggest and "
            f"act. `selfheal mode{incidents.options}` shows who restricted it and why."
        )
    plan, recorded = incident.plan, incidents.plan_digests.get(about)
    if plan is None:
        raise CliError(f"{about} has no plan to approve. Its reason: {incident.reason}.")
    current = plan.digest(incident.target)
    if recorded != current:
        raise CliError(
            f"The ledger contradicts itself: the plan of {about} has the digest {current}, but {recorded} is "
            "recorded beside it. Nothing was approved. Someone other than the healer may have written there: "
            "find out who before you go on."
        )
    if digest is not None and digest != current:
        raise CliError(
            f"The world changed: the plan of {about} is {current} now, not {digest}. Nothing was approved. "
            f"Look at the new plan: selfheal incidents show {about}{incidents.options}"
        )
    return plan


def check_command(verb: Verb, incident: Incident, incidents: Incidents, now: datetime) -> None:
    """Refuse a command that the healer could only refuse.

    Args:
        verb: rollback, release, restore, accept or close.
        incident: The incident it is about.
        incidents: Every incident of its ledger.
        now: The current time: some holds end by themselves.

    Raises:
        CliError: when it makes no sense. It says what is allowed, what was found and what to do.

    """
    _require_current(incident, incidents)
    _require_answer(verb, incident, incidents)
    if problem := _problem(verb, incident, now, incidents.options):
        raise CliError(f"{problem} Look at it: selfheal incidents show {incident.id}{incidents.options}")


def is_allowed(verb: Verb, incident: Incident, incidents: Incidents, mode: Mode, now: datetime) -> bool:
    """Return whether a request makes sense for an incident now."""
    try:
        if verb is Verb.APPROVE:
            approvable_plan(incident, incidents, mode)
        else:
            check_command(verb, incident, incidents, now)
    except CliError:
        return False
    return True


def is_held(incident: Incident, now: datetime) -> bool:
    """Return whether a hold keeps the healer from acting on the incident's target."""
    hold = incident.hold
    return hold is not None and (hold.until is None or parse_iso(hold.until) > now)


def _require_current(incident: Incident, incidents: Incidents) -> None:
    current = incidents.current(incident.target)
    if current is not None and current.id != incident.id:
        raise CliError(
            f"{incident.id} is over. {incident.target} has a newer incident, {current.id}, which is "
            f"{current.status} and has taken over whatever stands. Name that one."
        )


def _require_answer(verb: Verb, incident: Incident, incidents: Incidents) -> None:
    """Refuse what is not for this target: one that was removed is only closed, and only that one is."""
    about, target = incident.id, incident.target
    if incidents.is_removed(incident) is (verb is Verb.CLOSE):
        return
    if verb is Verb.CLOSE:
        raise CliError(
            f"Only the incident of a target that a deployment removed can be closed by a person. {target} is "
            f"a target of the healer, which closes {about} by evidence. What can be done about it: "
            f"selfheal incidents show {about}{incidents.options}"
        )
    raise CliError(
        f"{target} is no target of the healer any more: a deployment removed it, and the healer touches "
        f"nothing of it, so there is no {verb}. Put back by hand what must not stand, then: "
        f"selfheal close {about} --why TEXT{incidents.options}. Or configure the target again, and deploy."
    )


def _problem(verb: Verb, incident: Incident, now: datetime, options: str) -> str | None:
    about, target, status = incident.id, incident.target, incident.status
    match verb:
        case Verb.CLOSE:
            if not (incident.is_open or incident.drifts):
                return f"Only what is open, or stands after recovery, can be closed; {about} is {status}."
        case Verb.RELEASE:
            if not is_held(incident, now) and status is not Status.ESCALATED:
                return (
                    f"Only a hold, or an incident in ESCALATED, can be released; {about} is {status} and "
                    f"{target} is not held."
                )
        case Verb.ROLLBACK if not incident.is_open:
            undo = f" `selfheal restore {target}{options}` undoes it." if incident.standing else ""
            return f"Only an open incident can be rolled back; {about} is {status}.{undo}"
        case Verb.ROLLBACK:
            if not incident.standing and incident.effect is not Effect.APPLY:
                return f"A rollback needs a change to undo; in {about} ({status}) nothing stands."
        case _ if incident.is_open:
            undo = f" `selfheal rollback {about}{options}` undoes what stands in an open incident."
            return (
                f"`{verb}` is for what still stands after recovery (RECOVERED); {about} of {target} is "
                f"{status}.{undo if incident.standing else ''}"
            )
        case _:
            if not incident.standing:
                return f"`{verb}` needs a change that still stands; after {about} nothing stands on {target}."
    return None
