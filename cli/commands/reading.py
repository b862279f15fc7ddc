"""outputs and incidents: what is deployed, and what the healer's ledger says."""

import json as json_module
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.connection import connect
from cli.console import Output
from cli.errors import CliError
from cli.exits import ExitCode, epilog
from cli.ledger import is_open, read_incidents, row
from cli.options import Endpoint, Json, Stack
from cli.site import exports, load

OUTPUTS_EPILOG = epilog(
    "selfheal outputs                every output of the stack dev",
    "curl $(selfheal outputs url)    one value, for scripts",
    "selfheal outputs --json | jq -r .ledgerTable",
)
INCIDENTS_EPILOG = epilog(
    "selfheal incidents              is anything open?",
    "selfheal incidents --json | jq '.[] | select(.open)'",
    "selfheal incidents --endpoint http://127.0.0.1:4566",
    found="an incident is open",
)
Key = Annotated[
    str | None, typer.Argument(metavar="[KEY]", help="Print this output's value only.", show_default=False)
]


def outputs(
    ctx: typer.Context, key: Key = None, stack: Stack = "dev", endpoint: Endpoint = None, json: Json = False
) -> None:
    """Print the stack's outputs.

    They are read from the state of the last `up` that ended well; nothing is started, no endpoint is asked.
    With --endpoint it is the state kept for that endpoint.
    """
    output = Output.make(json=json)
    found = exports(load(ctx, stack), endpoint)
    if key is not None and key not in found:
        raise CliError(f"Stack {stack} has no output {key!r}. It has: {', '.join(sorted(found))}.")
    if json:
        output.document(found if key is None else found[key])
    elif key is not None:
        output.say(_text(found[key]))
    else:
        for name in sorted(found):
            output.say(f"{name}: {_text(found[name])}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_module.dumps(value, ensure_ascii=False)


def incidents(
    ctx: typer.Context, stack: Stack = "dev", endpoint: Endpoint = None, json: Json = False
) -> None:
    """List the incidents of the healer's ledger, open ones first.

    An incident is open until the healer recorded RECOVERED, which it does by evidence only. The column
    remedy says which value was, or would be, changed: before → after. Closed incidents stay listed until
    they expire.
    """
    output = Output.make(json=json)
    site = load(ctx, stack)
    table = exports(site, endpoint).get("ledgerTable")
    if not table:
        raise CliError(f"Stack {stack} exports no `ledgerTable`: run `selfheal up --stack {stack}` again.")
    with connect(site.workspace, endpoint, site.region, output) as connection:
        found = read_incidents(connection.clients.get("dynamodb"), str(table))
    if json:
        output.document([{"open": is_open(incident), **incident} for incident in found])
    else:
        _show(output, found)
    if any(is_open(incident) for incident in found):
        raise typer.Exit(ExitCode.FOUND)


def _show(output: Output, found: list[dict[str, Any]]) -> None:
    opened = sum(is_open(incident) for incident in found)
    if not found:
        output.say("No incident in the ledger.")
        return
    output.say(f"{opened} open, {len(found) - opened} closed", style="bold")
    if not output.interactive:  # a pipe or a log: one line each, nothing cut off
        for incident in found:
            output.say("  ".join(row(incident)))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("id", "target", "status", "opened", "remedy", "reason"):
        table.add_column(head, overflow="fold")
    for incident in found:
        table.add_row(*row(incident), style="bold yellow" if is_open(incident) else None)
    output.people.print(table)
