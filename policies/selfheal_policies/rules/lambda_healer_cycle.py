"""No healer wakes itself, not even through other healers."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, listed


def called(graph: Graph, healer: Resource) -> set[str]:
    """Return the keys of what a healer wakes by sending, publishing or invoking."""
    nodes = [wake.named(graph.index) for wake in graph.access(healer).wakes]
    return {key for node in nodes if node for key in graph.reach(node.key)}


def waking(graph: Graph) -> dict[str, set[str]]:
    """Return, by URN, which healers a healer wakes: by a call, or by an alarm on a function that it changes.

    That an alarm on its target wakes the same healer again is the healing loop itself. Two healers that both
    may change the watched function are no cycle either: the alarm does not depend on which of them acted.
    """
    changed = {
        healer.urn: {node.key for _, node in graph.controls(healer) if node.kind == arns.FUNCTION}
        for healer in graph.healers
    }
    edges: dict[str, set[str]] = {}
    for healer in graph.healers:
        calls = called(graph, healer)
        edges[healer.urn] = {other.urn for other in graph.healers if other.urn in calls}
        for other in graph.healers:
            own = changed[healer.urn] - changed[other.urn]
            if any(graph.wiring.watched(alarm) & own for alarm in graph.alarms_of(other)):
                edges[healer.urn].add(other.urn)
    return edges


def in_cycles(edges: dict[str, set[str]]) -> set[str]:
    """Return the keys from which a way leads back to themselves."""
    found: set[str] = set()
    for start, first in edges.items():
        seen: set[str] = set()
        todo = list(first)
        while todo:
            key = todo.pop()
            if key not in seen:
                seen.add(key)
                todo += edges.get(key, ())
        if start in seen:
            found.add(start)
    return found


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the healers that wake themselves."""
    edges = waking(graph)
    looping = in_cycles(edges)
    for healer in graph.healers:
        if healer.urn in looping:
            others = {each.name for each in graph.healers if each.urn in looping and each is not healer}
            way = f" through healer {listed(others)}" if others else ""
            yield Finding(healer.urn, f"healer {healer.name} wakes itself{way}")


RULE = StackRule(
    name="lambda-healer-cycle",
    level="mandatory",
    severity="critical",
    what=(
        "No healer wakes itself: by publishing to what wakes it, by invoking itself, or by changing a "
        "function whose alarm wakes another healer that leads back to it."
    ),
    why="Each act causes the next one, and the automation makes the incident that it is fighting.",
    fix=(
        "Take away the right to publish or invoke, or let each function be changed by one healer only, the "
        "one that its alarms wake."
    ),
    check=check,
)
