"""`FanOut`: an event bus with an archive, and one rule for each of its independent subscribers."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components import names, ranges
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.iam import Statement, allow, document, service_role
from selfheal.components.patterns.alarms import alarm
from selfheal.components.patterns.dead_letters import DeadLetters
from selfheal.components.patterns.levelled_queue import LevelledQueue
from selfheal.components.patterns.stream_consumer import StreamConsumer
from selfheal.components.security import Security, SecurityArgs

ARCHIVE_DAYS = (1, 3650)
DELIVERY_AGE = (60, 86_400)
"""Seconds. Source: API reference of EventBridge, RetryPolicy."""

DELIVERY_RETRIES = 185
"""The most of AWS, which is its default: the age is what ends the attempts."""

DEFAULT_ARCHIVE_DAYS = 14
DEFAULT_DELIVERY_AGE_SECONDS = 3600

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,31}")
_PATH = re.compile(r"\$(\.[A-Za-z0-9_-]+)+")


class SubscriberArgs(TypedDict):
    """Who gets which events: a queue or a stream."""

    pattern: Mapping[str, Any]
    """Event pattern, for example `{"detail-type": ["OrderAccepted"]}`. Not empty. The bus's source is
    added."""

    queue: NotRequired[LevelledQueue]
    """Queue that gets the events, each as the body of a message. Its policy becomes this component's."""

    stream: NotRequired[StreamConsumer]
    """Stream that gets the events, each as the data of a record."""

    partition_key: NotRequired[str]
    """For a stream: the path of what orders events, for example `$.detail.id`. Default: the event's id, so
    none."""


class FanOutArgs(SecurityArgs):
    """A bus and its subscribers."""

    subscribers: Mapping[str, SubscriberArgs]
    """Subscribers by name: a letter, then letters, digits and hyphens, 32 at most."""

    people: pulumi.Input[str]
    """ARN of the topic to notify, for example `OnCall("on-call").topic_arn`."""

    source: NotRequired[str]
    """The `source` of the events on the bus. Default: the name of the component."""

    archive_days: NotRequired[int]
    """Days for which events can be replayed. 1 to 3,650. Default 14."""

    delivery_age_seconds: NotRequired[int]
    """How long EventBridge tries to deliver an event before it becomes a dead letter. 60 to 86,400. Default
    3,600."""


