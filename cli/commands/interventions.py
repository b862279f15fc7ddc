"""rollback, release, restore and accept: commands of people to the healer."""

from datetime import UTC, datetime

import typer

from cli import requests
from cli.asking import ask, reason
from cli.checks import commandable
from cli.console import Output
from cli.exits import epilog
from cli.ledger import change, find, standing_of
from cli.options import (
    Aws,
    Endpoint,
    HealerName,
    IncidentOrTarget,
    Json,
    LedgerName,
    Stack,
    TargetName,
    Wait,
    Why,
)
from cli.reach import Reach, Where, reach
from cli.site import load
from functions.healer.model import Mode, Verb

REFUSED = "the healer refused, with the reason"
ROLLBACK_EPILOG = epilog(
    "selfheal rollback fragile --why 'made it worse'",
    "selfheal rollback checkout --why 'no help' --aws -s prod --wait 60",
    found=REFUSED,
)
RELEASE_EPILOG = epilog(
    "selfheal release fragile --why 'cause found, try again'",
    "selfheal release checkout --why 'deployed a fix' --aws -s prod",
    found=REFUSED,
)
RESTORE_EPILOG = epilog(
    "selfheal restore fragile --why 'cause mended'",
    "selfheal restore checkout --why 'cause mended' --aws -s prod --wait 60",
    found=REFUSED,
)
ACCEPT_EPILOG = epilog(
    "selfheal accept fragile --why 'new baseline, see change 4711'",
    "selfheal accept checkout --why 'new baseline' --aws -s prod",
    found=REFUSED,
)
CHANGING = (Verb.ROLLBACK, Verb.RESTORE)
"""Verbs that make the healer change a function."""


def rollback(
    ctx: typer.Context,
    incident: IncidentOrTarget,
    *,
    why: Why = None,
    wait: Wait = None,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    healer: HealerName = None,
    json: Json = False,
) -> None:
    """Undo what the healer changed in an open incident, and hold the target.

    Every value goes back to what it was, if it is still the one that the healer wrote. The incident is then
    in the hands of people: the healer does not act on the target until `selfheal release`. A value that the
    incident blames is not put back while the alarm rings, unless its remedy declares that safe.
    """
    where = Where.make(endpoint, aws=aws, ledger=ledger, healer=healer)
    output = Output.make(json=json)
    _command(ctx, Verb.ROLLBACK, incident, why=why, wait=wait, stack=stack, where=where, output=output)


def release(
    ctx: typer.Context,
    incident: IncidentOrTarget,
    *,
    why: Why = None,
    wait: Wait = None,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    healer: HealerName = None,
    json: Json = False,
) -> None:
    """End a hold: the healer may act on the target again.

    The healer holds a target back after an escalation, a rollback, or when it flaps. `selfheal incidents
    show` tells why and until when.
    """
    where = Where.make(endpoint, aws=aws, ledger=ledger, healer=healer)
    output = Output.make(json=json)
    _command(ctx, Verb.RELEASE, incident, why=why, wait=wait, stack=stack, where=where, output=output)


def restore(
    ctx: typer.Context,
    target: TargetName,
    *,
    why: Why = None,
    wait: Wait = None,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    healer: HealerName = None,
    json: Json = False,
) -> None:
    """Undo, under watch, what still stands after recovery.

    For when the cause is mended: the value goes back to what it was, and the healer watches. If the alarm
    comes back, the remedy is applied again and people are told.
    """
    where = Where.make(endpoint, aws=aws, ledger=ledger, healer=healer)
    output = Output.make(json=json)
    _command(ctx, Verb.RESTORE, target, why=why, wait=wait, stack=stack, where=where, output=output)


def accept(
    ctx: typer.Context,
    target: TargetName,
    *,
    why: Why = None,
    wait: Wait = None,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    healer: HealerName = None,
    json: Json = False,
) -> None:
    """Take what still stands after recovery for the baseline from now on.

    The drift is no open work any more, and nobody is reminded of it. Change the stack's configuration as
    well: the next `up` restores what that says.
    """
    where = Where.make(endpoint, aws=aws, ledger=ledger, healer=healer)
    output = Output.make(json=json)
    _command(ctx, Verb.ACCEPT, target, why=why, wait=wait, stack=stack, where=where, output=output)


def _command(
    ctx: typer.Context,
    verb: Verb,
    wanted: str,
    *,
    why: str | None,
    wait: float | None,
    stack: str,
    where: Where,
    output: Output,
) -> None:
    because = reason(why, output)
    with reach(load(ctx, stack), where, output) as there:
        found, now = there.incidents(), datetime.now(UTC)
        known = find(found, wanted)
        commandable(verb, known, found, now)
        for each in standing_of(known) if verb is not Verb.RELEASE else ():
            output.say(f"{known['target']}: {change(each.plan)} stands since {each.since}.")
        if verb in CHANGING:
            _tell_if_forbidden(there, output)
        request = requests.make(verb, str(known["id"]), there.caller(), because, now)
        ask(there, request, known, wait, output)


def _tell_if_forbidden(there: Reach, output: Output) -> None:
    """Say that nothing will happen: under a baseline of observe the healer's role has no permission to write.

    An override to observe does not forbid it: after the kill switch a person may still have things undone.
    """
    if there.baseline is Mode.OBSERVE:
        output.say(
            "The baseline is observe: the healer's role has no permission to change anything, so it refuses. "
            "Undo it with `pulumi up`.",
            style="yellow",
        )
