"""`LevelledQueue`: a queue whose consumer works at a steady pace, however many messages come."""

import math
from typing import NotRequired, Protocol

import pulumi
import pulumi_aws as aws

from selfheal.components import names, ranges
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.iam import allow
from selfheal.components.patterns.dead_letters import DAY_SECONDS, DeadLetters
from selfheal.components.patterns.function import FunctionArgs, live_alias, pattern_function, timeout_of
from selfheal.components.patterns.levelled_alarms import levelled_alarms
from selfheal.components.security import Security, SecurityArgs, Store

RETENTION_SECONDS = 4 * DAY_SECONDS
"""How long the queue keeps a message. Its dead-letter queue keeps it longer, from the same moment on."""

VISIBILITY_TIMEOUTS = 6
"""Timeouts of the function for which a message that was received is hidden. Source: AWS Lambda developer
guide, "Creating and configuring an Amazon SQS event source mapping"."""

ROOM_SECONDS = 2
"""What a batch at its pace must leave of the function's timeout, for one slow call."""

RATES = (0.1, 1000)
"""Messages a second."""

CONCURRENCIES = (2, 1000)
"""What AWS allows as MaximumConcurrency. Source: API reference of Lambda, ScalingConfig."""

BATCH_SIZES = (1, 10)
"""More than 10 would need a batching window, and would wait for each other."""

AGES_SECONDS = (60, RETENTION_SECONDS - DAY_SECONDS)
"""At most a day less than the queue keeps a message: what it deletes, it deletes without a trace."""

DRAINS_SECONDS = (60, DAY_SECONDS)

RECEIVES = (1, 1000)
"""What AWS allows as maxReceiveCount. Source: API reference of SQS, SetQueueAttributes."""

DEFAULT_MAXIMUM_CONCURRENCY = 5
DEFAULT_BATCH_SIZE = 10
DEFAULT_MAX_AGE_SECONDS = 6 * 3600
DEFAULT_DRAIN_SECONDS = 900
DEFAULT_MOST_RECEIVES = 5


class Guard(Protocol):
    """What a `Circuit` gives to those who call through it."""

    @property
    def access(self) -> Access:
        """Where the circuit is, and the right to count calls."""
        ...


class LevelledQueueArgs(SecurityArgs):
    """The consumer, and its pace."""

    consumer: FunctionArgs
    """Function that handles the messages, with `selfheal.functions.shared.levelled`."""

    rate: float
    """Messages a second of all consumers together, 0.1 to 1,000. It is never exceeded, beyond one message in
    each of the `maximum_concurrency` places at once. It is reached if handling a message takes less than
    `maximum_concurrency / rate` seconds."""

    people: pulumi.Input[str]
    """ARN of the topic to notify, for example `OnCall("on-call").topic_arn`."""

    maximum_concurrency: NotRequired[int]
    """Batches that are handled at the same time, 2 to 1,000. Default 5. Each keeps its share of the rate:
    where it is lowered, more than `rate` comes through until the mapping has followed, which takes minutes.
    """

    batch_size: NotRequired[int]
    """Messages that a function gets at once, at most, 1 to 10. Default 10. What slow calls leave no time for
    goes back and has used up one receive: choose it such that this is rare."""

    max_age_seconds: NotRequired[int]
    """Seconds after which a message is moved to the queue `evicted` instead of being handled, 60 to 259,200;
    time in which the circuit was not closed does not count. Default 21,600, six hours."""

    drain_seconds: NotRequired[int]
    """People are told when handling what waits takes longer than this, 60 to 86,400. Default 900."""

    most_receives: NotRequired[int]
    """How often a message is received before it becomes a letter, 1 to 1,000. Default 5. With a circuit it is
    1,000, and nothing else is allowed: what was refused has been received."""

    circuit: NotRequired[Guard]
    """Circuit that the consumer calls through; a `CircuitBreaker` then owns whether messages are delivered,
    and how many at once."""

    alias: NotRequired[bool]
    """Whether each change of the consumer publishes a version, and the queue feeds the alias `live`, so that
    a healer can roll it back. Default false: the queue feeds $LATEST. Not with a circuit: the breaker finds
    the mapping by the function."""


