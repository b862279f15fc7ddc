"""Events that a healer fails on go to a destination that does not wake it."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.values import UNKNOWN
from selfheal_policies.wiring import ASYNCHRONOUS


def _asynchronous(graph: Graph, healer: Resource) -> bool:
    """Return whether something invokes a healer asynchronously."""
    links = [link for link in graph.wake_links(healer) if link.target.key == healer.urn]
    return any(link.kind in ASYNCHRONOUS for link in links)


def _mappings(graph: Graph, healer: Resource) -> list[Resource]:
    links = graph.wake_links(healer)
    return [link.via for link in links if link.kind == "mapping" and link.target.key == healer.urn]


def _dead_letters(graph: Graph, mapping: Resource) -> bool:
    """Return whether the queue that a mapping reads, if it is one, gives up on a message at some time."""
    nodes = graph.index.follow_quietly(mapping, "eventSourceArn", (arns.QUEUE,))
    queues = [node.resource for node in nodes if node.kind == arns.QUEUE]
    return not queues or any(
        queue is None
        or isinstance(queue.get("redrivePolicy"), (str, dict))
        or queue.get("redrivePolicy") is UNKNOWN
        for queue in queues
    )


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the healers without a failure destination, and the destinations that wake them."""
    for healer in graph.healer_functions:
        found = graph.wiring.failure_destinations(healer)
        if not found and _asynchronous(graph, healer):
            yield Finding(healer.urn, f"events that healer {healer.name} fails on are lost")
        for holder, node in found:
            if healer.urn in graph.passed_on(node.key):
                yield Finding(
                    holder.urn, f"events that healer {healer.name} fails on go to {node.name}, which wakes it"
                )
        for mapping in _mappings(graph, healer):
            if not _dead_letters(graph, mapping):
                yield Finding(
                    mapping.urn,
                    f"the queue of {mapping.label} has no redrive policy: a message that healer "
                    f"{healer.name} fails on returns until it expires",
                )


RULE = StackRule(
    name="lambda-failure-destination",
    level="mandatory",
    severity="high",
    what="Events that a healer fails on go to a destination that does not wake it.",
    why="A failed event that is dropped hides a broken healer, and one that comes back makes it fail again.",
    fix=(
        "Give the function a FunctionEventInvokeConfig whose on_failure is a queue of its own, and a queue "
        "that wakes it a redrive policy."
    ),
    check=check,
)
