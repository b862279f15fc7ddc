"""The command line itself: help that teaches, exit codes, errors as one message."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from selfheal.cli.errors import CliError, Terminated
from selfheal.cli.main import reflow
from selfheal.cli.sandbox import serve
from selfheal.sandbox.errors import SandboxError
from tests.cli.support import run, words

ROOT = Path(__file__).parents[2]
OPERATOR = ("incidents", "mode", "approve", "rollback", "release", "restore", "accept")
COMMANDS = ("demo", "serve", *OPERATOR)


def test_the_help_names_every_command() -> None:
    shown = run("--help").stdout
    for command in ("pulumi", *COMMANDS):
        assert f" {command} " in shown
    assert "not AWS" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_example_and_documents_its_exit_codes(command: str) -> None:
    outcome = run(command, "--help")
    assert outcome.exit_code == 0
    # One emulator for all stacks; the demonstration's stack is its own affair, as is its emulator.
    assert ("--stack" in outcome.stdout) is (command in OPERATOR)
    assert "Examples" in outcome.stdout
    assert f"selfheal {command}" in outcome.stdout
    assert "Exit codes" in outcome.stdout
    assert "0 done · 1 failed · 2 wrong usage" in outcome.stdout
    assert ("--endpoint" in outcome.stdout) is (command in OPERATOR)


@pytest.mark.parametrize("command", [*OPERATOR, "incidents show", "incidents follow"])
def test_what_an_operator_needs_is_there_on_aws_too(command: str) -> None:
    shown = run(*command.split(), "--help").stdout
    for text in ("--aws", "--ledger", f"selfheal {command}", "0 done · 1 failed · 2 wrong usage"):
        assert text in shown
    assert ("--healer" in shown) is not command.startswith("incidents")


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("incidents", "is open"),
        ("approve", "refused"),
        ("rollback", "refused"),
    ],
)
def test_exit_code_3_is_documented_where_it_is_used(command: str, found: str) -> None:
    (line,) = [line for line in run(command, "--help").stdout.splitlines() if "0 done" in line]
    assert "3 " in line
    assert found in line


def test_no_arguments_show_the_help() -> None:
    outcome = run()
    assert "Examples" in outcome.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fly",), "No such command"),
        (("mode", "--fast"), "No such option"),
        (("mode", "--stack", "../dev"), "a stack's name has"),
        (("mode", "--stack", ".."), "a stack's name has"),
        (("mode", "--stack", "a/b/c/d"), "a stack's name has"),
        (("mode", "--endpoint", "localhost:4566"), "an endpoint is"),
        (("mode", "--endpoint", "http://host:port"), "an endpoint is"),
        (("mode", "--endpoint", "http://host/path"), "an endpoint is"),
        (("serve", "--env", "--port", "1"), "--env asks the"),
        (("--cwd", "/no/such", "mode"), "does not exist"),
        (("serve", "--port", "70000"), "equal to 65535"),
        (("demo", "--timeout", "1"), "equal to 10"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_right(arguments: tuple[str, ...], said: str) -> None:
    outcome = run(*arguments)
    assert outcome.exit_code == 2
    assert said in words(outcome)


def test_no_project_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    outcome = run("--cwd", str(tmp_path), "demo")
    assert outcome.exit_code == 1
    assert "--cwd" in outcome.stderr


def test_commands_that_are_pulumis_are_gone() -> None:
    for command in ("up", "preview", "refresh", "destroy", "outputs"):
        assert run(command).exit_code == 2


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException, *root: str) -> Any:
    """Run a command that fails in the middle."""

    def fail() -> None:
        raise error

    monkeypatch.setattr(serve.Account, "of_checkout", fail)
    return run(*root, "serve")


@pytest.mark.parametrize(
    "error",
    [
        SandboxError("no such thing"),
        CliError("no such thing"),
        EndpointConnectionError(endpoint_url="no such thing"),
    ],
)
def test_errors_are_one_message(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    outcome = failing(monkeypatch, error)
    assert outcome.exit_code == 1
    assert "no such thing" in outcome.stderr
    assert "Traceback" not in outcome.output


def test_debug_lets_the_error_through(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(failing(monkeypatch, SandboxError("deep"), "--debug").exception, SandboxError)


@pytest.mark.parametrize(("signalled", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_signals_end_with_the_code_that_shells_expect(
    monkeypatch: pytest.MonkeyPatch, signalled: BaseException, code: int
) -> None:
    assert failing(monkeypatch, signalled).exit_code == code


def test_paragraphs_are_reflowed() -> None:
    assert reflow("""One\n    line.\n\n    Two\n    lines.\n    """) == "One line.\n\nTwo lines."


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("selfheal ")
