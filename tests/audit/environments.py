"""The tools, which `make audit` installs into environments of their own."""

from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / ".audit"


def tool(name: str, program: str) -> Path:
    """Return a program of a tool's environment; without one the test is skipped."""
    found = FOLDER / name / "bin" / program
    if not found.exists():
        pytest.skip(f"{name} is not installed: make audit")
    return found
