"""The unmodified program, run afresh for every stack as its files configure it."""

import json
import runpy
from collections.abc import Mapping
from functools import cache
from typing import Any

import pulumi
import pytest
import yaml

from selfheal.components.errors import ComponentError
from tests.components.support import iam
from tests.conftest import ROOT
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, Invokes, RefusedError, deploy

STACKS = ("dev", "staging", "prod")


LEDGER = "aws:dynamodb/getTableItem:getTableItem"


def missing(_: Any) -> Any:
    raise RefusedError("reading Amazon DynamoDB Table Item: couldn't find resource")


def opened(_: Any) -> Any:
    return {"item": json.dumps({"targets": {"SS": ["fragile"]}})}


@cache
def loaded(name: str) -> dict[str, Any]:
    """Return what a file of the project says, which nobody changes."""
    return yaml.safe_load((ROOT / name).read_text())


def stack_config(stack: str) -> dict[str, str]:
    """Return the configuration as the engine hands it over: namespaced keys, everything text."""
    project = loaded("Pulumi.yaml")
    values = {
        f"{project['name']}:{key}": entry["default"]
        for key, entry in project["config"].items()
        if "default" in entry
    }
    values |= loaded(f"Pulumi.{stack}.yaml")["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def run(
    stack: str = "dev",
    *,
    preview: bool = False,
    ledger: Any = missing,
    changes: Mapping[str, str] | None = None,
    invokes: Invokes | None = None,
) -> Deployment:
    config = stack_config(stack) | {f"selfheal:{key}": value for key, value in (changes or {}).items()}

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return deploy(
        program, preview=preview, stack=stack, config=config, invokes={LEDGER: ledger, **(invokes or {})}
    )


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("stack", "rate", "mode", "protected"),
    [("dev", 0.3, "act", False), ("staging", 0, "suggest", True), ("prod", 0, "observe", True)],
)
def test_every_stack_deploys_what_its_file_says(
    stack: str, rate: float, mode: str, protected: bool, preview: bool
) -> None:
    deployment = run(stack, preview=preview)
    exports = dict(deployment.exports)
    url = exports.pop("url")
    assert preview or url == f"https://fragile-api-id.execute-api.{REGION}.amazonaws.com/"
    assert exports == {
        "functionName": "fragile-1a2b3c4",
        "healerName": "healer-1a2b3c4",
        "ledgerTable": f"selfheal-{stack}-ledger",
        "healerTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:healer-topic-1a2b3c4",
        "escalationTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:healer-escalation-1a2b3c4",
        "approverPolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/healer-approver-1a2b3c4",
        "operatorPolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/healer-operator-1a2b3c4",
        "alarmNames": [f"healer-fragile-{kind}-1a2b3c4" for kind in ("fast", "backstop", "slow")],
        "failureRate": rate,
        "mode": mode,
        # By which `selfheal chaos` knows what is production; dev declares that it is none.
        "sandbox": stack == "dev",
    }
    assert deployment.warnings == []
    [table] = deployment.of("aws:dynamodb/table:Table")
    assert table.inputs["deletionProtectionEnabled"] is protected


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("stack", STACKS)
def test_no_permission_is_a_wildcard(stack: str, preview: bool) -> None:
    deployment = run(stack, preview=preview)
    documents = deployment.of("aws:iam/rolePolicy:RolePolicy") + deployment.of("aws:iam/policy:Policy")
    assert len(documents) == 6
    for resource in documents:
        assert iam.too_wide(resource.inputs["policy"]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stack", "configures", "overrides"),
    [("dev", True, False), ("staging", False, True), ("prod", False, False)],
)
def test_what_each_stack_lets_its_healer_change(stack: str, configures: bool, overrides: bool) -> None:
    """By default nothing may configure the service, which is to run code as it: only dev says so."""
    deployment = run(stack)
    text = deployment.named("healer-policy").inputs["policy"]
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fragile-1a2b3c4"
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/selfheal-{stack}-ledger"
    assert iam.allows(text, "lambda:UpdateFunctionConfiguration", function) == configures
    assert iam.allows(text, "dynamodb:PutItem", table, "override#fragile") == overrides


def variables(deployment: Deployment) -> dict[str, dict[str, str]]:
    functions = deployment.of("aws:lambda/function:Function")
    return {each.name: each.inputs["environment"]["variables"] for each in functions}


