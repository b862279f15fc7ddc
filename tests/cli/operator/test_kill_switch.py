"""The kill switch needs nothing: no configuration that can be read, no project, no Pulumi that answers."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.cli.support import TABLE, client, create_table, deploy, put, run, stored, verifying, words
from tests.support.processes import gone

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("dynamodb")]

PROJECT = "name: selfheal\nruntime: python\n"
REGION = "config:\n  aws:region: us-east-1\n"
STOP = ("mode", "observe", "--why", "stop it", "--aws")


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is no project's."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a `pulumi` on PATH that runs a shell script."""
    (folder / "bin").mkdir()
    path = folder / "bin" / "pulumi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


def stopped(table: str = TABLE) -> bool:
    key = {"pk": {"S": "mode"}, "sk": {"S": "override"}}
    return client().get_item(TableName=table, Key=key).get("Item", {}).get("mode") == {"S": "observe"}


@pytest.mark.parametrize(
    ("project", "stack"),
    [
        (PROJECT, REGION),
        (PROJECT, f"{REGION}  selfheal:token:\n    secure: v1:abc:def\n"),
        (PROJECT, f"environment:\n  - shared/prod\n{REGION}"),
        (PROJECT, "encryptionsalt: v1:x\n"),
        (PROJECT, None),
        (PROJECT, "\t: [not yaml\n"),
        ("\"name\" : 'selfheal' # ours\nconfig: [}\n", REGION),
        ("name: selfheal\nconfig:\n  mode:\n    type: nonsense\n", "config: 3\n"),
    ],
    ids=["plain", "secret", "esc", "no-region", "no-stack-file", "no-yaml", "malformed", "nonsense"],
)
def test_whatever_the_files_say(outside: Path, project: str, stack: str | None) -> None:
    (outside / "Pulumi.yaml").write_text(project)
    if stack is not None:
        (outside / "Pulumi.dev.yaml").write_text(stack)
    outcome = run(*STOP)
    assert outcome.exit_code == 0, outcome.output
    assert stopped()
    assert "in effect observe" in words(outcome)
    assert TABLE in outcome.stderr
    assert TABLE not in outcome.stdout


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (3, ("incidents",)),
        (0, ("incidents", "show", "fragile")),
        (3, ("incidents", "follow", "fragile", "--timeout", "0")),
        (0, ("mode",)),
        (0, ("rollback", "fragile", "--why", "worse")),
    ],
)
def test_every_operators_command_works_outside_a_checkout(
    outside: Path, code: int, arguments: tuple[str, ...]
) -> None:
    put(verifying())
    assert run(*arguments, "--aws", "--ledger", TABLE).exit_code == code
    assert list(outside.iterdir()) == []


def test_the_ledger_can_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFHEAL_LEDGER", TABLE)
    assert run(*STOP).exit_code == 0
    assert stopped()


def test_without_any_name_the_flag_and_the_variable_are_named(outside: Path) -> None:
    (outside / "Pulumi.yaml").write_text("nme: selfheal\n")
    outcome = run(*STOP)
    assert outcome.exit_code == 1
    assert "--ledger" in outcome.stderr
    assert "SELFHEAL_LEDGER" in outcome.stderr
    assert not stopped()


def test_a_table_that_is_not_there_names_the_flag_and_those_that_are(outside: Path) -> None:
    create_table("shop-ledger")
    (outside / "Pulumi.yaml").write_text(PROJECT)
    outcome = run(*STOP, "-s", "prod")
    assert outcome.exit_code == 1
    assert "no table selfheal-prod-ledger in us-east-1" in outcome.stderr
    assert "--ledger" in outcome.stderr
    assert f"{TABLE}, shop-ledger" in outcome.stderr
    assert "pulumi up" not in outcome.output


def test_a_pulumi_that_hangs_is_given_up_and_leaves_no_process(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outside / "Pulumi.yaml").write_text(PROJECT)
    pulumi(outside, monkeypatch, f"echo $$ >> {outside}/pids\nsleep 600 &\necho $! >> {outside}/pids\nwait")
    began = time.monotonic()
    outcome = run(*STOP)
    assert time.monotonic() - began < 6
    assert outcome.exit_code == 0, outcome.output
    assert stopped()
    assert "did not answer within 3 s" in outcome.stderr
    pids = (outside / "pids").read_text().split()
    assert len(pids) == 2
    assert all(gone(int(pid)) for pid in pids)


