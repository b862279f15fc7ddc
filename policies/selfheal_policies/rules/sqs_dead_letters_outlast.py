"""A dead-letter queue keeps a message longer than the queue that it comes from."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, integer
from selfheal_policies.values import UNKNOWN, number_or

DEFAULT_SECONDS = 345_600
"""Four days. Source: Amazon SQS API reference, SetQueueAttributes."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the dead-letter queues that keep messages no longer than a queue before them."""
    for queue in graph.index.of(types.QUEUE):
        ending = graph.dead_letters.redrive_of(queue)
        for node in ending.nodes if ending else ():
            if node.kind != arns.QUEUE or node.resource is None:
                continue
            own = number_or(queue.get("messageRetentionSeconds"), DEFAULT_SECONDS)
            after = number_or(node.resource.get("messageRetentionSeconds"), DEFAULT_SECONDS)
            between = f"{node.resource.label}, the dead-letter queue of {queue.label},"
            if own is UNKNOWN or after is UNKNOWN:
                yield Finding(
                    node.key, f"how long {between} or that queue keeps messages is not known at preview"
                )
            elif after < own + config["moreSeconds"]:
                yield Finding(
                    node.key,
                    f"{between} keeps messages {after:.0f} s, and that queue {own:.0f} s; at least "
                    f"{config['moreSeconds']:.0f} s more are expected",
                )


RULE = StackRule(
    name="sqs-dead-letters-outlast",
    level="advisory",
    resilience=True,
    severity="high",
    what="A dead-letter queue keeps messages longer than the queues that they come from.",
    why="A message keeps the age of its first queue, so it may expire on the day on which it died.",
    fix=(
        "Set message_retention_seconds of the dead-letter queue to 1209600 (14 days, the most), and that of "
        "the queue below it."
    ),
    schema={"moreSeconds": integer("Least seconds by which it keeps them longer.", 1)},
    check=check,
)
