"""What each kind of remedy is granted in each mode, decided by evaluating the recorded documents."""

import json
from typing import Any

import pytest

from selfheal.functions.shared.contract import Mode, RemedyKind
from tests.components.support import iam
from tests.components.support.deployments import REMEDIES, healer, target, target_for
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment

pytestmark = pytest.mark.slow

ORDERS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-fn"
USERS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:users-fn"
LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ledger"
CIRCUITS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/circuits"
MAPPING = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:any"

READ_FUNCTION = ("lambda:GetFunctionConfiguration", ORDERS, ORDERS)
READS = {
    RemedyKind.ENVIRONMENT: {READ_FUNCTION},
    RemedyKind.OVERRIDE: {READ_FUNCTION},
    RemedyKind.ROLLBACK_ALIAS: {
        READ_FUNCTION,
        ("lambda:GetAlias", ORDERS, ORDERS),
        ("lambda:ListVersionsByFunction", ORDERS, ORDERS),
        ("lambda:GetFunctionConfiguration", f"{ORDERS}:7", ORDERS),
    },
    RemedyKind.LIMIT_CONCURRENCY: {READ_FUNCTION, ("lambda:GetFunctionConcurrency", ORDERS, ORDERS)},
    RemedyKind.PAUSE_CONSUMER: {READ_FUNCTION, ("lambda:GetEventSourceMapping", MAPPING, ORDERS)},
    RemedyKind.FORCE_BREAKER: {READ_FUNCTION, ("dynamodb:GetItem", CIRCUITS, "breaker#payments")},
}
WRITES = {
    RemedyKind.ENVIRONMENT: {("lambda:UpdateFunctionConfiguration", ORDERS, ORDERS)},
    RemedyKind.OVERRIDE: {("dynamodb:PutItem", LEDGER, "override#orders")},
    RemedyKind.ROLLBACK_ALIAS: {("lambda:UpdateAlias", ORDERS, ORDERS)},
    RemedyKind.LIMIT_CONCURRENCY: {
        ("lambda:PutFunctionConcurrency", ORDERS, ORDERS),
        ("lambda:DeleteFunctionConcurrency", ORDERS, ORDERS),
    },
    RemedyKind.PAUSE_CONSUMER: {("lambda:UpdateEventSourceMapping", MAPPING, ORDERS)},
    RemedyKind.FORCE_BREAKER: {("dynamodb:UpdateItem", CIRCUITS, "breaker#payments")},
}
"""Action, resource, and what the condition is on: a function or an item's key."""

NEVER = (
    "lambda:AddPermission",
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteAlias",
    "lambda:DeleteEventSourceMapping",
    "lambda:DeleteFunction",
    "lambda:GetFunction",
    "lambda:InvokeFunction",
    "lambda:PublishVersion",
    "lambda:UpdateFunctionCode",
)
"""What no kind needs. GetFunction hands out the code."""

ASKED = sorted(
    {call for calls in (*READS.values(), *WRITES.values()) for call in calls}
    | {(action, ORDERS, ORDERS) for action in NEVER}
    | {(action, MAPPING, ORDERS) for action in NEVER}
)


def may(deployment: Deployment, action: str, resource: str, *items: str, **context: str) -> bool:
    """Return whether the healer's role may do it; with `items`, to items of the ledger with these keys."""
    return iam.allows(deployment.named("healer-policy").inputs["policy"], action, resource, *items, **context)


def asked(deployment: Deployment, action: str, resource: str, about: str) -> bool:
    if action.startswith("dynamodb:"):
        return may(deployment, action, resource, about)
    return may(deployment, action, resource, **{"lambda:FunctionArn": about})


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("kind", list(RemedyKind))
def test_a_kind_is_granted_exactly_what_it_calls(kind: RemedyKind, mode: Mode, preview: bool) -> None:
    """Writes come with suggest too: there an approval executes. In observe nothing can be changed."""
    deployment = healer(preview, mode=mode, targets=[target_for(kind)])
    granted = {call for call in ASKED if asked(deployment, *call)}
    assert granted == READS[kind] | (set() if mode is Mode.OBSERVE else WRITES[kind])


