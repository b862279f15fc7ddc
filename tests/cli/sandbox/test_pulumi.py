"""`selfheal pulumi` hands everything on: words, terminal, signals and exit code. Pulumi is a recorder."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from selfheal.cli.sandbox import pulumi as pulumi_command
from selfheal.cli.sandbox.account import Connection
from selfheal.sandbox.clients import Credentials
from selfheal.sandbox.pulumi import cli as pulumi_cli
from tests.cli import shell
from tests.cli.support import ROOT, pulumi_home, run
from tests.support.processes import children, gone

pytestmark = pytest.mark.slow

START_SECONDS = 40.0

PULUMI = """#!{python}
import json, os, signal, sys, time, urllib.request

if sys.argv[1:] == ["version"]:
    print("v3.274.1")
    sys.exit()
endpoint = os.environ["AWS_ENDPOINT_URL"]
with urllib.request.urlopen(endpoint + "/_ministack/ready", timeout=5) as answer:
    ready = answer.status
told = {{"argv": sys.argv[1:], "cwd": os.getcwd(), "environment": dict(os.environ), "ready": ready,
        "terminal": sys.stdin.isatty(), "parent": os.getppid()}}
caught = []
signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
signal.signal(signal.SIGTERM, lambda number, _: caught.append(number))
with open({record!r} + ".new", "w") as file:
    json.dump(told, file)
os.rename({record!r} + ".new", {record!r})
if "ask" in sys.argv:
    print("answer: " + input("Continue? "))
if "wait" in sys.argv:
    while not caught:
        time.sleep(0.02)
    time.sleep(0.5)  # a second signal would be caught as well
    print("caught", *map(int, caught))
if "die" in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(7)
"""


class Checkout:
    """A checkout with a Pulumi that records what it is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mine = {"PYTHONPATH": str(ROOT), "AWS_PROFILE": "mine", "PULUMI_STACK": "mine"}
        self.environment = {**os.environ, **mine}
        self.record = folder / "record.json"
        self.executable = folder / "bin" / "pulumi"
        self.executable.parent.mkdir()
        self.executable.write_text(PULUMI.format(python=sys.executable, record=str(self.record)))
        self.executable.chmod(0o755)
        self.home = pulumi_home(folder / "home")

    def command(self, *arguments: str) -> list[str]:
        return shell.command(*arguments, executable=self.executable, home=self.home)

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command = self.command(*arguments)
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, **pipes, **options)

    def run(self, *arguments: str, code: int = 7, typed_in: str = "") -> tuple[str, str]:
        process = self.start(*arguments, stdin=subprocess.PIPE)
        out, errors = process.communicate(typed_in, timeout=60)
        assert process.returncode == code, out + errors
        assert "Traceback" not in errors
        return out, errors

    def begun(self) -> dict[str, Any]:
        deadline = time.monotonic() + START_SECONDS
        while not self.record.exists():
            assert time.monotonic() < deadline, "Pulumi was not run"
            time.sleep(0.05)
        return json.loads(self.record.read_text())


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_every_word_and_the_exit_code_are_pulumis(checkout: Checkout, own_home: Path) -> None:
    words = ["up", "--help", "-y", "--frobnicate=1", "--stack", "dev", "--", "--json", "-h", "", "a b"]
    out, errors = checkout.run("pulumi", *words)
    assert out == ""
    assert "emulator" in errors
    told = checkout.begun()
    assert told["argv"] == words
    assert told["ready"] == 200
    assert Path(told["cwd"]) == checkout.folder
    environment = told["environment"]
    assert environment["PATH"].split(os.pathsep)[0] == str(checkout.executable.parent)
    assert environment["PULUMI_HOME"] == str(checkout.home)
    assert environment["PULUMI_BACKEND_URL"] == f"file://{own_home.resolve() / 'backend'}"
    assert environment["AWS_DEFAULT_REGION"] == environment["AWS_REGION"] == "us-east-1"
    assert not set(pulumi_cli.UNSET) & set(environment)
    assert (own_home / "emulator").is_dir()
    assert (own_home / "port").exists()


