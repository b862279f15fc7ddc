"""Alarms of a `LevelledQueue` on what will take too long, before it does."""

import math

import pulumi
from pulumi import Input, Output

from selfheal.components.patterns.alarms import alarm
from selfheal.components.patterns.dead_letters import DAY_SECONDS
from selfheal.functions.shared.contract import METRICS_NAMESPACE


def levelled_alarms(
    name: str,
    queue_name: Output[str],
    function_name: Output[str],
    *,
    rate: float,
    drain: int,
    max_age: int,
    retention: int,
    people: Input[str],
    parent: pulumi.Resource,
) -> None:
    """Register the alarms. What was evicted or died is in `DeadLetters`, which alarm themselves.

    Args:
        name: Of the component.
        queue_name: The queue.
        function_name: Its consumer.
        rate: Messages a second.
        drain: Seconds that handling what waits may take.
        max_age: Seconds after which a message is evicted.
        retention: Seconds after which the queue deletes one; whole days.
        people: ARN of the topic to notify.
        parent: The component.

    """
    days = retention // DAY_SECONDS
    queue = {"QueueName": queue_name}
    alarm(
        name,
        "trailing",
        description=Output.concat(
            "The queue ",
            queue_name,
            f" has trailed behind for three minutes: what waits takes more than {drain} s at {rate:g} "
            "messages a second, if nothing more comes. While a circuit is open this is its doing. If "
            "none is, see whether the consumer fails or is slow; if what it calls can take more, raise "
            "`rate`.",
        ),
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        dimensions=queue,
        statistic="Maximum",
        threshold=math.ceil(drain * rate),
        periods=3,
        people=people,
        parent=parent,
    )
    # Own, because SQS leaves messages out of its age that were received three times.
    alarm(
        name,
        "age",
        description=Output.concat(
            "A message of the queue ",
            queue_name,
            f" was taken after it had waited half of the {max_age} s after which messages are evicted, "
            "not counting the time in which its circuit was open. See whether the consumer fails or is "
            "slow, or raise `rate` or `max_age_seconds`.",
        ),
        namespace=METRICS_NAMESPACE,
        metric="OldestAge",
        dimensions={"FunctionName": function_name},
        statistic="Maximum",
        threshold=max_age / 2,
        people=people,
        parent=parent,
    )
    alarm(
        name,
        "expiring",
        description=Output.concat(
            "A message has been in the queue ",
            queue_name,
            f" for {days // 2} days, and SQS deletes it without a trace after {days}. Bring back what "
            "its consumer calls, or close its circuit with `selfheal breaker`: it is then handled or "
            "evicted.",
        ),
        namespace="AWS/SQS",
        metric="ApproximateAgeOfOldestMessage",
        dimensions=queue,
        statistic="Maximum",
        threshold=retention // 2,
        people=people,
        parent=parent,
    )
