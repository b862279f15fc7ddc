"""What an alarm watches: the functions and queues that its metrics belong to."""

import re
from collections.abc import Iterator
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, entries, get

DIMENSIONS = {"FunctionName": arns.FUNCTION, "Resource": arns.FUNCTION, "QueueName": arns.QUEUE}
"""Dimension to what it names. `Resource` is function:alias."""

_CHILD = re.compile(r"(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*[\"']?([^\"')]+)[\"']?\s*\)", re.IGNORECASE)


def watched_by(index: Index, alarm: Resource) -> frozenset[str]:
    """Return the keys of what an alarm watches; a composite watches what its alarms watch."""
    return frozenset(node.key for each in _metric_alarms(index, alarm) for node in _nodes(index, each))


def _metric_alarms(index: Index, alarm: Resource) -> Iterator[Resource]:
    """Return the metric alarms under an alarm: itself, or what a composite is made of, at any depth."""
    todo, seen = [alarm], {alarm.urn}
    while todo:
        each = todo.pop()
        if each.type == types.ALARM:
            yield each
            continue
        for node in _children(index, each):
            if node.resource and node.key not in seen:
                seen.add(node.key)
                todo.append(node.resource)


def _children(index: Index, composite: Resource) -> list[Node]:
    rule = composite.get("alarmRule")
    if isinstance(rule, str):
        return [index.literal(name.strip(), arns.ALARM, composite) for name in _CHILD.findall(rule)]
    return index.origins(composite, "alarmRule", (arns.ALARM,))


def _nodes(index: Index, alarm: Resource) -> Iterator[Node]:
    yield from _of_dimensions(index, alarm, "dimensions", alarm.get("dimensions"))
    for query in entries(alarm.get("metricQueries")):
        value = UNKNOWN if query is UNKNOWN else get(query, "metric", "dimensions")
        yield from _of_dimensions(index, alarm, "metricQueries", value)


def _of_dimensions(index: Index, alarm: Resource, key: str, dimensions: Any) -> Iterator[Node]:
    for name, kind in DIMENSIONS.items():
        value = UNKNOWN if dimensions is UNKNOWN else get(dimensions, name)
        if isinstance(value, str):
            yield index.literal(value, kind, alarm)
        elif value is UNKNOWN:
            yield from index.origins(alarm, key, (kind,))
