"""Policies on the command line: which pack judges, and what people and scripts are told."""

import json
import shutil
from pathlib import Path
from typing import Any, Self

import pytest
from typer.testing import CliRunner

from cli import operate as cli_operate
from cli.commands import operations
from cli.console import Output
from cli.guard import Guard
from cli.main import app
from cli.site import Site
from cli.violations import show
from sandbox.engine.analyzer_api import Level, Violation
from sandbox.engine.events import Diagnostic, Result, Severity

ROOT = Path(__file__).parents[2]
URN = "urn:pulumi:dev::selfheal::selfheal:index:Healer$aws:iam/rolePolicy:RolePolicy::healer-policy"
REFUSED = Violation(
    "iam-all", Level.MANDATORY, "It allows lambda:*.\nName [each] action.", URN, "pack", "high"
)
NOTED = Violation("alarm-link", Level.ADVISORY, "No link.")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's own Pulumi files, a program that is never run, and the sign of a pack."""
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "__main__.py").touch()
    for folder in ("policies", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (tmp_path / "strict.json").write_text('{"all": "mandatory"}')
    return tmp_path


def judged(*violations: Violation) -> Result:
    refused = any(item.level is Level.MANDATORY for item in violations)
    diagnostics = [Diagnostic(Severity.ERROR, item.message, item.urn, item) for item in violations]
    return Result(ok=not refused, error="refused" if refused else None, diagnostics=diagnostics)


class Operations:
    """Stands for the engine: answers each operation, and remembers its guard."""

    def __init__(self, **answers: Result) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Guard | None]] = []

    def __call__(self, _site: Site, _state: Path, _at: Any, name: str, **options: Any) -> Result:
        self.asked.append((name, options["guard"]))
        return self.answers.get(name, Result())


def run(monkeypatch: pytest.MonkeyPatch, project: Path, fake: Operations, *arguments: str) -> Any:
    class Place:
        endpoint = "http://127.0.0.1:1"
        source = type("Source", (), {"value": "own emulator"})

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(cli_operate, "operate", fake)
    monkeypatch.setattr(operations, "connect", lambda *_: Place())
    environment = {"TERMINAL_WIDTH": "120", "COLUMNS": "120", "NO_COLOR": "1"}
    return CliRunner().invoke(app, ["--cwd", str(project), *arguments], env=environment)


def test_the_projects_pack_judges_a_preview_before_up(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    fake = Operations()
    assert run(monkeypatch, project, fake, "up").exit_code == 0
    guard = Guard(project / "policies", {})
    assert fake.asked == [("preview", guard), ("up", guard)]


def test_what_preview_refuses_is_not_begun(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    fake = Operations(preview=judged(REFUSED))
    outcome = run(monkeypatch, project, fake, "up")
    assert outcome.exit_code == 1
    assert [name for name, _ in fake.asked] == ["preview"]
    assert "mandatory  iam-all  healer-policy (aws:iam:RolePolicy)" in outcome.output
    assert "Name [each] action." in outcome.output
    assert "policies: 1 mandatory, 0 advisory" in outcome.output


def test_advice_does_not_stop(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    outcome = run(monkeypatch, project, Operations(preview=judged(NOTED)), "preview")
    assert outcome.exit_code == 0
    assert "advisory   alarm-link" in outcome.output or "advisory  alarm-link" in outcome.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--no-policies",), None),
        (("--policy-pack", "elsewhere"), ("elsewhere", {})),
        (("--policy-pack-config", "strict.json"), ("policies", {"all": "mandatory"})),
        (
            ("--policy-pack", "elsewhere", "--policy-pack-config", "strict.json"),
            ("elsewhere", {"all": "mandatory"}),
        ),
    ],
)
def test_options_choose_the_pack(
    monkeypatch: pytest.MonkeyPatch,
    project: Path,
    arguments: tuple[str, ...],
    expected: tuple[str, dict[str, Any]] | None,
) -> None:
    fake = Operations()
    monkeypatch.chdir(project)
    assert run(monkeypatch, project, fake, "preview", *arguments).exit_code == 0
    guard = expected and Guard(project / expected[0], expected[1])
    assert fake.asked == [("preview", guard)]


def test_without_a_pack_nothing_judges_and_up_needs_no_preview(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    shutil.rmtree(project / "policies")
    fake = Operations()
    assert run(monkeypatch, project, fake, "up").exit_code == 0
    assert fake.asked == [("up", None)]
    outcome = run(monkeypatch, project, fake, "up", "--policy-pack-config", str(project / "strict.json"))
    assert outcome.exit_code == 2


def test_contradicting_options_are_wrong_usage(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    arguments = ("up", "--no-policies", "--policy-pack", str(project / "elsewhere"))
    assert run(monkeypatch, project, Operations(), *arguments).exit_code == 2


def test_an_unreadable_configuration_is_one_message(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    (project / "strict.json").write_text("{")
    outcome = run(
        monkeypatch, project, Operations(), "up", "--policy-pack-config", str(project / "strict.json")
    )
    assert outcome.exit_code == 1
    assert "is no JSON" in outcome.output


def test_scripts_get_violations_as_json(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    outcome = run(monkeypatch, project, Operations(preview=judged(NOTED, REFUSED)), "preview", "--json")
    told = json.loads(outcome.stdout)
    assert told["ok"] is False
    assert told["diagnostics"] == []
    assert told["violations"][1] == {
        "policy": "iam-all",
        "pack": "pack",
        "level": "mandatory",
        "severity": "high",
        "message": "It allows lambda:*.\nName [each] action.",
        "urn": URN,
    }
    assert told["violations"][0]["severity"] is None


def test_nothing_found_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show(Output.make(json=False), [])
    assert capsys.readouterr().out == ""
