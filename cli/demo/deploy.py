"""How the demonstration deploys: by the Pulumi CLI through its Automation API, or without it, in process."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from pulumi import automation

from selfheal.cli.console import Output
from selfheal.cli.demo.progress import Reporter
from selfheal.cli.errors import CliError
from selfheal.cli.sandbox.account import Connection
from selfheal.sandbox import pulumi_cli, pulumi_stack
from selfheal.sandbox.deployer import deploy
from selfheal.sandbox.provider import AwsProvider


class Deployment(Protocol):
    """A stack that is deployed once, and perhaps once more."""

    @property
    def by(self) -> str:
        """What deploys, in words."""
        ...

    @property
    def again(self) -> Callable[[], dict[str, int]] | None:
        """The second `up`, which restores the baseline; None where nothing can do it.

        It returns how many resources were treated how, and raises CliError when it is refused.
        """
        ...

    def first(self) -> dict[str, Any]:
        """Deploy everything and return the stack's outputs. Raises CliError."""
        ...


@dataclass
class ByPulumi:
    """The real CLI. A preview comes first, with the policy pack: what it refuses is refused untouched."""

    stack: automation.Stack
    config_file: Path
    pack: Path
    output: Output
    by: str

    @classmethod
    def prepare(
        cls, project: Path, stack: str, connection: Connection, folder: Path, output: Output
    ) -> "ByPulumi":
        """Make the stack in a backend and a PULUMI_HOME of its own, under `folder`.

        Raises:
            sandbox.errors.SandboxError: when the CLI refuses.

        """
        backend, home = folder / "backend", folder / "home"
        for made in (backend, home):
            made.mkdir()
        (home / "plugins").symlink_to(pulumi_cli.HOME / "plugins")
        added = pulumi_cli.environment(
            connection.endpoint, connection.region, connection.credentials, backend, home=home
        )
        whole = pulumi_cli.merged(os.environ, added)
        config_file = pulumi_stack.init(project, stack, folder / "stack", whole, {})
        for name in pulumi_cli.UNSET:
            os.environ.pop(name, None)  # the Automation API only adds to our own environment
        command = automation.PulumiCommand(root=str(pulumi_cli.FOLDER))
        options = automation.LocalWorkspaceOptions(env_vars=added, pulumi_command=command)
        selected = automation.select_stack(stack, work_dir=str(project), opts=options)
        by = f"the Pulumi CLI {command.version}"
        return cls(selected, config_file, project / "policies", output, by)

    def first(self) -> dict[str, Any]:
        """Preview with the policy pack, then `up` with it."""
        self._run(self.stack.preview, "pulumi preview --policy-pack policies")
        self._up()
        return {key: output.value for key, output in self.stack.outputs().items()}

    def again(self) -> dict[str, int]:
        """Run `up` once more."""
        return self._up()

    def _up(self) -> dict[str, int]:
        # With secrets shown, the Automation API has the history read, which writes a salt into the project's
        # own stack file.
        return self._run(partial(self.stack.up, show_secrets=False), "pulumi up")

    def _run(self, operation: Callable[..., Any], title: str) -> dict[str, int]:
        with Reporter(self.output, title) as reporter:
            try:
                operation(
                    config_file=str(self.config_file),
                    policy_packs=[str(self.pack)],
                    on_event=reporter.hear,
                    suppress_outputs=True,
                )
            except automation.errors.CommandError as error:
                raise CliError("\n".join(reporter.errors) or str(error)) from error
        self.output.say(f"{title}: {_counted(reporter.changes)}", style="bold")
        return reporter.changes


@dataclass
class InProcess:
    """Without the CLI: creates what the program registers, and can do nothing after that."""

    project: Path
    stack: str
    connection: Connection
    by: str = "the sandbox's in-process deployer, without the Pulumi CLI and the policy pack"
    again: None = None

    def first(self) -> dict[str, Any]:
        """Create everything."""
        there = self.connection
        provider = AwsProvider(there.endpoint, there.region, there.credentials)
        return deploy(self.project, provider, stack=self.stack)


def _counted(changes: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(changes.items()) if number) or "no change"
