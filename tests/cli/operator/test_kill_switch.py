"""The kill switch needs nothing: no configuration that can be read, no project, no Pulumi that answers."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.support import (
    TABLE,
    client,
    create_table,
    deploy,
    put,
    run,
    said,
    stored,
    told,
    verifying,
    words,
)
from tests.support.processes import descendants, gone, until, written

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("dynamodb")]

PROJECT = "name: selfheal\nruntime: python\n"
REGION = "config:\n  aws:region: us-east-1\n"
STOP = ("mode", "observe", "--why", "stop it", "--aws")
LEDGER = ("--ledger", TABLE)


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is no project's."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def checkout(outside: Path) -> Path:
    """The current folder, which is a project's."""
    (outside / "Pulumi.yaml").write_text(PROJECT)
    return outside


@pytest.fixture
def pulumi(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a `pulumi` on PATH that runs a shell script."""

    def install(script: str) -> None:
        (checkout / "bin").mkdir()
        path = checkout / "bin" / "pulumi"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

    return install


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
    assert said(*arguments, "--aws", *LEDGER, code=code)
    assert list(outside.iterdir()) == []


def test_an_incident_that_cannot_be_read_stops_nothing() -> None:
    put(verifying(), schema=3)
    put(verifying(target="shop"), reason="of-tomorrow")
    assert said(*STOP, *LEDGER)
    assert stopped()


def test_the_ledger_can_be_named_by_the_environment_or_a_qualified_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert said(*STOP, "-s", "acme/selfheal/dev")
    assert stopped()
    monkeypatch.setenv("SELFHEAL_LEDGER", TABLE)
    assert TABLE in said("mode", "--aws")


def test_without_any_name_the_flag_and_the_variable_are_named(outside: Path) -> None:
    (outside / "Pulumi.yaml").write_text("nme: selfheal\n")
    shown = said(*STOP, code=1)
    assert "--ledger NAME or SELFHEAL_LEDGER" in shown
    assert "selfheal -C FOLDER" in shown
    assert not stopped()


@pytest.mark.usefixtures("checkout")
def test_a_table_that_is_not_there_names_the_flag_and_those_that_are() -> None:
    create_table("shop-ledger")
    shown = said(*STOP, "-s", "prod", code=1)
    for text in ("no table selfheal-prod-ledger in us-east-1", "--ledger", f"{TABLE}, shop-ledger"):
        assert text in shown
    assert "pulumi up" not in shown


def test_a_pulumi_that_hangs_is_given_up_and_leaves_no_process(
    outside: Path, pulumi: Callable[[str], None]
) -> None:
    pulumi(f"echo $$ >> {outside}/pids\nsleep 600 &\necho $! >> {outside}/pids\nwait")
    began = time.monotonic()
    assert "did not answer within 3 s" in said(*STOP)
    assert time.monotonic() - began < 6
    assert stopped()
    pids = (outside / "pids").read_text().split()
    assert [gone(int(pid)) for pid in pids] == [True, True]


def test_a_pulumi_that_hangs_ends_with_a_command_that_is_killed(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pids.new; sleep 600 & echo $! >> {tmp_path}/pids.new; "
    script += f"mv {tmp_path}/pids.new {tmp_path}/pids; wait"
    run_it = "import sys; from pathlib import Path; from selfheal.cli.processes import run_quietly; "
    run_it += "run_quietly(['sh', '-c', sys.argv[1]], 60, environment={}, folder=Path('/'))"
    process = subprocess.Popen([sys.executable, "-c", run_it, script])
    try:
        pids = [int(pid) for pid in written(tmp_path / "pids").split()]
        started = descendants(process.pid)
        assert {*pids} < {*started}
    finally:
        process.kill()
        process.wait()
    until(lambda: all(map(gone, started)), 5)


def test_pulumi_is_asked_for_the_stacks_own_output_and_wins_over_the_convention(
    outside: Path, pulumi: Callable[[str], None]
) -> None:
    create_table("other")
    pulumi(f'echo "$@" > {outside}/asked\necho \'{{"ledgerTable": "other"}}\'')
    assert "ledgerTable" in said(*STOP, "-s", "acme/selfheal/prod")
    assert stopped("other")
    assert not stopped()
    asked = (outside / "asked").read_text()
    assert asked == "stack output --json --stack acme/selfheal/prod --non-interactive\n"


@pytest.mark.parametrize(
    "script", ["exit 255", "echo '['", "echo '[]'", "echo '{\"ledgerTable\": 3}'", "echo '{}'"]
)
def test_a_pulumi_that_is_of_no_use_is_passed_over(pulumi: Callable[[str], None], script: str) -> None:
    pulumi(script)
    assert said(*STOP)
    assert stopped()


def test_what_pulumi_complains_of_is_said(pulumi: Callable[[str], None]) -> None:
    pulumi("echo 'warning: old' >&2\necho \"error: no stack named 'dev' found\" >&2\necho >&2\nexit 6")
    assert "outputs of stack dev (no stack named 'dev' found; name another with -s)" in said(*STOP)


def test_the_region_is_of_the_flag_then_the_environment_then_the_stacks_file(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "in eu-west-1" in said("mode", "--aws", code=1)
    assert "which region: name it with --region" in said(*STOP, "-s", "other", code=1)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    shown = said("mode", "--aws", code=1)
    assert "says aws:region eu-west-1; AWS_DEFAULT_REGION counts" in shown
    assert "in eu-north-1" in shown
    monkeypatch.setenv("AWS_REGION", "eu-south-1")
    assert "in eu-south-1" in said("mode", "--aws", code=1)
    assert said("mode", "--aws", "--region", "us-east-1")


@pytest.mark.parametrize("mode", ["rocket", None])
def test_a_baseline_that_is_not_known_stops_nothing(mode: str | None) -> None:
    if mode:
        deploy(mode)
    shown = said(*STOP, *LEDGER)
    assert "baseline not known" in shown
    assert "does not tighten" not in shown
    found = told("mode", "--aws", *LEDGER)
    assert (found["baseline"], found["effective"], found["tightens"]) == (None, "observe", True)
    loosened = said("mode", "suggest", "--clear", "--why", "half way", "--aws", *LEDGER)
    assert "in effect at most suggest" in loosened
    assert told("mode", "--aws", *LEDGER)["effective"] is None


def test_what_is_suggested_repeats_the_options() -> None:
    put(verifying())
    shown = said("incidents", "show", "fragile", "--aws", *LEDGER, "--region", "us-east-1")
    assert f"selfheal mode observe --why TEXT --aws --ledger {TABLE} --region us-east-1" in shown
    shown = said("restore", "fragile", "--why", "x", "--aws", *LEDGER, "--healer", "nobody", code=1)
    assert shown.rstrip().endswith(
        f"Look at it: selfheal incidents show {verifying().id} --aws --ledger {TABLE}"
    )


@pytest.mark.usefixtures("checkout")
def test_a_sandbox_in_which_nothing_was_deployed_is_not_started(own_home: Path) -> None:
    shown = said("mode", "observe", "--why", "stop it", code=1)
    assert "--aws" in shown
    assert "pulumi up" not in shown
    assert not own_home.exists()
    assert not stored("mode", "override")


def test_an_environment_that_is_stale_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    for arguments in (("mode",), STOP):
        shown = said(*arguments, *LEDGER, code=1)
        assert "AWS_ENDPOINT_URL is http://127.0.0.1:1, where nobody answers" in shown
