"""What tests of the command line share: a sandbox of their own, nothing of the user's Pulumi, a ledger."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from tests.cli.support import ROOT, client, create_table


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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's own Pulumi files with a program that is never run."""
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "__main__.py").touch()
    return tmp_path


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """A client of moto's DynamoDB, which has an empty ledger."""
    with mock_aws():
        create_table()
        yield client()
