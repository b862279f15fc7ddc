"""Whether what a person asks for makes sense as things stand. Pure: the healer has the last word."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from selfheal.cli.errors import CliError
from selfheal.cli.operator.ledger import current_of, is_open, planned, standing_of
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Plan
from selfheal.functions.healer.words import Effect, Status, Verb
from selfheal.functions.shared.contract import SCHEMA, Mode


def approvable(
    incident: Mapping[str, Any], found: Sequence[Mapping[str, Any]], mode: Mode, digest: str | None = None
) -> Plan:
    """Return the plan that may be approved now.

    Args:
        incident: What is to be approved.
        found: Every incident of the ledger.
        mode: The one in effect.
        digest: The only plan to approve; None for the current one.

    Raises:
        CliError: when there is none; it says what is allowed, what was found and what to do.

    """
    _require_current(incident, found)
    about, status = str(incident["id"]), incident.get("status")
    if status != Status.PROPOSED:
        raise CliError(
            f"Only an incident in PROPOSED can be approved; {about} is {status} ({incident.get('reason')}). "
            f"What can be done about it: selfheal incidents show {about}"
        )
    if mode is Mode.OBSERVE:
        raise CliError(
            "The mode in effect is observe, in which the healer honours no approval; allowed are suggest and "
            "act. `selfheal mode` tells who restricted it and why."
        )
    plan = _trusted_plan(incident)
    current = plan.digest(str(incident["target"]))
    if digest is not None and digest != current:
        raise CliError(
            f"The world changed: the plan of {about} is {current} now, not {digest}. Nothing was approved. "
            f"Look at the new plan: selfheal incidents show {about}"
        )
    return plan


def _trusted_plan(incident: Mapping[str, Any]) -> Plan:
    """Return the plan if its digest is the one that the healer recorded beside it."""
    about = str(incident["id"])
    if _schema(incident) < SCHEMA:
        raise CliError(
            f"{about} was recorded by an earlier version of the healer, whose plans cannot be approved. "
            "Deploy this version; its healer writes the plan anew within a minute."
        )
    plan = planned(incident)
    if plan is None:
        raise CliError(f"{about} has no plan to approve. Its reason: {incident.get('reason')}.")
    recorded, real = incident.get("plan_digest"), plan.digest(str(incident["target"]))
    if recorded != real:
        raise CliError(
            f"The ledger contradicts itself: the plan of {about} has the digest {real}, and {recorded} is "
            "recorded beside it. Nothing was approved. Someone else than the healer may have written there: "
            "find out who before you go on."
        )
    return plan


def commandable(
    verb: Verb, incident: Mapping[str, Any], found: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Refuse a command that the healer could only turn down.

    Args:
        verb: rollback, release, restore or accept.
        incident: What it is about.
        found: Every incident of the ledger.
        now: Some holds end by themselves.

    Raises:
        CliError: when it makes no sense; it says what is allowed, what was found and what to do.

    """
    _require_current(incident, found)
    problem = _PROBLEMS[verb](incident, now)
    if problem:
        raise CliError(f"{problem} Look at it: selfheal incidents show {incident['id']}")


def allowed(
    verb: Verb, incident: Mapping[str, Any], found: Sequence[Mapping[str, Any]], mode: Mode, now: datetime
) -> bool:
    """Return whether a verb makes sense for an incident now."""
    try:
        if verb is Verb.APPROVE:
            approvable(incident, found, mode)
        else:
            commandable(verb, incident, found, now)
    except CliError:
        return False
    return True


def held(incident: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a hold keeps the healer from acting on the incident's target."""
    hold = incident.get("hold")
    if not isinstance(hold, Mapping):
        return False
    until = hold.get("until")
    return until is None or parse_iso(str(until)) > now


def _require_current(incident: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> None:
    about, target = str(incident["id"]), str(incident["target"])
    current = current_of(target, found)
    if current is not None and current["id"] != about:
        raise CliError(
            f"{about} is over. {target} has a newer incident, {current['id']}, which is {current['status']} "
            "and has taken over whatever stands. Name that one."
        )
    if _schema(incident) > SCHEMA:
        raise CliError(
            f"{about} was recorded by a newer healer (schema {_schema(incident)}); this selfheal knows up to "
            f"{SCHEMA}. Use the selfheal of the version that is deployed."
        )


def _schema(incident: Mapping[str, Any]) -> int:
    return int(incident.get("schema", 1))


def _rollback(incident: Mapping[str, Any], _now: datetime) -> str | None:
    about, target = incident["id"], incident["target"]
    if not is_open(incident):
        undo = f" `selfheal restore {target}` undoes it." if standing_of(incident) else ""
        return f"Only an open incident can be rolled back; {about} is {incident.get('status')}.{undo}"
    if not standing_of(incident) and incident.get("effect") != Effect.APPLY:
        return f"A rollback needs a change to undo; in {about} ({incident.get('status')}) nothing stands."
    return None


def _release(incident: Mapping[str, Any], now: datetime) -> str | None:
    if held(incident, now) or incident.get("status") == Status.ESCALATED:
        return None
    return (
        f"Only a hold, or an incident in ESCALATED, can be released; {incident['id']} is "
        f"{incident.get('status')} and {incident['target']} is not held."
    )


def _after_recovery(verb: Verb, incident: Mapping[str, Any]) -> str | None:
    about, target, status = incident["id"], incident["target"], incident.get("status")
    if is_open(incident):
        undo = f" `selfheal rollback {about}` undoes what stands in an open incident."
        return (
            f"`{verb}` is for what still stands after recovery (RECOVERED); {about} of {target} is {status}."
            f"{undo if standing_of(incident) else ''}"
        )
    if not standing_of(incident):
        return f"`{verb}` needs a change that still stands; after {about} nothing stands on {target}."
    return None


_PROBLEMS = {
    Verb.ROLLBACK: _rollback,
    Verb.RELEASE: _release,
    Verb.RESTORE: lambda incident, _now: _after_recovery(Verb.RESTORE, incident),
    Verb.ACCEPT: lambda incident, _now: _after_recovery(Verb.ACCEPT, incident),
}
