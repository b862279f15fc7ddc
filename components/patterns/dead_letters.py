"""`DeadLetters`: a queue of messages that need a person, with alarms on how many wait and for how long."""

from typing import NotRequired

import pulumi
import pulumi_aws as aws

from selfheal.components import names, ranges
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.iam import allow
from selfheal.components.patterns.alarms import alarm
from selfheal.components.security import Security, SecurityArgs, Store

DAY_SECONDS = 86400

RETENTION_DAYS = (8, 14)
"""From twice as long as the queues of the patterns keep a message, to the most that SQS keeps one. A letter
keeps the time at which its message was first sent: one that comes after 4 days is kept for the rest only."""

DEFAULT_AGE_DAYS = 3

SPENT_DAYS = 4
"""The most of its retention that a message may have used up before it becomes a letter."""

_GUIDE = (
    " Look at them with `selfheal dlq list`, and send them back to what failed with `selfheal dlq redrive`."
)


class DeadLettersArgs(SecurityArgs):
    """Who is told, and when."""

    people: pulumi.Input[str]
    """ARN of the topic to notify, for example `OnCall("on-call").topic_arn`."""

    retention_days: NotRequired[int]
    """Days after which SQS deletes a letter, counted from when its message was first sent. 8 to 14. Default
    14."""

    age_days: NotRequired[int]
    """Days in the queue after which people are told again. 1 to `retention_days` - 5, so that a day is left
    to do something. Default 3."""

    holds: NotRequired[str]
    """What the letters are, for the texts of the alarms. Default "messages that could not be handled"."""


class DeadLetters(pulumi.ComponentResource):
    """A dead-letter queue. Nothing consumes it: people do, with `selfheal dlq`."""

    queue_url: pulumi.Output[str]
    """URL of the queue."""

    queue_arn: pulumi.Output[str]
    """ARN of the queue, known at preview."""

    queue_name: pulumi.Output[str]
    """Name of the queue, known at preview."""

    access: Access
    """For functions that move letters there: DEAD_LETTERS_URL, and the right to send."""

    def __init__(self, name: str, args: DeadLettersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the queue and its alarms.

        Raises:
            ComponentError: when a number of days is out of its range.

        """
        super().__init__("selfheal:index:DeadLetters", name, None, opts)
        args = {**args, "people": names.TOPIC.of("people", args["people"])}
        retention = ranges.whole(
            "retention_days",
            args.get("retention_days"),
            RETENTION_DAYS,
            default=RETENTION_DAYS[1],
            unit="days",
        )
        age = ranges.whole(
            "age_days",
            args.get("age_days", DEFAULT_AGE_DAYS),
            (1, retention - SPENT_DAYS - 1),
            unit="days",
        )
        arns = Arns(self)
        security = Security(args, arns)
        queue = aws.sqs.Queue(
            name,
            message_retention_seconds=retention * DAY_SECONDS,
            opts=pulumi.ResourceOptions(parent=self),
            **security.queue,
        )
        self.queue_url, self.queue_name = queue.url, queue.name
        self.queue_arn = arns.queue(queue.name)
        self.access = Access(
            {"DEAD_LETTERS_URL": queue.url},
            [allow(["sqs:SendMessage"], [self.queue_arn]), *security.writes(Store.QUEUE)],
        )
        holds = args.get("holds", "messages that could not be handled")
        for what, metric, threshold, says in (
            ("depth", "ApproximateNumberOfMessagesVisible", 1, f"There are {holds}"),
            (
                "age",
                "ApproximateAgeOfOldestMessage",
                age * DAY_SECONDS,
                f"For {age} days nobody has seen to {holds}, and SQS keeps none for more than {retention}",
            ),
        ):
            alarm(
                name,
                what,
                description=pulumi.Output.concat(says, ": see the queue ", self.queue_name, ".", _GUIDE),
                namespace="AWS/SQS",
                metric=metric,
                dimensions={"QueueName": self.queue_name},
                statistic="Maximum",
                threshold=threshold,
                people=args["people"],
                parent=self,
            )
        self.register_outputs(
            {"queueUrl": self.queue_url, "queueArn": self.queue_arn, "queueName": self.queue_name}
        )
