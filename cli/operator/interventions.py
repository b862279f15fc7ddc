"""`selfheal rollback`, `release`, `restore`, `accept` and `close`: commands to the healer, all of a kind."""

from datetime import UTC, datetime

from selfheal.cli.console import Output
from selfheal.cli.exits import epilog
from selfheal.cli.operator.answer import ask_why, request_and_wait
from selfheal.cli.operator.checks import check_command
from selfheal.cli.operator.find_ledger import open_ledger
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.render import change
from selfheal.cli.operator.requests import make_request
from selfheal.cli.options import IncidentOrTarget, Target, Wait, Why
from selfheal.functions.healer.states import Verb
from selfheal.functions.shared.contract import Mode

REFUSED = "the healer refused, with the reason"


def rollback(
    *, incident: IncidentOrTarget, why: Why = None, wait: Wait = None, location: Location, output: Output
) -> None:
    """Undo what the healer changed in an open incident, and hold the target.

    Every value goes back to what it was, if it is still the one that the healer wrote. After that the healer
    does not act on the target until `selfheal release`. A value that the incident blames is not put back
    while the alarm rings, unless its remedy declares that safe.
    """
    _command(Verb.ROLLBACK, incident, location, output, why=why, wait=wait)


def release(
    *, incident: IncidentOrTarget, why: Why = None, wait: Wait = None, location: Location, output: Output
) -> None:
    """End a hold: the healer may act on the target again.

    The healer holds a target after an escalation, after a rollback, or when it flaps. `selfheal incidents
    show` tells why and until when.
    """
    _command(Verb.RELEASE, incident, location, output, why=why, wait=wait)


def restore(
    *, target: Target, why: Why = None, wait: Wait = None, location: Location, output: Output
) -> None:
    """Undo, under watch, what still stands after recovery.

    For when the cause is mended: the value goes back to what it was, and the healer watches. If the alarm
    comes back, the remedy is applied again and people are told.
    """
    _command(Verb.RESTORE, target, location, output, why=why, wait=wait)


def accept(*, target: Target, why: Why = None, wait: Wait = None, location: Location, output: Output) -> None:
    """Make what still stands after recovery the new baseline.

    The drift is no open work any more, and nobody is reminded of it. Change the stack's configuration as
    well: the next `up` restores what that says.
    """
    _command(Verb.ACCEPT, target, location, output, why=why, wait=wait)


def close(
    *, incident: IncidentOrTarget, why: Why = None, wait: Wait = None, location: Location, output: Output
) -> None:
    """Close the incident of a target that a deployment removed.

    The healer changes nothing of such a target any more, and cannot see how it is. Put back by hand what must
    not stand: what is left is recorded with the incident, and yours from then on. The incident of any other
    target is closed by the healer, by evidence.
    """
    _command(Verb.CLOSE, incident, location, output, why=why, wait=wait)


EXAMPLES = {
    rollback: ("rollback fragile --why 'made it worse'", "rollback checkout --why 'no help' --aws --wait 60"),
    release: ("release fragile --why 'cause found'", "release checkout --why 'deployed a fix' --aws -s prod"),
    restore: ("restore fragile --why 'mended'", "restore checkout --why 'mended' --aws -s prod --wait 60"),
    accept: ("accept fragile --why 'see change 4711'", "accept checkout --why 'intended' --aws -s prod"),
    close: ("close fragile --why 'service retired'", "close checkout --why 'moved' --aws -s prod"),
}
COMMANDS = tuple(
    (command, epilog(*(f"selfheal {example}" for example in examples), found=REFUSED, asks=True))
    for command, examples in EXAMPLES.items()
)
"""The commands, each with the epilog of its help."""


def _command(
    verb: Verb, wanted: str, location: Location, output: Output, *, why: str | None, wait: float | None
) -> None:
    reason = ask_why(why, output)
    with open_ledger(location) as ledger:
        incidents, now = ledger.incidents(), datetime.now(UTC)
        found = incidents.find(wanted)
        check_command(verb, found, incidents, now)
        for each in found.standing if verb is not Verb.RELEASE else ():
            output.say(f"{found.target}: {change(each.plan)} stands since {each.since}.")
        # An override of observe does not forbid it: after the kill switch people may still undo changes.
        if verb in (Verb.ROLLBACK, Verb.RESTORE) and ledger.baseline is Mode.OBSERVE:
            output.say(
                "The baseline is observe: the healer's role has no permission to change anything, so it "
                "refuses. Undo it with `pulumi up`.",
                style="yellow",
            )
        request = make_request(verb, found.id, ledger.caller(), reason, now)
        request_and_wait(ledger, request, found, wait, output)
