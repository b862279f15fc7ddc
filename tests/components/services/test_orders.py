"""What a healer looks after in the orders service, and by which remedies."""

import json
from typing import Any

import pulumi
import pytest

from selfheal.components.healing.healer import Healer
from selfheal.components.services.orders import Orders
from selfheal.functions.healer.target import Target, parse_targets
from selfheal.functions.shared.contract import Mode
from selfheal.functions.status.sources import Sources
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, Registration, deploy

PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:people"
CIRCUIT = "orders-downstream"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def healed() -> Deployment:
    def program() -> None:
        service = Orders("orders", {"people": PEOPLE, "ledger": "ledger", "analytics": True})
        for name, value in service.exports.items():
            pulumi.export(name, value)
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
    kinds = {name: [alarm.kind for alarm in target.alarms] for name, target in targets(healed).items()}
    every = ["fast", "backstop", "slow"]
    assert kinds == {"intake": every, "fulfilment": every, "billing": ["backstop", "slow"]}


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


STATUS = "orders-api-status-reader"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"


def test_a_status_is_served_only_where_a_ledger_is_named(healed: Deployment) -> None:
    assert function(healed, STATUS).inputs["handler"] == "selfheal.functions.status.handler.handle"
    without = deploy(lambda: Orders("orders", {"people": PEOPLE}) and None)
    assert [each.name for each in without.of("aws:lambda/function:Function") if "status" in each.name] == []


def test_the_status_function_is_told_what_the_outputs_tell(healed: Deployment) -> None:
    """So that the page and `selfheal watch` show the same."""
    variables = function(healed, STATUS).inputs["environment"]["variables"]
    assert Sources.from_environment(variables) == Sources.from_outputs(
        {**healed.exports, "ledgerTable": "ledger"}
    )
    assert sorted(healed.exports["queues"]) == ["billing", "fulfilment", "intake"]
    names = {name: value.removesuffix("-1a2b3c4") for name, value in healed.exports["functions"].items()}
    assert names == {
        "intake": "orders-intake-consumer",
        "fulfilment": "orders-fulfilment-consumer",
        "billing": "orders-billing-task",
        "reader": "orders-api-reader",
        "status": STATUS,
    }


def test_the_status_function_may_read_what_it_shows_and_nothing_else(healed: Deployment) -> None:
    policy = healed.named(f"{STATUS}-policy").inputs["policy"]
    actions = {action for each in iam.statements(policy) for action in each["Action"]}
    assert actions == {
        *("logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"),
        *("dynamodb:GetItem", "dynamodb:Query", "cloudwatch:DescribeAlarms"),
        *("sqs:GetQueueAttributes", "s3:ListBucket"),
    }
    for partition in ("target#billing", "fleet", "mode", "deployment"):
        assert iam.allows(policy, "dynamodb:Query", f"{TABLE}/ledger", partition)
    for partition in ("override#billing", "approval#billing", "command#billing", "chaos"):
        assert not iam.allows(policy, "dynamodb:GetItem", f"{TABLE}/ledger", partition), partition
    sources = Sources.from_outputs(healed.exports)
    [(circuit, table)] = sources.circuits.items()
    assert iam.allows(policy, "dynamodb:GetItem", f"{TABLE}/{table}", f"breaker#{circuit}")
    assert not iam.allows(policy, "dynamodb:Query", f"{TABLE}/{table}", f"breaker#{circuit}")
    assert not iam.allows(policy, "dynamodb:GetItem", f"{TABLE}/{table}", "breaker#other")
    places = [*sources.queues.values(), *sources.dead_letters.values()]
    queues = {place.rpartition("/")[2] for place in places if not place.startswith("s3://")}
    assert len(queues) == 3 + 7
    for queue in queues:
        assert iam.allows(policy, "sqs:GetQueueAttributes", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
    assert not iam.allows(policy, "sqs:GetQueueAttributes", f"arn:aws:sqs:{REGION}:{ACCOUNT}:other")
    # Alarms by a wildcard: their names are automatic, and known only after the healer.
    wide = [
        (each["Action"], arn)
        for each in iam.statements(policy)
        for arn in each["Resource"]
        if arn.endswith("*") and not {"logs:PutLogEvents", "xray:PutTraceSegments"} & {*each["Action"]}
    ]
    assert wide == [(["cloudwatch:DescribeAlarms"], "*")]
