"""serve: the emulator and its clock, for the real Pulumi CLI and for several commands at once."""

import json as json_module
import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.connection import start
from cli.console import Output
from cli.errors import CliError
from cli.exits import epilog
from cli.options import Json, Stack
from cli.serve_record import ServeRecord, remove, write
from cli.site import Site, load
from sandbox.clock import Clock
from sandbox.emulator import Emulator

EPILOG = epilog(
    "selfheal serve                        then, in another terminal: selfheal up",
    "selfheal serve --port 4566            on a port of your choice",
    "selfheal serve --ready-file r.json &  in CI: wait for the file, read it",
)
WATCH_SECONDS = 0.2
"""How often it is looked whether the emulator still runs."""

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


def serve(
    ctx: typer.Context,
    stack: Stack = "dev",
    port: Port = None,
    ready_file: ReadyFile = None,
    json: Json = False,
) -> None:
    """Run the sandbox's AWS on 127.0.0.1 until Ctrl-C or SIGTERM.

    Prints the environment and the `pulumi config` settings with which the real Pulumi CLI and its AWS
    provider deploy into it. Other selfheal commands of this checkout and stack find it by themselves. Its
    data is kept under .selfheal/ and is there again at the next start. It ends with exit code 0.

    The emulator is no sandbox for untrusted code: functions run as you.
    """
    output = Output.make(json=json)
    site = load(ctx, stack)
    record_file, pid = site.workspace.serve, os.getpid()
    with site.workspace.own_emulator(), start(site.workspace, port) as emulator:
        try:
            with Clock(emulator.endpoint, emulator.region, emulator.credentials):
                write(record_file, ServeRecord(emulator.endpoint, pid, emulator.region))
                told = settings(site, emulator, pid)
                if ready_file:
                    _write_whole(ready_file, told)
                _tell(output, told)
                _wait(emulator)
        except KeyboardInterrupt:  # Ctrl-C or SIGTERM is how it ends
            output.say("Stopping.")
        finally:
            remove(record_file, pid)


def settings(site: Site, emulator: Emulator, pid: int) -> dict[str, Any]:
    """Return what the real Pulumi CLI needs to deploy into the emulator."""
    backend = site.workspace.folder / "pulumi"
    backend.mkdir(parents=True, exist_ok=True)
    return {
        "endpoint": emulator.endpoint,
        "pid": pid,
        "stack": site.config.name,
        "environment": {
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_ACCESS_KEY_ID": emulator.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": emulator.credentials.secret_access_key,
            "AWS_REGION": emulator.region,
            # Nothing of the user's own set-up may leak in: a profile or a region there would win or fail.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": "",
        },
        # The provider validates credentials at its own idea of STS; account ids and ARNs need the
        # account's id.
        "pulumi_config": {
            "aws:region": emulator.region,
            "aws:skipCredentialsValidation": "true",
            "aws:skipMetadataApiCheck": "true",
            "aws:skipRequestingAccountId": "false",
            "aws:s3UsePathStyle": "true",
        },
    }


def _tell(output: Output, told: dict[str, Any]) -> None:
    if output.json:
        # One line, so that a script that reads the first line has it all.
        typer.echo(json_module.dumps(told))
        return
    stack = told["stack"]
    output.say(
        f"Serving stack {stack} at {told['endpoint']} (process {told['pid']}). Ctrl-C ends it.", style="bold"
    )
    output.say("\nselfheal up, preview, outputs, incidents, ... of this stack use it by themselves.")
    output.say("\nThe real Pulumi CLI uses it with this environment:\n", style="dim")
    for key, value in told["environment"].items():
        output.say(f"  export {key}={value or chr(34) * 2}")
    output.say("\nand these settings; --config-file keeps them out of your stack's own file:\n", style="dim")
    own = f"{told['environment']['PULUMI_BACKEND_URL'].removeprefix('file://')}/Pulumi.{stack}.yaml"
    output.say(f"  cp Pulumi.{stack}.yaml {own}")
    output.say(f"  pulumi stack select --create {stack}")
    for key, value in told["pulumi_config"].items():
        output.say(f"  pulumi config set --config-file {own} {key} {value}")
    output.say(f"  pulumi up --config-file {own}")


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
