"""The command line itself: help that teaches, exit codes, errors as one message."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from selfheal.cli.commands import Loaded, reflow
from selfheal.cli.errors import CliError, Terminated
from selfheal.cli.sandbox import serve
from selfheal.sandbox.errors import SandboxError
from tests.cli.support import run, said, told

ROOT = Path(__file__).parents[2]
OPERATOR = ("watch", "doctor", "incidents", "mode", "approve", "rollback", "release", "restore", "accept")
OPERATES = (
    *OPERATOR,
    *(f"incidents {name}" for name in ("show", "follow")),
    *(f"breaker {name}" for name in ("list", "show", "open", "close", "release")),
    *(f"dlq {name}" for name in ("list", "show", "redrive")),
    *(f"chaos {name}" for name in ("list", "run", "stop", "approve")),
    "replay",
)
COMMANDS = ("demo", "demo-orders", "serve", *OPERATOR)
PULUMIS = ("up", "preview", "refresh", "destroy", "outputs")


def test_the_help_names_every_command() -> None:
    shown = said("--help")
    for command in ("pulumi", "dlq", *COMMANDS):
        assert f" {command} " in shown
    assert "not AWS" in shown


@pytest.mark.parametrize("command", [*COMMANDS, "incidents show", "incidents follow"])
def test_every_command_teaches_by_example_and_documents_its_exit_codes(command: str) -> None:
    shown = said(*command.split(), "--help")
    for text in ("Examples", f"selfheal {command}", "Exit codes", " · 1 failed · 2 wrong usage"):
        assert text in shown
    # One emulator for all stacks; the demonstration's stack is its own affair, as is its emulator.
    operates = command.split(maxsplit=1)[0] in OPERATOR
    for option in ("--stack", "--endpoint", "--aws", "--ledger", "--region"):
        assert (option in shown) is operates
    assert ("--healer" in shown) is (operates and not command.startswith(("incidents", "watch")))


@pytest.mark.slow
def test_the_operators_page_has_the_exit_codes_that_each_command_documents() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.split("\n## Exit codes\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+`) \| (.+) \| (.+) \| (.+) \|$", table, re.MULTILINE)
    documented = {command: cells for names, *cells in rows for command in re.findall(r"`([a-z -]+)`", names)}
    assert set(documented) == {*OPERATES, "close"}
    for command, (zero, three, four) in documented.items():
        line = said(*command.split(), "--help").rsplit("Exit codes ", 1)[1]
        codes = dict(part.split(" ", 1) for part in line.split(" · "))
        expected = {"0": zero, "1": "failed", "2": "wrong usage", "3": three, "4": four}
        assert codes == {code: means for code, means in expected.items() if means != "—"}


@pytest.mark.parametrize("group", ["breaker", "dlq", "chaos"])
def test_a_group_says_that_its_commands_have_exit_codes_of_their_own(group: str) -> None:
    assert "3 see the command's own help" in said(group, "--help")


def test_no_arguments_show_the_help() -> None:
    assert "Examples" in run().output


@pytest.mark.parametrize("command", ["demo", "demo-orders"])
@pytest.mark.parametrize(
    ("options", "enforced"), [((), True), (("--enforce-iam",), True), (("--no-enforce-iam",), False)]
)
def test_the_demo_enforces_iam_unless_it_is_told_not_to(
    monkeypatch: pytest.MonkeyPatch, command: str, options: tuple[str, ...], enforced: bool
) -> None:
    asked: list[bool] = []

    def start(_folder: Path, *, iam: bool) -> None:
        asked.append(iam)
        raise SandboxError("as far as this test goes")

    monkeypatch.setattr("selfheal.cli.demo.surroundings.Emulator.start", start)
    run("--cwd", str(ROOT), command, *options)
    assert asked == [enforced]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        *(((command,), "No such command") for command in ("fly", *PULUMIS)),
        (("mode", "--fast"), "No such option"),
        (("mode", "--stack", "../dev"), "a stack's name has"),
        (("mode", "--stack", ".."), "a stack's name has"),
        (("mode", "--stack", "a/b/c/d"), "a stack's name has"),
        (("mode", "--endpoint", "localhost:4566"), "an endpoint is"),
        (("mode", "--endpoint", "http://host:port"), "an endpoint is"),
        (("mode", "--endpoint", "http://host/path"), "an endpoint is"),
        (("serve", "--env", "--port", "1"), "--env asks the"),
        (("serve", "--env", "--enforce-iam"), "--env asks the"),
        (("--cwd", "/no/such", "mode"), "does not exist"),
        (("serve", "--port", "70000"), "equal to 65535"),
        (("demo", "--timeout", "1"), "equal to 10"),
        (("demo-orders", "--timeout", "1"), "equal to 10"),
        (("mode", "observe"), "--why"),
        (("mode", "--clear"), "--why"),
        (("mode", "--why", "x"), "name a mode"),
        (("mode", "fly", "--why", "x"), "observe"),
        (("mode", "obsreve", "--why", "x"), "'[MODE]': 'obsreve' is not one of observe, suggest, act."),
        (("mode", "obsreve", "--why", "x"), "Did you mean observe?"),
        (("mode", "observe", "--why", " "), "say why in 1 to 500"),
        (("mode", "observe", "--why", "a\nb"), "on one line"),
        (("approve", "x", "--yes"), "--plan DIGEST"),
        (("approve", "x", "--json"), "nothing can be asked"),
        (("approve", "x", "--plan", "xyz"), "has 16 of the characters"),
        (("approve", "x", "--expires", "0"), "--expires"),
        (("approve", "x", "--expires", "1441"), "--expires"),
        (("rollback", "x"), "--why"),
        (("release", "x", "--json"), "--why"),
        (("restore",), "Missing argument"),
        (("accept", "x", "--why", "y", "--wait", "-1"), "--wait"),
        (("incidents", "--stack", "prod", "show", "fragile"), "write the options after"),
    ],
)
def test_wrong_usage_is_exit_code_2_says_what_is_right_and_starts_nothing(
    own_home: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert words in said(*arguments, code=2)
    assert not own_home.exists()


@pytest.mark.parametrize(
    ("when", "commands"),
    [
        ("required for a change", [("mode",)]),
        ("required", [("rollback",), ("release",), ("restore",), ("accept",), ("close",)]),
        ("required", [("breaker", "open"), ("breaker", "close")]),
        ("optional", [("approve",), ("chaos", "approve")]),
    ],
)
def test_help_says_whether_a_reason_must_be_given(when: str, commands: list[tuple[str, ...]]) -> None:
    for command in commands:
        assert f"The reason, in a line ({when}); it is recorded" in said(*command, "--help")


def test_no_project_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    assert "--cwd" in said("--cwd", str(tmp_path), "demo", code=1)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException, *root: str) -> Any:
    """Run a command that fails in the middle."""

    def fail() -> None:
        raise error

    monkeypatch.setattr(serve.Account, "of_checkout", fail)
    return run(*root, "serve")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SandboxError("no such thing"), 1, "no such thing"),
        (CliError("no such thing"), 1, "no such thing"),
        (EndpointConnectionError(endpoint_url="no such thing"), 1, "no such thing"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (Terminated(), 143, "interrupted"),
    ],
)
def test_an_error_is_one_message_and_a_signal_the_code_that_shells_expect(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    outcome = failing(monkeypatch, error)
    assert outcome.exit_code == code
    assert words in outcome.stderr
    assert "Traceback" not in outcome.output


NOWHERE = ("--endpoint", "http://127.0.0.1:9", "--ledger", "x")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(
            ("incidents", *NOWHERE), 1, "nobody answers there. Look at --endpoint", marks=pytest.mark.slow
        ),
        pytest.param(
            ("mode", *NOWHERE), 1, "nobody answers there. Look at --endpoint", marks=pytest.mark.slow
        ),
        (("incidents", "show", "x"), 1, "Nothing has been deployed into this checkout's sandbox"),
        (("demo", "--timeout", "1"), 2, "'--timeout': Input should be greater than or equal to 10"),
        (("nonsense",), 2, "No such command 'nonsense'"),
        (("--nonsense", "mode"), 2, "No such option: --nonsense"),
        (("--json", "mode"), 2, "No such option: --json"),
        (("--cwd", "/no/such", "mode"), 2, "'/no/such' does not exist"),
        (("--nonsense", "pulumi", "up"), 2, "No such option: --nonsense"),
        (("incidents", "--nonsense"), 2, "No such option: --nonsense"),
        (("incidents", "show"), 2, "Missing argument 'INCIDENT'"),
        (("breaker", "nonsense"), 2, "No such command 'nonsense'"),
        (("mode", "--json=1"), 2, "does not take a value"),
        (("incidents", "--aws", *NOWHERE), 2, "give one of them, not both"),
        (("demo", "--out", "/dev/null/x"), 1, "Nothing was started. Name another one with --out"),
    ],
)
def test_with_json_an_error_is_a_document_too(arguments: tuple[str, ...], code: int, words: str) -> None:
    found = told(*arguments, code=code)
    assert found["exit_code"] == code
    assert words in found["error"]


def test_a_signal_is_a_document_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serve.Account, "of_checkout", interrupt)
    assert told("serve", code=130)["exit_code"] == 130


@pytest.mark.parametrize("command", ["demo", "demo-orders"])
def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, own_home: Path, tmp_path: Path, command: str
) -> None:
    monkeypatch.chdir(ROOT)
    file = tmp_path / "file"
    file.write_text("")
    text = said(command, "--out", str(file / "report"), code=1)
    assert f"Nothing can be written to the folder {file / 'report'} (Not a directory)." in text
    assert not own_home.exists()


def test_a_home_that_cannot_be_written_is_an_error_that_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("SELFHEAL_HOME", str(file))
    assert "Name another one with SELFHEAL_HOME" in said("serve", code=1)


def test_a_file_for_settings_that_cannot_be_written_is_an_error_before_anything_is_started(
    own_home: Path,
) -> None:
    assert "Name another one with --ready-file" in said("serve", "--ready-file", "/dev/null/x", code=1)
    assert not own_home.exists()


def test_an_error_of_the_file_system_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = failing(monkeypatch, PermissionError(13, "Permission denied", "/some/file"))
    assert outcome.exit_code == 1
    assert "/some/file: Permission denied. Make it readable and writable" in outcome.stderr


def test_without_credentials_the_error_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = failing(monkeypatch, NoCredentialsError())
    assert "Log in, name a profile with AWS_PROFILE" in outcome.stderr


def test_debug_lets_the_error_through(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(failing(monkeypatch, SandboxError("deep"), "--debug").exception, SandboxError)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_command_is_loaded_ends_it_at_once(number: int, code: int) -> None:
    script = "import os, signal, sys; from selfheal.cli.__main__ import run; "
    script += f"sender = lambda *_: os.kill(os.getpid(), {int(number)}); "
    script += "sys.meta_path.insert(0, type('Sender', (), {'find_spec': sender})); run()"
    # In the background of a shell SIGINT is ignored, and stays so.
    reset = lambda: signal.signal(number, signal.SIG_DFL)  # noqa: E731
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, preexec_fn=reset
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_paragraphs_are_reflowed() -> None:
    assert reflow("""One\n    line.\n\n    Two\n    lines.\n    """) == "One line.\n\nTwo lines."


@pytest.mark.slow
def test_the_module_runs_as_the_command_does() -> None:
    command = [sys.executable, "-m", "selfheal.cli", "--version"]
    assert subprocess.check_output(command, cwd=ROOT, text=True).startswith("selfheal ")


@pytest.mark.slow
def test_no_command_loads_the_sdk_of_pulumi_before_it_is_needed() -> None:
    script = (
        "import sys; from selfheal.cli.commands import Loaded; commands = Loaded(); "
        "print(all(commands[name].name == name for name in commands), 'pulumi' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True) == "True False\n"


@pytest.mark.slow
def test_a_command_is_loaded_without_the_others() -> None:
    script = (
        "import sys; from selfheal.cli.main import app; app(['mode', '--help'], standalone_mode=False); "
        "print({name.split('.')[2] for name in sys.modules if name.startswith('selfheal.cli.')} "
        "& {'demo', 'chaos', 'doctor', 'operator'}, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=True)
    assert ran.stderr == "{'operator'}\n"


def test_a_typo_is_answered_with_the_name_that_it_resembles() -> None:
    assert "Did you mean 'mode'?" in run("mod").output


def test_a_command_is_loaded_once() -> None:
    commands = Loaded()
    assert commands.get("nonsense") is None
    assert commands["mode"] is commands.get("mode")
