"""The demonstrations as commands: interrupted or killed, they leave no process."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.processes import children, descendants, gone, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
START_SECONDS = 120.0

STARTED = 4
"""The emulator, Pulumi, its language host, and the program or a plugin."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of its own: program, package and policy pack."""
    for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py"):
        shutil.copy(path, tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", ".venv")
    for folder in ("selfheal", "settings", "components", "functions", "policies"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for folder in (tmp_path, tmp_path / "policies"):
        (folder / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def start(project: Path, command: str, temporary: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "selfheal.cli", "--cwd", str(project), command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        # A shell makes its background jobs deaf to Ctrl-C, and this may be a child of one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads yet
    )


def test_ctrl_c_during_the_demo_ends_everything_it_started(
    project: Path, own_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("tmp")
    process = start(project, "demo", temporary)
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
    assert not own_home.exists()


INTERRUPTED = "error: interrupted; nothing that it started is left running\n"


@pytest.mark.engine
@pytest.mark.parametrize(
    ("command", "number", "code", "said"),
    [
        ("demo", signal.SIGINT, 130, INTERRUPTED),
        ("demo-orders", signal.SIGTERM, 143, INTERRUPTED),
        ("demo-orders", signal.SIGKILL, -9, ""),
    ],
)
def test_a_signal_while_pulumi_deploys_is_one_line_and_ends_every_process(  # noqa: PLR0917 - a case
    project: Path,
    tmp_path_factory: pytest.TempPathFactory,
    command: str,
    number: signal.Signals,
    code: int,
    said: str,
) -> None:
    """Only we are sent it, as by `kill`: whatever holds our output open would be waited for as well."""
    temporary = tmp_path_factory.mktemp("tmp")
    process = start(project, command, temporary)
    until(lambda: len(descendants(process.pid)) >= STARTED, START_SECONDS)
    started = descendants(process.pid)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    assert errors.endswith(said)
    assert not {"Traceback", "UserWarning"} & set(re.findall(r"\w+", errors))
    until(lambda: all(map(gone, started)), 15)
    if number != signal.SIGKILL:
        assert list(temporary.iterdir()) == []
