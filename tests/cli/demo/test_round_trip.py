"""The demonstration as a command: interrupted, it leaves nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.processes import children, gone

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
START_SECONDS = 120.0


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


def test_ctrl_c_during_the_demo_ends_everything_it_started(
    project: Path, own_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("tmp")
    process = subprocess.Popen(
        [sys.executable, "-m", "selfheal.cli", "--cwd", str(project), "demo"],
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
    assert not own_home.exists()
