"""The operator's commands on the real sandbox: what they write stays, whatever is deployed meanwhile."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.emulator import REGION
from sandbox.emulator import ROOT as KEY
from sandbox.provider.clients import Clients
from tests.cli.support import PLAN, drifting, proposed, typed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TARGET = "checkout"
"""Not one of the healer's own, so that it leaves the incident as the test wrote it."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of its own: program, components and functions."""
    for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py", ROOT / "settings.py"):
        shutil.copy(path, tmp_path)
    for folder in ("components", "functions"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def serving(project: Path) -> Any:
    """Run `selfheal serve`, so that all commands share one emulator."""
    command = [sys.executable, "-m", "cli", "--cwd", str(project), "serve", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["endpoint"]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def asked(project: Path, *arguments: str, code: int = 0) -> Any:
    command = [sys.executable, "-m", "cli", "--cwd", str(project), *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_an_operators_evening(project: Path, serving: str) -> None:
    table = asked(project, "up")["outputs"]["ledgerTable"]
    ledger = Clients(serving, REGION, KEY).get("dynamodb")

    def write(incident: dict[str, Any]) -> None:
        key = {"pk": f"target#{TARGET}", "sk": "incident"}
        ledger.put_item(TableName=table, Item=typed(incident | key))

    # A plan is looked at and approved by its name; the healer is woken by the stack's own output.
    write(proposed(target=TARGET))
    shown = asked(project, "incidents", "show", TARGET)
    digest = PLAN.digest(TARGET)
    assert shown["plan_digest"] == digest
    approved = asked(project, "approve", TARGET, "--plan", digest, "--yes", "--wait", "0")
    assert approved["request"]["by"].startswith("arn:aws:")
    assert approved["healer_woken"]
    assert asked(project, "incidents", "show", TARGET)["asked"][0]["id"] == approved["request"]["id"]

    # The kill switch outlives a deployment.
    assert asked(project, "mode", "observe", "--why", "drill")["effective"] == "observe"
    asked(project, "up")
    mode = asked(project, "mode")
    assert (mode["baseline"], mode["effective"]) == ("act", "observe")
    assert asked(project, "mode", "--clear", "--why", "over")["effective"] == "act"

    # Drift is open work, and is told before all is deleted.
    write(drifting(target=TARGET))
    (listed,) = asked(project, "incidents", code=3)
    assert listed["drift"]
    restored = asked(project, "restore", TARGET, "--why", "mended", "--wait", "0")
    assert restored["request"]["verb"] == "restore"
    (left,) = asked(project, "destroy")["incidents_left"]
    assert left["target"] == TARGET
