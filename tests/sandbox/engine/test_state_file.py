"""The state on disk: whole or not at all, one run at a time."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.engine import state_file
from sandbox.engine.state import Pending, Resource, State
from sandbox.engine.state_file import StateFile
from sandbox.errors import LockedError, StateError
from sandbox.provider import assets

RESOURCE = Resource(
    urn="urn:pulumi:dev::demo::a:b:C::c",
    type="a:b:C",
    name="c",
    custom=True,
    id="c-1",
    parent="",
    inputs={"code": assets.Archive("ab12", b"zip"), "list": [1, {"x": None}]},
    outputs={"arn": "arn:c"},
    dependencies=("urn:x",),
    property_dependencies={"code": ("urn:x",)},
    secrets=("token",),
    protect=True,
)


def test_a_state_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "new" / "state.json")
    state = State(
        "demo", "dev", resources=[RESOURCE], generations={"u": 2}, outputs={"x": 1}, secret_outputs=("x",)
    )

    file.save(state)

    assert file.load("demo", "dev") == state
    assert [item.name for item in file.path.parent.iterdir()] == ["state.json"]


def test_content_is_kept_exactly_as_long_as_a_step_needs_it(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    state = State("demo", "dev", pending=[Pending("create", RESOURCE)])

    file.save(state)

    code = file.load("demo", "dev").pending[0].resource.inputs["code"]
    assert code.read() == b"zip"

    file.save(replace(state, pending=[], resources=[RESOURCE]))

    code = file.load("demo", "dev").resources[0].inputs["code"]
    with pytest.raises(Exception, match="Only the hash ab12"):
        code.read()


def test_a_write_that_is_cut_off_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = StateFile(tmp_path / "state.json")
    file.save(State("demo", "dev", seed="old"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state_file.os, "fsync", full)
    with pytest.raises(StateError, match="No space left on device"):
        file.save(State("demo", "dev", seed="new"))
    monkeypatch.undo()

    assert file.load("demo", "dev").seed == "old"
    file.save(State("demo", "dev", seed="new"))
    assert file.load("demo", "dev").seed == "new"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no JSON object"),
        ('{"format": 99}', "has format 99; this version reads format 1"),
        ('{"format": 1}', "is incomplete"),
    ],
)
def test_an_unreadable_state_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)

    with pytest.raises(StateError) as refused:
        StateFile(path).load("demo", "dev")

    assert problem in str(refused.value)
    assert path.read_text() == text


def test_another_stacks_state_is_refused(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    file.save(State("demo", "dev"))

    with pytest.raises(StateError, match="belongs to project demo, stack dev"):
        file.load("demo", "prod")


def test_the_seed_is_the_stacks_own(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")

    assert file.load("demo", "dev").seed != file.load("demo", "dev").seed


def test_another_process_that_holds_the_stack_is_named_and_its_death_frees_it(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    code = (
        "import sys, pathlib; from sandbox.engine.state_file import StateFile\n"
        "with StateFile(pathlib.Path(sys.argv[1])).lock():\n print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(file.path)],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {holder.pid}"), file.lock():
            pass
    finally:
        holder.kill()
        holder.communicate()

    with file.lock():
        assert file.path.with_name("state.json.lock").read_text() == str(os.getpid())
