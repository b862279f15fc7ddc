"""What a team attaches to its people: managed policies that say who may approve and who may operate."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.iam import Statement, allow, document, on_items
from selfheal.functions.shared.contract import MODE_KEY, Key, request_key


def approver_policy(
    name: str, table: pulumi.Output[str], function: pulumi.Output[str], arns: Arns, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Register the policy of those who may see incidents, approve plans and wake the healer.

    Args:
        name: Prefix of the logical name.
        table: Name of the ledger.
        function: Name of the healer's function.
        arns: Of this account.
        parent: The component it belongs to.

    Returns:
        Its ARN, known at preview.

    """
    description = f"May see the incidents of {name} and approve what it proposes"
    return _policy(f"{name}-approver", description, _statements(table, function, arns), arns, parent)


def operator_policy(
    name: str, table: pulumi.Output[str], function: pulumi.Output[str], arns: Arns, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Register the policy of those who may besides set the mode, roll back, release, restore and accept."""
    description = f"May see the incidents of {name}, approve, command it and set its mode"
    statements = _statements(table, function, arns, MODE_KEY, request_key("command", "*"))
    return _policy(f"{name}-operator", description, statements, arns, parent)


def _statements(
    table: pulumi.Output[str], function: pulumi.Output[str], arns: Arns, *more: Key
) -> list[Statement]:
    return [
        allow(["dynamodb:GetItem", "dynamodb:Scan"], [arns.table(table)]),
        # Every target: who may approve is a person, not a list of functions.
        allow(["dynamodb:PutItem"], [arns.table(table)], on_items(request_key("approval", "*"), *more)),
        # The nudge: it only makes the healer look, at what the ledger says, now and not in a minute.
        allow(["lambda:InvokeFunction"], [arns.function(function)]),
    ]


def _policy(
    name: str, description: str, statements: Sequence[Statement], arns: Arns, parent: pulumi.Resource
) -> pulumi.Output[str]:
    policy = aws.iam.Policy(
        name,
        description=description,
        policy=document(statements),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return arns.policy(policy.name)
