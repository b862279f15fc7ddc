"""What the demonstration needs before it begins: the project, the stack's configuration, checked."""

from dataclasses import dataclass
from pathlib import Path

import typer

from cli.connection import DEFAULT_REGION
from cli.errors import NoProjectError
from cli.project_files import project_folder
from cli.workspace import Workspace
from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig


@dataclass(frozen=True)
class Site:
    """A stack of a project, its configuration checked."""

    workspace: Workspace
    project: Project
    config: StackConfig

    @property
    def region(self) -> str:
        """Of the stack's resources at a given endpoint: `aws:region`, or us-east-1."""
        return str(self.config.values.get("aws:region", DEFAULT_REGION))


def load(ctx: typer.Context, stack: str) -> Site:
    """Read project and stack configuration.

    Args:
        ctx: Of the command; its root has the option --cwd.
        stack: The stack's name.

    Raises:
        NoProjectError: without a Pulumi.yaml.
        sandbox.errors.ProjectError: when the configuration is not as Pulumi.yaml demands.

    """
    root = find_root(Path(ctx.find_root().params.get("cwd") or "."))
    return Site(Workspace(root / ".selfheal"), Project.load(root), StackConfig.load(root, stack))


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds Pulumi.yaml.

    Raises:
        NoProjectError: when there is none.

    """
    if (found := project_folder(start)) is None:
        raise NoProjectError(
            f"No Pulumi.yaml in {start.resolve()} or any folder above it. "
            "Run selfheal inside a checkout of the project, or name one: selfheal --cwd FOLDER ..."
        )
    return found
