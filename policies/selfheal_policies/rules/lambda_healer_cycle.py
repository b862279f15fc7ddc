"""No healer wakes itself, not even through other healers."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.graph import Graph
from selfheal_policies.publishing import published
from selfheal_policies.rule import Config, Finding, StackRule, listed


def ringing(graph: Graph) -> dict[str, dict[str, str]]:
    """Return, by URN, which healers a healer wakes by metrics that it publishes, each with how."""
    return {
        healer.urn: {
            other.urn: how
            for alarm, how in published(graph, healer)
            for other in graph.healers
            if graph.wakes(alarm, other)
        }
        for healer in graph.healers
    }


def waking(graph: Graph) -> dict[str, set[str]]:
    """Return, by URN, which healers a healer wakes: by what it starts, or by an alarm on what it changes.

    That an alarm on its target wakes the same healer again is the healing loop itself. Two healers that both
    may change the watched function are no cycle either: the alarm does not depend on which of them acted.
    """
    healers = {healer.urn for healer in graph.healers}
    changed = {
        healer.urn: {node.key for _, node in graph.controls(healer) if node.kind == arns.FUNCTION}
        for healer in graph.healers
    }
    woken_over: dict[str, set[str]] = {}
    for healer in graph.healers:
        for key in graph.targets_of(healer):
            woken_over.setdefault(key, set()).add(healer.urn)
    edges: dict[str, set[str]] = {}
    for urn, functions in changed.items():
        edges[urn] = {
            other for key in functions for other in woken_over.get(key, ()) if key not in changed[other]
        }
    for healer in graph.healers:
        edges[healer.urn] |= healers & graph.causes(healer)
    return edges


def in_cycles(edges: dict[str, set[str]]) -> set[str]:
    """Return the keys from which a way leads back to themselves (Tarjan's strongly connected components)."""
    found = {key for key, others in edges.items() if key in others}
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    undecided: list[str] = []
    for root, first in edges.items():
        path = [] if root in order else [root]
        left = {root: iter(first)}
        while path:
            key = path[-1]
            if key not in order:
                order[key] = lowest[key] = len(order)
                undecided.append(key)
            fresh = next((other for other in left[key] if other not in order), None)
            if fresh is not None:
                path.append(fresh)
                left[fresh] = iter(edges.get(fresh, ()))
                continue
            path.pop()
            # Those that are decided belong to another component, and are in `order` only.
            lowest[key] = min(
                (lowest[each] for each in edges.get(key, ()) if each in lowest), default=order[key]
            )
            lowest[key] = min(lowest[key], order[key])
            if lowest[key] == order[key]:
                start = undecided.index(key)
                together = undecided[start:]
                del undecided[start:]
                found.update(together if len(together) > 1 else ())
                for each in together:
                    del lowest[each]
    return found


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the healers that wake themselves."""
    edges, rung = waking(graph), ringing(graph)
    looping = in_cycles({urn: others | rung[urn].keys() for urn, others in edges.items()})
    for healer in graph.healers:
        if healer.urn in looping:
            others = {each.name for each in graph.healers if each.urn in looping and each is not healer}
            way = f" through healer {listed(others)}" if others else ""
            own = rung[healer.urn]
            how = next((own[urn] for urn in (healer.urn, *sorted(looping)) if urn in own), "")
            yield Finding(healer.urn, f"healer {healer.name} wakes itself{way}{how and f': {how}'}")


RULE = StackRule(
    name="lambda-healer-cycle",
    level="mandatory",
    severity="critical",
    what=(
        "No healer wakes itself: by what it sends, starts, stores, logs or returns, also through others that "
        "this wakes, by a metric that it publishes, or by changing a function whose alarm wakes another "
        "healer that leads back to it."
    ),
    why="Each act causes the next one, and the automation makes the incident that it is fighting.",
    fix=(
        "Take away the right to send or invoke, or the subscription, notification or destination that leads "
        "back; limit cloudwatch:PutMetricData by the condition cloudwatch:namespace to a namespace of its "
        "own; or let each function be changed by one healer only, the one that its alarms wake."
    ),
    check=check,
)
