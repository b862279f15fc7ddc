"""The orders service as `selfheal chaos` finds it: in an emulator, its outputs and tokens in files."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.drill.warm import start_workers
from selfheal import SOURCE
from selfheal.cli.chaos.orders_sent import OrdersSent
from selfheal.cli.chaos.run import not_ready
from selfheal.cli.chaos.stack import Stack
from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from selfheal.scenarios.scenario import Traffic

STACK = "orders"
"""As Pulumi.orders.yaml configures it."""

CALLERS = tuple(f"caller-{number}" for number in range(12))
"""Of twelve a partial outage hits some, whatever their names: see `selfheal.cli.chaos.tokens`."""


@dataclass(frozen=True)
class ChaosStack:
    """A deployed stack, and the files that the command is given."""

    folder: Path
    emulator: Emulator
    outputs: dict[str, Any]
    tokens: dict[str, str]

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line of `selfheal chaos VERB` on this stack."""
        given = ["--tokens-file", str(self.folder / "tokens.json")] if verb == "run" else []
        where = ["--endpoint", self.emulator.endpoint, "--outputs", str(self.folder / "outputs.json")]
        return [
            *(sys.executable, "-m", "selfheal.cli", "chaos", verb, *arguments),
            *(*given, *where, "--stack", STACK),
        ]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command, with the emulator's key in the place of any other."""
        key, secret, _ = self.emulator.credentials
        return {**os.environ, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}

    def warm(self) -> None:
        """Let everything start, and a few orders through. On a busy machine first calls may take too long.

        Raises:
            RuntimeError: when the orders do not arrive.

        """
        start_workers(self.emulator.clients)
        sent = OrdersSent.of(str(self.outputs["url"]), self.tokens, Traffic(1, len(self.tokens)), "warm")
        access = AwsAccess(self.emulator.clients, "the emulator", None, {})
        if problem := not_ready(Stack(STACK, access, self.outputs), sent):
            raise RuntimeError(problem)

    def redeliver_soon(self, seconds: int) -> None:
        """Shorten the time until messages come again whose handling was cut off: usual are three minutes."""
        sqs = self.emulator.clients.get("sqs")
        for url in self.outputs["queues"].values():
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})

    def run(self, verb: str, *arguments: str, seconds: float = 900) -> subprocess.CompletedProcess[str]:
        """Run it to its end, and return how it ended, with what it printed."""
        return subprocess.run(
            self.command(verb, *arguments),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=self.environment,
        )


@contextmanager
def deployed(folder: Path, **settings: str) -> Generator[ChaosStack]:
    """Deploy the unmodified program's orders service into an emulator of its own, with IAM enforced.

    Alarms are not evaluated: what a run causes would open incidents, which stay open until there is traffic
    again, and beside which no other run begins.

    Args:
        folder: Where the emulator keeps its files, and the outputs and tokens are written.
        settings: Stack configuration beside that of Pulumi.orders.yaml.

    """
    tokens = {caller: f"token-of-{caller}-{'x' * 32}" for caller in CALLERS}
    with Emulator.start(folder / "emulator", iam=True) as emulator:
        overrides = {"callers": json.dumps(tokens), "site": "false", **settings}
        outputs = deploy(SOURCE, AwsProvider(emulator.clients), stack=STACK, overrides=overrides)
        (folder / "outputs.json").write_text(json.dumps(outputs), "utf-8")
        (folder / "tokens.json").write_text(json.dumps(tokens), "utf-8")
        stack = ChaosStack(folder, emulator, outputs, tokens)
        stack.warm()
        yield stack
