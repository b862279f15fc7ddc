"""The doctor on the unmodified program in the sandbox, where IAM is enforced: one deployment for all."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cli.support import run
from tests.e2e.support.platform import Platform, deployed, wait_for

pytestmark = pytest.mark.slow

CONDITION_CHECK, UPDATE = "dynamodb:ConditionCheckItem", "lambda:UpdateFunctionConfiguration"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    remedies = ["override", "environment"]
    with deployed(tmp_path_factory.mktemp("platform"), iam=True, remedies=remedies) as platform:
        wait_for("the first evaluation of all alarms", lambda: states(platform) == {"OK"})
        yield platform


@pytest.fixture(autouse=True)
def credentials(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = platform.clients.credentials
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_access_key)


def states(platform: Platform) -> set[str]:
    alarms = platform.clients.get("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["StateValue"] for alarm in alarms}


def report(platform: Platform, *options: str, code: int = 0) -> dict[str, dict[str, Any]]:
    where = ("--endpoint", platform.clients.endpoint, "--ledger", platform.outputs["ledgerTable"])
    outcome = run("doctor", *where, "--json", *options)
    assert outcome.exit_code == code, outcome.output
    return {each["id"]: each for each in json.loads(outcome.stdout)["checks"]}


def items(platform: Platform) -> list[dict[str, Any]]:
    return platform.clients.get("dynamodb").scan(TableName=platform.outputs["ledgerTable"])["Items"]


@contextmanager
def without(platform: Platform, *actions: str) -> Generator[list[dict[str, Any]]]:
    """Take actions from the policy of the healer's role, as somebody might; yield their statements."""
    iam, function = platform.clients.get("iam"), platform.outputs["healerName"]
    described = platform.clients.get("lambda").get_function_configuration(FunctionName=function)
    role = described["Role"].rpartition("/")[2]
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    kept, taken = list[dict[str, Any]](), list[dict[str, Any]]()
    for each in whole["Statement"]:
        both = [
            [action for action in each["Action"] if (action in actions) is gone] for gone in (False, True)
        ]
        kept += [{**each, "Action": both[0]}] if both[0] else []
        taken += [{**each, "Action": [action]} for action in both[1]]
    assert {each["Action"][0] for each in taken} == {*actions}

    def put(statements: list[dict[str, Any]]) -> None:
        text = json.dumps({**whole, "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)

    put(kept)
    try:
        yield taken
    finally:
        put(whole["Statement"])


def test_all_is_well_the_healer_rehearses_and_a_ring_for_nothing_changes_nothing(platform: Platform) -> None:
    before, variables = items(platform), platform.variables()
    found = report(platform, "--ring", "--tell")
    # What the sandbox has not: protection of its ledger, the Pulumi CLI (not on PATH here), rules that mute.
    not_here = {"ledger.protected", "pulumi.cli", "alarms.mute"}
    assert {each["id"]: each["state"] for each in found.values() if each["state"] != "ok"} == dict.fromkeys(
        not_here, "warn"
    )
    for call in ("DescribeAlarms", "TransactWriteItems", "PutItem", "GetFunctionConfiguration", "Publish"):
        assert f":{call}" in found["healer.rehearsal"]["found"]
    assert UPDATE in found["remedies.writes"]["found"]
    assert "the healer woke at" in found["ring.woken"]["found"]
    assert {"ring.woken", "ring.ledger", "ring.back"} <= found.keys()
    assert (items(platform), platform.variables(), platform.incident()) == (before, variables, None)
    told = platform.told()
    assert [each for each in told if "selfheal doctor --tell" in each]
    assert [each for each in told if "selfheal doctor --ring" in each], "the alarm's own mail says so"


def test_for_a_permission_that_is_missing_its_very_statement_is_printed(platform: Platform) -> None:
    with without(platform, CONDITION_CHECK, UPDATE) as taken:
        found = report(platform, code=1)
    failed = {name: each for name, each in found.items() if each["state"] == "fail"}
    assert failed.keys() == {"healer.rehearsal", "remedies.writes"}
    assert (
        f"{CONDITION_CHECK} on table/{platform.outputs['ledgerTable']} is denied"
        in (failed["healer.rehearsal"]["found"])
    )
    assert f"{UPDATE} on " in failed["remedies.writes"]["found"]
    printed = [each["statement"] for each in failed.values()]
    assert sorted(printed, key=str) == sorted(taken, key=str)