def test_pulumi_is_asked_for_the_stacks_own_output_and_wins_over_the_convention(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outside / "Pulumi.yaml").write_text(PROJECT)
    create_table("other")
    pulumi(outside, monkeypatch, f'echo "$@" > {outside}/asked\necho \'{{"ledgerTable": "other"}}\'')
    outcome = run(*STOP, "-s", "acme/selfheal/prod")
    assert outcome.exit_code == 0, outcome.output
    assert stopped("other")
    assert not stopped()
    assert "ledgerTable" in outcome.stderr
    asked = (outside / "asked").read_text()
    assert asked == "stack output --json --stack acme/selfheal/prod --non-interactive\n"


@pytest.mark.parametrize(
    "script", ["exit 255", "echo '['", "echo '[]'", "echo '{\"ledgerTable\": 3}'", "echo '{}'"]
)
def test_a_pulumi_that_is_of_no_use_is_passed_over(
    outside: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    (outside / "Pulumi.yaml").write_text(PROJECT)
    pulumi(outside, monkeypatch, script)
    assert run(*STOP).exit_code == 0
    assert stopped()


def test_a_qualified_stack_names_its_project() -> None:
    assert run(*STOP, "-s", "acme/selfheal/dev").exit_code == 0
    assert stopped()


def test_the_region_is_of_the_flag_then_the_environment_then_the_stacks_file(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outside / "Pulumi.yaml").write_text(PROJECT)
    (outside / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    missing = run("mode", "--aws").stderr
    assert "in eu-west-1" in missing
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert "says aws:region eu-west-1; AWS_DEFAULT_REGION counts" in run("mode", "--aws").stderr
    assert "in eu-north-1" in run("mode", "--aws").stderr
    monkeypatch.setenv("AWS_REGION", "eu-south-1")
    assert "in eu-south-1" in run("mode", "--aws").stderr
    assert run("mode", "--aws", "--region", "us-east-1").exit_code == 0


def test_without_any_region_the_flag_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    outcome = run(*STOP, "--ledger", TABLE)
    assert outcome.exit_code == 1
    assert "--region" in outcome.stderr


@pytest.mark.parametrize("mode", ["rocket", None])
def test_a_baseline_that_is_not_known_stops_nothing(mode: str | None) -> None:
    if mode:
        deploy(mode)
    outcome = run(*STOP, "--ledger", TABLE)
    assert outcome.exit_code == 0
    assert "baseline not known" in words(outcome)
    assert "does not tighten" not in words(outcome)
    told = json.loads(run("mode", "--aws", "--ledger", TABLE, "--json").stdout)
    assert (told["baseline"], told["effective"], told["tightens"]) == (None, "observe", True)
    loosened = ("mode", "suggest", "--clear", "--why", "half way", "--aws", "--ledger", TABLE)
    assert "in effect at most suggest" in words(run(*loosened))
    assert json.loads(run("mode", "--aws", "--ledger", TABLE, "--json").stdout)["effective"] is None


def test_the_place_must_be_repeated_by_what_is_suggested() -> None:
    put(verifying())
    shown = words(run("incidents", "show", "fragile", "--aws", "--ledger", TABLE, "--region", "us-east-1"))
    assert f"selfheal mode observe --why TEXT --aws --ledger {TABLE} --region us-east-1" in shown


def test_a_sandbox_in_which_nothing_was_deployed_is_not_started(outside: Path, own_home: Path) -> None:
    (outside / "Pulumi.yaml").write_text(PROJECT)
    outcome = run("mode", "observe", "--why", "stop it")
    assert outcome.exit_code == 1
    assert "--aws" in outcome.stderr
    assert "pulumi up" not in outcome.output
    assert not own_home.exists()
    assert stored("mode", "override") is None


def test_an_environment_that_is_stale_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    for arguments in (("mode",), STOP):
        outcome = run(*arguments, "--ledger", TABLE)
        assert outcome.exit_code == 1
        assert "AWS_ENDPOINT_URL is http://127.0.0.1:1, where nobody answers" in outcome.stderr


def test_an_incident_that_cannot_be_read_stops_nothing() -> None:
    put(verifying(), schema=3)
    put(verifying(target="shop"), reason="of-tomorrow")
    assert run(*STOP, "--ledger", TABLE).exit_code == 0
    assert stopped()
