"""A healer's policy names every resource in full."""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies.actions import CONTROL, is_on_identities, meaning
from selfheal_policies.documents import is_mapping, is_pattern
from selfheal_policies.grants import Grant
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import Missing

NO_RESOURCE_LEVEL = [
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
]
"""Source: Service Authorization Reference, the tables of CloudWatch and X-Ray: no resource type. But for
DescribeAlarms, of which the CloudWatch API reference says that composite alarms need `*`."""

_LOG_STREAMS = re.compile(r"arn:[^:*?]+:logs:[^:*?]+:[^:*?]+:log-group:[^:*?]+:(\*|log-stream:.+)")
"""All streams of one log group: Lambda makes up the name of a stream, so nothing is narrower."""

_VERSIONS = re.compile(r"arn:[^:*?]+:lambda:[^:*?]+:[^:*?]+:function:[^:*?]+:\*")
"""All versions and aliases of one function: Lambda makes up the numbers of versions."""

_OF_VERSIONS = frozenset({"lambda:getfunctionconfiguration"})
"""What may be allowed on them: to read whether a version can run, before an alias is rolled back to it."""


def is_wildcard(resource: str) -> bool:
    """Return whether a resource stands for more than one thing."""
    return is_pattern(resource) and not _LOG_STREAMS.fullmatch(resource)


def _reads_versions(resource: str, actions: Iterable[str]) -> bool:
    return bool(_VERSIONS.fullmatch(resource)) and {each.lower() for each in actions} <= _OF_VERSIONS


def problems(
    grant: Grant, levelless: AbstractSet[str], accepted: AbstractSet[str], *, changes_only: bool
) -> Iterable[Finding]:
    """Yield the resources of what is allowed that stand for more than one, or are not known."""
    for statement in grant.document.allowing:
        actions = [
            action
            for action in statement.single_actions
            # An action on identities is refused whatever its resource.
            if action.lower() not in levelless
            and not is_on_identities(action)
            and not (changes_only and meaning(action) != CONTROL)
        ]
        if not actions:
            continue
        what = f"{grant.where} allows {', '.join(actions)} on"
        if statement.not_resources:
            yield Finding(grant.urn, f"{what} everything but what its NotResource names")
        for resource in statement.resources:
            if isinstance(resource, Missing):
                yield Finding(grant.urn, f"{what} a resource that is not known at preview, so maybe any")
            # Nobody knows the UUIDs of mappings; a condition on their functions, named in full, is narrower.
            elif (is_mapping(resource) and statement.functions()) or _reads_versions(resource, actions):
                continue
            elif is_wildcard(resource) and resource not in accepted:
                yield Finding(grant.urn, f"{what} {resource}, which stands for many resources")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the wildcard resources in the policies of healers."""
    levelless = {action.lower() for action in config["actionsWithoutResourceLevel"]}
    accepted = set(config["accepted"])
    for grant in graph.grants:
        yield from problems(grant, levelless, accepted, changes_only=graph.is_of_actuators(grant))


RULE = StackRule(
    name="iam-policy-resource-wildcard",
    level="mandatory",
    severity="critical",
    what=(
        "No policy of a healer's role allows an action on `*`, on an ARN with a wildcard in it, or on "
        "NotResource, save actions that have no resource level, the streams of one log group, "
        "lambda:GetFunctionConfiguration on the versions of one function, and event source mappings that a "
        "condition on lambda:FunctionArn limits to functions named in full."
    ),
    why="A healer that may change every function turns one bad decision into an outage of everything.",
    fix=(
        "Name the resource: Output.concat of the ARN's parts and the resource's name is known at preview and "
        "keeps the dependency."
    ),
    schema={
        "actionsWithoutResourceLevel": strings(
            "Actions for which AWS accepts nothing narrower than `*`.", NO_RESOURCE_LEVEL
        ),
        "accepted": strings("Resources with a wildcard that are accepted exactly as written."),
    },
    check=check,
)
