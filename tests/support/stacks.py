"""Stacks of the real Pulumi CLI on an emulator: commands, what they print, and the state."""

import json
import os
import subprocess
import textwrap
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.pulumi import cli as pulumi_cli
from tests.conftest import ROOT
from tests.support.attached import PortOf, attachable

SECONDS = 180.0
"""How long one command may take; usual is 2 to 12 s."""

FAILED, CHANGES = 1, 7
"""Exit codes of the CLI: refused or failed, and changes where none were expected (seen with 3.274.1)."""

TAKES_CONFIG = {"up", "preview", "refresh", "destroy", "import", "config"}
"""Commands that are given the copy of the stack's file."""

CHEAPER = {"PULUMI_SKIP_CHECKPOINTS": "true", "GOGC": "400"}
"""For less processor time: the CLI writes a stack's state once, at its end, instead of around every step, and
collects garbage less often. Who looks at the state in between, or kills the CLI, takes the first one back."""

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

LAMBDA = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [LAMBDA]})
"""
"""How a program of `write_program` begins."""


@dataclass(frozen=True)
class Account:
    """An emulator, with a backend and a PULUMI_HOME."""

    clients: Clients
    """Of the emulator."""
    folder: Path
    environment: Mapping[str, str]
    """The whole environment of the CLI."""
    secrets_provider: str = "passphrase"
    """What encrypts the secrets of stacks."""
    providers: PortOf | None = None
    """Where the CLI attaches to a provider. Default: it starts the plugin in PULUMI_HOME."""

    def stack(self, name: str, **overrides: Any) -> "Stack":
        """Make a stack of the unmodified program, like dev but for `overrides`, by the project's keys."""
        like_dev = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
        own = {"ledgerName": f"selfheal-{name}-ledger", **overrides}
        given = {f"selfheal:{key}": value for key, value in own.items()}
        return self.stack_with(name, ROOT, like_dev | given)

    def stack_with(self, name: str, project: Path, overrides: Mapping[str, Any] | None = None) -> "Stack":
        """Make a stack of any project, with configuration by full keys over that of its file."""
        folder = self.folder / f"stack-{name}-{len(list(self.folder.iterdir()))}"
        config_file = pulumi_cli.init_stack(
            project, name, folder, self.environment, overrides or {}, secrets_provider=self.secrets_provider
        )
        return Stack(self, project, name, config_file)

    def small(self, name: str, body: str = "", *, stack: str = "dev") -> "Stack":
        """Make a stack of a new project with a program of one file."""
        return self.stack_with(stack, write_program(self.folder / name, body, name=name))


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
        line = [str(pulumi_cli.EXECUTABLE), *words, "--non-interactive"]
        if words[0] not in {"plugin", "package", "install"}:
            line += ["--stack", self.name]
        if words[0] in TAKES_CONFIG:
            line += ["--config-file", str(self.config_file)]
        if words[0] in {"up", "destroy", "refresh", "import"} and "--preview-only" not in more:
            line += ["--yes"]
        if words[0] in {"up", "preview"}:
            line += self.packs
        return [*line, *more]

    def start(self, command: str, *more: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, both streams into one pipe."""
        environment = dict(self.account.environment)
        if self.account.providers:
            environment["PULUMI_DEBUG_PROVIDERS"] = f"aws:{self.account.providers(self.project)}"
        return subprocess.Popen(
            self.arguments(command, *more),
            cwd=self.project,
            env=environment,
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
        """Return the stack's outputs, secret ones as `[secret]`: decrypting would take longer than that."""
        return json.loads(self.run("stack output", "--json"))

    def exported(self) -> dict[str, Any]:
        """Return the stack's state as `stack export` gives it."""
        return json.loads(self.run("stack export"))

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources of the stack's state."""
        return self.exported()["deployment"].get("resources", [])

    def resource(self, name: str) -> dict[str, Any]:
        """Return a resource of the stack's state by its logical name."""
        [found] = [each for each in self.resources() if each["urn"].endswith(f"::{name}")]
        return found

    def urn(self, type_: str, name: str) -> str:
        """Return the URN of a resource by the end of its type, as `Function`, and its logical name."""
        [found] = [
            each["urn"]
            for each in self.resources()
            if each["urn"].endswith(f"::{name}") and each["type"].endswith(f":{type_}")
        ]
        return found

    def program(self, body: str) -> None:
        """Write the program of one file anew."""
        (self.project / "__main__.py").write_text(f"{PROGRAM}{textwrap.dedent(body)}\n")

    def within(self, **environment: str) -> "Stack":
        """Return the same stack with other variables in the CLI's environment."""
        account = self.account
        return replace(self, account=replace(account, environment={**account.environment, **environment}))

    def configure(self, **values: Any) -> None:
        """Set configuration of the project in the stack's copy; None removes a key."""
        content = yaml.safe_load(self.config_file.read_text())
        for key, value in values.items():
            full = key if ":" in key else f"selfheal:{key}"
            content["config"].pop(full, None)
            if value is not None:
                content["config"][full] = value
        self.config_file.write_text(yaml.safe_dump(content, sort_keys=False))


def make_account(folder: Path, emulator: Emulator) -> Account:
    """Make an empty backend and a PULUMI_HOME for an emulator.

    A key of its KMS encrypts secrets, as docs/ci.md has it: from a passphrase the CLI derives one at each
    command, in a million rounds.
    """
    backend, home, stacks = folder / "backend", folder / "home", folder / "stacks"
    for made in (backend, home, stacks):
        made.mkdir(parents=True)
    (home / "plugins").symlink_to(pulumi_cli.HOME / "plugins")  # read, never written
    added = pulumi_cli.environment(
        emulator.endpoint, emulator.region, emulator.credentials, backend, home=home
    )
    key = emulator.clients.get("kms").create_key()["KeyMetadata"]["KeyId"]
    return Account(
        emulator.clients,
        stacks,
        pulumi_cli.merged(os.environ, added) | CHEAPER | {"NO_COLOR": "1"},
        f"awskms:///{key}?region={emulator.region}",
    )


@contextmanager
def attached(account: Account) -> Generator[Account]:
    """Have the CLI attach to a provider of this process, instead of starting one or two for each command."""
    with attachable(account.environment) as providers:
        yield replace(account, providers=providers)


def write_program(folder: Path, body: str, *, name: str = "small") -> Path:
    """Write a Pulumi project of one file, which begins with `PROGRAM`, and return its folder."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\noptions: {{refresh: always}}\n")
    (folder / "__main__.py").write_text(f"{PROGRAM}{textwrap.dedent(body)}\n")
    return folder
