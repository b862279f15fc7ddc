"""A healer's rights are declared in its stack, not in a policy that others can change."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies.grants import Attachment, attachments_of
from selfheal_policies.graph import Graph
from selfheal_policies.managed import aws_name
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import Missing

BASIC_EXECUTION = "service-role/AWSLambdaBasicExecutionRole"


def problems(attachment: Attachment, accepted: AbstractSet[str]) -> Iterable[Finding]:
    """Yield an attached policy that is not accepted. One of this stack is judged by what it says."""
    if attachment.policy is not None:
        return
    if isinstance(attachment.arn, Missing):
        yield Finding(
            attachment.resource.urn,
            f"{attachment.where} a policy that is not known at preview and is none of this stack",
        )
    elif attachment.arn not in accepted and aws_name(attachment.arn) not in accepted:
        yield Finding(attachment.resource.urn, f"{attachment.where} {attachment.arn}")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the policies from outside that are attached to the roles of healers."""
    accepted = set(config["accepted"])
    for role in graph.roles:
        for attachment in attachments_of(graph.index, role):
            yield from problems(attachment, accepted)


RULE = StackRule(
    name="iam-role-managed-policies",
    level="mandatory",
    severity="high",
    what=(
        "No managed policy is attached to a healer's role, however attached, save those that the "
        "configuration names and those that this stack declares, which are read like its own."
    ),
    why="A managed policy allows far more than a remedy needs, and changes without a deployment of yours.",
    fix="Remove it, and allow the actions that the remedy calls in a policy of this stack.",
    schema={
        "accepted": strings(
            "Managed policies that are accepted: their ARN or, of a policy of AWS, what follows `:policy/`.",
            [BASIC_EXECUTION],
        ),
    },
    check=check,
)
