"""serve: the emulator and its clock, for the Pulumi CLI, boto3 and several commands at once."""

import json as json_module
import os
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from selfheal.cli.console import Output, remark
from selfheal.cli.errors import CliError
from selfheal.cli.exits import epilog
from selfheal.cli.operator.location import ENDPOINT_VARIABLE
from selfheal.cli.options import Json
from selfheal.cli.sandbox.account import Workspace
from selfheal.cli.sandbox.connection import start
from selfheal.cli.sandbox.serve_record import ServeRecord, read, remove, running, write
from selfheal.sandbox import pulumi_cli
from selfheal.sandbox.clock import Clock
from selfheal.sandbox.emulator import READY_SECONDS, ROOT, Emulator

EPILOG = epilog(
    "selfheal serve &                      keep it running, then, in any shell:",
    'eval "$(selfheal serve --env)"        pulumi, aws and boto3 work on it from here on',
    "selfheal serve --port 4566            on a port of your choice",
    "selfheal serve --ready-file r.json &  in CI: wait for the file, read it",
)
WATCH_SECONDS = 0.2
"""How often it is looked whether the emulator still runs."""

BEGIN_SECONDS = 5.0
"""How long --env waits for a `serve` that was started beside it to show itself."""

Port = Annotated[
    int | None,
    typer.Option(
        "--port", min=1, max=65535, help="Port on 127.0.0.1. Default: the last one used, or a free one."
    ),
]
ReadyFile = Annotated[
    Path | None,
    typer.Option("--ready-file", metavar="FILE", help="Write the settings as JSON here once it answers."),
]
Env = Annotated[
    bool,
    typer.Option("--env", help="Print the environment of the `serve` that runs, or is starting, and exit."),
]


def serve(port: Port = None, ready_file: ReadyFile = None, env: Env = False, json: Json = False) -> None:
    """Run the sandbox's AWS on 127.0.0.1 until Ctrl-C or SIGTERM.

    Standard output gets the environment with which pulumi, the AWS CLI and boto3 work on it, as lines for a
    shell's `eval`; with --json the same as one line of JSON. `selfheal pulumi` and the other commands of this
    checkout find it by themselves.

    There is one for a checkout, as one AWS account that all stacks share. Its data is kept in .selfheal/ and
    is there again at the next start, on the same port if that is free. It ends with exit code 0.

    The emulator is no sandbox for untrusted code: functions run as you.
    """
    workspace = Workspace.here()
    if env:
        if port or ready_file:
            raise typer.BadParameter("--env asks the `serve` that runs: --port and --ready-file start one.")
        _print(settings(workspace, _running_soon(workspace)), json=json)
        return
    output, pid = Output.make(json=True), os.getpid()
    with workspace.own_emulator(), start(workspace, port) as emulator:
        try:
            with Clock(emulator.endpoint, emulator.region, emulator.credentials):
                record = ServeRecord(emulator.endpoint, pid, emulator.region)
                write(workspace.serve, record)
                told = settings(workspace, record)
                if ready_file:
                    _write_whole(ready_file, told)
                _print(told, json=json)
                output.say(f"Serving {record.endpoint} (process {pid}). Ctrl-C ends it.", style="bold")
                output.say('In another shell: eval "$(selfheal serve --env)"')
                _wait(emulator)
        except KeyboardInterrupt:  # Ctrl-C or SIGTERM is how it ends
            output.say("Stopping.")
        finally:
            remove(workspace.serve, pid)


def settings(workspace: Workspace, record: ServeRecord) -> dict[str, Any]:
    """Return what Pulumi, the AWS CLI and boto3 need to work on the emulator."""
    backend = workspace.backend()
    return {
        "endpoint": record.endpoint,
        "pid": record.pid,
        "environment": pulumi_cli.environment(
            record.endpoint, record.region, ROOT, backend, home=pulumi_cli.HOME
        ),
        "unset": list(pulumi_cli.UNSET),
        "path": str(pulumi_cli.EXECUTABLE.parent),
        # Of the real AWS provider alone: it validates credentials at its own idea of STS, and ARNs need the
        # account's id.
        "pulumi_config": {
            "aws:region": record.region,
            "aws:skipCredentialsValidation": "true",
            "aws:skipMetadataApiCheck": "true",
            "aws:skipRequestingAccountId": "false",
            "aws:s3UsePathStyle": "true",
        },
    }


def shell_lines(told: Mapping[str, Any]) -> list[str]:
    """Return the settings as lines that any POSIX shell evaluates."""
    exports = [f"export {key}={shlex.quote(value)}" for key, value in told["environment"].items()]
    return [
        *(f"unset {key}" for key in told["unset"]),
        *exports,
        f'export PATH={shlex.quote(told["path"])}:"$PATH"',
    ]


def _print(told: Mapping[str, Any], *, json: bool) -> None:
    # JSON in one line, so that a script that reads the first line has it all.
    sys.stdout.write(json_module.dumps(told) + "\n" if json else "\n".join(shell_lines(told)) + "\n")
    sys.stdout.flush()
    before = os.environ.get(ENDPOINT_VARIABLE)
    if before and before != told["endpoint"]:
        remark(
            f"This shell's {ENDPOINT_VARIABLE} is {before}, of an earlier `serve` or of something else: "
            'eval "$(selfheal serve --env)" replaces it.',
            style="yellow",
        )


def _running_soon(workspace: Workspace) -> ServeRecord:
    """Return the `serve` that runs, or that comes up while we wait.

    Raises:
        CliError: when none does.

    """
    begun = time.monotonic()
    while (record := running(workspace.serve)) is None:
        waited = time.monotonic() - begun
        if waited > (READY_SECONDS if workspace.busy() else BEGIN_SECONDS):
            break
        time.sleep(WATCH_SECONDS)
    if record is not None:
        return record
    if (stale := read(workspace.serve)) is not None:
        raise CliError(
            f"`selfheal serve` does not run: process {stale.pid}, which served {stale.endpoint}, is gone, "
            "and an environment that was made from it is stale. Start it again: selfheal serve &"
        )
    raise CliError("`selfheal serve` does not run. Start it, and repeat this: selfheal serve &")


def _write_whole(path: Path, content: dict[str, Any]) -> None:
    """Write so that whoever waits for the file never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(json_module.dumps(content, indent=2) + "\n", encoding="utf-8")
    fresh.replace(path)


def _wait(emulator: Emulator) -> None:
    while (code := emulator.process.poll()) is None:
        time.sleep(WATCH_SECONDS)
    raise CliError(
        f"The emulator ended by itself with exit code {code}. Its log: {emulator.folder / 'emulator.log'}"
    )
