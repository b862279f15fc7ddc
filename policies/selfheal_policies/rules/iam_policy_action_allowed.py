"""A healer may call what remedies, evidence and the ledger need, and nothing else."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies.actions import CONTROL, is_on_identities, meaning
from selfheal_policies.grants import Grant
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings

ALLOWED = [
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "lambda:DeleteFunctionConcurrency",
    "lambda:GetAlias",
    "lambda:GetEventSourceMapping",
    "lambda:GetFunction",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:ListVersionsByFunction",
    "lambda:PutFunctionConcurrency",
    "lambda:UpdateAlias",
    "lambda:UpdateEventSourceMapping",
    "lambda:UpdateFunctionConfiguration",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sns:Publish",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "states:StartExecution",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
]
"""Reading alarms, metrics and the target; reversible changes of the target; the ledger; telling people; keys.

A grant gives others the use of a key. It is for the environment of a function, and
iam-policy-writes-on-targets refuses it unless a condition limits it to a target's.

What is missing on purpose: changing code, deleting a function, writing metrics (a healer that can write them
can make up its own evidence), and invoking a function: whoever declares a probe adds lambda:InvokeFunction.
"""


def problems(grant: Grant, allowed: AbstractSet[str], *, changes_only: bool) -> Iterable[Finding]:
    """Yield the actions that are not on the list. Other rules judge wildcards and actions on identities."""
    for statement in grant.document.allowing:
        for action in statement.single_actions:
            if changes_only and meaning(action) != CONTROL:
                continue
            if action.lower() not in allowed and not is_on_identities(action):
                yield Finding(
                    grant.urn, f"{grant.where} allows {action}, which is not on the configured list"
                )


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the actions in the policies of healers that the configuration does not name."""
    allowed = {action.lower() for action in (*config["actions"], *config["moreActions"])}
    for grant in graph.grants:
        yield from problems(grant, allowed, changes_only=graph.is_of_actuators(grant))


RULE = StackRule(
    name="iam-policy-action-allowed",
    level="mandatory",
    severity="high",
    what=(
        "The policies of a healer's role allow only actions that the configuration names; those of what only "
        "a healer starts allow only such changes."
    ),
    why="An action that no remedy needs is only used by mistake or by an attacker, and may be irreversible.",
    fix=(
        "Remove the action, or, if a remedy of yours needs it, add it to `moreActions` of this policy. "
        "Targets with a probe need lambda:InvokeFunction there."
    ),
    schema={
        "actions": strings("Actions that a healer may be allowed. Case does not matter.", ALLOWED),
        "moreActions": strings("Actions beside those, so that the list need not be repeated to be extended."),
    },
    check=check,
)
