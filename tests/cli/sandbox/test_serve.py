"""The commands on the real sandbox: `serve`, the environment that it prints, and who finds it."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from selfheal.functions.healer.incident import Incident
from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.emulator import REGION
from selfheal.sandbox.emulator import ROOT as KEY
from tests.cli.shell import asked, command, selfheal, serving
from tests.cli.support import PLAN, ROOT, TABLE, create_table, drifting, escalated, item_of, proposed
from tests.support.emulator_users import refused
from tests.support.processes import children, gone, until

pytestmark = pytest.mark.slow

START_SECONDS = 40.0


def make_ledger(endpoint: str, *incidents: Incident) -> None:
    """Make what the platform's ledger is, with what the healer would have written."""
    dynamodb = Clients(endpoint, REGION, KEY).get("dynamodb")
    create_table(dynamodb=dynamodb)
    for incident in incidents:
        dynamodb.put_item(TableName=TABLE, Item=item_of(incident))


def no_site(url: str) -> str:
    """Return what a browser is told before there is a site, up to the command."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=10)
    with refused.value as answer:
        assert answer.code == 404
        return answer.read().decode().partition("`")[0]


def test_serve_is_found_by_other_commands_and_leaves_no_process(own_home: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with serving("--ready-file", str(ready)) as told:
        assert json.loads(ready.read_text()) == told
        assert told["endpoint"].startswith("http://127.0.0.1:")
        environment = told["environment"]
        assert environment["AWS_ENDPOINT_URL"] == told["endpoint"]
        assert Path(environment["PULUMI_BACKEND_URL"].removeprefix("file://")).is_dir()
        assert asked("serve", "--env") == told
        assert no_site(told["site"]) == "There is no site yet: deploy one, for example "
        assert f"export SELFHEAL_SITE={told['site']}\n" in selfheal("serve", "--env").stdout
        started = children(told["pid"])
        make_ledger(told["endpoint"])
        outcome = selfheal("incidents", "--json")
        assert json.loads(outcome.stdout) == []
        assert "selfheal serve" in outcome.stderr

        busy = selfheal("serve", code=1)
        assert f"process {told['pid']}" in busy.stderr
    assert not (own_home / "serve.json").exists()
    until(lambda: all(map(gone, started)), 5)
    # Its data is still there for a command that starts the emulator by itself, on the same port.
    outcome = selfheal("incidents")
    assert told["endpoint"] in outcome.stderr
    assert "No incident" in outcome.stdout
    with serving() as again:
        assert again["site"] == told["site"]


def action_refused_to_nobody(endpoint: str) -> str | None:
    """Return the action that a user without rights is refused, or None if it is allowed."""
    iam = Clients(endpoint, REGION, KEY).get("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    return refused(Clients(endpoint, REGION, nobody).get("dynamodb").list_tables)


def test_serve_enforces_iam_if_it_is_told_to() -> None:
    with serving("--enforce-iam") as told:
        assert action_refused_to_nobody(told["endpoint"]) == "dynamodb:ListTables"


def test_the_environment_is_taken_by_a_shell_and_is_all_that_boto3_needs(own_home: Path) -> None:
    with serving() as told:
        make_ledger(told["endpoint"])
        script = f"""
            eval "$({sys.executable} -m selfheal.cli serve --env)" || exit 9
            echo "$PATH"
            echo "${{AWS_PROFILE-unset}} ${{PULUMI_ACCESS_TOKEN-unset}}"
            echo "$PULUMI_BACKEND_URL"
            {sys.executable} -c 'import boto3; print(boto3.client("dynamodb").list_tables()["TableNames"])'
        """
        mine = {"AWS_PROFILE": "mine", "PULUMI_ACCESS_TOKEN": "mine", "PATH": os.environ["PATH"]}
        mine["SELFHEAL_HOME"] = str(own_home)
        out = subprocess.check_output(["/bin/sh", "-c", script], cwd=ROOT, env=mine, text=True, timeout=60)
        path, unset, backend, tables = out.splitlines()
        assert path.split(os.pathsep) == [told["path"], *mine["PATH"].split(os.pathsep)]
        assert unset == "unset unset"
        assert backend == f"file://{own_home.resolve() / 'backend'}"
        assert tables == f"['{TABLE}']"


def test_an_operator_acts_on_the_sandbox_as_on_aws() -> None:
    """By what serves, by the environment that it exports, or by its endpoint alone."""
    with serving() as served:
        make_ledger(served["endpoint"], escalated(), drifting(target="shop"), proposed(target="pay"))
        exported: dict[str, str] = served["environment"]
        for options in ((), ("--aws",)):
            listed = selfheal("incidents", "--json", *options, code=3, environment=exported)
            assert {one["status"] for one in json.loads(listed.stdout)} == {
                "PROPOSED",
                "ESCALATED",
                "RECOVERED",
            }
            assert served["endpoint"] in listed.stderr
        shown = selfheal("incidents", code=3).stdout
        assert "2 open, 1 closed" in shown
        assert "FAILURE_RATE 0.3 → 0" in shown
        _, _, farewell = shown.partition("Before the stack is destroyed")
        assert f"selfheal rollback {escalated().id} --why TEXT" in farewell
        assert "selfheal restore shop --why TEXT" in farewell
        approved = asked("approve", "pay", "--plan", PLAN.digest("pay"), "--yes", "--wait", "0")
        assert approved["request"]["by"].startswith("arn:aws:")
        assert asked("incidents", "show", "pay")["asked"][0]["id"] == approved["request"]["id"]
        stopped = selfheal("mode", "observe", "--why", "drill", environment=exported)
        assert "in effect       observe" in stopped.stdout
        assert asked("mode", "--endpoint", served["endpoint"])["effective"] == "observe"


def test_a_serve_that_is_just_starting_is_waited_for_and_an_environment_of_an_earlier_one_is_stale() -> None:
    """Also, without being told to it enforces no IAM."""
    waiting = subprocess.Popen(
        command("--cwd", str(ROOT), "serve", "--env", "--json"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with serving() as told:
        out, _ = waiting.communicate(timeout=START_SECONDS)
        stale = selfheal("serve", "--env", environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
        assert action_refused_to_nobody(told["endpoint"]) is None
    assert json.loads(out) == told
    assert "AWS_ENDPOINT_URL is http://127.0.0.1:1" in stale.stderr


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
