"""The command line itself: help that teaches, exit codes, errors as one message."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from typer.testing import CliRunner

from cli.commands import operations
from cli.errors import CliError, Terminated
from cli.main import app, reflow
from cli.site import Site
from sandbox.engine.events import Result
from sandbox.engine.state import State
from sandbox.engine.state_file import StateFile
from sandbox.errors import SandboxError
from tests.cli.support import drifting

ROOT = Path(__file__).parents[2]
OPERATOR = ("incidents", "mode", "approve", "rollback", "release", "restore", "accept")
COMMANDS = ("demo", "up", "preview", "refresh", "destroy", "outputs", "serve", *OPERATOR)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's own Pulumi files with a program that is never run."""
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "__main__.py").touch()
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), env={"TERMINAL_WIDTH": "100", "NO_COLOR": "1"})


def deployed(project: Path, **outputs: Any) -> None:
    file = StateFile(project / ".selfheal" / "dev" / "state.json")
    file.save(State("selfheal", "dev", outputs=outputs, secret_outputs=("token",)))


def test_the_help_names_every_command() -> None:
    words = run("--help").stdout
    for command in COMMANDS:
        assert f" {command} " in words
    assert "not AWS" in words


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_example_and_documents_its_exit_codes(command: str) -> None:
    outcome = run(command, "--help")
    assert outcome.exit_code == 0
    assert "--stack" in outcome.stdout
    assert "Examples" in outcome.stdout
    assert f"selfheal {command}" in outcome.stdout
    assert "Exit codes" in outcome.stdout
    assert "0 done · 1 failed · 2 wrong usage" in outcome.stdout
    assert ("--endpoint" in outcome.stdout) is (command != "serve")  # serve is what starts one


