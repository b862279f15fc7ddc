"""A queue whose messages fail passes them on to a dead-letter queue."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the queues that are no dead-letter queue and name none."""
    for queue in graph.index.of(types.QUEUE):
        if queue.urn in graph.dead_letters.queues or queue.name in config["accepted"]:
            continue
        if graph.dead_letters.redrive_of(queue) is None:
            yield Finding(queue.urn, f"{queue.label} has no dead-letter queue, and is none")


RULE = StackRule(
    name="sqs-queue-dead-letters",
    level="advisory",
    resilience=True,
    severity="high",
    what="Every queue has a dead-letter queue, unless it is one.",
    why="A message that always fails is tried until it expires, and is then deleted without a trace.",
    fix="Set redrive_policy: a dead-letter queue's ARN as deadLetterTargetArn, and a maxReceiveCount.",
    schema={"accepted": strings("Logical names of queues whose messages may be lost.")},
    check=check,
)
