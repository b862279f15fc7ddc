"""The project's own pack on the command line, on the real sandbox: nothing is stubbed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of its own: program, components, functions and policies."""
    for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py", ROOT / "settings.py"):
        shutil.copy(path, tmp_path)
    for folder in ("components", "functions", "policies"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def asked(project: Path, *arguments: str, code: int) -> Any:
    command = [sys.executable, "-m", "cli", "--cwd", str(project), *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_an_unsafe_change_is_refused_before_anything_is_touched(project: Path) -> None:
    wakeups = project / "components" / "wakeups.py"
    safe = wakeups.read_text()
    wakeups.write_text(safe.replace("        source_arn=topic_arn,\n", ""))
    refused = asked(project, "up", code=1)
    assert {item["policy"] for item in refused["violations"] if item["level"] == "mandatory"} == {
        "lambda-permission-scoped"
    }
    assert not (project / ".selfheal" / "dev" / "state.json").exists()

    wakeups.write_text(safe)
    deployed = asked(project, "up", code=0)
    assert [item for item in deployed["violations"] if item["level"] == "mandatory"] == []
    assert deployed["changes"]["create"] > 30
