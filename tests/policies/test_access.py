"""What a role may change is found by whichever resource gives it the right."""

import pytest
from selfheal_policies.graph import Graph
from selfheal_policies.rules import iam_role_managed_policies

from tests.policies.rules.stacks import Stack, careful, document, function

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ROLE = "medic-role"


def attached(stack: Stack, way: str, arn: str) -> None:
    """Attach a managed policy to the role of the function that the alarm wakes."""
    match way:
        case "in the role":
            stack.put(ROLE, managedPolicyArns=[arn])
        case "one attachment":
            stack.add("more", "attachment", role=ROLE, policyArn=arn)
        case "to many roles":
            stack.add("more", "attachments", roles=["other", ROLE], policyArn=arn)
        case _:
            stack.add("more", "exclusive", roleName=ROLE, policyArns=[arn])


WAYS = ("in the role", "one attachment", "to many roles", "exclusively")


def without_rights() -> Stack:
    """Return the careful stack with nothing granted to the role."""
    stack = careful()
    del stack.parts["rights"]
    return stack


def healers(graph: Graph) -> list[str]:
    return [healer.name for healer in graph.healers]


def test_a_function_whose_role_allows_nothing_is_no_healer() -> None:
    assert healers(without_rights().graph()) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_managed_policy_makes_a_healer_however_it_is_attached(way: str) -> None:
    stack = without_rights()
    attached(stack, way, ADMINISTRATOR)
    graph = stack.graph()
    assert healers(graph) == ["medic"]
    rule = iam_role_managed_policies.RULE
    config = {key: each["default"] for key, each in rule.schema.items()}
    assert [finding for finding in rule.check(graph, config) if ADMINISTRATOR in finding.message]


@pytest.mark.parametrize("way", WAYS)
def test_a_harmless_managed_policy_makes_none(way: str) -> None:
    stack = without_rights()
    attached(stack, way, BASIC)
    assert healers(stack.graph()) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_policy_of_the_stack_is_read_however_it_is_attached(way: str) -> None:
    stack = without_rights()
    rights = document({"Action": "lambda:UpdateFunctionConfiguration", "Resource": function("orders")})
    stack.add("fix", "managed", policy=rights)
    attached(stack, way, "arn:aws:iam::123456789012:policy/fix")
    assert healers(stack.graph()) == ["medic"]
