"""What every test of the command line gets: a sandbox of its own, and nothing of the user's Pulumi."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a folder for the sandbox, which is not made; `pulumi` is not on PATH."""
    home = tmp_path_factory.mktemp("home") / "selfheal"
    monkeypatch.setenv("SELFHEAL_HOME", str(home))
    kept = [each for each in os.environ["PATH"].split(os.pathsep) if not (Path(each) / "pulumi").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(kept))
    for variable in ("AWS_REGION", "SELFHEAL_LEDGER"):
        monkeypatch.delenv(variable, raising=False)
    return home
