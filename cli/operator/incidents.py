"""`selfheal incidents`: the ledger's incidents as a list, one in detail, or one as it goes on."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from selfheal.cli.console import Output
from selfheal.cli.errors import CliError
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.operator.answer import POLL_SECONDS, new_transitions
from selfheal.cli.operator.find_ledger import open_ledger
from selfheal.cli.operator.ledger import Incidents, Ledger, Unreadable, incident_json, read_incident
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.render import (
    destroy_lines,
    history_lines,
    incident_lines,
    line,
    next_steps,
    plan_lines,
    request_line,
    row,
    step_lines,
)
from selfheal.cli.operator.requests import pending
from selfheal.cli.options import IncidentOrTarget
from selfheal.functions.healer.incident import Incident
from selfheal.functions.shared.contract import Mode

EPILOG = epilog(
    "selfheal incidents                    is anything open?",
    "selfheal incidents --json | jq '.[] | select(.open)'",
    "selfheal incidents --aws -s prod      on AWS, with your own credentials",
    "selfheal incidents show fragile       everything about the current one, and what to do next",
    "selfheal incidents follow fragile     watch it until it closes",
    found="an incident is open, or a change still stands after recovery",
)
SHOW_EPILOG = epilog(
    "selfheal incidents show fragile",
    "selfheal incidents show fragile --json | jq .next",
)
FOLLOW_EPILOG = epilog(
    "selfheal incidents follow fragile",
    "selfheal incidents follow checkout --aws -s prod --timeout 600",
    found="it was still open when the time was up",
)
COLUMNS = ("id", "target", "status", "opened", "remedy", "reason")

Timeout = Annotated[
    float | None,
    typer.Option("--timeout", min=0, metavar="SECONDS", help="When to stop. Default: when it closes."),
]


def incidents(*, ctx: typer.Context, location: Location, output: Output) -> None:
    """List the incidents of the healer's ledger, open ones first.

    An incident is open until the healer records RECOVERED, which it does by evidence only. What it changed
    may still stand then: that is open work too, until the baseline is restored or the drift accepted. The
    column remedy shows which value was, or would be, changed: before → after. Closed incidents stay listed
    until they expire.

    The list ends with what to do before the stack is destroyed: its ledger goes with it, and what was changed
    on a function of another stack stays changed.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options_before(ctx)
        return
    with open_ledger(location) as ledger:
        incidents = ledger.incidents()
    drifting = incidents.drifting
    if output.json:
        output.print_json([_json(each, drift=each in drifting) for each in incidents.found])
    else:
        _print_list(output, incidents)
        _section(output, "Before the stack is destroyed", destroy_lines(incidents, location.as_options()))
    if drifting or any(each.is_open for each in incidents.found):
        raise typer.Exit(ExitCode.FOUND)


def _json(incident: Incident | Unreadable, *, drift: bool) -> dict[str, Any]:
    fields = asdict(incident) if isinstance(incident, Unreadable) else incident_json(incident)
    return {"open": incident.is_open, "drift": drift, **fields}


def _refuse_options_before(ctx: typer.Context) -> None:
    """Refuse options before the subcommand: if they were ignored, another stack's ledger would be read."""
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"write the options after `{ctx.invoked_subcommand}`: "
                f"selfheal incidents {ctx.invoked_subcommand} INCIDENT --{name} ..."
            )


def _print_list(output: Output, incidents: Incidents) -> None:
    if not incidents.found:
        output.say("No incident in the ledger.")
        return
    drifting, opened = incidents.drifting, sum(each.is_open for each in incidents.found)
    stands = f", {len(drifting)} of them with a change that stands" if drifting else ""
    output.say(f"{opened} open, {len(incidents.found) - opened} closed{stands}", style="bold")
    table = Table(*COLUMNS, box=None, pad_edge=False, header_style="dim")
    for column in table.columns:
        column.overflow = "fold"
    for incident in incidents.found:
        drift = incident in drifting
        cells = row(incident, drift=drift)
        if not output.interactive:  # a pipe or a log: one line each, nothing cut off
            output.say("  ".join(cells))
        style = "bold yellow" if incident.is_open or drift else None
        table.add_row(*(Text(cell) for cell in cells), style=style)
    if output.interactive:
        output.people.print(table)


