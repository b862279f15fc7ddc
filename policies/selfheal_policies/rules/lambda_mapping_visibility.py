"""A message stays hidden for as long as its consumer and Lambda's retries of a throttled batch may take.

AWS refuses a mapping whose queue hides messages for less than the function's timeout. It recommends six times
the timeout and the batching window, so that throttled batches are tried again before they count as received:
this rule demands what is recommended.
"""

from collections.abc import Iterable

from selfheal_policies.consumers import Consumer, of_queues
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, integer
from selfheal_policies.values import UNKNOWN, number_or

VISIBILITY_SECONDS, TIMEOUT_SECONDS = 30, 3
"""What AWS takes where nothing is said. Source: API references of CreateQueue and CreateFunction."""


def problem(consumer: Consumer, times: int) -> str:
    """Return what is wrong with how long a queue hides the messages of a consumer; empty if nothing is."""
    queue, function = consumer.source.resource, consumer.function
    if queue is None or function is None:
        missing = "queue" if queue is None else "function"
        return f"the {missing} of {consumer.label} is none of this stack: it is not known whether it fits"
    visible = number_or(queue.get("visibilityTimeoutSeconds"), VISIBILITY_SECONDS)
    timeout = number_or(function.get("timeout"), TIMEOUT_SECONDS)
    window = number_or(consumer.mapping.get("maximumBatchingWindowInSeconds"), 0)
    if visible is UNKNOWN or timeout is UNKNOWN or window is UNKNOWN:
        return (
            f"whether {queue.label} hides messages long enough for {function.label} is not known at preview"
        )
    least = times * timeout + window
    if visible >= least:
        return ""
    return (
        f"{queue.label} hides messages for {visible:g} s, and must for at least {least:g} s: {times} times "
        f"the timeout of {function.label} ({timeout:g} s) and the batching window ({window:g} s)"
    )


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the queues that show a message again too early."""
    for consumer in of_queues(graph.index):
        told = problem(consumer, int(config["times"]))
        if told:
            yield Finding((consumer.source.resource or consumer.mapping).urn, told)


RULE = StackRule(
    name="lambda-mapping-visibility",
    level="advisory",
    resilience=True,
    severity="high",
    what="A queue hides a message for six times the timeout of its consumer, and the batching window.",
    why="Earlier, a second consumer is given the message, and each throttled try uses up a receive.",
    fix="Raise visibility_timeout_seconds of the queue, or lower the timeout of the function.",
    schema={"times": integer("Least multiple of the timeout. AWS refuses below 1.", 6)},
    check=check,
)
