"""The commands on the real sandbox, in a copy of the project: nothing is stubbed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.emulator import REGION
from sandbox.emulator import ROOT as KEY
from sandbox.provider.clients import Clients

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
START_SECONDS = 40.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of its own: program, components and functions."""
    for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py", ROOT / "settings.py"):
        shutil.copy(path, tmp_path)
    for folder in ("components", "functions"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def command(project: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli", "--cwd", str(project), *arguments]


def selfheal(project: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(project, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def asked(project: Path, *arguments: str, code: int = 0) -> Any:
    return json.loads(selfheal(project, *arguments, "--json", code=code).stdout)


@contextmanager
def serving(project: Path, *arguments: str) -> Generator[dict[str, Any]]:
    """Run `selfheal serve` and end it with SIGTERM, which must leave nothing."""
    process = subprocess.Popen(
        command(project, "serve", "--json", *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["pid"] == process.pid
        yield told
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


def children(pid: int) -> list[int]:
    """The processes that a process started, as Linux lists them."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_stack_is_deployed_read_and_deleted_by_commands_that_each_start_their_own_emulator(
    project: Path,
) -> None:
    assert asked(project, "preview", "--expect-no-changes", code=3)["changes"]["create"] > 20

    deployed = asked(project, "up")
    assert deployed["ok"]
    assert deployed["endpoint_source"] == "own emulator"
    assert set(deployed["changes"]) == {"create"}

    outputs = asked(project, "outputs")
    assert outputs == deployed["outputs"]
    assert selfheal(project, "outputs", "mode").stdout == "act\n"

    unchanged = asked(project, "preview", "--expect-no-changes")
    assert set(unchanged["changes"]) == {"same"}
    # The emulator is started on the port it had before, so that exported URLs stay what they are.
    assert unchanged["endpoint"] == deployed["endpoint"]

    assert asked(project, "incidents") == []
    assert "No incident" in selfheal(project, "incidents").stdout

    destroyed = asked(project, "destroy")
    assert destroyed["changes"]["delete"] == deployed["changes"]["create"]
    assert "not deployed" in selfheal(project, "outputs", code=1).stderr


def test_serve_is_found_by_other_commands_and_leaves_no_process(project: Path) -> None:
    ready = project / "ready.json"
    with serving(project, "--ready-file", str(ready)) as told:
        settings = json.loads(ready.read_text())
        assert settings == told
        environment = settings["environment"]
        assert environment["AWS_ENDPOINT_URL"] == told["endpoint"]
        assert told["endpoint"].startswith("http://127.0.0.1:")
        assert Path(environment["PULUMI_BACKEND_URL"].removeprefix("file://")).is_dir()
        started = children(told["pid"])

        deployed = asked(project, "up")
        assert deployed["endpoint_source"] == "selfheal serve"
        assert deployed["endpoint"] == told["endpoint"]
        with urllib.request.urlopen(told["endpoint"] + "/_ministack/ready", timeout=5) as answer:
            assert answer.status == 200

        busy = selfheal(project, "serve", code=1)
        assert f"process {told['pid']}" in busy.stderr
    assert not (project / ".selfheal" / "dev" / "serve.json").exists()
    deadline = time.monotonic() + 5
    while not all(map(gone, started)):
        assert time.monotonic() < deadline, "the emulator outlived serve"
        time.sleep(0.1)
    # What was deployed is still there for a command that starts the emulator by itself.
    assert set(asked(project, "preview")["changes"]) == {"same"}


def test_incidents_that_are_open_are_listed_and_are_exit_code_3(project: Path) -> None:
    with serving(project):
        deployed = asked(project, "up")
        put_incident(deployed["endpoint"], deployed["outputs"]["ledgerTable"])
        (listed,) = asked(project, "incidents", code=3)
        assert (listed["open"], listed["status"], listed["target"]) == (True, "ESCALATED", "fragile")
        shown = selfheal(project, "incidents", code=3).stdout
        assert "1 open, 0 closed" in shown
        assert "FAILURE_RATE 0.3 → 0" in shown
        told = selfheal(project, "destroy")
        assert "Open incident fragile-1 of fragile: ESCALATED" in told.stdout


def put_incident(endpoint: str, table: str) -> None:
    """Write what the healer would have written."""
    texts = {
        "pk": "target#fragile",
        "sk": "incident",
        "id": "fragile-1",
        "target": "fragile",
        "status": "ESCALATED",
        "opened_at": "2026-11-21T09:40:10.123Z",
        "reason": "remedy-ineffective",
    }
    plan = {"variable": {"S": "FAILURE_RATE"}, "before": {"S": "0.3"}, "after": {"S": "0"}}
    item: dict[str, Any] = {key: {"S": value} for key, value in texts.items()}
    Clients(endpoint, REGION, KEY).get("dynamodb").put_item(
        TableName=table, Item=item | {"plan": {"M": plan}}
    )


def test_ctrl_c_during_the_demo_ends_everything_it_started(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("tmp")
    process = subprocess.Popen(
        command(project, "demo"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        # A shell makes its background jobs deaf to Ctrl-C, and this may be a child of one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads yet
    )
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    for line in process.stdout:  # until traffic flows
        if "first error" in line:
            break
        assert time.monotonic() < deadline
    started = children(process.pid)
    assert started
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert all(map(gone, started))
    assert list(temporary.iterdir()) == []
    assert not (project / "out").exists()
    assert not (project / ".selfheal").exists()
