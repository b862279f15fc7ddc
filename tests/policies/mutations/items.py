"""Mutations of conditions: whose mappings the healer may pause, which items of the ledger it may write."""

from typing import Any

from tests.policies.mutations.scope import Statements, fragile, grant
from tests.support.policy_healers import lambda_arn
from tests.support.policy_mutations import Table
from tests.support.policy_recording import ACCOUNT, REGION
from tests.support.policy_scene import Scene

TABLE = Table()

LEADING = "dynamodb:LeadingKeys"
MAPPINGS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*"


def ledger(scene: Scene) -> str:
    return scene.text(scene.find("dynamodb.Table", "healer-ledger"))


def pause(scene: Scene, condition: dict[str, Any] | None) -> None:
    """Let the healer pause mappings."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
        "Resource": [MAPPINGS],
    }
    grant(scene, lambda held: held.append(statement | ({"Condition": condition} if condition else {})))


def puts(held: Statements) -> list[dict[str, Any]]:
    return [each for each in held if each["Action"] == ["dynamodb:PutItem"]]


@TABLE.refused_by("iam-policy-resource-wildcard", up=True)
def every_mapping(scene: Scene) -> None:
    pause(scene, None)


@TABLE.refused_by("iam-policy-resource-wildcard")
def mappings_of_functions_that_begin_so(scene: Scene) -> None:
    pause(scene, {"ArnLike": {"lambda:FunctionArn": lambda_arn("fragile*")}})


@TABLE.refused_by("iam-policy-resource-wildcard")
def mappings_under_a_condition_that_limits_nothing(scene: Scene) -> None:
    pause(scene, {"ArnEqualsIfExists": {"lambda:FunctionArn": fragile(scene)}})


@TABLE.refused_by("iam-policy-writes-on-targets", up=True)
def mappings_of_another_function(scene: Scene) -> None:
    pause(scene, {"ArnEquals": {"lambda:FunctionArn": lambda_arn("payments")}})


@TABLE.refused_by("iam-policy-writes-on-targets")
def mappings_of_another_function_beside_the_targets(scene: Scene) -> None:
    pause(scene, {"ArnEquals": {"lambda:FunctionArn": [fragile(scene), lambda_arn("payments")]}})


@TABLE.refused_by("iam-policy-nothing-on-itself")
def mappings_of_itself(scene: Scene) -> None:
    own = scene.text(scene.find("lambda.Function", "healer"))
    pause(scene, {"ArnEquals": {"lambda:FunctionArn": own}})


@TABLE.refused_by("dynamodb-ledger-approvals", stack="staging", up=True)
def a_healer_that_can_approve(scene: Scene) -> None:
    grant(scene, lambda held: [each.pop("Condition") for each in puts(held)])


@TABLE.refused_by("dynamodb-ledger-approvals", up=True)
def a_healer_that_can_set_its_own_mode(scene: Scene) -> None:
    condition = {"ForAllValues:StringEquals": {LEADING: ["mode"]}}
    statement = {
        "Effect": "Allow",
        "Action": "dynamodb:UpdateItem",
        "Resource": ledger(scene),
        "Condition": condition,
    }
    grant(scene, lambda held: held.append(statement))


@TABLE.refused_by("dynamodb-ledger-approvals")
def a_healer_that_can_write_any_one_item_if_another_is_its_own(scene: Scene) -> None:
    condition = {"ForAnyValue:StringLike": {LEADING: ["target#*"]}}
    grant(scene, lambda held: [each.update(Condition=condition) for each in puts(held)])


@TABLE.refused_by("dynamodb-ledger-approvals")
def a_healer_that_can_overwrite_everything_at_once(scene: Scene) -> None:
    grant(
        scene, lambda held: [each.update(Action=["dynamodb:UpdateItem"], Condition={}) for each in puts(held)]
    )
