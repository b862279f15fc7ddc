"""`selfheal serve`: emulator and alarm evaluator, for the Pulumi CLI, boto3 and several commands."""

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
from selfheal.cli.folders import writable
from selfheal.cli.options import ENDPOINT_VARIABLE, EnforceIam, Json
from selfheal.cli.sandbox.account import Account, Connection, ServeRecord, write_whole
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.emulator import READY_SECONDS, ROOT, Emulator
from selfheal.sandbox.pulumi import cli as pulumi_cli

EPILOG = epilog(
    "selfheal serve &                      keep it running, then, in any shell:",
    'eval "$(selfheal serve --env)"        pulumi, aws and boto3 work on it from here on',
    "selfheal serve --port 4566            on a port of your choice",
    "selfheal serve --ready-file r.json &  in CI: wait for the file, read it",
)
POLL_SECONDS = 0.2

BEGIN_SECONDS = 5.0
"""How long --env waits for a `serve` that was started at the same time to show itself."""

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


def serve(
    *,
    port: Port = None,
    ready_file: ReadyFile = None,
    env: Env = False,
    enforce_iam: EnforceIam = False,
    json: Json = False,
) -> None:
    """Run the sandbox's AWS on 127.0.0.1 until Ctrl-C or SIGTERM.

    Standard output gets the environment with which pulumi, the AWS CLI and boto3 work on it, as lines for a
    shell's `eval`; with --json the same as one line of JSON. `selfheal pulumi` and the other commands of this
    checkout find it by themselves. SELFHEAL_SITE is where a deployed site answers.

    There is one for each checkout, like an AWS account that all its stacks share. Its data is kept in
    .selfheal/ and is there again at the next start, on the same port if that is free. It ends with exit
    code 0.

    With --enforce-iam the functions can do only what their IAM roles allow. The key that is printed is the
    root user's, and may do everything.

    The emulator does not isolate untrusted code: functions run as you.
    """
    account = Account.of_checkout()
    if env:
        if port or ready_file or enforce_iam:
            raise typer.BadParameter(
                "--env asks the `serve` that runs: --port, --ready-file and --enforce-iam start one."
            )
        _print(_settings(account, _wait_for_serve(account)), json=json)
        return
    if ready_file:
        writable(ready_file.absolute().parent, "--ready-file")
    output, pid = Output.make(json=True), os.getpid()
    with account.emulator_lock(), account.start_emulator(port, iam=enforce_iam) as emulator:
        front = account.front(emulator)
        record = ServeRecord(emulator.endpoint, pid, emulator.region, front.url)
        try:
            with (
                AlarmEvaluator(emulator.endpoint, emulator.region, emulator.credentials),
                front,
                account.recorded_serve(record),
            ):
                settings = _settings(account, record)
                if ready_file:
                    write_whole(ready_file, json_module.dumps(settings, indent=2) + "\n")
                _print(settings, json=json)
                output.say(f"Serving {record.endpoint} (process {pid}). Ctrl-C ends it.", style="bold")
                output.say(f"A site that is deployed (distribution of CloudFront) is at {front.url}")
                output.say(f"IAM is {'' if enforce_iam else 'not '}enforced for functions.")
                output.say('In another shell: eval "$(selfheal serve --env)"')
                _wait(emulator)
        except KeyboardInterrupt:  # Ctrl-C or SIGTERM is how it ends
            output.say("Stopping.")


def _settings(account: Account, record: ServeRecord) -> dict[str, Any]:
    """Return what Pulumi, the AWS CLI and boto3 need to work on the emulator."""
    return {
        "endpoint": record.endpoint,
        "pid": record.pid,
        "site": record.site,
        "environment": {
            **account.environment(Connection(record.endpoint, record.region, ROOT)),
            **pulumi_cli.no_proxy(os.environ),
        },
        "unset": pulumi_cli.unset(os.environ),
        "path": str(pulumi_cli.EXECUTABLE.parent),
        # For the real AWS provider only. It would validate credentials at the real STS, and needs the account
        # id for ARNs.
        "pulumi_config": {
            "aws:region": record.region,
            "aws:skipCredentialsValidation": "true",
            "aws:skipMetadataApiCheck": "true",
            "aws:skipRequestingAccountId": "false",
            "aws:s3UsePathStyle": "true",
        },
    }


def _print(settings: Mapping[str, Any], *, json: bool) -> None:
    """Print the settings, as JSON in one line or for the `eval` of any POSIX shell."""
    lines = [
        *(f"unset {key}" for key in settings["unset"]),
        *(f"export {key}={shlex.quote(value)}" for key, value in settings["environment"].items()),
        f"export SELFHEAL_SITE={shlex.quote(settings['site'])}",
        f'export PATH={shlex.quote(settings["path"])}:"$PATH"',
    ]
    sys.stdout.write(json_module.dumps(settings) + "\n" if json else "\n".join(lines) + "\n")
    sys.stdout.flush()
    before = os.environ.get(ENDPOINT_VARIABLE)
    if before and before != settings["endpoint"]:
        remark(
            f"This shell's {ENDPOINT_VARIABLE} is {before}, of an earlier `serve` or of something else: "
            'eval "$(selfheal serve --env)" replaces it.',
            style="yellow",
        )


def _wait_for_serve(account: Account) -> ServeRecord:
    """Return the `serve` that runs, or that comes up in time.

    Raises:
        CliError: when none does.

    """
    begun = time.monotonic()
    while (record := account.running_serve()) is None:
        if time.monotonic() - begun > (READY_SECONDS if account.is_busy() else BEGIN_SECONDS):
            break
        time.sleep(POLL_SECONDS)
    if record is not None:
        return record
    if (stale := account.recorded()) is not None:
        raise CliError(
            f"`selfheal serve` does not run: process {stale.pid}, which served {stale.endpoint}, is gone, "
            "and an environment that was made from it is stale. Start it again: selfheal serve &"
        )
    raise CliError("`selfheal serve` does not run. Start it, and repeat this: selfheal serve &")


def _wait(emulator: Emulator) -> None:
    while (code := emulator.process.poll()) is None:
        time.sleep(POLL_SECONDS)
    raise CliError(
        f"The emulator ended by itself with exit code {code}. Its log: {emulator.folder / 'emulator.log'}"
    )