class FanOut(pulumi.ComponentResource):
    """A bus from which every subscriber gets the events that its pattern matches, whatever the others do.

    An event reaches a subscriber at least once: after a retry, a resend or a replay it comes again, so
    consumers have to be idempotent. A replayed event has a field `replay-name`, which they need not look at;
    it is not archived again.

    What cannot be delivered to a subscriber goes to `dead_letters`. That catches neither events that match no
    rule nor what a consumer does with an event that it got: that is its queue's affair.
    """

    bus_name: pulumi.Output[str]
    """Name of the bus, known at preview."""

    archive_name: pulumi.Output[str]
    """Name of the archive, known at preview."""

    dead_letters: DeadLetters
    """Events that could not be delivered to a subscriber."""

    publisher: Access
    """For functions that publish with `selfheal.functions.shared.publisher`."""

    replays: pulumi.Output[Any]
    """What `selfheal replay` needs, known at preview: `pulumi.export("buses", {name: fan_out.replays})`."""

    def __init__(self, name: str, args: FanOutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the bus, its archive, a rule for each subscriber, the dead letters and the alarms.

        Raises:
            ComponentError: when an argument is missing, contradicts another or is out of its range.

        """
        super().__init__("selfheal:index:FanOut", name, None, opts)
        args = {**args, "people": names.TOPIC.of("people", args["people"])}
        source = names.SOURCE.check("source", args.get("source", name))
        days = ranges.whole(
            "archive_days", args.get("archive_days"), ARCHIVE_DAYS, default=DEFAULT_ARCHIVE_DAYS
        )
        age = ranges.whole(
            "delivery_age_seconds",
            args.get("delivery_age_seconds"),
            DELIVERY_AGE,
            default=DEFAULT_DELIVERY_AGE_SECONDS,
        )
        consumers = _consumers(args["subscribers"])
        patterns = {
            subscriber: _pattern(subscriber, each["pattern"], source)
            for subscriber, each in args["subscribers"].items()
        }
        self._name, self._arns, self._people = name, Arns(self), args["people"]
        self._options = pulumi.ResourceOptions(parent=self)
        self._security = Security(args, self._arns)
        bus = aws.cloudwatch.EventBus(f"{name}-bus", opts=self._options)
        self.bus_name = bus.name
        bus_arn = self._arns.event_bus(bus.name)
        archive = aws.cloudwatch.EventArchive(
            f"{name}-archive",
            event_source_arn=bus_arn,
            # Only what is published: a replay is not for what others put on the bus.
            event_pattern=json.dumps({"source": [source]}),
            retention_days=days,
            opts=self._options,
        )
        self.archive_name = archive.name
        self.publisher = Access(
            {"EVENT_BUS": bus.name, "EVENT_SOURCE": source}, [allow(["events:PutEvents"], [bus_arn])]
        )
        self.dead_letters = DeadLetters(
            f"{name}-dead-letters",
            {
                "people": args["people"],
                "holds": f"events of {name} that could not be delivered",
                **self._security.args,
            },
            self._options,
        )
        rules = {
            subscriber: aws.cloudwatch.EventRule(
                f"{name}-{subscriber}",
                event_bus_name=bus.name,
                event_pattern=json.dumps(pattern),
                opts=self._options,
            )
            for subscriber, pattern in patterns.items()
        }
        rule_arns = {subscriber: self._arns.rule(rule.name, bus.name) for subscriber, rule in rules.items()}
        buried = aws.sqs.QueuePolicy(
            f"{name}-dead-letters-policy",
            queue_url=self.dead_letters.queue_url,
            policy=document([_may_send(self.dead_letters.queue_arn, list(rule_arns.values()))]),
            opts=self._options,
        )
        for subscriber, consumer in consumers.items():
            path = args["subscribers"][subscriber].get("partition_key")
            way = self._way_to(f"{name}-{subscriber}", consumer, rule_arns[subscriber], path)
            aws.cloudwatch.EventTarget(
                f"{name}-{subscriber}-target",
                rule=rules[subscriber].name,
                event_bus_name=bus.name,
                arn=way.arn,
                role_arn=way.role_arn,
                kinesis_target=way.kinesis,
                retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                    maximum_event_age_in_seconds=age, maximum_retry_attempts=DELIVERY_RETRIES
                ),
                dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(
                    arn=self.dead_letters.queue_arn
                ),
                # An event that may not be delivered is not retried, and one that may not be buried is lost.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[way.permitted, buried]),
            )
            self._alarm(subscriber, rules[subscriber].name)
        self.replays = pulumi.Output.from_input(
            {"bus": bus_arn, "archive": self._arns.archive(archive.name), "rules": rule_arns}
        )
        self.register_outputs({"busName": self.bus_name, "archiveName": self.archive_name})

    def _way_to(
        self,
        name: str,
        consumer: LevelledQueue | StreamConsumer,
        rule_arn: pulumi.Output[str],
        path: str | None,
    ) -> "_Way":
        """Register what lets a rule deliver to a consumer."""
        if isinstance(consumer, LevelledQueue):
            policy = aws.sqs.QueuePolicy(
                f"{name}-policy",
                queue_url=consumer.queue_url,
                policy=document([_may_send(consumer.queue_arn, [rule_arn])]),
                opts=self._options,
            )
            return _Way(consumer.queue_arn, policy)
        statements = consumer.sender.statements
        role, permitted = service_role(
            name, "events.amazonaws.com", statements, self, self._security.boundary
        )
        kinesis = path and aws.cloudwatch.EventTargetKinesisTargetArgs(partition_key_path=path)
        return _Way(consumer.stream_arn, permitted, role.arn, kinesis or None)

    def _alarm(self, subscriber: str, rule_name: pulumi.Output[str]) -> None:
        alarm(
            f"{self._name}-{subscriber}",
            "lost",
            description=pulumi.Output.concat(
                f"Events for the subscriber {subscriber} of {self._name} reached neither it nor the queue ",
                self.dead_letters.queue_name,
                ". Restore that queue and its policy with `pulumi up`, then send the events again with "
                f"`selfheal replay --only {subscriber}`.",
            ),
            namespace="AWS/Events",
            metric="InvocationsFailedToBeSentToDlq",
            dimensions={"EventBusName": self.bus_name, "RuleName": rule_name},
            statistic="Sum",
            threshold=1,
            people=self._people,
            parent=self,
        )


@dataclass(frozen=True)
class _Way:
    """How a rule delivers to a consumer."""

    arn: pulumi.Output[str]
    permitted: pulumi.Resource
    """What allows it."""
    role_arn: pulumi.Output[str] | None = None
    kinesis: aws.cloudwatch.EventTargetKinesisTargetArgs | None = None


def _may_send(queue_arn: pulumi.Input[str], rule_arns: Sequence[pulumi.Input[str]]) -> Statement:
    """Return the statement of a queue's policy that lets these rules send to it, and no others."""
    return {
        "Sid": "RulesSend",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
    }


def _consumers(subscribers: Mapping[str, SubscriberArgs]) -> dict[str, LevelledQueue | StreamConsumer]:
    """Return each subscriber's consumer.

    Raises:
        ComponentError: when there is no subscriber, a name is not allowed, or a subscriber has not exactly
            one consumer of its own.

    """
    if not subscribers:
        raise ComponentError(
            "subscribers must name at least one, got none: events that match no rule are only archived."
        )
    found: dict[str, LevelledQueue | StreamConsumer] = {}
    for name, args in subscribers.items():
        if not _NAME.fullmatch(name):
            raise ComponentError(
                "a subscriber's name is a letter, then letters, digits and hyphens, 32 at most; got "
                f"{name!r}."
            )
        queue, stream = args.get("queue"), args.get("stream")
        consumer = queue or stream
        if consumer is None or (queue and stream):
            raise ComponentError(
                f"the subscriber {name} needs either a queue or a stream, got "
                f"{'both' if consumer else 'neither'}. Make two subscribers of two."
            )
        path = args.get("partition_key")
        if path is not None and (stream is None or not _PATH.fullmatch(path)):
            raise ComponentError(
                f"partition_key of the subscriber {name} is for a stream only, and a path such as "
                f"$.detail.id; got {path!r} for a {'stream' if stream else 'queue'}."
            )
        if other := next((each for each, taken in found.items() if taken is consumer), None):
            raise ComponentError(
                f"the subscribers {other} and {name} have the same {'queue' if queue else 'stream'}: an "
                "event for both would come twice. Make one subscriber with a pattern for both."
            )
        found[name] = consumer
    return found


def _pattern(subscriber: str, pattern: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a subscriber's whole pattern.

    Raises:
        ComponentError: when it is empty, or for events that are not archived.

    """
    if not pattern:
        raise ComponentError(
            f"the pattern of the subscriber {subscriber} must not be empty. Say what it gets, for example "
            '{"detail-type": ["OrderAccepted"]}; {"detail-type": [{"exists": true}]} is everything.'
        )
    if pattern.get("source", [source]) != [source]:
        raise ComponentError(
            f"the pattern of the subscriber {subscriber} is for the source {pattern['source']}, and only "
            f"events of [{source!r}] are published and archived on this bus. Leave `source` out of the "
            "pattern, or set the component's `source`."
        )
    return {"source": [source], **pattern}
