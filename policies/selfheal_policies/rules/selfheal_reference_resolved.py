"""Every reference that could lead to a healer can be resolved."""

from collections.abc import Collection, Iterable

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.index import Unresolved
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.wiring import PAIRS


def may_lead_to(graph: Graph, each: Unresolved, changing: Collection[str]) -> bool:
    """Return whether a reference may be a part of a way from an alarm to what changes something.

    It is none if its other end is known, and leads to nothing of the kind, or is reached by no alarm.
    """
    for pair in (pair for pair in PAIRS if pair.type == each.resource.type):
        if each.property == pair.source:
            woken = graph.index.follow_quietly(each.resource, pair.target, pair.target_kinds)
            return not woken or any(not graph.passed_on(node.key).isdisjoint(changing) for node in woken)
        if each.property == pair.target:
            waking = graph.index.follow_quietly(each.resource, pair.source, pair.source_kinds)
            return not waking or any(node.key in graph.keys_reached for node in waking)
    return True


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the references that cannot be followed, in a stack in which someone may change something."""
    actors = graph.index.of(*types.ACTORS)
    changing = {actor.urn for actor in (*graph.healers, *graph.suspects)}
    changing |= {actor.urn for actor in actors if graph.access(actor).controls}
    # Where nothing changes anything, a reference that leads nowhere hides no healer.
    for each in graph.unresolved if changing - {actor.urn for actor in graph.suspects} else ():
        if not may_lead_to(graph, each, changing):
            continue
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