@pytest.mark.parametrize("preview", [True, False])
def test_all_kinds_together_are_granted_the_sum(preview: bool) -> None:
    kinds = [kind for kind in RemedyKind if kind is not RemedyKind.ENVIRONMENT]
    both = target(alias="live", remedies=[REMEDIES[kind] for kind in kinds])
    deployment = healer(preview, targets=[both])
    granted = {call for call in ASKED if asked(deployment, *call)}
    assert granted == {call for kind in kinds for call in READS[kind] | WRITES[kind]}
    # Merged: what is on the function alone is one statement.
    found = iam.statements(deployment.named("healer-policy").inputs["policy"])
    assert len([each for each in found if each["Resource"] == [ORDERS]]) == 1


def test_nothing_is_granted_on_a_function_that_is_no_target() -> None:
    kinds = [kind.replace("_", "-") for kind in RemedyKind]
    targets = [
        target_for(kind, name=name, function_name=f"{name}-fn")
        for kind, name in zip(RemedyKind, kinds, strict=True)
    ]
    deployment = healer(targets=targets)
    for action, resource, _ in ASKED:
        if resource == ORDERS:
            assert not may(deployment, action, USERS), action
            assert not may(deployment, action, f"{ORDERS}-2"), action


@pytest.mark.parametrize("preview", [True, False])
def test_of_versions_only_the_configuration_is_read_and_only_of_the_target(preview: bool) -> None:
    """The numbers of versions are AWS's, so the statement has a wildcard."""
    deployment = healer(preview, targets=[target_for(RemedyKind.ROLLBACK_ALIAS)])
    found = [
        each
        for each in iam.statements(deployment.named("healer-policy").inputs["policy"])
        if each["Resource"] == [f"{ORDERS}:*"]
    ]
    assert [each["Action"] for each in found] == [["lambda:GetFunctionConfiguration"]]
    assert not may(deployment, "lambda:GetFunctionConfiguration", f"{USERS}:1")
    assert not may(deployment, "lambda:UpdateAlias", f"{ORDERS}:live")


@pytest.mark.parametrize("preview", [True, False])
def test_only_mappings_of_the_target_can_be_paused(preview: bool) -> None:
    deployment = healer(preview, targets=[target_for(RemedyKind.PAUSE_CONSUMER)])
    update = "lambda:UpdateEventSourceMapping"
    assert may(deployment, update, MAPPING, **{"lambda:FunctionArn": ORDERS})
    assert not may(deployment, update, MAPPING, **{"lambda:FunctionArn": USERS})
    assert not may(deployment, update, MAPPING, **{"lambda:FunctionArn": f"{ORDERS}:live"})
    assert not may(deployment, update, MAPPING)
    aliased = healer(preview, targets=[target_for(RemedyKind.PAUSE_CONSUMER, alias="live")])
    assert may(aliased, update, MAPPING, **{"lambda:FunctionArn": f"{ORDERS}:live"})
    assert not may(aliased, update, MAPPING, **{"lambda:FunctionArn": f"{ORDERS}:other"})


