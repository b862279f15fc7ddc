"""The wheel of this checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

FOLDERS = ("selfheal", "cli", "components", "functions", "sandbox", "scenarios")
"""What the wheel is made from."""


def build_wheel(folder: Path) -> Path:
    """Build it in `folder` and return its path; from a copy, as a build leaves files beside its sources."""
    copy = folder / "copy"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", folder, copy],
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel
