"""A run that is killed at any point is finished by the next one, with nothing left over and nothing twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine.events import Severity
from sandbox.engine.state import State
from sandbox.engine.state_file import StateFile
from tests.support.engine_fake import FakeProvider
from tests.support.engine_project import Lab

PROGRAM = """
a = Thing("a", code=pulumi.AssetArchive({"m.py": pulumi.StringAsset("pass")}))
b = Thing("b", ref=a.arn)
"""

KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from tests.support.engine_fake import FakeProvider
from tests.support.engine_project import Lab

provider = FakeProvider(Path(sys.argv[2]))
provider.on_create = lambda name: os.kill(os.getpid(), signal.SIGKILL)
Lab(Path(sys.argv[1]), provider).engine.up()
"""


class Killed(BaseException):
    """Stands for the end of the process: nothing after it runs, nothing is saved."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[State], bool]], None]:
    """Let every save from the one on which the condition holds fail as if the process had ended."""

    def arrange(condition: Callable[[State], bool]) -> None:
        original = StateFile.save
        dead = False

        def save(self: StateFile, current: State) -> None:
            nonlocal dead
            dead = dead or condition(current)
            if dead:
                raise Killed
            original(self, current)

        monkeypatch.setattr(StateFile, "save", save)

    return arrange


def test_a_create_that_was_killed_before_its_record_is_adopted(lab: Lab, tmp_path: Path) -> None:
    lab.write(PROGRAM)
    cloud = tmp_path / "cloud.json"
    driver = [sys.executable, "-c", KILLED_RUN, str(lab.folder), str(cloud)]

    killed = subprocess.run(driver, cwd=Path(__file__).parents[3], check=False, timeout=60)

    assert killed.returncode == -signal.SIGKILL
    lab.provider = FakeProvider(cloud)
    assert len(lab.provider.cloud) == 1, "it exists, and no record says so"
    assert [item.op for item in lab.state.pending] == ["create"]

    previewed = lab.engine.preview()
    assert previewed.ok
    assert [item.message for item in previewed.diagnostics if item.severity is Severity.WARNING] == [
        "An interrupted run had begun to create fake:index:Thing 'a'; the next `up` finishes that first."
    ]

    done = lab.engine.up()

    assert done.ok, done.error
    assert len(lab.provider.cloud) == 2
    assert lab.state.pending == []
    assert lab.engine.up().changes == {"same": 3}


@pytest.mark.slow
def test_destroy_after_a_killed_create_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    lab.write(PROGRAM)
    cloud = tmp_path / "cloud.json"
    driver = [sys.executable, "-c", KILLED_RUN, str(lab.folder), str(cloud)]
    subprocess.run(driver, cwd=Path(__file__).parents[3], check=False, timeout=60)
    lab.provider = FakeProvider(cloud)
    assert len(lab.provider.cloud) == 1

    assert lab.engine.destroy().ok

    assert lab.provider.cloud == {}
    assert lab.state.resources == []


def pending(op: str) -> Callable[[State], bool]:
    """Return a condition: the step was begun in an earlier save and this one would record its end."""
    seen = False

    def condition(state: State) -> bool:
        nonlocal seen
        now = any(item.op == op for item in state.pending)
        ended = seen and not now
        seen = seen or now
        return ended

    return condition


@pytest.mark.slow
def test_an_update_that_was_killed_is_done_again(
    lab: Lab, dying: Callable[[Callable[[State], bool]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write('Thing("a", size=1)\n')
    assert lab.engine.up().ok
    lab.write('Thing("a", size=2)\n')
    dying(pending("update"))
    assert not lab.engine.up().ok
    assert lab.live("a")["size"] == 2
    monkeypatch.undo()
    lab.write('Thing("a", size=1)\n')  # back again: the recorded inputs alone would call that "same"

    done = lab.engine.up()

    assert done.ok, done.error
    assert lab.live("a")["size"] == 1


def test_a_delete_that_was_killed_is_done_again(
    lab: Lab, dying: Callable[[Callable[[State], bool]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write('Thing("a")\n')
    assert lab.engine.up().ok
    dying(pending("delete"))
    assert not lab.engine.destroy().ok
    assert lab.provider.cloud == {}
    monkeypatch.undo()
    assert [item.name for item in lab.state.resources] == ["demo-dev", "a"]

    assert lab.engine.destroy().ok
    assert lab.state.resources == []


@pytest.mark.slow
def test_a_replacement_that_was_killed_ends_with_one_resource(
    lab: Lab, dying: Callable[[Callable[[State], bool]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write('Thing("a", kind="x")\n')
    assert lab.engine.up().ok
    lab.write('Thing("a", kind="y")\n')
    dying(pending("create"))
    assert not lab.engine.up().ok
    assert len(lab.provider.cloud) == 2
    monkeypatch.undo()

    done = lab.engine.up()

    assert done.ok, done.error
    assert lab.live("a")["kind"] == "y"
    assert lab.engine.up().changes == {"same": 2}


@pytest.mark.slow
def test_what_cannot_be_finished_is_a_warning_and_the_program_supersedes_it(lab: Lab, tmp_path: Path) -> None:
    lab.write(PROGRAM)
    cloud = tmp_path / "cloud.json"
    driver = [sys.executable, "-c", KILLED_RUN, str(lab.folder), str(cloud)]
    subprocess.run(driver, cwd=Path(__file__).parents[3], check=False, timeout=60)
    lab.provider = FakeProvider(cloud)
    lab.provider.failing["a"] = "the endpoint is down"

    failed = lab.engine.up()

    assert failed.error == "fake:index:Thing 'a': the endpoint is down"
    warning = next(item.message for item in failed.diagnostics if item.severity is Severity.WARNING)
    assert "begun to create this, and it cannot be finished: fake:index:Thing 'a'" in warning
    assert "name=a-" in warning

    lab.provider.failing.clear()
    assert lab.engine.up().ok
    assert len(lab.provider.cloud) == 2


def test_the_lock_of_a_dead_process_is_taken_over(lab: Lab) -> None:
    lab.write('Thing("a")\n')
    lab.state_file.path.parent.mkdir()
    lab.state_file.path.with_name("state.json.lock").write_text(str(os.getpid()))

    assert lab.engine.up().ok
