"""The role of an experiment makes its faults, and nothing else."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies import arns
from selfheal_policies.actions import READ, meaning
from selfheal_policies.documents import Statement, has_wildcard, is_pattern, parse
from selfheal_policies.experiments import AUTOMATION, LAMBDA, actions, roles_of, templates
from selfheal_policies.grants import attachments_of, grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.index import Index
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import Missing

SERVICE = "fis.amazonaws.com"

LOGS = frozenset({"logs:createlogdelivery", "logs:putresourcepolicy"})
"""With which an experiment has its log delivered. They have no resource level. Source: CloudWatch Logs user
guide, "Logs sent to CloudWatch Logs"."""

NEEDED = {
    LAMBDA: frozenset({"s3:deleteobject", "s3:putobject"}),
    AUTOMATION: frozenset(
        {"iam:passrole", "ssm:startautomationexecution", "ssm:stopautomationexecution"},
    ),
}
"""How the id of an action begins, to the changes that it needs. Source: FIS user guide, "AWS FIS Actions
reference"."""

_RUNS = ":automation-execution/*"
"""All automations that were started: AWS makes their ids up."""


def needed(template: Resource) -> frozenset[str]:
    """Return the changes, in lower case, that the faults of a template need."""
    ids = [action.id for action in actions(template) if isinstance(action.id, str)]
    found = [names for start, names in NEEDED.items() if any(each.startswith(start) for each in ids)]
    return LOGS.union(*found)


def too_much(statement: Statement, wanted: AbstractSet[str]) -> Iterable[str]:
    """Yield what a statement allows beyond the changes that are needed, as ends of sentences."""
    if statement.not_actions:
        yield "allows everything but what its NotAction names"
    if statement.not_resources:
        yield "allows it on everything but what its NotResource names"
    for action in statement.actions:
        if isinstance(action, Missing):
            yield "allows an action that is not known at preview"
        elif has_wildcard(action):
            yield f"allows {action}, which stands for many actions"
        elif meaning(action) == READ or action.lower() in LOGS:
            continue
        elif action.lower() not in wanted:
            yield f"allows {action}, which its faults do not need"
        else:
            for resource in statement.resources:
                if _is_wide(resource):
                    what = resource if isinstance(resource, str) else "what is not known at preview"
                    yield f"allows {action} on {what}, which may be anything"


def _is_wide(resource: str | Missing) -> bool:
    if isinstance(resource, Missing):
        return True
    arn = arns.parse_arn(resource)
    if arn is None or is_pattern(arn.account + arn.region):
        return True
    # Of a bucket the name counts: what FIS calls its objects is its own matter.
    return is_pattern(arn.name) and not resource.endswith(_RUNS)


def problems(index: Index, role: Resource, wanted: AbstractSet[str]) -> Iterable[Finding]:
    """Yield whom a role trusts beside FIS, and what it may do beside its faults."""
    trust = parse(role.get("assumeRolePolicy"))
    if trust.problem:
        yield Finding(role.urn, f"the trust policy of role {role.name} {trust.problem}")
    for statement in trust.allowing:
        for stranger in statement.strangers({SERVICE}):
            yield Finding(role.urn, f"role {role.name}, of an experiment, can be assumed by {stranger}")
    for grant in grants_of(index, role):
        if grant.document.problem:
            yield Finding(grant.urn, f"{grant.where}, of an experiment, {grant.document.problem}")
        for statement in grant.document.allowing:
            for told in too_much(statement, wanted):
                yield Finding(grant.urn, f"{grant.where}, of an experiment, {told}")
    for attachment in attachments_of(index, role):
        if attachment.policy is None:
            what = attachment.arn if isinstance(attachment.arn, str) else "a policy that is not known"
            yield Finding(attachment.resource.urn, f"{attachment.where} {what}, which cannot be read here")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the roles of experiments that may do more than their faults need."""
    accepted = {action.lower() for action in config["actions"]}
    wanted: dict[str, frozenset[str]] = {}
    roles: dict[str, Resource] = {}
    for template in templates(graph.index):
        nodes = roles_of(graph.index, template)
        if not nodes or any(node.resource is None for node in nodes):
            if not isinstance(template.get("roleArn"), str) or template.get("roleArn") not in config["roles"]:
                yield Finding(template.urn, f"the role of {template.label} is none of this stack")
            continue
        for role in (node.resource for node in nodes if node.resource):
            roles[role.urn] = role
            wanted[role.urn] = wanted.get(role.urn, frozenset()) | needed(template) | accepted
    for urn, role in roles.items():
        yield from problems(graph.index, role, wanted[urn])


RULE = StackRule(
    name="fis-role-narrow",
    level="mandatory",
    severity="critical",
    what=(
        "The role of an experiment of AWS FIS trusts FIS only, and may change nothing but what its faults "
        "need, each on resources that are named."
    ),
    why="Whoever may start the experiment, or change its template, can do whatever its role can.",
    fix=(
        "For faults of functions allow s3:PutObject and s3:DeleteObject on the configuration bucket; for an "
        "automation ssm:StartAutomationExecution on its document and iam:PassRole on its role; and the "
        "delivery of logs. Managed policies of AWS allow far more."
    ),
    schema={
        "actions": strings("Further IAM actions that experiments may do, each on resources that are named."),
        "roles": strings("ARNs of roles of experiments that are declared elsewhere and trusted."),
    },
    check=check,
)
