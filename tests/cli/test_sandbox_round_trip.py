"""The commands on the real sandbox: `serve`, the environment that it prints, and who finds it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.emulator import REGION
from selfheal.sandbox.emulator import ROOT as KEY
from tests.cli.shell import asked, command, selfheal, serving
from tests.cli.support import PLAN, TABLE, drifting, escalated, proposed, typed
from tests.conftest import ROOT
from tests.support.emulator_users import refused
from tests.support.processes import children, gone, until

pytestmark = pytest.mark.slow

START_SECONDS = 40.0


def make_ledger(endpoint: str, *incidents: dict[str, Any], table: str = TABLE) -> None:
    """Make what the platform's ledger is, with what the healer would have written."""
    ledger = Clients(endpoint, REGION, KEY).get("dynamodb")
    ledger.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
    )
    for incident in incidents:
        key = {"pk": f"target#{incident['target']}", "sk": "incident"}
        ledger.put_item(TableName=table, Item=typed(incident | key))


def test_serve_is_found_by_other_commands_and_leaves_no_process(own_home: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with serving("--ready-file", str(ready)) as told:
        assert json.loads(ready.read_text()) == told
        assert told["endpoint"].startswith("http://127.0.0.1:")
        environment = told["environment"]
        assert environment["AWS_ENDPOINT_URL"] == told["endpoint"]
        assert Path(environment["PULUMI_BACKEND_URL"].removeprefix("file://")).is_dir()
        assert asked("serve", "--env") == told
        started = children(told["pid"])
        make_ledger(told["endpoint"])
        assert asked("incidents") == []
        assert "selfheal serve" in selfheal("incidents").stderr

        busy = selfheal("serve", code=1)
        assert f"process {told['pid']}" in busy.stderr
    assert not (own_home / "serve.json").exists()
    until(lambda: all(map(gone, started)), 5)
    # Its data is still there for a command that starts the emulator by itself, on the same port.
    outcome = selfheal("incidents")
    assert told["endpoint"] in outcome.stderr
    assert "No incident" in outcome.stdout


@pytest.mark.parametrize("options", [(), ("--enforce-iam",)])
def test_serve_enforces_iam_only_if_it_is_told_to(options: tuple[str, ...]) -> None:
    with serving(*options) as told:
        iam = Clients(told["endpoint"], REGION, KEY).get("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        nobody = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
        api = Clients(told["endpoint"], REGION, nobody).get("dynamodb")
        action = refused(api.list_tables)
    assert action == ("dynamodb:ListTables" if options else None)


def test_the_environment_is_taken_by_a_shell_and_is_all_that_boto3_needs(own_home: Path) -> None:
    with serving() as told:
        make_ledger(told["endpoint"])
        script = f"""
            eval "$({sys.executable} -m cli serve --env)" || exit 9
            echo "$PATH"
            echo "${{AWS_PROFILE-unset}} ${{PULUMI_ACCESS_TOKEN-unset}}"
            echo "$PULUMI_BACKEND_URL"
            {sys.executable} -c 'import boto3; print(boto3.client("dynamodb").list_tables()["TableNames"])'
        """
        mine = {"AWS_PROFILE": "mine", "PULUMI_ACCESS_TOKEN": "mine", "PATH": os.environ["PATH"]}
        mine["SELFHEAL_HOME"] = str(own_home)
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=ROOT,
            env=mine,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        path, unset, backend, tables = done.stdout.splitlines()
        assert path.split(os.pathsep) == [told["path"], *mine["PATH"].split(os.pathsep)]
        assert unset == "unset unset"
        assert backend == f"file://{own_home.resolve() / 'backend'}"
        assert tables == f"['{TABLE}']"


def test_with_the_environment_exported_commands_work_as_on_aws() -> None:
    with serving() as told:
        make_ledger(told["endpoint"], escalated())
        exported: dict[str, str] = told["environment"]
        for where in ((), ("--aws",)):
            listed = selfheal("incidents", "--json", *where, code=3, environment=exported)
            assert json.loads(listed.stdout)[0]["status"] == "ESCALATED"
            assert told["endpoint"] in listed.stderr
        stopped = selfheal("mode", "observe", "--why", "drill", environment=exported)
        assert "in effect       observe" in stopped.stdout


def test_a_serve_that_is_just_starting_is_waited_for() -> None:
    waiting = subprocess.Popen(
        command("--cwd", str(ROOT), "serve", "--env", "--json"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with serving() as told:
        out, _ = waiting.communicate(timeout=START_SECONDS)
    assert json.loads(out) == told


def test_a_serve_that_was_killed_is_said_to_be_gone(own_home: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    own_home.mkdir()
    record = {"endpoint": "http://127.0.0.1:1", "pid": dead.pid, "region": REGION}
    (own_home / "serve.json").write_text(json.dumps(record))
    outcome = selfheal("serve", "--env", code=1)
    assert outcome.stdout == ""
    assert f"process {dead.pid}" in outcome.stderr
    assert "stale" in outcome.stderr


def test_an_environment_of_an_earlier_serve_is_said_to_be_stale() -> None:
    with serving():
        told = selfheal("serve", "--env", environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert "AWS_ENDPOINT_URL is http://127.0.0.1:1" in told.stderr


def test_incidents_that_are_open_are_exit_code_3_and_tell_what_to_do_before_destroying() -> None:
    with serving() as told:
        make_ledger(told["endpoint"], escalated(), drifting(target="shop"))
        listed = asked("incidents", code=3)
        assert [(one["open"], one["drift"], one["target"]) for one in listed] == [
            (True, False, "fragile"),
            (False, True, "shop"),
        ]
        shown = selfheal("incidents", code=3).stdout
        assert "1 open, 1 closed" in shown
        assert "FAILURE_RATE 0.3 → 0" in shown
        _, _, farewell = shown.partition("Before the stack is destroyed")
        assert f"selfheal rollback {escalated()['id']} --why TEXT" in farewell
        assert "selfheal restore shop --why TEXT" in farewell


def test_an_operator_acts_on_the_sandbox_as_on_aws() -> None:
    with serving() as told:
        make_ledger(told["endpoint"], proposed())
        digest = PLAN.digest("fragile")
        approved = asked("approve", "fragile", "--plan", digest, "--yes", "--wait", "0")
        assert approved["request"]["by"].startswith("arn:aws:")
        shown = asked("incidents", "show", "fragile")
        assert shown["asked"][0]["id"] == approved["request"]["id"]
        assert asked("mode", "observe", "--why", "drill")["effective"] == "observe"
        # By its endpoint alone, too.
        assert asked("mode", "--endpoint", told["endpoint"])["effective"] == "observe"
