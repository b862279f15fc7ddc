"""Every reference that could lead to a healer can be resolved."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the references that cannot be followed, in a stack in which someone may change something."""
    # Where nothing changes anything, a reference that leads nowhere hides no healer.
    actors = graph.index.of(*types.ACTORS)
    if not graph.healers and not any(graph.access(actor).controls for actor in actors):
        return
    for each in graph.unresolved:
        yield Finding(
            each.resource.urn,
            f"`{each.property}` of {each.resource.label} is not known at preview and depends on no resource "
            "of this stack that it could mean, or on several",
        )


RULE = StackRule(
    name="selfheal-reference-resolved",
    level="mandatory",
    severity="high",
    what="In a stack with a healer, every reference by which something is woken can be resolved at preview.",
    why="What cannot be resolved may wake a healer in a way that no other rule has judged.",
    fix=(
        "Use the resource's own output (one resource for each entry of a list), or a literal ARN: "
        "Output.concat from names is known at preview and keeps the dependency."
    ),
    check=check,
)
