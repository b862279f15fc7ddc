"""pulumi: the real Pulumi CLI, with the sandbox for its AWS."""

import os
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from selfheal.cli.console import Output
from selfheal.cli.processes import run_attached
from selfheal.cli.sandbox.account import Workspace
from selfheal.cli.sandbox.connection import connect
from selfheal.cli.sandbox.readiness import require
from selfheal.sandbox import pulumi_cli


class Verbatim(TyperCommand):
    """A command whose words, `--help` and `--` among them, are all another program's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take every word as it is."""
        ctx.args = list(args)
        return []


def pulumi(ctx: typer.Context) -> None:
    """Run the Pulumi CLI in the sandbox: selfheal pulumi up.

    All that follows goes to Pulumi as it is, with the terminal, and its exit code comes back. Its AWS is the
    emulator of `selfheal serve`, or one that runs as long as it does. Stacks and their state are kept beside
    the emulator's data.
    """
    executable, workspace = pulumi_cli.executable(), Workspace.here()
    folder = Path(ctx.find_root().params.get("cwd") or ".").resolve()
    require(executable, pulumi_cli.HOME, ctx.args, environment=os.environ, folder=folder)
    # Standard output is Pulumi's alone.
    with connect(workspace, Output.make(json=True)) as here:
        environment = pulumi_cli.environment(
            here.endpoint, here.region, here.credentials, workspace.backend(), home=pulumi_cli.HOME
        )
        code = run_attached(
            [str(executable), *ctx.args],
            environment=pulumi_cli.merged(os.environ, environment),
            folder=folder,
        )
    raise typer.Exit(code)
