"""The operator's commands beside the real Pulumi CLI: what they write stays, whatever is deployed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal.functions.healer.incident import Incident
from selfheal.sandbox import pulumi_cli
from selfheal.sandbox.emulator import REGION
from selfheal.sandbox.emulator import ROOT as KEY
from selfheal.sandbox.provider.clients import Clients
from tests.cli.support import PLAN, drifting, item_of, proposed

pytestmark = [pytest.mark.slow, pytest.mark.engine]

ROOT = Path(__file__).parents[2]
TARGET = "checkout"
"""Not one of the healer's own, so that it leaves the incident as the test wrote it."""

RUNNER = """
import sys
from pathlib import Path
from selfheal.sandbox import pulumi_cli
pulumi_cli.HOME = Path(sys.argv[1])
from selfheal.cli.main import run
run(sys.argv[2:])
"""
"""The command line with another PULUMI_HOME, which Pulumi writes into."""


class Stack:
    """The stack dev of this checkout, whose files it leaves alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "pulumi"
        self.home.mkdir()
        (self.home / "plugins").symlink_to(pulumi_cli.HOME / "plugins")
        # Pulumi writes a salt into the stack file beside Pulumi.yaml: here it is a copy's.
        (folder / "project").mkdir()
        shutil.copy(ROOT / "Pulumi.yaml", folder / "project")
        self.selfheal("--cwd", str(folder / "project"), "pulumi", "stack", "init", "dev")
        shutil.copy(ROOT / "Pulumi.dev.yaml", folder / "project")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", RUNNER, str(self.home), *arguments]

    def selfheal(self, *arguments: str, code: int = 0) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def pulumi(self, operation: str, *arguments: str, code: int = 0) -> str:
        config = str(self.folder / "project" / "Pulumi.dev.yaml")
        words = ["pulumi", operation, "--stack", "dev", "--config-file", config, "--yes", "--non-interactive"]
        return self.selfheal(*words, *arguments, code=code)

    def asked(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.selfheal(*arguments, "--json", code=code))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Run `selfheal serve`, so that all commands share one emulator, and make the stack."""
    command = [sys.executable, "-m", "cli", "serve", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield Stack(tmp_path)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_an_operators_evening(stack: Stack) -> None:
    before = {path: path.read_bytes() for path in ROOT.glob("Pulumi*.yaml")}
    stack.pulumi("up", "--skip-preview")
    table = json.loads(stack.selfheal("pulumi", "stack", "output", "--json", "--stack", "dev"))["ledgerTable"]
    endpoint = stack.asked("serve", "--env")["endpoint"]
    ledger = Clients(endpoint, REGION, KEY).get("dynamodb")

    def write(incident: Incident) -> None:
        ledger.put_item(TableName=table, Item=item_of(incident))

    # A plan is looked at and approved by its name; the healer that the ledger names is woken.
    write(proposed(target=TARGET))
    shown = stack.asked("incidents", "show", TARGET)
    digest = PLAN.digest(TARGET)
    assert shown["plan_digest"] == digest
    approved = stack.asked("approve", TARGET, "--plan", digest, "--yes", "--wait", "0")
    assert approved["request"]["by"].startswith("arn:aws:")
    assert approved["healer_woken"]
    assert stack.asked("incidents", "show", TARGET)["asked"][0]["id"] == approved["request"]["id"]

    # The kill switch outlives a deployment.
    assert stack.asked("mode", "observe", "--why", "drill")["effective"] == "observe"
    stack.pulumi("up", "--skip-preview")
    mode = stack.asked("mode")
    assert (mode["baseline"], mode["effective"]) == ("act", "observe")
    assert stack.asked("mode", "--clear", "--why", "over")["effective"] == "act"

    # Drift is open work.
    write(drifting(target=TARGET))
    (listed,) = stack.asked("incidents", code=3)
    assert listed["drift"]
    restored = stack.asked("restore", TARGET, "--why", "mended", "--wait", "0")
    assert restored["request"]["verb"] == "restore"

    # A kill switch must be found where Pulumi's project is not.
    outside = ("--cwd", str(stack.folder), "mode", "-s", "organization/selfheal/dev")
    assert stack.asked(*outside)["baseline"] == "act"
    assert "deleted" in stack.pulumi("destroy")
    assert {path: path.read_bytes() for path in ROOT.glob("Pulumi*.yaml")} == before
