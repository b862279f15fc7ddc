"""The logs of healers, APIs and workflows are kept long enough to explain an incident, and not for ever."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, integer
from selfheal_policies.values import UNKNOWN, number


def is_group_of(group: Resource, healer: Resource) -> bool:
    """Return whether a log group is a healer's: the one it names, or the one that Lambda names after it."""
    chosen = healer.get("loggingConfig", "logGroup")
    if chosen is UNKNOWN:
        return group.urn in healer.references.get("loggingConfig", ())
    name = group.get("name")
    if isinstance(chosen, str):
        return chosen == name
    if name is UNKNOWN:
        return healer.urn in group.references.get("name", ())
    return name == f"/aws/lambda/{healer.get('name')}"


LOGGING = (
    (types.API_STAGE, "accessLogSettings", ("destinationArn",)),
    (types.HTTP_API_STAGE, "accessLogSettings", ("destinationArn",)),
    (types.STATE_MACHINE, "loggingConfiguration", ("logDestination",)),
)
"""What names the log group that it writes to, in which property, and where in its data."""


def named(graph: Graph) -> Iterable[tuple[Resource, Resource]]:
    """Yield the log groups of this stack that APIs and workflows write to, each with who writes there."""
    for type_, key, path in LOGGING:
        for owner in graph.index.of(type_):
            for node in graph.index.follow(owner, key, (arns.LOG_GROUP,), *path):
                if node.resource:
                    yield node.resource, owner


def problems(group: Resource, writer: str, least: float, most: float) -> Iterable[Finding]:
    """Yield why a log group keeps too little or too much. 0 and nothing are for ever."""
    days = number(group.get("retentionInDays"))
    subject = f"log group {group.name} of {writer}"
    if days is UNKNOWN:
        yield Finding(group.urn, f"the retention of {subject} is not known at preview")
    elif not days:
        yield Finding(
            group.urn, f"{subject} keeps its logs for ever; {least:g} to {most:g} days are expected"
        )
    elif not least <= days <= most:
        yield Finding(
            group.urn, f"{subject} keeps its logs {days:g} days; {least:g} to {most:g} are expected"
        )


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the log groups whose retention nobody has decided about, and the healers without one."""
    least, most = config["minimumDays"], config["maximumDays"]
    for group, owner in named(graph):
        yield from problems(group, owner.label, least, most)
    for healer in graph.healer_functions:
        groups = [group for group in graph.index.of(types.LOG_GROUP) if is_group_of(group, healer)]
        if not groups:
            yield Finding(
                healer.urn,
                f"no log group of this stack is healer {healer.name}'s, so its logs are kept for ever",
            )
        for group in groups:
            yield from problems(group, f"healer {healer.name}", least, most)


RULE = StackRule(
    name="cloudwatch-log-group-retention",
    level="advisory",
    resilience=True,
    severity="low",
    what="A healer's log group is declared; it has a retention, as have those of API stages and workflows.",
    why="Deleted logs cannot explain an incident, and logs that never expire cost more every month.",
    fix="Declare the LogGroup with retention_in_days; name a healer's in the function's logging_config.",
    schema={
        "minimumDays": integer("Fewest days that logs are kept.", 7),
        "maximumDays": integer("Most days that logs are kept.", 400),
    },
    check=check,
)
