"""Where files are, who holds the emulator, and whether a recorded `serve` still runs."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.errors import BusyError, NoProjectError
from cli.serve_record import ServeRecord, remove, running, write
from cli.workspace import Workspace, find_root


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
    workspace = Workspace(tmp_path, "dev")
    with (
        workspace.own_emulator(),
        pytest.raises(BusyError, match=f"process {os.getpid()}"),
        workspace.own_emulator(),
    ):
        pass
    with workspace.own_emulator():
        pass


def test_stacks_do_not_block_each_other(tmp_path: Path) -> None:
    with Workspace(tmp_path, "dev").own_emulator(), Workspace(tmp_path, "prod").own_emulator():
        assert (tmp_path / ".selfheal" / "prod").is_dir()


def test_a_given_endpoint_has_a_state_of_its_own(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, "dev")
    states = {
        workspace.state(None),
        workspace.state("http://127.0.0.1:4566"),
        workspace.state("http://127.0.0.1:4567"),
        workspace.state("https://aws.example"),
    }
    assert len(states) == 4
    assert workspace.state(None) == tmp_path / ".selfheal" / "dev" / "state.json"


def test_the_port_is_remembered(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, "dev")
    workspace.folder.mkdir(parents=True)
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
