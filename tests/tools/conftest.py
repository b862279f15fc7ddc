"""A machine on which only what a test puts there can be found."""

from pathlib import Path

import pytest

from tests.tools.machine import Machine


@pytest.fixture
def machine(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path, capfd)
    monkeypatch.setenv("PATH", str(machine.path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens: no test asks the network
    monkeypatch.delenv("no_proxy", raising=False)
    return machine
