"""What a healer may change, sorted by what it is."""

from collections.abc import Iterator

from selfheal_policies import arns
from selfheal_policies.access import Write
from selfheal_policies.graph import Graph
from selfheal_policies.index import Node
from selfheal_policies.resources import Resource


def named_writes(graph: Graph, healer: Resource) -> Iterator[tuple[Write, Node]]:
    """Return the changes of infrastructure that name one resource, each with what it names.

    Wildcards and privileges are refused by rules of their own, whatever they name.
    """
    for write in graph.writes_of(healer):
        if not write.control or not isinstance(write.resource, str):
            continue
        arn = arns.parse_arn(write.resource)
        if arn and "*" not in arn.name and "?" not in arn.name:
            yield write, graph.index.literal(write.resource, arn.kind)


def functions_written(graph: Graph, healer: Resource) -> set[str]:
    """Return the keys of the functions that a healer may change."""
    return {node.key for _, node in named_writes(graph, healer) if node.kind == arns.FUNCTION}


def is_privilege(action: str) -> bool:
    """Return whether an action gives rights: that is refused on whatever it is allowed."""
    return action.lower().startswith(("iam:", "sts:"))


def itself(graph: Graph, healer: Resource) -> set[str]:
    """Return the keys of what a healer is made of: itself, its role, and all that wakes it."""
    keys = {healer.urn}
    key = "roleArn" if "roleArn" in healer.props else "role"
    keys |= {node.key for node in graph.index.follow_quietly(healer, key, (arns.ROLE,))}
    for link in graph.wake_links(healer):
        keys |= {link.source, link.target.key, link.via.urn}
    return keys