def remedies(deployment: Deployment) -> list[dict[str, str]]:
    [described] = json.loads(variables(deployment)["healer"]["TARGETS"])
    assert described["function"] == "fragile-1a2b3c4"
    return described["remedies"]


def test_the_remedy_sets_the_variable_that_the_baseline_sets() -> None:
    deployment = run()
    fragile = variables(deployment)["fragile"]
    assert remedies(deployment) == [
        {"kind": "environment", "name": "FAILURE_RATE", "value": "0", "baseline": "0.3"}
    ]
    assert fragile["FAILURE_RATE"] == "0.3"
    assert "OVERRIDES_TABLE" not in fragile


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_by_default_the_service_reads_an_override_of_its_own(stack: str) -> None:
    deployment = run(stack)
    fragile = variables(deployment)["fragile"]
    assert [(each["kind"], each["name"]) for each in remedies(deployment)] == [("override", "FAILURE_RATE")]
    assert fragile["OVERRIDES_TABLE"] == f"selfheal-{stack}-ledger"
    [described] = json.loads(variables(deployment)["healer"]["TARGETS"])
    assert fragile["OVERRIDES_TARGET"] == described["name"]


def test_remedies_are_tried_in_the_order_of_the_configuration() -> None:
    both = run(changes={"remedies": '["override", "environment"]'})
    assert [each["kind"] for each in remedies(both)] == ["override", "environment"]
    assert remedies(run(changes={"remedies": "[]"})) == []


@pytest.mark.slow
def test_the_budget_reaches_the_healer() -> None:
    assert variables(run())["healer"]["BUDGET"] == "12"
    assert variables(run(changes={"budget": "3"}))["healer"]["BUDGET"] == "3"


def test_how_often_people_are_reminded_reaches_the_healer() -> None:
    found = variables(run(changes={"remindSeconds": "7200"}))["healer"]["GUARDS"]
    assert json.loads(found) == {"remind_seconds": 7200}


@pytest.mark.slow
@pytest.mark.parametrize("preview", [True, False])
def test_the_ledger_is_asked_before_any_resource(preview: bool) -> None:
    assert run(preview=preview).resources_at_call[LEDGER] == 0


def test_up_is_refused_before_any_resource_while_an_incident_is_open() -> None:
    with pytest.raises(ComponentError, match="an incident is open on fragile"):
        run(ledger=opened)
    assert "open on fragile" in run(ledger=opened, preview=True).warnings[0]
    restored = run(ledger=opened, changes={"restoreBaseline": "true"})
    assert restored.of("aws:lambda/function:Function") != []


@pytest.mark.slow
def test_with_an_alias_the_healer_rolls_back_or_overrides() -> None:
    deployment = run(changes={"traffic": "alias", "remedies": '["rollback_alias", "override"]'})
    assert deployment.warnings == []
    assert [(each["kind"], each["name"], each["value"]) for each in remedies(deployment)] == [
        ("rollback_alias", "live", None),
        ("override", "FAILURE_RATE", "0"),
    ]
    assert "UpdateFunctionConfiguration" not in deployment.named("healer-policy").inputs["policy"]


@pytest.mark.parametrize(
    "changes",
    [
        {"failureRate": "1.5"},
        {"failureRat": "0"},
        {"mode": "yolo"},
        {"remedies": "x"},
        {"budget": "99"},
        {"traffic": "alias", "remedies": '["environment"]'},
        {"traffic": "latest", "remedies": '["rollback_alias"]'},
        {"escalationEmails": '["a@example.com", "a@example.com"]'},
    ],
)
def test_a_wrong_configuration_registers_nothing(changes: dict[str, str]) -> None:
    seen: list[Any] = []
    with pytest.raises(pulumi.RunError, match="configuration key selfheal:"):
        run(ledger=seen.append, changes=changes)
    assert seen == []


def test_nothing_is_registered_outside_the_two_components() -> None:
    deployment = run()
    stack = [resource for resource in deployment.resources if "pulumi:pulumi:Stack" in resource.parent]
    assert {resource.type for resource in stack} == {"selfheal:index:FragileService", "selfheal:index:Healer"}


def test_the_program_stays_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 100


def test_the_project_refreshes_before_it_compares() -> None:
    project = loaded("Pulumi.yaml")
    assert project["options"] == {"refresh": "always"}
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    assert sorted(path.name for path in ROOT.glob("Pulumi.*.yaml")) == sorted(
        f"Pulumi.{s}.yaml" for s in (*STACKS, "orders")
    )
