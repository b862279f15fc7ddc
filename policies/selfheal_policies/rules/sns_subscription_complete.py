"""A function that a topic or an event rule may invoke is also subscribed to it."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the ways to a healer of which only the permission exists."""
    for healer in graph.healers:
        for link in graph.wake_links(healer):
            if link.kind == "permission":
                yield Finding(
                    link.via.urn,
                    f"{link.via.label} lets an alarm's topic or event rule invoke {link.target.name}, and "
                    "nothing subscribes or targets it",
                )


RULE = StackRule(
    name="sns-subscription-complete",
    level="mandatory",
    severity="critical",
    what="A healer that the topic of an alarm, or a rule on alarms, may invoke is subscribed to it.",
    why="The alarm's notification is delivered to nobody, although the permission suggests otherwise.",
    fix="Add the subscription with protocol lambda (or the event target), or remove the permission.",
    check=check,
)