@pytest.mark.parametrize("preview", [True, False])
def test_only_the_items_of_the_circuits_can_be_forced_each_in_its_own_table(preview: bool) -> None:
    """Two targets behind one circuit, and one behind another: no circuit's right is good for the others."""
    other: Any = {"kind": RemedyKind.FORCE_BREAKER, "circuit": "bank", "circuit_table": "banks"}
    targets = [
        target_for(RemedyKind.FORCE_BREAKER),
        target_for(RemedyKind.FORCE_BREAKER, name="users", function_name="users-fn"),
        target(name="bank", function_name="bank-fn", remedies=[other]),
    ]
    deployment = healer(preview, targets=targets)
    update, banks = "dynamodb:UpdateItem", CIRCUITS.replace("circuits", "banks")
    assert may(deployment, update, CIRCUITS, "breaker#payments")
    assert may(deployment, update, banks, "breaker#bank")
    for table, keys in (
        (CIRCUITS, ["breaker#bank"]),
        (banks, ["breaker#payments"]),
        (CIRCUITS, ["breaker#payments2"]),
        (CIRCUITS, ["breaker#payments", "breaker#other"]),
        (CIRCUITS, []),
        (f"{CIRCUITS}2", ["breaker#payments"]),
        (LEDGER, ["breaker#payments"]),
    ):
        assert not may(deployment, update, table, *keys), (table, keys)
    for action in ("PutItem", "DeleteItem", "Query", "Scan"):
        assert not may(deployment, f"dynamodb:{action}", CIRCUITS, "breaker#payments"), action
    found = iam.statements(deployment.named("healer-policy").inputs["policy"])
    assert len([each for each in found if each["Resource"] == [CIRCUITS]]) == 1


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("mode", list(Mode))
def test_the_healer_writes_its_own_items_of_the_ledger_and_not_what_restrains_it(
    mode: Mode, preview: bool
) -> None:
    targets = [
        target_for(RemedyKind.OVERRIDE),
        target_for(RemedyKind.ENVIRONMENT, name="users", function_name="users-fn"),
    ]
    deployment = healer(preview, mode=mode, targets=targets)
    keys = ["target#orders", "target#users", "fleet", "mode", "override#orders", "override#users"]
    keys += ["override#other", "override#orders2", "approval#orders", "command#orders", "modes", "fleet2"]
    granted = {
        action: [key for key in keys if may(deployment, f"dynamodb:{action}", LEDGER, key)]
        for action in (
            *("GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
            *("ConditionCheckItem", "DeleteItem", "Scan"),
        )
    }
    writes = [] if mode is Mode.OBSERVE else ["override#orders"]
    assert granted == {
        "GetItem": keys,
        "BatchGetItem": keys,
        "PutItem": ["target#orders", "target#users", *writes],
        "UpdateItem": ["fleet"],
        "ConditionCheckItem": ["mode"],
        "DeleteItem": [],
        "Scan": [],
    }


@pytest.mark.parametrize(
    "keys", [("target#orders", "approval#orders"), ("target#orders", "mode"), ("approval#target#orders",), ()]
)
def test_one_allowed_item_does_not_let_another_one_in(keys: tuple[str, ...]) -> None:
    """ForAllValues alone would let a call without any key pass."""
    deployment = healer(targets=[target_for(RemedyKind.OVERRIDE)])
    for action in ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"):
        assert not may(deployment, action, LEDGER, *keys)


@pytest.mark.parametrize("mode", list(Mode))
def test_only_a_declared_probe_may_be_sent_and_never_in_observe(mode: Mode) -> None:
    probed = target(probe="{}", name="users", function_name="users-fn")
    deployment = healer(mode=mode, targets=[target(), probed])
    invoke = "lambda:InvokeFunction"
    assert may(deployment, invoke, USERS) == (mode is not Mode.OBSERVE)
    assert not may(deployment, invoke, ORDERS)
    assert not may(deployment, invoke, f"{USERS}:live")


def test_a_probe_goes_where_the_traffic_goes() -> None:
    deployment = healer(targets=[target_for(RemedyKind.ROLLBACK_ALIAS, probe="{}")])
    assert may(deployment, "lambda:InvokeFunction", f"{ORDERS}:live")
    assert not may(deployment, "lambda:InvokeFunction", ORDERS)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("mode", list(Mode))
def test_the_only_wildcard_resource_beside_what_has_no_level_is_a_mapping_of_named_functions(
    mode: Mode, preview: bool
) -> None:
    targets = [
        target_for(kind, name=kind.replace("_", "-"), function_name=kind, probe="{}") for kind in RemedyKind
    ]
    policy = healer(preview, mode=mode, targets=targets).named("healer-policy").inputs["policy"]
    wild: list[dict[str, Any]] = [
        each
        for each in iam.statements(policy)
        if any("*" in arn.removesuffix(":*") and arn != "*" for arn in each["Resource"])
        or any(arn.endswith("event-source-mapping:*") for arn in each["Resource"])
    ]
    for statement in wild:
        assert statement["Resource"] == [f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*"]
        assert statement["Condition"] == {
            "ArnEquals": {"lambda:FunctionArn": [ORDERS.replace("orders-fn", "pause_consumer")]}
        }
    assert len(wild) == 1


def test_eight_targets_with_every_remedy_fit_into_a_managed_policy() -> None:
    """IAM counts 6,144 characters without white space, for the boundary; 10,240 for the role's own."""
    kinds = [kind for kind in RemedyKind if kind is not RemedyKind.ENVIRONMENT]
    targets = [
        target(
            name=f"service-{n}",
            function_name=f"a-service-of-the-shop-{n}",
            alias="live",
            remedies=[REMEDIES[kind] for kind in kinds[: 1 + n % 2]],
        )
        for n in range(8)
    ]
    text = healer(targets=targets).named("healer-boundary").inputs["policy"]
    assert len(json.dumps(json.loads(text), separators=(",", ":"))) < 6144
