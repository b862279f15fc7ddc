"""The unmodified program, run afresh for every stack as its files configure it."""

import json
import re
import runpy
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
import yaml

from components.errors import ComponentError
from tests.conftest import ROOT
from tests.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, RefusedError, deploy

STACKS = ("dev", "staging", "prod")
WITHOUT_RESOURCE_LEVEL = {"cloudwatch:GetMetricData", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
LEDGER = "aws:dynamodb/getTableItem:getTableItem"


def missing(_: Any) -> Any:
    raise RefusedError("reading Amazon DynamoDB Table Item: couldn't find resource")


def opened(_: Any) -> Any:
    return {"item": json.dumps({"targets": {"SS": ["fragile"]}})}


def stack_config(stack: str) -> dict[str, str]:
    """Return the configuration as the engine hands it over: namespaced keys, everything text."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    values = {
        f"{project['name']}:{key}": entry["default"]
        for key, entry in project["config"].items()
        if "default" in entry
    }
    values |= yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def run(
    stack: str = "dev",
    *,
    preview: bool = False,
    ledger: Any = missing,
    changes: Mapping[str, str] | None = None,
) -> Deployment:
    config = stack_config(stack) | {f"selfheal:{key}": value for key, value in (changes or {}).items()}

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return deploy(program, preview=preview, stack=stack, config=config, invokes={LEDGER: ledger})


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
        "alarmNames": ["healer-fragile-fast-1a2b3c4", "healer-fragile-backstop-1a2b3c4"],
        "failureRate": rate,
        "mode": mode,
    }
    assert deployment.warnings == []
    [table] = deployment.of("aws:dynamodb/table:Table")
    assert table.inputs["deletionProtectionEnabled"] is protected


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("stack", STACKS)
def test_no_permission_is_a_wildcard(stack: str, preview: bool) -> None:
    deployment = run(stack, preview=preview)
    documents = deployment.of("aws:iam/rolePolicy:RolePolicy") + deployment.of("aws:iam/policy:Policy")
    assert len(documents) == 4
    for resource in documents:
        for statement in iam.statements(resource.inputs["policy"]):
            assert all(re.fullmatch(r"[a-z]+:[A-Za-z]+", action) for action in statement["Action"])
            if statement["Resource"] != ["*"]:
                assert all("*" not in arn.removesuffix(":*") for arn in statement["Resource"])
            else:
                assert set(statement["Action"]) <= WITHOUT_RESOURCE_LEVEL


@pytest.mark.parametrize("stack", STACKS)
def test_only_the_stack_that_acts_may_change_the_service(stack: str) -> None:
    text = run(stack).named("healer-policy").inputs["policy"]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fragile-1a2b3c4"
    verdict = iam.identity_policy(text, iam.Request("lambda:UpdateFunctionConfiguration", arn))
    assert (verdict is iam.Verdict.ALLOWED) == (stack == "dev")


def test_the_remedy_sets_the_variable_that_the_baseline_sets() -> None:
    deployment = run()
    functions = {
        f.name: f.inputs["environment"]["variables"] for f in deployment.of("aws:lambda/function:Function")
    }
    [described] = json.loads(functions["healer"]["TARGETS"])
    assert described["function"] == "fragile-1a2b3c4"
    assert described["remedies"][0]["variable"] in functions["fragile"]
    assert functions["fragile"]["FAILURE_RATE"] == "0.3"


@pytest.mark.parametrize("preview", [True, False])
def test_the_ledger_is_asked_before_any_resource(preview: bool) -> None:
    assert run(preview=preview).resources_at_call[LEDGER] == 0


def test_up_is_refused_before_any_resource_while_an_incident_is_open() -> None:
    with pytest.raises(ComponentError, match="an incident is open on fragile"):
        run(ledger=opened)
    assert "open on fragile" in run(ledger=opened, preview=True).warnings[0]
    restored = run(ledger=opened, changes={"restoreBaseline": "true"})
    assert restored.of("aws:lambda/function:Function") != []


def test_with_an_alias_the_healer_watches_and_has_no_power() -> None:
    deployment = run(changes={"traffic": "alias"})
    assert any("traffic is `alias`" in warning for warning in deployment.warnings)
    [healer] = [f for f in deployment.of("aws:lambda/function:Function") if f.name == "healer"]
    [described] = json.loads(healer.inputs["environment"]["variables"]["TARGETS"])
    assert described["remedies"] == []
    assert "UpdateFunctionConfiguration" not in deployment.named("healer-policy").inputs["policy"]


@pytest.mark.parametrize("changes", [{"failureRate": "1.5"}, {"failureRat": "0"}, {"mode": "yolo"}])
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
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert project["options"] == {"refresh": "always"}
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    assert sorted(path.name for path in ROOT.glob("Pulumi.*.yaml")) == sorted(
        f"Pulumi.{s}.yaml" for s in STACKS
    )
