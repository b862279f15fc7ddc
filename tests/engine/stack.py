"""The real Pulumi CLI on an emulator of a test's own: what is typed, what it printed, what is there."""

import json
import os
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.pulumi import cli as pulumi_cli
from tests.conftest import ROOT

SECONDS = 180.0
"""How long one command may take; usual is 2 to 12 s."""

FAILED, CHANGES = 1, 7
"""Exit codes of the CLI: refused or failed, and changes where none were expected (seen with 3.274.1)."""

TAKES_CONFIG = {"up", "preview", "refresh", "destroy", "import"}
"""Commands that are given the copy of the stack's file."""


@dataclass(frozen=True)
class Account:
    """An emulator, and a backend with a PULUMI_HOME of its own."""

    emulator: Emulator
    folder: Path
    environment: Mapping[str, str]
    """The whole environment of the CLI."""

    @property
    def clients(self) -> Clients:
        """Return boto3 clients of the emulator."""
        return Clients(self.emulator.endpoint, self.emulator.region, self.emulator.credentials)

    def stack(self, name: str, **overrides: Any) -> "Stack":
        """Make a stack of the unmodified program, like dev but for `overrides`, by the project's keys."""
        like_dev = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
        given = {f"selfheal:{key}": value for key, value in overrides.items()}
        return self.stack_with(name, ROOT, like_dev | given)

    def stack_with(self, name: str, project: Path, overrides: Mapping[str, Any] | None = None) -> "Stack":
        """Make a stack of any project, with configuration by full keys over that of its file."""
        folder = self.folder / f"stack-{name}-{len(list(self.folder.iterdir()))}"
        config_file = pulumi_cli.init_stack(project, name, folder, self.environment, overrides or {})
        return Stack(self, project, name, config_file)


@dataclass
class Stack:
    """One stack of a project."""

    account: Account
    project: Path
    name: str
    config_file: Path
    packs: tuple[str, ...] = field(default=())
    """Arguments that name policy packs, for `preview` and `up`."""

    def arguments(self, command: str, *more: str) -> list[str]:
        """Return the whole command line of a command, for example of `up` or `stack export`."""
        words = command.split()
        line = [str(pulumi_cli.EXECUTABLE), *words, "--stack", self.name, "--non-interactive"]
        if words[0] in TAKES_CONFIG:
            line += ["--config-file", str(self.config_file), "--color", "never"]
        if words[0] in {"up", "destroy", "refresh", "import"} and "--preview-only" not in more:
            line += ["--yes"]
        if words[0] in {"up", "preview"}:
            line += self.packs
        return [*line, *more]

    def start(self, command: str, *more: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, both streams into one pipe."""
        return subprocess.Popen(
            self.arguments(command, *more),
            cwd=self.project,
            env=dict(self.account.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def tried(self, command: str, *more: str) -> tuple[int, str]:
        """Run a command that may be refused, and return its exit code and what it printed."""
        process = self.start(command, *more)
        try:
            told, _ = process.communicate(timeout=SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
        return process.returncode, told

    def run(self, command: str, *more: str, code: int = 0) -> str:
        """Run a command to its end and return what it printed; fails unless it ends with `code`."""
        ended, told = self.tried(command, *more)
        assert ended == code, f"exit code {ended}\n{told}"
        return told

    def up(self, *more: str, code: int = 0) -> str:
        """Run `up` without its preview, which is quicker; `preview` is a command of its own."""
        return self.run("up", "--skip-preview", *more, code=code)

    def preview(self, *more: str, code: int = 0) -> str:
        """Run `preview`."""
        return self.run("preview", *more, code=code)

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        return json.loads(self.run("stack output", "--json", "--show-secrets"))

    def exported(self) -> dict[str, Any]:
        """Return the stack's state as `stack export` gives it."""
        return json.loads(self.run("stack export"))

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources of the stack's state."""
        return self.exported()["deployment"].get("resources", [])

    def urn(self, type_: str, name: str) -> str:
        """Return the URN of a resource by the end of its type, as `Function`, and its logical name."""
        [found] = [
            each["urn"]
            for each in self.resources()
            if each["urn"].endswith(f"::{name}") and each["type"].endswith(f":{type_}")
        ]
        return found

    def configure(self, **values: Any) -> None:
        """Set configuration of the project in the stack's copy; None removes a key."""
        content = yaml.safe_load(self.config_file.read_text())
        for key, value in values.items():
            full = key if ":" in key else f"selfheal:{key}"
            content["config"].pop(full, None)
            if value is not None:
                content["config"][full] = value
        self.config_file.write_text(yaml.safe_dump(content, sort_keys=False))


@contextmanager
def account(folder: Path, *, iam: bool = False) -> Generator[Account]:
    """Start an emulator, and make an empty backend beside it."""
    backend, home, stacks = folder / "backend", folder / "home", folder / "stacks"
    for made in (backend, home, stacks):
        made.mkdir(parents=True)
    (home / "plugins").symlink_to(pulumi_cli.HOME / "plugins")  # read, never written
    with Emulator.start(folder / "emulator", iam=iam) as emulator:
        added = pulumi_cli.environment(
            emulator.endpoint, emulator.region, emulator.credentials, backend, home=home
        )
        yield Account(emulator, stacks, pulumi_cli.merged(os.environ, added))
