"""A function has one healer: two undo each other, and neither's evidence is about its own change."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings

PAUSES = "lambda:updateeventsourcemapping"
"""All that a circuit breaker does: it holds messages back while what they call is down."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers that may change a function that another healer may change."""
    accepted = set(config["shared"])
    first: dict[str, list[Resource]] = {}
    groups = _groups(graph)
    for healer in graph.healers:
        for key in sorted(_functions(graph, healer)):
            function = graph.index.by_urn.get(key)
            name = function.name if function else key.partition(":")[2]
            held = first.setdefault(key, [])
            other = next((each for each in held if groups[each.urn] != groups[healer.urn]), None)
            if other and name not in accepted:
                yield Finding(
                    healer.urn,
                    f"healers {other.name} and {healer.name} may both change function {name}",
                    about=healer.urn,
                )
            held.append(healer)


def _functions(graph: Graph, healer: Resource) -> set[str]:
    """Return the keys of the functions that a healer may change; none for a breaker."""
    controls = [
        (write, node) for write, node in graph.controls(healer) if node.kind in (arns.FUNCTION, arns.MAPPING)
    ]
    if all(write.action.lower() == PAUSES for write, _ in controls):
        return set()
    return {node.key for _, node in controls if node.kind == arns.FUNCTION} - {healer.urn}


def _groups(graph: Graph) -> dict[str, str]:
    """Return for each actor what stands for all that belong together: what starts another is one with it.

    So the steps of a workflow are one healer, and what a healer calls is a part of it.
    """
    group = {actor.urn: actor.urn for actor in graph.index.of(*types.ACTORS)}

    def root(urn: str) -> str:
        while group[urn] != urn:
            group[urn] = group[group[urn]]
            urn = group[urn]
        return urn

    for actor in graph.reached:
        started = [node.key for node in graph.access(actor).invokes]
        started += [link.target.key for link in graph.wiring.links_from(actor.urn)]
        for key in started:
            if key in group:
                group[root(key)] = root(actor.urn)
    return {urn: root(urn) for urn in group}


RULE = StackRule(
    name="lambda-healer-alone",
    level="mandatory",
    severity="high",
    what="A function is changed by one healer, whatever that is made of.",
    why="Two healers undo each other, act past each other's budget, and judge by each other's changes.",
    fix=(
        "Let one healer have all alarms and remedies of the function. Two that really share one name it in "
        "`shared`."
    ),
    schema={
        "shared": strings("Names of functions that several healers may change."),
    },
    check=check,
)
