"""Where files are, who holds the emulator, and whether a recorded `serve` still runs."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from selfheal import SOURCE
from selfheal.cli.errors import CliError
from selfheal.cli.sandbox.account import Account, ServeRecord


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def record_file(account: Account) -> Path:
    return account.folder / "serve.json"


@pytest.fixture
def listener() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_serve_that_runs_is_found_for_as_long_as_it_does(account: Account, listener: str) -> None:
    record = ServeRecord(listener, os.getpid(), "us-east-1")
    with account.recorded_serve(record):
        assert account.running_serve() == record
    assert account.recorded() is None


def test_only_the_own_record_is_removed(account: Account) -> None:
    theirs = ServeRecord("http://127.0.0.1:1", 42, "us-east-1")
    with account.recorded_serve(ServeRecord("http://127.0.0.1:1", 41, "us-east-1")):
        record_file(account).write_text(json.dumps(asdict(theirs)))
    assert account.recorded() == theirs


def test_a_record_counts_only_if_its_process_lives_and_its_endpoint_answers(
    account: Account, listener: str, dead_pid: int
) -> None:
    """Neither proves it alone, and a number below 1 names a group of processes."""
    silent = "http://127.0.0.1:1"
    for endpoint, pid in ((listener, dead_pid), (silent, os.getpid()), (listener, 0), (listener, -1)):
        record = ServeRecord(endpoint, pid, "us-east-1")
        record_file(account).write_text(json.dumps(asdict(record)))
        assert account.recorded() == record
        assert account.running_serve() is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"endpoint": "x", "pid": "y", "region": "z"}', "null"]
)
def test_a_record_that_cannot_be_read_is_ignored(account: Account, content: str) -> None:
    record_file(account).write_text(content)
    assert account.recorded() is None


def test_one_command_at_a_time_runs_the_emulator(account: Account) -> None:
    assert not account.is_busy()
    with account.emulator_lock():
        assert account.is_busy()
        with pytest.raises(CliError, match=f"process {os.getpid()}"), account.emulator_lock():
            pass
    assert not account.is_busy()


def test_a_second_serve_is_told_of_the_first(account: Account, listener: str) -> None:
    with account.emulator_lock(), account.recorded_serve(ServeRecord(listener, os.getpid(), "us-east-1")):
        with pytest.raises(CliError) as refused, account.emulator_lock():
            pass
        assert str(refused.value) == (
            f'`selfheal serve` runs already (process {os.getpid()}). Use it: eval "$(selfheal serve --env)"'
        )


def test_what_a_dead_process_held_is_free(account: Account, dead_pid: int) -> None:
    (account.folder / "emulator.lock").write_text(str(dead_pid))
    assert not account.is_busy()
    with account.emulator_lock():
        pass


def test_there_is_one_for_a_checkout_wherever_a_command_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    assert Account.of_checkout() == Account(own_home.resolve())
    monkeypatch.delenv("SELFHEAL_HOME")
    monkeypatch.chdir(tmp_path)
    assert Account.of_checkout() == Account(SOURCE / ".selfheal")
