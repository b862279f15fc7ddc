"""IAM policy documents, and roles of functions and services, with a permissions boundary."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from selfheal.components.arns import Arns
from selfheal.functions.shared.contract import Key

Statement = Mapping[str, Any]
"""One statement of a policy document. Its values may be outputs."""


Condition = Mapping[str, Mapping[str, Any]]
"""Values by operator and condition key. They may be outputs."""


def document(statements: Sequence[Statement]) -> Output[str]:
    """Return a policy document as JSON text, each statement once: two things of a role may need the same.

    It uses `Output.json_dumps`: `get_policy_document` loses dependencies while an argument is unknown.
    """
    return Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)}).apply(_once)


def _once(text: str) -> str:
    whole = json.loads(text)
    found: list[Any] = []
    for statement in whole["Statement"]:
        if statement not in found:
            found.append(statement)
    return json.dumps({**whole, "Statement": found})


def allow(
    actions: Sequence[str], resources: Sequence[Input[str]], condition: Condition | None = None
) -> Statement:
    """Return a statement that allows exactly these actions on these resources, under the condition."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


def on_items(*keys: Key) -> Condition:
    """Return the condition that a call only accesses ledger items in the partitions of these keys.

    `*` in a partition is a wildcard. ForAllValues is also true for a call without any key, such as a scan, so
    the condition also requires that there is a key. Source: DynamoDB developer guide, "Using IAM policy
    conditions for fine-grained access control".
    """
    partitions = [key["pk"]["S"] for key in keys]
    operator = "StringLike" if any("*" in partition for partition in partitions) else "StringEquals"
    return {
        f"ForAllValues:{operator}": {"dynamodb:LeadingKeys": partitions},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def write_logs(arns: Arns, group: Input[str]) -> Statement:
    """Return the statement that allows a function to write to its own log group, but not to create it."""
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], [arns.log_streams(group)])


def write_traces() -> Statement:
    """Return the statement that allows a function or a workflow to write traces."""
    # xray:PutTraceSegments and xray:PutTelemetryRecords have no resource level: AWS accepts only `*`.
    return allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])


def deliver_logs() -> Statement:
    """Return the statement that allows a workflow to have its logs delivered to a log group."""
    # They are about deliveries, not about log groups, and AWS accepts only `*`. Source: Step Functions
    # developer guide, "Using CloudWatch Logs to log execution history".
    deliveries = [f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")]
    return allow(
        [
            *deliveries,
            *("logs:ListLogDeliveries", "logs:PutResourcePolicy"),
            *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
        ],
        ["*"],
    )


def function_role(
    name: str,
    statements: Sequence[Statement],
    parent: pulumi.Resource,
    boundary: Input[str] | None = None,
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Register a role that only Lambda can assume, and that is allowed exactly what the statements say.

    Args:
        name: Prefix of the logical names.
        statements: All permissions of the function.
        parent: The parent component.
        boundary: As for `service_role`.

    Returns:
        The role and its policy. A function must depend on the policy, or it could run before it may log.

    """
    return service_role(name, "lambda.amazonaws.com", statements, parent, boundary)


_TELLS_ACCOUNT = frozenset(
    {"events.amazonaws.com", "fis.amazonaws.com", "ssm.amazonaws.com", "states.amazonaws.com"}
)
"""Services that say for which account they assume a role. Sources: EventBridge and Systems Manager user
guides and Step Functions developer guide, "Cross-service confused deputy prevention"; FIS user guide, "IAM
roles for AWS FIS experiments". API Gateway and Lambda document no such key."""


def service_role(
    name: str,
    service: str,
    statements: Sequence[Statement],
    parent: pulumi.Resource,
    boundary: Input[str] | None = None,
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Register a role that only one service can assume, and that is allowed exactly what the statements say.

    Unless there is another one, the permissions boundary is the same as the policy, so policies that are
    attached later add nothing.

    Args:
        name: Prefix of the logical names.
        service: Principal of the service, for example `states.amazonaws.com`.
        statements: All permissions of the role.
        parent: The parent component.
        boundary: ARN of the permissions boundary. A role has only one.

    Returns:
        The role and its policy. What uses the role must depend on the policy.

    """
    options = pulumi.ResourceOptions(parent=parent)
    text = document(statements)
    if boundary is None:
        boundary = aws.iam.Policy(
            f"{name}-boundary",
            description=f"The most that the role of {name} can ever do, whatever is attached to it",
            policy=text,
            opts=options,
        ).arn
    trust: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    if service in _TELLS_ACCOUNT:
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=parent)).account_id
        trust["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    role = aws.iam.Role(
        f"{name}-role",
        assume_role_policy=document([trust]),
        permissions_boundary=boundary,
        opts=options,
    )
    policy = aws.iam.RolePolicy(f"{name}-policy", role=role.name, policy=text, opts=options)
    return role, policy