class LevelledQueue(pulumi.ComponentResource):
    """A queue, its consumer, its dead letters, and the queue of messages that waited too long."""

    queue_url: pulumi.Output[str]
    """URL of the queue."""

    queue_arn: pulumi.Output[str]
    """ARN of the queue, known at preview."""

    queue_name: pulumi.Output[str]
    """Name of the queue, known at preview."""

    function_name: pulumi.Output[str]
    """Name of the consumer, known at preview."""

    alias_name: pulumi.Output[str] | None
    """Name of the alias that the queue feeds. None without `alias`."""

    dead_letters: DeadLetters
    """Messages that could not be handled."""

    evicted: DeadLetters
    """Messages that waited too long."""

    maximum_concurrency: int
    """Batches that are handled at the same time."""

    timeout_seconds: int
    """Timeout of the consumer."""

    sender: Access
    """For functions that send to the queue: the right to do it, and no variables."""

    def __init__(
        self, name: str, args: LevelledQueueArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the queues, the consumer, its mapping and the alarms.

        Raises:
            ComponentError: when a number is out of its range, a batch cannot be handled within the consumer's
                timeout at this pace, or there is an alias behind a circuit.

        """
        super().__init__("selfheal:index:LevelledQueue", name, None, opts)
        args = {**args, "people": names.TOPIC.of("people", args["people"])}
        rate = ranges.number("rate", args["rate"], RATES)
        concurrency = ranges.whole(
            "maximum_concurrency",
            args.get("maximum_concurrency"),
            CONCURRENCIES,
            default=DEFAULT_MAXIMUM_CONCURRENCY,
        )
        batch_size = ranges.whole(
            "batch_size", args.get("batch_size"), BATCH_SIZES, default=DEFAULT_BATCH_SIZE
        )
        max_age = ranges.whole(
            "max_age_seconds", args.get("max_age_seconds"), AGES_SECONDS, default=DEFAULT_MAX_AGE_SECONDS
        )
        drain = ranges.whole(
            "drain_seconds", args.get("drain_seconds"), DRAINS_SECONDS, default=DEFAULT_DRAIN_SECONDS
        )
        circuit = args.get("circuit")
        aliased = _aliased(args.get("alias", False), circuit)
        receives = _receives(args.get("most_receives"), circuit)
        timeout = timeout_of(args["consumer"])
        check_batch(rate, concurrency, batch_size, timeout)
        arns = Arns(self)
        security = Security(args, arns)
        child = pulumi.ResourceOptions(parent=self)
        people = args["people"]

        self.maximum_concurrency = concurrency
        self.timeout_seconds = timeout
        self.dead_letters = DeadLetters(f"{name}-dead-letters", {"people": people, **security.args}, child)
        self.evicted = DeadLetters(
            f"{name}-evicted",
            {
                "people": people,
                "holds": "messages that waited too long to be handled",
                **security.args,
            },
            child,
        )
        queue = aws.sqs.Queue(
            name,
            visibility_timeout_seconds=VISIBILITY_TIMEOUTS * timeout,
            message_retention_seconds=RETENTION_SECONDS,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": self.dead_letters.queue_arn, "maxReceiveCount": receives}
            ),
            opts=child,
            **security.queue,
        )
        self.queue_url, self.queue_name = queue.url, queue.name
        self.queue_arn = arns.queue(queue.name)
        self.sender = Access(
            statements=[allow(["sqs:SendMessage"], [self.queue_arn]), *security.writes(Store.QUEUE)]
        )
        aws.sqs.RedriveAllowPolicy(
            f"{name}-redrive-allow",
            queue_url=self.dead_letters.queue_url,
            # Of redrive policies only: the consumer sends poison there with its own right.
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [self.queue_arn]}
            ),
            opts=child,
        )
        environment = {
            "QUEUE_URL": queue.url,
            "QUEUE_NAME": queue.name,
            "EVICTED_URL": self.evicted.queue_url,
            "SECONDS_PER_MESSAGE": repr(concurrency / rate),
            "MAX_AGE_SECONDS": str(max_age),
            "RETENTION_SECONDS": str(RETENTION_SECONDS),
            **self.dead_letters.access.environment,
        }
        consume = [
            *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
            "sqs:ChangeMessageVisibility",
        ]
        statements = [
            allow(consume, [self.queue_arn]),
            allow(["sqs:SendMessage"], [self.dead_letters.queue_arn, self.evicted.queue_arn]),
            *security.writes(Store.QUEUE),
        ]
        consumer: FunctionArgs = {**args["consumer"]}
        uses = list(consumer.get("uses", ()))
        if circuit is not None and all(circuit.access is not each for each in uses):
            consumer["uses"] = [*uses, circuit.access]
        function = pattern_function(
            f"{name}-consumer",
            consumer,
            Access(environment, statements),
            arns=arns,
            security=security,
            parent=self,
            publish=aliased,
        )
        self.function_name = function.name
        alias = live_alias(f"{name}-consumer", function, "What the queue feeds", self) if aliased else None
        self.alias_name = alias.name if alias is not None else None
        aws.lambda_.EventSourceMapping(
            f"{name}-mapping",
            event_source_arn=self.queue_arn,
            function_name=function.name if alias is None else alias.arn,
            batch_size=batch_size,
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=concurrency),
            function_response_types=["ReportBatchItemFailures"],
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["enabled", "scalingConfig"] if circuit is not None else None
            ),
        )
        levelled_alarms(
            name,
            queue.name,
            function.name,
            rate=rate,
            drain=drain,
            max_age=max_age,
            retention=RETENTION_SECONDS,
            people=people,
            parent=self,
        )
        self.register_outputs(
            {
                "queueUrl": self.queue_url,
                "queueArn": self.queue_arn,
                "queueName": self.queue_name,
                "functionName": self.function_name,
            }
        )


def check_batch(rate: float, concurrency: int, batch_size: int, timeout: int) -> None:
    """Raise unless a full batch is handled within the timeout at its pace, and leaves room for a slow call.

    Args:
        rate: Messages a second of all places.
        concurrency: Places.
        batch_size: Messages of a batch.
        timeout: Of the function, in seconds.

    Raises:
        ComponentError: with what to change.

    """
    each = concurrency / rate
    needed = math.ceil(batch_size * each + ROOM_SECONDS)
    if needed <= timeout:
        return
    fitting = math.floor((timeout - ROOM_SECONDS) / each)
    smaller = (
        f"batch_size to at most {fitting}" if fitting >= 1 else "batch_size and maximum_concurrency lower"
    )
    raise ComponentError(
        f"a batch of {batch_size} takes {batch_size * each:g} s at {rate:g} a second with "
        f"{concurrency} batches at a time, and must leave {ROOM_SECONDS} s of the consumer's timeout of "
        f"{timeout} s for a slow call. Set {smaller}, or timeout_seconds of the consumer to at least "
        f"{needed}."
    )


def _receives(given: int | None, circuit: Guard | None) -> int:
    if circuit is None:
        return ranges.whole("most_receives", given, RECEIVES, default=DEFAULT_MOST_RECEIVES)
    if given not in (None, RECEIVES[1]):
        raise ComponentError(
            f"most_receives must be {RECEIVES[1]} with a circuit, got {given}: what was refused while it was "
            "open has been received, and is not to become a letter. Leave it out, and count the attempts of "
            "each order in the consumer."
        )
    return RECEIVES[1]


def _aliased(given: bool, circuit: Guard | None) -> bool:
    if given and circuit is not None:
        raise ComponentError(
            "alias must be false with a circuit, got true: the circuit breaker finds the mapping that it "
            "pauses by the function's name, and would find none. Leave one of them out."
        )
    return given
