"""Event source mappings: which function consumes which queue or stream."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_policies import arns, types
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource

SOURCES = (arns.QUEUE, arns.STREAM, arns.TABLE)
STREAMS = frozenset({arns.STREAM, arns.TABLE})
"""Of Kinesis, and of a table."""


@dataclass(frozen=True)
class Consumer:
    """One mapping with one source."""

    mapping: Resource
    source: Node
    functions: tuple[Node, ...]
    """Empty if that is not known, and more than one if it is not clear which."""

    @property
    def label(self) -> str:
        """What findings call it."""
        return self.mapping.label

    @property
    def function(self) -> Resource | None:
        """The function, if it is clear which, and one of this stack."""
        return self.functions[0].resource if len(self.functions) == 1 else None


def consumers(index: Index) -> Iterator[Consumer]:
    """Yield the consumers of a stack, but for a source that selfheal-reference-resolved cannot resolve."""
    for mapping in index.of(types.EVENT_SOURCE_MAPPING):
        functions = tuple(index.follow_quietly(mapping, "functionName", (arns.FUNCTION,)))
        for source in index.follow_quietly(mapping, "eventSourceArn", (*SOURCES, arns.OTHER)):
            yield Consumer(mapping, source, functions)


def of_queues(index: Index) -> list[Consumer]:
    """Return the consumers of queues."""
    return [each for each in consumers(index) if each.source.kind == arns.QUEUE]


def of_streams(index: Index) -> list[Consumer]:
    """Return the consumers of streams, those of tables included."""
    return [each for each in consumers(index) if each.source.kind in STREAMS]