@pytest.mark.parametrize("command", [*OPERATOR, "incidents show", "incidents follow"])
def test_what_an_operator_needs_is_there_on_aws_too(command: str) -> None:
    words = run(*command.split(), "--help").stdout
    assert "--aws" in words
    assert "--ledger" in words
    assert f"selfheal {command}" in words
    assert "0 done · 1 failed · 2 wrong usage" in words


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("incidents", "is open"),
        ("preview", "changes"),
        ("refresh", "drift"),
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
    ("arguments", "words"),
    [
        (("fly",), "No such command"),
        (("up", "--fast"), "No such option"),
        (("up", "--stack", "../dev"), "a stack's name has"),
        (("up", "--stack", ".."), "a stack's name has"),
        (("up", "--endpoint", "localhost:4566"), "an endpoint is"),
        (("up", "--endpoint", "http://host:port"), "an endpoint is"),
        (("up", "--endpoint", "http://host/path"), "an endpoint is"),
        (("up", "--config", "failureRate"), "KEY=VALUE"),
        (("serve", "--port", "70000"), "equal to 65535"),
        (("demo", "--timeout", "1"), "equal to 10"),
        (("destroy", "--endpoint", "http://127.0.0.1:1", "--json"), "--yes"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_right(arguments: tuple[str, ...], words: str) -> None:
    outcome = run(*arguments)
    assert outcome.exit_code == 2
    assert words in " ".join(outcome.output.replace("│", " ").split())


def test_outside_a_project_the_error_says_what_to_do(tmp_path: Path) -> None:
    outcome = run("--cwd", str(tmp_path), "outputs")
    assert outcome.exit_code == 1
    assert "No Pulumi.yaml" in outcome.stderr
    assert "Traceback" not in outcome.output


def test_an_unknown_stack_lists_those_there_are(project: Path) -> None:
    outcome = run("-C", str(project), "preview", "--stack", "prodd")
    assert outcome.exit_code == 1
    assert "dev, prod, staging" in outcome.stderr


def test_configuration_is_checked_before_anything_starts(project: Path) -> None:
    outcome = run("-C", str(project), "up", "--config", "reserveConcurrency=maybe")
    assert outcome.exit_code == 1
    assert "selfheal:reserveConcurrency" in outcome.stderr
    assert "'maybe'" in outcome.stderr
    assert not (project / ".selfheal").exists()


@pytest.mark.parametrize("command", ["outputs", "incidents"])
def test_a_stack_that_is_not_deployed_says_how_to_deploy_it(project: Path, command: str) -> None:
    outcome = run("-C", str(project), command)
    assert outcome.exit_code == 1
    assert "selfheal up --stack dev" in outcome.stderr
    assert not (project / ".selfheal").exists()


def test_outputs_are_read_from_the_state_alone(project: Path) -> None:
    deployed(project, url="http://x/", alarmNames=["a", "b"], token="hidden")
    outcome = run("-C", str(project), "outputs", "--json")
    assert outcome.exit_code == 0
    assert json.loads(outcome.stdout) == {"url": "http://x/", "alarmNames": ["a", "b"], "token": "[secret]"}
    assert run("-C", str(project), "outputs").stdout.splitlines() == [
        'alarmNames: ["a", "b"]',
        "token: [secret]",
        "url: http://x/",
    ]
    assert run("-C", str(project), "outputs", "url").stdout == "http://x/\n"


def test_an_output_that_does_not_exist_lists_those_that_do(project: Path) -> None:
    deployed(project, url="http://x/")
    outcome = run("-C", str(project), "outputs", "ulr")
    assert outcome.exit_code == 1
    assert "'ulr'" in outcome.stderr
    assert "It has: url." in outcome.stderr


def test_a_given_endpoint_has_outputs_of_its_own(project: Path) -> None:
    deployed(project, url="http://x/")
    outcome = run("-C", str(project), "outputs", "--endpoint", "http://127.0.0.1:4566")
    assert outcome.exit_code == 1
    assert "--endpoint http://127.0.0.1:4566" in outcome.stderr


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_demo_refuses_a_stack_that_cannot_be_healed(project: Path, stack: str) -> None:
    outcome = run("-C", str(project), "demo", "--stack", stack)
    assert outcome.exit_code == 2
    assert "Use --stack dev" in " ".join(outcome.output.replace("│", " ").split())


class Operation:
    """Stands in for the engine, so that its result decides the exit code."""

    def __init__(self, outcome: Result | BaseException) -> None:
        self.outcome = outcome
        self.configuration: dict[str, str] = {}

    def __call__(self, site: Site, *_arguments: Any, **_named: Any) -> Result:
        self.configuration = site.config.values
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def operate(
    monkeypatch: pytest.MonkeyPatch, project: Path, outcome: Result | BaseException, *arguments: str
) -> Any:
    monkeypatch.setattr(operations, "operate_visibly", Operation(outcome))
    return run("-C", str(project), *arguments, "--endpoint", "http://127.0.0.1:1")


def changed(**counts: int) -> Result:
    result = Result(outputs={"url": "http://x/"})
    result.changes.update(counts)
    return result


@pytest.mark.parametrize(
    ("arguments", "counts", "code"),
    [
        (("preview",), {"update": 1}, 0),
        (("preview", "--expect-no-changes"), {"update": 1, "same": 3}, 3),
        (("preview", "--expect-no-changes"), {"delete": 1}, 3),
        (("preview", "--expect-no-changes"), {"same": 3}, 0),
        (("refresh", "--expect-no-changes"), {"update": 1}, 3),
        (("refresh", "--expect-no-changes"), {}, 0),
        (("up",), {"create": 5}, 0),
    ],
)
def test_exit_codes_of_operations(
    monkeypatch: pytest.MonkeyPatch,
    project: Path,
    arguments: tuple[str, ...],
    counts: dict[str, int],
    code: int,
) -> None:
    assert operate(monkeypatch, project, changed(**counts), *arguments).exit_code == code


def test_a_failed_operation_is_exit_code_1_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    failed = Result(ok=False, error="aws:lambda:Function fragile: no")
    for arguments in (("up",), ("preview", "--expect-no-changes"), ("destroy", "--yes")):
        outcome = operate(monkeypatch, project, failed, *arguments)
        assert outcome.exit_code == 1
        assert "aws:lambda:Function fragile: no" in outcome.stderr


def test_json_is_alone_on_standard_output(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    outcome = operate(monkeypatch, project, changed(create=2), "up", "--json")
    told = json.loads(outcome.stdout)
    assert (told["ok"], told["operation"], told["stack"], told["changes"]) == (
        True,
        "up",
        "dev",
        {"create": 2},
    )
    assert told["outputs"] == {"url": "http://x/"}
    assert "2 created" in outcome.stderr


@pytest.mark.parametrize(
    "error",
    [
        SandboxError("no such thing"),
        CliError("no such thing"),
        EndpointConnectionError(endpoint_url="no such thing"),
    ],
)
def test_errors_are_one_message(monkeypatch: pytest.MonkeyPatch, project: Path, error: Exception) -> None:
    outcome = operate(monkeypatch, project, error, "up")
    assert outcome.exit_code == 1
    assert "no such thing" in outcome.stderr
    assert "Traceback" not in outcome.output


def test_debug_lets_the_error_through(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setattr(operations, "operate_visibly", Operation(SandboxError("deep")))
    outcome = run("--debug", "-C", str(project), "up", "--endpoint", "http://127.0.0.1:1")
    assert isinstance(outcome.exception, SandboxError)


@pytest.mark.parametrize(("signalled", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_signals_end_with_the_code_that_shells_expect(
    monkeypatch: pytest.MonkeyPatch, project: Path, signalled: BaseException, code: int
) -> None:
    assert operate(monkeypatch, project, signalled, "up").exit_code == code


def test_settings_of_the_command_line_win_and_lists_are_json(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    operation = Operation(Result())
    monkeypatch.setattr(operations, "operate_visibly", operation)
    emails = 'escalationEmails=["a@example.com"]'
    given = ("-c", "failureRate=0.5", "-c", emails, "--endpoint", "http://127.0.0.1:1")
    assert run("-C", str(project), "up", *given).exit_code == 0
    assert operation.configuration["selfheal:failureRate"] == "0.5"
    assert operation.configuration["selfheal:escalationEmails"] == '["a@example.com"]'
    assert operation.configuration["selfheal:mode"] == "act"


def test_deleting_at_an_endpoint_asks_first(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setattr(operations, "operate_visibly", Operation(changed(delete=1)))
    arguments = ["-C", str(project), "destroy", "--endpoint", "http://127.0.0.1:1"]
    assert CliRunner().invoke(app, arguments, input="n\n").exit_code == 1
    assert CliRunner().invoke(app, arguments, input="y\n").exit_code == 0


def test_what_stands_is_told_before_deleting_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    def nothing_is_deleted(*_arguments: Any, **_named: Any) -> Result:
        raise AssertionError

    monkeypatch.setattr(operations, "operate_visibly", nothing_is_deleted)
    monkeypatch.setattr(operations, "read_incidents", lambda *_: [drifting()])
    endpoint = "http://127.0.0.1:1"
    state = project / ".selfheal" / "dev" / "endpoint-127.0.0.1_1" / "state.json"
    StateFile(state).save(State("selfheal", "dev", outputs={"ledgerTable": "x"}))
    arguments = ["-C", str(project), "destroy", "--endpoint", endpoint]
    told, question, _ = CliRunner().invoke(app, arguments, input="n\n").output.partition("Delete everything")
    assert "selfheal restore fragile" in told
    assert "stays changed" in told
    assert question


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
