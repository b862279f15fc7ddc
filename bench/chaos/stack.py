"""The orders service as `selfheal chaos` finds it: in an emulator, its outputs and tokens in files."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from selfheal import SOURCE
from selfheal.cli.chaos.judge import not_at_rest
from selfheal.functions.status.read import read_picture
from selfheal.functions.status.sources import Sources
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy

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

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line of `selfheal chaos VERB` on this stack."""
        given = ["--tokens-file", str(self.folder / "tokens.json")] if verb == "run" else []
        where = ["--endpoint", self.emulator.endpoint, "--outputs", str(self.folder / "outputs.json")]
        return [
            *(sys.executable, "-m", "selfheal.cli", "chaos", verb, *arguments),
            *(*given, *where, "--stack", STACK),
        ]

    def problem(self) -> str:
        """Return why nothing would be broken on it now; empty where it is well."""
        sources = Sources.from_outputs(self.outputs)
        return not_at_rest(read_picture(self.emulator.clients, sources, datetime.now(UTC)))

    def run(self, verb: str, *arguments: str, seconds: float = 900) -> subprocess.CompletedProcess[str]:
        """Run it to its end, and return how it ended, with what it printed."""
        return subprocess.run(
            self.command(verb, *arguments), capture_output=True, text=True, timeout=seconds, check=False
        )


@contextmanager
def deployed(folder: Path, *, alarms: bool = True, **settings: object) -> Generator[ChaosStack]:
    """Deploy the unmodified program's orders service into an emulator of its own, with IAM enforced.

    Args:
        folder: Where the emulator keeps its files, and the outputs and tokens are written.
        alarms: Whether alarms are evaluated.
        settings: Stack configuration beside that of Pulumi.orders.yaml.

    """
    tokens = {caller: f"token-of-{caller}-{'x' * 32}" for caller in CALLERS}
    with Emulator.start(folder / "emulator", iam=True) as emulator:
        overrides = {"callers": json.dumps(tokens), **{name: str(value) for name, value in settings.items()}}
        outputs = deploy(SOURCE, AwsProvider(emulator.clients), stack=STACK, overrides=overrides)
        (folder / "outputs.json").write_text(json.dumps(outputs), "utf-8")
        (folder / "tokens.json").write_text(json.dumps(tokens), "utf-8")
        stack = ChaosStack(folder, emulator, outputs)
        if not alarms:
            yield stack
            return
        with AlarmEvaluator(emulator.endpoint, emulator.region, emulator.credentials):
            yield stack
