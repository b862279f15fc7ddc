"""How the demonstration deploys: by the Pulumi CLI through its Automation API, or without it in process."""

import os
import subprocess
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pulumi import automation
from pulumi.automation.errors import create_command_error

from selfheal.cli.console import Output
from selfheal.cli.demo.progress import reporting
from selfheal.cli.demo.stack import Stack
from selfheal.cli.errors import CliError
from selfheal.cli.sandbox.account import Connection
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi import cli as pulumi_cli
from selfheal.sandbox.pulumi.deployer import deploy

_STREAM_ENDED = "Error in event stream: $"
"""What the SDK warns of where the CLI was killed. With a text after it, it is an error."""


class EndingWithUs(automation.PulumiCommand):
    """The Pulumi CLI, which is killed where we are interrupted.

    The SDK's own reads the CLI's output in threads, which an interruption ends with a traceback each, and
    waits for its end.
    """

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> automation.CommandResult:
        """Run a command to its end.

        Args:
            args: Its arguments.
            cwd: Where it is run.
            additional_env: What is added to our environment.
            on_output: Called with all of its output, once it has ended.
            on_error: The same for its messages.

        Raises:
            CommandError: of the SDK, when it fails.

        """
        # Its plugins are found beside it.
        path = os.pathsep.join([str(Path(self.command).parent), os.environ.get("PATH", os.defpath)])
        done = subprocess.run(  # kills the process however we leave it
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={**os.environ, "PATH": path, **additional_env, "PULUMI_AUTOMATION_API": "true"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        for hear, text in ((on_output, done.stdout), (on_error, done.stderr)):
            if hear is not None:
                hear(text)
        result = automation.CommandResult(stdout=done.stdout, stderr=done.stderr, code=done.returncode)
        if result.code:
            raise create_command_error(result)
        return result


@dataclass
class ByPulumi:
    """The real CLI. A preview comes first, with the policy pack, so that what it refuses changes nothing."""

    stack: automation.Stack
    config_file: Path
    pack: Path
    output: Output
    by: str
    previews: ClassVar[bool] = True
    """Whether there is a preview, with the policy pack."""

    @classmethod
    def prepare(
        cls, project: Path, stack: Stack, connection: Connection, folder: Path, output: Output
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
        environment = pulumi_cli.merged(os.environ, added)
        config_file = pulumi_cli.init_stack(
            project, stack.name, folder / "stack", environment, stack.settings, stack.secrets
        )
        for name in pulumi_cli.unset(os.environ):
            os.environ.pop(name, None)  # the Automation API can only add to our own environment
        command = EndingWithUs(root=str(pulumi_cli.FOLDER))
        warnings.filterwarnings("ignore", _STREAM_ENDED, UserWarning)
        options = automation.LocalWorkspaceOptions(
            env_vars=added | pulumi_cli.no_proxy(os.environ), pulumi_command=command
        )
        selected = automation.select_stack(stack.name, work_dir=str(project), opts=options)
        by = f"the Pulumi CLI {command.version}"
        return cls(selected, config_file, project / "policies", output, by)

    def first(self) -> dict[str, Any]:
        """Deploy; return the stack's outputs.

        Raises:
            CliError: when either is refused.

        """
        self.again()
        return {key: output.value for key, output in self.stack.outputs().items()}

    def again(self) -> dict[str, int]:
        """Preview with the policy pack, then `up` with it, which restores the baseline.

        The Automation API's `up` skips its preview, and with that what only a preview refuses in time.

        Returns:
            How many resources were created, updated and so on.

        Raises:
            CliError: when either is refused.

        """
        self._run(self.stack.preview, "pulumi preview --policy-pack policies")
        # With show_secrets the Automation API reads the stack's history, which writes a salt into the
        # project's own stack file.
        return self._run(partial(self.stack.up, show_secrets=False), "pulumi up")

    def _run(self, operation: Callable[..., Any], title: str) -> dict[str, int]:
        with reporting(self.output, title) as reporter:
            try:
                operation(
                    config_file=str(self.config_file),
                    policy_packs=[str(self.pack)],
                    on_event=reporter.hear,
                    suppress_outputs=True,
                )
            except automation.errors.CommandError as error:
                raise CliError("\n".join(reporter.errors) or str(error)) from error
        changes = ", ".join(f"{number} {what}" for what, number in sorted(reporter.changes.items()) if number)
        self.output.say(f"{title}: {changes or 'no change'}", style="bold")
        return reporter.changes


@dataclass
class InProcess:
    """Without the CLI: creates what the program registers, and can do nothing after that."""

    project: Path
    stack: Stack
    connection: Connection
    previews: ClassVar[bool] = False
    by: str = "the sandbox's in-process deployer, without the Pulumi CLI and the policy pack"

    def first(self) -> dict[str, Any]:
        """Create everything and return the stack's outputs."""
        provider = AwsProvider(self.connection.clients)
        given = {**self.stack.settings, **self.stack.secrets}
        return deploy(self.project, provider, stack=self.stack.name, overrides=given)

    def again(self) -> None:
        """Do nothing."""


Deployment = ByPulumi | InProcess
