"""Managed policies for people: approvers and operators. The team attaches them."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.iam import Statement, allow, document, on_items
from selfheal.components.security import Security, Store
from selfheal.functions.shared.contract import MODE_KEY, Key, request_key


def approver_policy(
    name: str,
    table: pulumi.Output[str],
    function: pulumi.Output[str],
    *,
    arns: Arns,
    security: Security,
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Register the policy for people who may see incidents, approve plans and wake the healer.

    Args:
        name: Prefix of the logical name.
        table: Name of the ledger.
        function: Name of the healer's function.
        arns: Builds ARNs.
        security: Key of the ledger.
        parent: The parent component.

    Returns:
        The policy's ARN, known at preview.

    """
    description = f"May see the incidents of {name} and approve what it proposes"
    return _policy(
        f"{name}-approver", description, _statements(table, function, arns, security), arns, parent
    )


def operator_policy(
    name: str,
    table: pulumi.Output[str],
    function: pulumi.Output[str],
    *,
    arns: Arns,
    security: Security,
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Register the policy for people who may also set the mode and send every command."""
    description = f"May see the incidents of {name}, approve, command it and set its mode"
    statements = _statements(table, function, arns, security, MODE_KEY, request_key("command", "*"))
    return _policy(f"{name}-operator", description, statements, arns, parent)


def _statements(
    table: pulumi.Output[str], function: pulumi.Output[str], arns: Arns, security: Security, *more: Key
) -> list[Statement]:
    return [
        allow(["dynamodb:GetItem", "dynamodb:Scan"], [arns.table(table)]),
        # For all targets: the policy is about the person, not about a list of functions.
        allow(["dynamodb:PutItem"], [arns.table(table)], on_items(request_key("approval", "*"), *more)),
        *security.reads(Store.TABLE),
        # An invocation only makes the healer check the ledger now, instead of within a minute, or rehearse:
        # that changes nothing, and at most sends people a message that says so.
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
