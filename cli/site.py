"""What every command needs before it begins: the project, the stack's files, its configuration."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from cli.connection import DEFAULT_REGION
from cli.errors import NotDeployedError
from cli.workspace import Workspace, find_root
from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig
from sandbox.engine.state_file import StateFile


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


def load(ctx: typer.Context, stack: str, overrides: Sequence[str] = ()) -> Site:
    """Read project and stack configuration.

    Args:
        ctx: Of the command; its root has the option --cwd.
        stack: The stack's name.
        overrides: KEY=VALUE each, from --config.

    Raises:
        NoProjectError: without a Pulumi.yaml.
        sandbox.errors.ProjectError: when the configuration is not as Pulumi.yaml demands.

    """
    root = find_root(Path(ctx.find_root().params.get("cwd") or "."))
    split = (override.partition("=") for override in overrides)
    wanted = {key: _value(value) for key, _, value in split}
    return Site(Workspace(root, stack), Project.load(root), StackConfig.load(root, stack, overrides=wanted))


def _value(text: str) -> Any:
    """Read a list or an object as JSON; everything else is text, as in a stack file with quotes."""
    if text[:1] in "[{":
        with suppress(ValueError):
            return json.loads(text)
    return text


def exports(site: Site, endpoint: str | None) -> dict[str, Any]:
    """Return the stack's outputs out of its state; no endpoint is asked, and a secret reads `[secret]`.

    Raises:
        NotDeployedError: when the stack has none.

    """
    path = site.workspace.state(endpoint)
    state = StateFile(path).load(site.project.name, site.config.name)
    if not state.outputs:
        where = f" --endpoint {endpoint}" if endpoint else ""
        raise NotDeployedError(
            f"Stack {site.config.name} has no outputs: it is not deployed there, or its `up` did not finish. "
            f"Run: selfheal up --stack {site.config.name}{where}"
        )
    return {k: "[secret]" if k in state.secret_outputs else v for k, v in state.outputs.items()}
