"""What ends as a dead letter, and where: the one place that knows what names a dead-letter queue.

A dead-letter queue is whatever a redrive policy, a target, a bus, a mapping, a failure destination or the
failure path of a workflow names, and a queue to which a consumer puts messages aside: it may send there, and
nothing in the stack reads there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.index import Index, Node
from selfheal_policies.machines import tasks
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Access
from selfheal_policies.values import ABSENT, UNKNOWN, get, parsed, text

KINDS = (arns.QUEUE, arns.BUCKET, arns.BUS, arns.FUNCTION, arns.TOPIC)
"""What may take a failure; a bare name is a queue's."""

NAMING: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (types.QUEUE, "redrivePolicy", ("deadLetterTargetArn",)),
    (types.REDRIVE_POLICY, "redrivePolicy", ("deadLetterTargetArn",)),
    (types.SUBSCRIPTION, "redrivePolicy", ("deadLetterTargetArn",)),
    (types.EVENT_TARGET, "deadLetterConfig", ("arn",)),
    (types.EVENT_BUS, "deadLetterConfig", ("arn",)),
    (types.SCHEDULE, "target", ("deadLetterConfig", "arn")),
    (types.EVENT_SOURCE_MAPPING, "destinationConfig", ("onFailure", "destinationArn")),
    (types.EVENT_INVOKE_CONFIG, "destinationConfig", ("onFailure", "destination")),
    (types.FUNCTION, "deadLetterConfig", ("targetArn",)),
)
"""Type, property, and where in the property's data the name is."""

SENDS = "sqs:sendmessage"


@dataclass(frozen=True)
class Ending:
    """What one resource names for what fails there."""

    owner: Resource
    property: str
    nodes: tuple[Node, ...]
    """None if it is not known at preview and comes from no resource that it could mean."""


class DeadLetters:
    """The dead-letter queues of one stack."""

    def __init__(self, index: Index, access: Callable[[Resource], Access]) -> None:
        """Follow nothing yet; `access` says what the role of a function allows."""
        self._index, self._access = index, access

    @cached_property
    def endings(self) -> list[Ending]:
        """Everything in the stack that names where failures go."""
        return [*self._by_owner.values(), *self._workflows(), *self._put_aside()]

    @cached_property
    def queues(self) -> dict[str, Resource]:
        """The dead-letter queues of this stack, by URN."""
        nodes = [node for ending in self.endings for node in ending.nodes]
        return {node.key: node.resource for node in nodes if node.kind == arns.QUEUE and node.resource}

    def ending_of(self, owner: Resource) -> Ending | None:
        """Return what a resource names for what fails there; None if it names nothing."""
        return self._by_owner.get(owner.urn)

    def redrive_of(self, queue: Resource) -> Ending | None:
        """Return the ending of a queue, by its own redrive policy or by one that is a resource of its own."""
        own = self.ending_of(queue)
        if own:
            return own
        apart = self._index.referring(queue.urn, types.REDRIVE_POLICY, "queueUrl", arns.QUEUE)
        return next((ending for policy, _ in apart if (ending := self.ending_of(policy))), None)

    @cached_property
    def _by_owner(self) -> dict[str, Ending]:
        return {ending.owner.urn: ending for ending in self._named()}

    def _named(self) -> Iterator[Ending]:
        for type_, key, path in NAMING:
            for owner in self._index.of(type_):
                value = get(parsed(owner.get(key)), *path)
                if text(value) is not ABSENT:
                    yield Ending(owner, key, self._nodes(owner, key, value))

    def _workflows(self) -> Iterator[Ending]:
        for machine in self._index.of(types.STATE_MACHINE):
            definition = machine.get("definition")
            if definition is UNKNOWN:
                # states-machine-retries asks for what can be read.
                yield Ending(machine, "definition", self._nodes(machine, "definition", UNKNOWN))
            for task in tasks(definition):
                if task.failing and task.queue_url is not ABSENT:
                    nodes = self._nodes(machine, "definition", task.queue_url)
                    yield Ending(machine, "definition", nodes)

    def _put_aside(self) -> Iterator[Ending]:
        read = set(self._read())
        for function in self._consumers():
            for write in self._access(function).wakes:
                node = write.named(self._index) if write.action.lower() == SENDS else None
                if node and node.kind == arns.QUEUE and node.resource and node.key not in read:
                    yield Ending(function, "role", (node,))

    def _read(self) -> Iterator[str]:
        for type_, key in ((types.EVENT_SOURCE_MAPPING, "eventSourceArn"), (types.PIPE, "source")):
            for reader in self._index.of(type_):
                yield from (node.key for node in self._index.follow_quietly(reader, key, (arns.QUEUE,)))

    def _consumers(self) -> list[Resource]:
        found: dict[str, Resource] = {}
        for mapping in self._index.of(types.EVENT_SOURCE_MAPPING):
            for node in self._index.follow_quietly(mapping, "functionName", (arns.FUNCTION,)):
                if node.resource:
                    found[node.key] = node.resource
        return list(found.values())

    def _nodes(self, owner: Resource, key: str, value: Any) -> tuple[Node, ...]:
        if isinstance(value, str):
            return (self._index.literal(value, arns.QUEUE, owner),)
        return tuple(self._index.origins(owner, key, KINDS))
