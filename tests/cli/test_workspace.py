"""Where files are, who holds the emulator, and whether a recorded `serve` still runs."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfheal import SOURCE
from selfheal.cli.errors import BusyError, NoProjectError
from selfheal.cli.project_files import find_root
from selfheal.cli.sandbox.account import Workspace
from selfheal.cli.sandbox.serve_record import ServeRecord, remove, running, write


@pytest.fixture
def listener() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_serve_that_runs_is_found(tmp_path: Path, listener: str) -> None:
    record = ServeRecord(listener, os.getpid(), "us-east-1")
    write(tmp_path / "serve.json", record)
    assert running(tmp_path / "serve.json") == record


def test_the_record_of_a_dead_process_is_ignored(tmp_path: Path, listener: str, dead_pid: int) -> None:
    write(tmp_path / "serve.json", ServeRecord(listener, dead_pid, "us-east-1"))
    assert running(tmp_path / "serve.json") is None


def test_a_living_process_without_its_endpoint_is_another_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    write(tmp_path / "serve.json", ServeRecord(f"http://127.0.0.1:{port}", os.getpid(), "us-east-1"))
    assert running(tmp_path / "serve.json") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"endpoint": "x", "pid": "y", "region": "z"}', "null"]
)
def test_a_record_that_cannot_be_read_is_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / "serve.json").write_text(content)
    assert running(tmp_path / "serve.json") is None


@pytest.mark.parametrize("pid", [0, -1])
def test_a_record_never_names_a_group_of_processes(tmp_path: Path, listener: str, pid: int) -> None:
    (tmp_path / "serve.json").write_text(
        json.dumps({"endpoint": listener, "pid": pid, "region": "us-east-1"})
    )
    assert running(tmp_path / "serve.json") is None


def test_only_the_own_record_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "serve.json"
    write(path, ServeRecord("http://127.0.0.1:1", 41, "us-east-1"))
    remove(path, 42)
    assert path.exists()
    remove(path, 41)
    assert not path.exists()
    remove(path, 41)


def test_one_command_at_a_time_runs_the_emulator(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home")
    assert not workspace.busy()
    with (
        workspace.own_emulator(),
        pytest.raises(BusyError, match=f"process {os.getpid()}"),
        workspace.own_emulator(),
    ):
        pass
    with workspace.own_emulator():
        assert workspace.busy()
    assert not workspace.busy()


def test_what_a_dead_process_held_is_free(tmp_path: Path, dead_pid: int) -> None:
    (tmp_path / "emulator.lock").write_text(str(dead_pid))
    assert not Workspace(tmp_path).busy()
    with Workspace(tmp_path).own_emulator():
        pass


def test_there_is_one_for_a_checkout_wherever_a_command_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    assert Workspace.here() == Workspace(own_home.resolve())
    monkeypatch.delenv("SELFHEAL_HOME")
    monkeypatch.chdir(tmp_path)
    assert Workspace.here() == Workspace(SOURCE / ".selfheal")


def test_the_state_of_all_stacks_is_beside_the_emulators_data(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home")
    assert workspace.backend() == tmp_path / "home" / "backend"
    assert workspace.backend().is_dir()


def test_the_port_is_remembered(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.port() is None
    workspace.remember_port(4711)
    assert workspace.port() == 4711


def test_the_project_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_root(below) == tmp_path.resolve()


def test_no_project_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError, match="--cwd"):
        find_root(tmp_path)
