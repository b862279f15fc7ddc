"""`selfheal demo`: deploy from nothing, break, heal and restore, with a report."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from selfheal.cli.console import Output, complain
from selfheal.cli.demo.html_report import html_report
from selfheal.cli.demo.json_report import iam_note, json_report
from selfheal.cli.demo.model import Recording
from selfheal.cli.demo.run import NO_SECOND_UP, Demonstration
from selfheal.cli.demo.stack import Stack
from selfheal.cli.demo.surroundings import deployment_of, fresh_account, project_of
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.folders import writable
from selfheal.cli.options import EnforceIam, Json
from selfheal.sandbox.pulumi.project import Project

STACK = "dev"
"""What is deployed: its service fails three of ten requests, and its healer may act."""

EPILOG = epilog(
    "selfheal demo                      four minutes, from nothing",
    "selfheal demo --json | jq .counts  what a script would ask",
    "open out/demo/incident.html        the report of the last run",
)
TIMEOUT_SECONDS = 400.0
"""Alarm within 20 s, act, 10 s to settle, the rest of a minute, a minute, 63 s until Lambda's metrics of it
are complete, and the healer's one-minute schedule, twice."""

Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FOLDER", help="Where the report goes. Default: out/demo of the project."),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", min=10, max=3600, help="Seconds after deployment to show recovery in."),
]


def demo(
    ctx: typer.Context,
    *,
    timeout: Timeout = TIMEOUT_SECONDS,
    enforce_iam: EnforceIam = True,
    out: Out = None,
    json: Json = False,
) -> None:
    """Watch the platform heal itself: deployed from nothing, broken, healed, put back.

    Starts a fresh emulator, deploys the stack dev of the unmodified program by the Pulumi CLI, a preview
    with the policy pack first, and sends 10 real HTTP requests a second to a service that fails three of
    ten. Shows when the first error came, which alarm rang, when the healer acted, the last error, the alarm
    back to OK, and recovery [bold]by evidence[/bold]. Then a second `pulumi up` restores the baseline.

    The functions can do only what their IAM roles allow, unless told --no-enforce-iam.

    Without a Pulumi CLI it deploys in process, and leaves out the preview, the pack and the second `up`.

    Writes incident.json and incident.html, and leaves nothing else behind. It fails, with the reason, if
    recovery was not shown by evidence in time, if errors went on after the act, or if the baseline was not
    restored.
    """
    output = Output.make(json=json)
    project = project_of(ctx, "demo")
    folder = writable(out or project / "out" / "demo", "--out")
    with fresh_account(output, enforce_iam=enforce_iam) as (connection, made):
        left_out = f"the preview with the policy pack, and {NO_SECOND_UP}"
        deployment = deployment_of(project, Stack(STACK), connection, made, output, left_out)
        baseline = Project.load(project, STACK, {}).config["selfheal:failureRate"]
        demonstration = Demonstration(
            STACK, baseline, deployment, connection, timeout, output, iam_enforced=enforce_iam
        )
        recording = demonstration.run()
    _conclude(recording, folder, output)


def _conclude(recording: Recording, folder: Path, output: Output) -> None:
    document = json_report(recording)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "incident.json").write_text(
        json_module.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (folder / "incident.html").write_text(html_report(recording), encoding="utf-8")
    counts = document["counts"]
    for phase in ("before_act", "after_act", "after_restore"):
        count = counts[phase]
        name = phase.replace("_", " ")
        output.say(
            f"{name:<14} {count['requests']:5} requests {count['errors']:5} errors {count['error_rate']:7.1%}"
        )
    output.say(f"Report: {folder / 'incident.html'} and incident.json")
    output.say(f"This was the sandbox, not AWS. {iam_note(recording.iam_enforced)}", style="dim")
    if output.json:
        output.print_json(document)
    if document["failures"]:
        for reason in document["failures"]:
            complain(reason)
        raise typer.Exit(ExitCode.FAILED)
    for each in recording.left_out:
        output.say(f"Left out: {each}", style="yellow")
    restored = ", and the baseline restored" if recording.restore else ""
    output.say(f"Healed by evidence{restored}.", style="bold green")
