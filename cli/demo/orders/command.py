"""`selfheal demo-orders`: an outage, a bad deployment, and no order lost, with a report."""

import json as json_module
import secrets
from pathlib import Path
from typing import Annotated

import typer

from selfheal.cli.console import Output, complain
from selfheal.cli.demo.json_report import iam_note
from selfheal.cli.demo.orders.html_report import html_report
from selfheal.cli.demo.orders.json_report import json_report
from selfheal.cli.demo.orders.model import OrdersRecording
from selfheal.cli.demo.orders.run import OrdersDemonstration
from selfheal.cli.demo.orders.verdict import claims
from selfheal.cli.demo.stack import Stack
from selfheal.cli.demo.surroundings import deployment_of, fresh_account, project_of
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.folders import writable
from selfheal.cli.options import EnforceIam, Json

STACK = "orders"
"""What is deployed: the orders service, with these settings in the place of its file's."""

SETTINGS = {
    "selfheal:mode": "act",
    "selfheal:protectLedger": False,
    "selfheal:ledgerName": "selfheal-orders-ledger",
}

LEFT_OUT = "the preview with the policy pack"

EPILOG = epilog(
    "selfheal demo-orders                       three minutes, from nothing",
    "selfheal demo-orders --until-closed        until evidence closes the incident: six to seven",
    "selfheal demo-orders --json | jq .figures  what a script would ask",
    "open out/demo-orders/report.html           the report of the last run",
)
TIMEOUT_SECONDS = 720.0
"""Nearly twice what it takes on two cores: a slow machine is to see it as well."""

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FOLDER", help="Where the report goes. Default: out/demo-orders of the project."
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", min=10, max=3600, help="Seconds after deployment within which all has to happen."
    ),
]
UntilClosed = Annotated[
    bool,
    typer.Option(
        "--until-closed",
        help="Wait until evidence has closed the healer's incident too: about four minutes more.",
    ),
]


def demo_orders(
    ctx: typer.Context,
    *,
    timeout: Timeout = TIMEOUT_SECONDS,
    until_closed: UntilClosed = False,
    enforce_iam: EnforceIam = True,
    out: Out = None,
    json: Json = False,
) -> None:
    """Watch the orders service lose no order: through an outage of what it depends on, and a bad deployment.

    Starts a fresh emulator, deploys the stack orders of the unmodified program by the Pulumi CLI with its
    healer in mode act, and places orders all the time. The downstream refuses every call: the circuit breaker
    opens, and orders wait. Meanwhile somebody deploys a version of the publisher that fails: an alarm rings,
    and the healer rolls it back. The downstream is mended, and the backlog drains.

    Claims [bold]from what was recorded[/bold] that no order was lost or refused, that nothing happened twice
    by the downstream's own log, that the open circuit spared the downstream, and that the healer's only
    change was the one that helped.

    Writes report.json and report.html, and leaves nothing else behind. It fails, with the reason, if a claim
    does not hold.
    """
    output = Output.make(json=json)
    project = project_of(ctx, "demo-orders")
    token = secrets.token_hex(24)
    folder = writable(out or project / "out" / "demo-orders", "--out")
    with fresh_account(output, enforce_iam=enforce_iam) as (connection, made):
        stack = Stack(STACK, SETTINGS, {"selfheal:callers": {"demo": token}})
        deployment = deployment_of(project, stack, connection, made, output, LEFT_OUT)
        recording = OrdersDemonstration(
            STACK,
            token,
            deployment,
            connection,
            timeout,
            output,
            iam_enforced=enforce_iam,
            left_out=() if deployment.previews else (LEFT_OUT,),
            until_closed=until_closed,
        ).run()
    _conclude(recording, folder, output)


def _conclude(recording: OrdersRecording, folder: Path, output: Output) -> None:
    document = json_report(recording)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(
        json_module.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (folder / "report.html").write_text(html_report(recording), encoding="utf-8")
    for claim in claims(recording):
        output.say(claim.line, style=None if claim.holds else "red")
    output.say(f"Report: {folder / 'report.html'} and report.json")
    output.say(f"This was the sandbox, not AWS. {iam_note(recording.iam_enforced)}", style="dim")
    if output.json:
        output.print_json(document)
    if document["failures"]:
        for reason in document["failures"]:
            complain(reason)
        raise typer.Exit(ExitCode.FAILED)
    for each in recording.left_out:
        output.say(f"Left out: {each}", style="yellow")
    output.say("No order lost, nothing done twice, and the bad version rolled back.", style="bold green")
