"""A healer may not change itself or what wakes it."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the changes that a healer may make to itself, its role, or what wakes it."""
    for healer in graph.healers:
        own = graph.parts_of(healer)
        for write, node in graph.controls(healer):
            if node.key in own:
                yield Finding(
                    write.source.urn,
                    f"healer {healer.name} may {write.action} on {node.name}, which is part of itself",
                )


RULE = StackRule(
    name="iam-policy-nothing-on-itself",
    level="mandatory",
    severity="critical",
    what="No healer may change itself, its role, or the alarms, topics, queues and rules that wake it.",
    why="A healer that can change itself can remove every limit that it was given, or disable its alarms.",
    fix="Leave its own resources out of the statement.",
    check=check,
)
