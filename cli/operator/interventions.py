"""rollback, release, restore and accept: commands of people to the healer, alike but for their verb."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from selfheal.cli.console import Output
from selfheal.cli.exits import epilog
from selfheal.cli.operator import requests
from selfheal.cli.operator.asking import ask, reason
from selfheal.cli.operator.checks import commandable
from selfheal.cli.operator.find_ledger import Reach, reach
from selfheal.cli.operator.ledger import change, find, standing_of
from selfheal.cli.operator.location import Where
from selfheal.cli.options import (
    INCIDENT_OR_TARGET,
    TARGET_NAME,
    Aws,
    Endpoint,
    HealerName,
    Json,
    LedgerName,
    Region,
    Stack,
    Wait,
    Why,
)
from selfheal.functions.healer.words import Verb
from selfheal.functions.shared.contract import Mode

CHANGING = (Verb.ROLLBACK, Verb.RESTORE)
"""Verbs that make the healer change a function."""


def _command(verb: Verb, about: Any, text: str, *examples: str) -> tuple[Callable[..., None], str]:
    """Return the command of a verb, and the end of its help; `about` is its argument, as Typer has it."""

    def command(
        ctx: typer.Context,
        wanted: Annotated[str, about],
        *,
        why: Why = None,
        wait: Wait = None,
        stack: Stack = "dev",
        endpoint: Endpoint = None,
        aws: Aws = False,
        ledger: LedgerName = None,
        region: Region = None,
        healer: HealerName = None,
        json: Json = False,
    ) -> None:
        where = Where.make(ctx, stack, endpoint, aws=aws, ledger=ledger, region=region, healer=healer)
        output = Output.make(json=json)
        because = reason(why, output)
        with reach(where) as there:
            found, now = there.incidents(), datetime.now(UTC)
            known = find(found, wanted)
            commandable(verb, known, found, now)
            for each in standing_of(known) if verb is not Verb.RELEASE else ():
                output.say(f"{known['target']}: {change(each.plan)} stands since {each.since}.")
            if verb in CHANGING:
                _tell_if_forbidden(there, output)
            request = requests.make(verb, str(known["id"]), there.caller(), because, now)
            ask(there, request, known, wait, output)

    # Typer names a command by its function, and `cli.main` takes its help from there.
    command.__name__, command.__doc__ = verb.value, text
    return command, epilog(*examples, found="the healer refused, with the reason")


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


COMMANDS = (
    _command(
        Verb.ROLLBACK,
        INCIDENT_OR_TARGET,
        """Undo what the healer changed in an open incident, and hold the target.

        Every value goes back to what it was, if it is still the one that the healer wrote. The incident is
        then in the hands of people: the healer does not act on the target until `selfheal release`. A value
        that the incident blames is not put back while the alarm rings, unless its remedy declares that safe.
        """,
        "selfheal rollback fragile --why 'made it worse'",
        "selfheal rollback checkout --why 'no help' --aws -s prod --wait 60",
    ),
    _command(
        Verb.RELEASE,
        INCIDENT_OR_TARGET,
        """End a hold: the healer may act on the target again.

        The healer holds a target back after an escalation, a rollback, or when it flaps. `selfheal incidents
        show` tells why and until when.
        """,
        "selfheal release fragile --why 'cause found, try again'",
        "selfheal release checkout --why 'deployed a fix' --aws -s prod",
    ),
    _command(
        Verb.RESTORE,
        TARGET_NAME,
        """Undo, under watch, what still stands after recovery.

        For when the cause is mended: the value goes back to what it was, and the healer watches. If the alarm
        comes back, the remedy is applied again and people are told.
        """,
        "selfheal restore fragile --why 'cause mended'",
        "selfheal restore checkout --why 'cause mended' --aws -s prod --wait 60",
    ),
    _command(
        Verb.ACCEPT,
        TARGET_NAME,
        """Take what still stands after recovery for the baseline from now on.

        The drift is no open work any more, and nobody is reminded of it. Change the stack's configuration as
        well: the next `up` restores what that says.
        """,
        "selfheal accept fragile --why 'new baseline, see change 4711'",
        "selfheal accept checkout --why 'new baseline' --aws -s prod",
    ),
)
"""The commands, each with the end of its help."""
