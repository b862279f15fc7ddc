"""incidents: what the healer's ledger says, as a list, one in full, or as it goes on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from selfheal.cli.console import Output
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.operator import requests
from selfheal.cli.operator.answer import POLL_SECONDS, news
from selfheal.cli.operator.find_ledger import Reach, reach
from selfheal.cli.operator.ledger import drifts, find, is_open, planned, read_incident, row
from selfheal.cli.operator.location import Where
from selfheal.cli.operator.render import (
    farewell_lines,
    history_lines,
    incident_lines,
    line,
    next_steps,
    plan_lines,
    step_lines,
    waiting_line,
)
from selfheal.cli.options import Aws, Endpoint, IncidentOrTarget, Json, LedgerName, Region, Stack
from selfheal.functions.healer.observation import Request
from selfheal.functions.healer.words import Verb

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
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", min=0, metavar="SECONDS", help="When to stop. Default: when it closes."),
]


def incidents(
    ctx: typer.Context,
    *,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    region: Region = None,
    json: Json = False,
) -> None:
    """List the incidents of the healer's ledger, open ones first.

    An incident is open until the healer recorded RECOVERED, which it does by evidence only. What it changed
    may still stand then: that is open work too, until the baseline is restored or the drift accepted. The
    column remedy says which value was, or would be, changed: before → after. Closed incidents stay listed
    until they expire.

    The list ends with what to do before the stack is destroyed: its ledger goes with it, and what was changed
    on a function of another stack stays changed.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options_before(ctx)
        return
    output = Output.make(json=json)
    where = Where.make(ctx, stack, endpoint, aws=aws, ledger=ledger, region=region)
    with reach(where) as there:
        found = there.incidents()
    drifting = drifts(found)
    if json:
        output.document(
            [{"open": is_open(incident), "drift": incident in drifting, **incident} for incident in found]
        )
    else:
        _list(output, found, drifting)
        _section(output, "Before the stack is destroyed", farewell_lines(found, drifting, where.options))
    if drifting or any(is_open(incident) for incident in found):
        raise typer.Exit(ExitCode.FOUND)


def _refuse_options_before(ctx: typer.Context) -> None:
    """Refuse options before the subcommand: ignoring them could mean to read another stack's ledger."""
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"write the options after `{ctx.invoked_subcommand}`: "
                f"selfheal incidents {ctx.invoked_subcommand} INCIDENT --{name} ..."
            )


def _list(output: Output, found: Sequence[Mapping[str, Any]], drifting: Sequence[Mapping[str, Any]]) -> None:
    if not found:
        output.say("No incident in the ledger.")
        return
    opened = sum(is_open(incident) for incident in found)
    stands = f", {len(drifting)} of them with a change that stands" if drifting else ""
    output.say(f"{opened} open, {len(found) - opened} closed{stands}", style="bold")
    rows = [(row(incident, drift=incident in drifting), incident) for incident in found]
    if not output.interactive:  # a pipe or a log: one line each, nothing cut off
        for cells, _ in rows:
            output.say("  ".join(cells))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("id", "target", "status", "opened", "remedy", "reason"):
        table.add_column(head, overflow="fold")
    for cells, incident in rows:
        urgent = is_open(incident) or incident in drifting
        table.add_row(*(_literal(cell) for cell in cells), style="bold yellow" if urgent else None)
    output.people.print(table)


def _literal(cell: str) -> str:
    return cell.replace("[", "\\[")


def show(
    ctx: typer.Context,
    incident: IncidentOrTarget,
    *,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    region: Region = None,
    json: Json = False,
) -> None:
    """Show everything about one incident, and what you can do next.

    Its plan with the digest to approve, what stands, what keeps the healer from acting, the evidence, its
    history, and the commands that make sense now.
    """
    output = Output.make(json=json)
    where = Where.make(ctx, stack, endpoint, aws=aws, ledger=ledger, region=region)
    with reach(where) as there:
        found, now = there.incidents(), datetime.now(UTC)
        known = find(found, incident)
        _, mode = there.mode()
        asked = _asked(there, known, now)
    steps = next_steps(known, found, mode, now, there.options)
    if json:
        told = {"open": is_open(known), "drift": known in drifts(found), **known, "mode_in_effect": mode}
        told["asked"] = [asdict(request) for request in asked]
        output.document(told | {"next": [asdict(step) for step in steps]})
        return
    output.say(str(known["id"]), style="bold")
    for text in incident_lines(known, now):
        output.say(text)
    for request in asked:
        output.say(waiting_line(request))
    output.say(line("mode in effect", mode))
    if (plan := planned(known)) is not None:
        _section(output, "Plan", plan_lines(plan, str(known["target"])))
    _section(output, "History", history_lines(known.get("history", ())))
    _section(output, "What you can do", step_lines(steps))


def _asked(there: Reach, known: Mapping[str, Any], now: datetime) -> list[Request]:
    """Return what people asked about an incident and the healer has still to answer."""
    items = [
        requests.read(there.dynamodb, there.table, verb, str(known["target"]))
        for verb in (Verb.APPROVE, Verb.ROLLBACK)  # one of each kind of item
    ]
    waiting = [requests.waiting(item, known, now) for item in items]
    return [request for request in waiting if request is not None]


def _section(output: Output, title: str, lines: Sequence[str]) -> None:
    if lines:
        output.say(f"\n{title}", style="bold")
    for text in lines:
        output.say(text)


def follow(
    ctx: typer.Context,
    incident: IncidentOrTarget,
    *,
    timeout: Timeout = None,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    region: Region = None,
    json: Json = False,
) -> None:
    """Print an incident's history, and each new line of it until it closes.

    Ctrl-C or --timeout ends it earlier; the incident goes on without a watcher.
    """
    output = Output.make(json=json)
    where = Where.make(ctx, stack, endpoint, aws=aws, ledger=ledger, region=region)
    with reach(where) as there:
        known = dict(find(there.incidents(), incident))
        output.say(f"{known['id']}: {known.get('status')} ({known.get('reason')})", style="bold")
        for text in history_lines(known.get("history", ())):
            output.say(text)
        known = _watch(there, known, timeout, output)
    if json:
        output.document({"open": is_open(known), **known})
    if is_open(known):
        output.say(f"Still open: {known.get('status')} ({known.get('reason')}).", style="yellow")
        raise typer.Exit(ExitCode.FOUND)
    output.say(f"Closed: {known.get('status')} ({known.get('reason')}).", style="bold green")


def _watch(there: Reach, known: dict[str, Any], timeout: float | None, output: Output) -> dict[str, Any]:
    """Print what is new until the incident is over or time is up; return it as it is then."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while is_open(known) and (deadline is None or time.monotonic() < deadline):
        time.sleep(
            POLL_SECONDS if deadline is None else min(POLL_SECONDS, max(0, deadline - time.monotonic()))
        )
        now = read_incident(there.dynamodb, there.table, known)
        for text in history_lines(news(now, known)):
            output.say(text)
        known = now
    return known
