"""What a demonstration runs in: a fresh emulator, and the way to deploy into it."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfheal.cli.console import Output
from selfheal.cli.demo.stack import Stack
from selfheal.cli.errors import CliError
from selfheal.cli.project_files import project_folder
from selfheal.cli.sandbox.account import Connection
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.pulumi.cli import NoPulumiError, executable

if TYPE_CHECKING:
    from selfheal.cli.demo.deploy import Deployment


def project_of(ctx: Any, command: str) -> Path:
    """Return the folder of the project that a command was started in.

    Raises:
        CliError: when there is none.

    """
    folder = Path(ctx.find_root().params.get("cwd") or ".")
    if (project := project_folder(folder)) is None:
        raise CliError(
            f"No Pulumi.yaml in {folder.resolve()} or any folder above it. Run it inside a checkout of the "
            f"project, or name one: selfheal --cwd FOLDER {command}"
        )
    return project


@contextmanager
def fresh_account(output: Output, *, enforce_iam: bool) -> Generator[tuple[Connection, Path]]:
    """Start an emulator with its alarms, and make a folder, which all end with the block."""
    with tempfile.TemporaryDirectory(prefix="selfheal-demo-") as temporary:
        made = Path(temporary)
        with Emulator.start(made / "emulator", iam=enforce_iam) as emulator:
            output.say(f"Started a fresh emulator at {emulator.endpoint}; it ends with this command.")
            with AlarmEvaluator(emulator.endpoint, emulator.region, emulator.credentials):
                yield Connection(emulator.endpoint, emulator.region, emulator.credentials), made


def deployment_of(  # noqa: PLR0917 - what is deployed, and where
    project: Path, stack: Stack, connection: Connection, folder: Path, output: Output, left_out: str
) -> "Deployment":
    """Return how to deploy a stack: by the Pulumi CLI, or in process where there is none.

    Args:
        project: Folder of the program.
        stack: What is deployed.
        connection: Where to.
        folder: For files of the CLI.
        output: For its messages.
        left_out: What cannot be done without a Pulumi CLI, for people.

    """
    # Imports the Pulumi SDK: no other command needs it, and each would start later.
    from selfheal.cli.demo.deploy import ByPulumi, InProcess  # noqa: PLC0415

    try:
        executable()
    except NoPulumiError as error:
        output.say(f"{error} Now it deploys in process, and leaves out: {left_out}", style="yellow")
        return InProcess(project, stack, connection)
    return ByPulumi.prepare(project, stack, connection, folder, output)