@pytest.mark.parametrize(
    "words",
    [[], ["--help"], ["-h"], ["--", "up"], ["-C", "x", "up"], ["--version"], ["--debug", "up"], ["-Cx"]],
)
def test_what_stands_first_is_handed_on_too(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    given: list[str] = []

    @contextmanager
    def connect(*_arguments: object) -> Generator[Connection]:
        yield Connection("http://127.0.0.1:1", "us-east-1", Credentials("test", "test"))

    def run_attached(command: list[str], **_options: object) -> int:
        given.extend(command)
        return 7

    monkeypatch.setattr(pulumi_command, "connect", connect)
    monkeypatch.setattr(pulumi_command, "require_ready", lambda *_, **__: None)
    monkeypatch.setattr(pulumi_command, "run_attached", run_attached)
    monkeypatch.setattr(pulumi_command.pulumi_cli, "EXECUTABLE", Path(sys.executable))
    assert run("pulumi", *words).exit_code == 7
    assert given == [sys.executable, *words]


def test_it_runs_where_cwd_says(checkout: Checkout) -> None:
    (checkout.folder / "deep").mkdir()
    checkout.run("--cwd", "deep", "pulumi", "up")
    assert Path(checkout.begun()["cwd"]) == checkout.folder / "deep"


def test_standard_input_is_pulumis(checkout: Checkout) -> None:
    assert "answer: yes" in checkout.run("pulumi", "ask", typed_in="yes\n")[0]


def test_its_death_is_told_as_shells_count_it(checkout: Checkout) -> None:
    checkout.run("pulumi", "die", code=128 + signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_once_and_the_emulator_ends_after_pulumi(
    checkout: Checkout, number: signal.Signals
) -> None:
    process = checkout.start(
        "pulumi",
        "wait",
        start_new_session=True,  # without a terminal, whoever starts this test
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    checkout.begun()
    started = children(process.pid)
    assert len(started) == 2  # the emulator and Pulumi
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert out == f"caught {int(number)}\n"
    assert process.returncode == 7, errors
    assert "Traceback" not in errors
    assert all(map(gone, started))


def test_ctrl_c_at_a_terminal_reaches_pulumi_once(checkout: Checkout) -> None:
    told = at_a_terminal(checkout, ["pulumi", "wait"], lambda terminal: os.write(terminal, b"\x03"))
    assert "caught 2\r\n" in told
    assert checkout.begun()["terminal"]


def test_questions_at_a_terminal_are_answered_there(checkout: Checkout) -> None:
    told = at_a_terminal(checkout, ["pulumi", "ask"], lambda terminal: os.write(terminal, b"perhaps\n"))
    assert "Continue?" in told
    assert "answer: perhaps" in told


def at_a_terminal(checkout: Checkout, words: list[str], then: Callable[[int], object]) -> str:
    """Run at a terminal of its own, do something once Pulumi runs, and return all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:  # the child, whose terminal it is
        os.chdir(checkout.folder)
        command = checkout.command(*words)
        os.execve(command[0], command, checkout.environment)
    checkout.begun()
    then(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux: nobody has the terminal any more
            break
        if not piece:
            break
        shown += piece
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 7, shown
    return shown.decode()


@pytest.mark.parametrize("missing", ["provider", "cli"])
def test_without_what_it_needs_nothing_is_started(checkout: Checkout, own_home: Path, missing: str) -> None:
    if missing == "cli":
        checkout.executable.unlink()
    else:
        shutil.rmtree(checkout.home / "plugins")
    out, errors = checkout.run("pulumi", "up", code=1)
    assert out == ""
    assert "make setup" in errors
    assert not checkout.record.exists()
    assert not own_home.exists()


def test_a_serve_that_runs_is_used(checkout: Checkout) -> None:
    serve = checkout.start("serve", "--json")
    try:
        assert serve.stdout is not None
        endpoint = json.loads(serve.stdout.readline())["endpoint"]
        assert "selfheal serve" in checkout.run("pulumi", "up")[1]
        assert checkout.begun()["environment"]["AWS_ENDPOINT_URL"] == endpoint
        assert serve.poll() is None
    finally:
        serve.terminate()
        serve.communicate(timeout=30)
