"""The operator's commands beside the real Pulumi CLI: what they write stays, whatever is deployed."""

import os
from functools import partial
from pathlib import Path

import pytest

from selfheal.functions.healer.incident import Incident
from selfheal.functions.shared.contract import DEPLOYMENT_KEY
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import REGION
from selfheal.sandbox.emulator import ROOT as KEY
from selfheal.sandbox.pulumi import cli
from tests.cli import shell
from tests.cli.support import PLAN, drifting, item_of, proposed
from tests.conftest import ROOT
from tests.support.stacks import Account

pytestmark = [pytest.mark.slow, pytest.mark.engine]

TARGET = "checkout"
"""Not one of the healer's own, so that it leaves the incident as the test wrote it."""


def test_an_operators_evening(tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in ROOT.glob("Pulumi*.yaml")}
    home = tmp_path / "home"
    home.mkdir()
    (home / "plugins").symlink_to(cli.HOME / "plugins")
    selfheal, asked = partial(shell.selfheal, home=home), partial(shell.asked, home=home)
    with shell.serving() as told:
        environment = cli.merged(os.environ, told["environment"] | {"PULUMI_HOME": str(home)})
        clients = Clients(told["endpoint"], REGION, KEY)
        stack = Account(clients, tmp_path, environment).stack("dev")
        stack.up()
        table = stack.outputs()["ledgerTable"]

        def write(incident: Incident) -> None:
            clients.get("dynamodb").put_item(TableName=table, Item=item_of(incident))

        def pulumi(operation: str, *more: str) -> str:
            return selfheal("pulumi", *stack.arguments(operation, *more)[1:]).stdout

        # As a ledger that does not tell its targets: otherwise only `close` would be accepted.
        clients.get("dynamodb").update_item(
            TableName=table, Key=DEPLOYMENT_KEY, UpdateExpression="REMOVE targets"
        )

        # A plan is looked at and approved by its name; the healer that the ledger names is woken.
        write(proposed(target=TARGET))
        shown = asked("incidents", "show", TARGET)
        digest = PLAN.digest(TARGET)
        assert shown["plan_digest"] == digest
        approved = asked("approve", TARGET, "--plan", digest, "--yes", "--wait", "0")
        assert approved["request"]["by"].startswith("arn:aws:")
        assert approved["healer_woken"]
        assert asked("incidents", "show", TARGET)["asked"][0]["id"] == approved["request"]["id"]

        # The kill switch outlives a deployment.
        assert asked("mode", "observe", "--why", "drill")["effective"] == "observe"
        pulumi("up", "--skip-preview")
        mode = asked("mode")
        assert (mode["baseline"], mode["effective"]) == ("act", "observe")
        assert asked("mode", "--clear", "--why", "over")["effective"] == "act"

        # Drift is open work, and that of a target which is not the healer's is only closed.
        write(drifting(target=TARGET))
        (listed,) = asked("incidents", code=3)
        assert listed["drift"]
        assert [step["command"].split()[1] for step in asked("incidents", "show", TARGET)["next"]] == [
            "close"
        ]

        # A kill switch must be found where Pulumi's project is not.
        outside = ("--cwd", str(tmp_path), "mode", "-s", "organization/selfheal/dev")
        assert asked(*outside)["baseline"] == "act"
        assert "deleted" in pulumi("destroy")
    assert {path: path.read_bytes() for path in ROOT.glob("Pulumi*.yaml")} == before
