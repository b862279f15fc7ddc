"""demo: the whole loop, from nothing, with a report."""

import json as json_module
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import Connection, Source, connect
from cli.console import Output, complain
from cli.demo.document import document
from cli.demo.model import Recording
from cli.demo.report import report
from cli.demo.run import Demonstration
from cli.exits import ExitCode, epilog
from cli.guard import choose
from cli.operate import operate
from cli.options import Endpoint, Json, NoPolicies, PolicyPack, PolicyPackConfig, Stack
from cli.site import Site, load
from sandbox.clock import Clock
from sandbox.emulator import Emulator

EPILOG = epilog(
    "selfheal demo                      about two minutes, from nothing",
    "selfheal demo --json | jq .counts  what a script would ask",
    "open out/demo/incident.html        the report of the last run",
)
TIMEOUT_SECONDS = 240.0
"""Alarm within 20 s, act, 10 s to settle, 60 s of stability, and the healer's one-minute schedule, twice."""

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
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    timeout: Timeout = TIMEOUT_SECONDS,
    out: Out = None,
    policy_pack: PolicyPack = None,
    policy_pack_config: PolicyPackConfig = None,
    no_policies: NoPolicies = False,
    json: Json = False,
) -> None:
    """Watch the platform heal itself: deployed from nothing, broken, healed, put back.

    Starts a fresh emulator, deploys the unmodified program, and sends 10 real HTTP requests a second to a
    service that fails three of ten. Shows when the first error came, which alarm rang, when the healer
    acted, the last error, the alarm back to OK, and recovery [bold]by evidence[/bold]. Then a second `up`
    restores the baseline. The policy pack judges both, and a preview before the first.

    Writes incident.json and incident.html, and leaves nothing else behind. It fails, with the reason, if
    recovery was not shown by evidence in time, if errors went on after the act, or if the baseline was not
    restored.
    """
    output = Output.make(json=json)
    site = load(ctx, stack)
    _require_something_to_heal(site)
    guard = choose(site, policy_pack, policy_pack_config, off=no_policies)
    with tempfile.TemporaryDirectory(prefix="selfheal-demo-") as temporary:
        folder = Path(temporary)
        with _stage(site, endpoint, folder, output) as connection:
            recording = Demonstration(site, connection, folder / "state.json", timeout, output, guard).run()
    _conclude(recording, out or site.workspace.root / "out" / "demo", output)


def _require_something_to_heal(site: Site) -> None:
    values = site.config.values
    rate, mode = values.get("selfheal:failureRate", "0"), values.get("selfheal:mode", "observe")
    traffic = values.get("selfheal:traffic", "latest")
    if mode != "act" or rate in {"0", "0.0"} or traffic != "latest":
        raise typer.BadParameter(
            "the demonstration needs failureRate above 0, mode act and traffic latest, so that something "
            f"fails and may be healed; stack {site.config.name} has failureRate {rate}, mode {mode}, "
            f"traffic {traffic}. Use --stack dev.",
            param_hint="--stack",
        )


@contextmanager
def _stage(site: Site, endpoint: str | None, folder: Path, output: Output) -> Generator[Connection]:
    """Provide an endpoint: a fresh emulator, or the given one, which is emptied at the end."""
    if endpoint is None:
        with Emulator.start(folder / "emulator") as emulator:
            output.say(f"Started a fresh emulator at {emulator.endpoint}; it ends with this command.")
            with Clock(emulator.endpoint, emulator.region, emulator.credentials):
                yield Connection(emulator.endpoint, emulator.region, emulator.credentials, Source.OWN)
        return
    with connect(site.workspace, endpoint, site.region, output) as connection:
        try:
            yield connection
        finally:
            output.say("Deleting what was deployed.")
            result = operate(site, folder / "state.json", connection, "destroy")
            if not result.ok:
                complain(f"not everything was deleted from {endpoint}: {result.error}")


def _conclude(recording: Recording, folder: Path, output: Output) -> None:
    told = document(recording)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "incident.json").write_text(
        json_module.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (folder / "incident.html").write_text(report(recording), encoding="utf-8")
    counts = told["counts"]
    for phase in ("before_act", "after_act", "after_restore"):
        count = counts[phase]
        name = phase.replace("_", " ")
        output.say(
            f"{name:<14} {count['requests']:5} requests {count['errors']:5} errors {count['error_rate']:7.1%}"
        )
    output.say(f"Report: {folder / 'incident.html'} and incident.json")
    output.say("This was the sandbox: not AWS, not the Pulumi CLI, no permissions enforced.", style="dim")
    if output.json:
        output.document(told)
    if told["failures"]:
        for reason in told["failures"]:
            complain(reason)
        raise typer.Exit(ExitCode.FAILED)
    output.say("Healed by evidence, and the baseline restored.", style="bold green")
