"""Each source that wakes a healer has a Lambda permission of its own, and nothing else has one."""

from collections.abc import Iterable, Iterator

from selfheal_policies import arns
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.values import ABSENT, UNKNOWN, text
from selfheal_policies.wiring import Link

PRINCIPALS = {
    "subscription": "sns.amazonaws.com",
    "event-target": "events.amazonaws.com",
    "action": "lambda.alarms.cloudwatch.amazonaws.com",
}
"""Kind of link to the service that then invokes the function. Mappings and state machines need none."""

SOURCES = (arns.TOPIC, arns.RULE, arns.ALARM)


def unscoped(permission: Resource) -> str:
    """Return how a permission is open to more than one source, as the end of a sentence; empty if not."""
    principal, source = text(permission.get("principal")), text(permission.get("sourceArn"))
    if principal == "*":
        return "lets anybody invoke it (principal *)"
    if isinstance(principal, str) and not principal.endswith(".amazonaws.com"):
        return ""  # an account or a role: an identity, and no service that speaks for anybody
    if source is ABSENT:
        return "names no source_arn, so that any account's topic or rule may invoke it"
    if isinstance(source, str) and "*" in source and ":sns:" in source:
        return f"is open to many topics (source_arn {source})"
    return ""


def lacking(graph: Graph, healer: Resource, link: Link) -> str:
    """Return what permission a link into a healer lacks, as a sentence; empty if it has one."""
    wanted = PRINCIPALS.get(link.kind)
    if wanted is None or link.target.key != healer.urn:
        return ""
    elsewhere = ""
    for permission, function in graph.wiring.permissions(healer):
        if text(permission.get("principal")) not in (wanted, UNKNOWN) or not _names(graph, permission, link):
            continue
        if _qualifier(function.qualifier) == _qualifier(link.target.qualifier):
            return ""
        elsewhere = (
            f" (there is one for {function.qualifier or 'no alias'}, and the invocation names "
            f"{link.target.qualifier or 'no alias'})"
        )
    return f"no permission lets {wanted} invoke healer {healer.name} by way of {link.via.label}{elsewhere}"


def _names(graph: Graph, permission: Resource, link: Link) -> bool:
    """Return whether a permission's source is the link's, or is missing, which is another finding."""
    if text(permission.get("sourceArn")) is ABSENT:
        return True
    return link.source in {
        node.key for kind in SOURCES for node in graph.index.of_kind(permission, "sourceArn", kind)
    }


def _qualifier(qualifier: str) -> str:
    return "" if qualifier == "$LATEST" else qualifier


def _links(graph: Graph, healer: Resource) -> Iterator[Link]:
    yield from graph.wake_links(healer)
    # Its schedule, and rules on alarms of other stacks, wake it as well.
    yield from (
        link for link in graph.wiring.links() if link.kind == "event-target" and link.target.key == healer.urn
    )


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the links without a permission, and the permissions that are open to more than one source."""
    for healer in graph.healer_functions:
        permissions = [permission for permission, _ in graph.wiring.permissions(healer)]
        problems = [(each, problem) for each in permissions if (problem := unscoped(each))]
        for permission, problem in problems:
            yield Finding(permission.urn, f"{permission.label} of healer {healer.name} {problem}")
        # Which links lack a permission shows only once every permission is for one source.
        for link in _links(graph, healer) if not problems else ():
            if problem := lacking(graph, healer, link):
                yield Finding(link.via.urn, problem)


RULE = StackRule(
    name="lambda-permission-scoped",
    level="mandatory",
    severity="critical",
    what=(
        "Each topic, alarm and event rule that wakes a healer may invoke it by a permission for exactly that "
        "source and the same alias, and no permission is open to others."
    ),
    why="Without it the healer is never woken; with one that is too wide, any account can wake it at will.",
    fix=(
        "Add a permission with the service as principal, the ARN of the topic, alarm or rule as source_arn, "
        "and the qualifier that the subscription or target names."
    ),
    check=check,
)
