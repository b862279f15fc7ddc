"""A healer's policy names every resource in full."""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies.conditions import functions_of, is_mapping
from selfheal_policies.documents import Statement
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.rules._facts import distinct
from selfheal_policies.rules._grants import Grant, grants, has_wildcard, is_privilege, literals
from selfheal_policies.values import Missing

NO_RESOURCE_LEVEL = [
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
]
"""Source: Service Authorization Reference, the tables of CloudWatch and X-Ray: no resource type."""

_LOG_STREAMS = re.compile(r"arn:[^:*?]+:logs:[^:*?]+:[^:*?]+:log-group:[^:*?]+:(\*|log-stream:.+)")
"""All streams of one log group: the stream's name is made up by Lambda, so there is nothing narrower."""


def is_wildcard(resource: str) -> bool:
    """Return whether a resource stands for more than one thing. A policy variable may become anything."""
    return (has_wildcard(resource) or "${" in resource) and not _LOG_STREAMS.fullmatch(resource)


def problems(grant: Grant, levelless: AbstractSet[str], accepted: AbstractSet[str]) -> Iterable[Finding]:
    """Yield the resources of what is allowed that stand for more than one, or are not known."""
    for statement in grant.document:
        actions = [action for action in _judged(statement) if action.lower() not in levelless]
        if not actions:
            continue
        what = f"{grant.where} allows {', '.join(actions)} on"
        if statement.not_resources:
            yield Finding(grant.urn, f"{what} everything but what its NotResource names")
        for resource in statement.resources:
            if isinstance(resource, Missing):
                yield Finding(grant.urn, f"{what} a resource that is not known at preview, so maybe any")
            # The mappings of functions that a condition names in full: their UUIDs say nothing to anyone.
            elif is_mapping(resource) and functions_of(statement):
                continue
            elif is_wildcard(resource) and resource not in accepted:
                yield Finding(grant.urn, f"{what} {resource}, which stands for many resources")


def _judged(statement: Statement) -> list[str]:
    """Return the actions for which the resource matters: the rest is refused on whatever it is allowed."""
    if not statement.allows:
        return []
    return [action for action in literals(statement) if not is_privilege(action)]


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the wildcard resources in the policies of healers."""
    levelless = {action.lower() for action in config["actionsWithoutResourceLevel"]}
    accepted = set(config["accepted"])
    for grant in grants(graph):
        yield from distinct(problems(grant, levelless, accepted))


RULE = StackRule(
    name="iam-policy-resource-wildcard",
    level="mandatory",
    severity="critical",
    what=(
        "No policy of a healer's role allows an action on `*`, on an ARN with a wildcard in it, or on "
        "NotResource, save actions that have no resource level, the streams of one log group, and event "
        "source mappings that a condition on lambda:FunctionArn limits to functions named in full."
    ),
    why="A healer that may change every function turns one bad decision into an outage of everything.",
    fix=(
        "Name the resource: Output.concat of the ARN's parts and the resource's name is known at preview and "
        "keeps the dependency."
    ),
    schema={
        "actionsWithoutResourceLevel": {
            "type": "array",
            "items": {"type": "string"},
            "default": NO_RESOURCE_LEVEL,
            "description": "Actions for which AWS accepts nothing narrower than `*`.",
        },
        "accepted": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Resources with a wildcard that are accepted exactly as written.",
        },
    },
    check=check,
)