def show(*, incident: IncidentOrTarget, location: Location, output: Output) -> None:
    """Show everything about one incident, and what you can do next.

    Its plan with the digest to approve, what stands, what keeps the healer from acting, the evidence, its
    history, and the commands that make sense now.
    """
    with open_ledger(location) as ledger:
        incidents, now = ledger.incidents(), datetime.now(UTC)
        found = incidents.find(incident)
        mode, unknown = _mode(ledger)
        requests = pending(ledger.dynamodb, ledger.table, found, now)
    steps = next_steps(found, incidents, mode, now, ledger.options)
    if output.json:
        more = {"asked": [asdict(each) for each in requests], "next": [asdict(each) for each in steps]}
        effect = {"mode_in_effect": None if unknown else mode}
        output.print_json(_json(found, drift=found in incidents.drifting) | effect | more)
        return
    effect = f"not known, so nothing is changed: {unknown}" if unknown else mode
    about = [*incident_lines(found, now), *map(request_line, requests), line("mode in effect", effect)]
    _section(output, found.id, about, first=True)
    _section(output, "Plan", plan_lines(found.plan, found.target) if found.plan else ())
    _section(output, "History", history_lines(found.history))
    _section(output, "What you can do", step_lines(steps))


def _mode(ledger: Ledger) -> tuple[Mode, str | None]:
    """Return the mode in effect, or why it is not known; the healer only observes then."""
    try:
        return ledger.mode()[1], None
    except CliError as error:
        return Mode.OBSERVE, str(error)


def _section(output: Output, title: str, lines: Sequence[str], *, first: bool = False) -> None:
    if lines:
        output.say(title if first else f"\n{title}", style="bold")
    for text in lines:
        output.say(text)


def follow(
    *, incident: IncidentOrTarget, timeout: Timeout = None, location: Location, output: Output
) -> None:
    """Print an incident's history, and each new line of it until it closes.

    Of a target that has no incident it waits for the first. Ctrl-C or --timeout ends it earlier; the incident
    goes on all the same.
    """
    deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
    with open_ledger(location) as ledger:
        found = _first(ledger, incident, deadline, output)
        if found is None:
            output.say(f"{incident} had no incident in that time.")
            if output.json:
                output.print_json(None)
            return
        _section(output, f"{found.id}: {_state(found)}", history_lines(found.history), first=True)
        found = _follow(ledger, found, deadline, output)
    if output.json:
        output.print_json({"open": found.is_open, **incident_json(found)})
    if found.is_open:
        output.say(f"Still open: {_state(found)}.", style="yellow")
        raise typer.Exit(ExitCode.FOUND)
    output.say(f"Closed: {_state(found)}.", style="bold green")


def _state(incident: Incident) -> str:
    return f"{incident.status} ({incident.reason})"


def _first(ledger: Ledger, wanted: str, deadline: float, output: Output) -> Incident | None:
    """Return the incident; wait for it if it is of a target that has none. None when time is up."""
    incidents, told = ledger.incidents(), False
    while wanted in (incidents.targets or ()) and incidents.current(wanted) is None:
        if not told:
            output.say(f"{wanted} has no incident. Waiting for the first.")
            told = True
        if time.monotonic() >= deadline:
            return None
        time.sleep(min(POLL_SECONDS, max(0, deadline - time.monotonic())))
        incidents = ledger.incidents()
    return incidents.find(wanted)


def _follow(ledger: Ledger, known: Incident, deadline: float, output: Output) -> Incident:
    """Print what is new until the incident closes or time is up; return it as it is then."""
    while known.is_open and time.monotonic() < deadline:
        time.sleep(min(POLL_SECONDS, max(0, deadline - time.monotonic())))
        before, known = known, read_incident(ledger.dynamodb, ledger.table, known)
        for text in history_lines(new_transitions(known, before)):
            output.say(text)
    return known
