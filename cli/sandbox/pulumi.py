"""`selfheal pulumi`: the real Pulumi CLI, with the sandbox for its AWS."""

import os
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from selfheal.cli.console import Output
from selfheal.cli.processes import run_attached
from selfheal.cli.sandbox.account import Account, connect
from selfheal.cli.sandbox.readiness import require_ready
from selfheal.sandbox.pulumi import cli as pulumi_cli


class Verbatim(TyperCommand):
    """A command all of whose arguments, `--help` and `--` included, are passed to another program."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take every argument as it is."""
        ctx.args = list(args)
        return []


def pulumi(ctx: typer.Context) -> None:
    """Run the Pulumi CLI in the sandbox: selfheal pulumi up.

    All arguments are passed to Pulumi as they are, it has the terminal, and its exit code is returned. Its
    AWS is the emulator of `selfheal serve`, or one that runs only as long as Pulumi does. Stacks and their
    state are kept beside the emulator's data.
    """
    executable, account = pulumi_cli.executable(), Account.of_checkout()
    folder = Path(ctx.find_root().params.get("cwd") or ".").resolve()
    require_ready(executable, pulumi_cli.HOME, ctx.args, environment=os.environ, folder=folder)
    # Standard output is for Pulumi alone.
    with connect(account, Output.make(json=True)) as connection:
        environment = pulumi_cli.merged(os.environ, account.environment(connection))
        code = run_attached([str(executable), *ctx.args], environment=environment, folder=folder)
    raise typer.Exit(code)
