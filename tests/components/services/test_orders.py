"""What a healer looks after in the orders service, and by which remedies."""

import json
from typing import Any

import pytest

from selfheal.components.healer import Healer
from selfheal.components.services.orders import Orders
from selfheal.functions.healer.target import Target, parse_targets
from selfheal.functions.shared.contract import Mode
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, Registration, deploy

PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:people"
CIRCUIT = "orders-downstream"


@pytest.fixture(scope="module")
def healed() -> Deployment:
    def program() -> None:
        service = Orders("orders", {"people": PEOPLE})
        Healer("healer", {"targets": service.targets, "ledger_name": "ledger", "mode": Mode.ACT})

    return deploy(program)


def function(healed: Deployment, name: str) -> Registration:
    """Return the function with a logical name, which a component may have as well."""
    [found] = [each for each in healed.of("aws:lambda/function:Function") if each.name == name]
    return found


def targets(healed: Deployment) -> dict[str, Target]:
    text = function(healed, "healer").inputs["environment"]["variables"]["TARGETS"]
    return {each.name: each for each in parse_targets(text)}


def test_each_target_has_the_remedies_that_fit_it(healed: Deployment) -> None:
    found = targets(healed)
    assert {name: [str(each.setting) for each in target.remedies] for name, target in found.items()} == {
        "intake": ["rollback_alias:live"],
        "fulfilment": [f"force_breaker:{CIRCUIT}"],
        "billing": ["rollback_alias:live", f"force_breaker:{CIRCUIT}"],
    }
    assert {each.expires_after for target in found.values() for each in target.remedies} == {None, 300}


def test_each_is_watched_by_the_metrics_that_it_has(healed: Deployment) -> None:
    """A consumer of a levelled queue never raises, and counts by itself; the task of the workflow raises."""
    namespaces = {
        name: [alarm.namespace for alarm in target.alarms] for name, target in targets(healed).items()
    }
    both = ["selfheal", "AWS/Lambda"]
    assert namespaces == {"intake": both, "fulfilment": both, "billing": ["AWS/Lambda"]}


def test_who_may_force_the_circuit_calls_through_it(healed: Deployment) -> None:
    """The healer reads the circuit's table from the function's environment, and may write that one only."""
    tables: set[str] = set()
    for name in ("fulfilment", "billing"):
        variables: Any = function(healed, targets(healed)[name].function.removesuffix("-1a2b3c4")).inputs[
            "environment"
        ]["variables"]
        assert variables["CIRCUIT"] == CIRCUIT
        tables.add(variables["BREAKER_TABLE"])
    [table] = tables
    policy = healed.named("healer-policy").inputs["policy"]
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
    assert iam.allows(policy, "dynamodb:UpdateItem", arn, f"breaker#{CIRCUIT}")
    assert not iam.allows(policy, "dynamodb:UpdateItem", arn, "breaker#other")


def test_the_workflow_calls_what_can_be_rolled_back(healed: Deployment) -> None:
    definition = json.loads(healed.named("orders-billing-workflow").inputs["definition"])
    called = definition["States"]["Try"]["Arguments"]["FunctionName"]
    assert called.endswith(f":function:{targets(healed)['billing'].invoked}")
    assert targets(healed)["billing"].alias == "live"
