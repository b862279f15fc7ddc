"""The fan-out as it is registered. What is delivered, and what is not, is in test_fan_out_with_emulator."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.function import code
from selfheal.components.patterns.fan_out import FanOut, FanOutArgs
from selfheal.components.patterns.function import FunctionArgs
from selfheal.components.patterns.levelled_queue import LevelledQueue
from selfheal.components.patterns.stream_consumer import StreamConsumer
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

pytestmark = pytest.mark.slow

PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
EVENTS = f"arn:aws:events:{REGION}:{ACCOUNT}"
BUS = f"{EVENTS}:event-bus/orders-bus-1a2b3c4"
RULE = f"{EVENTS}:rule/orders-bus-1a2b3c4/orders-"
QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
DEAD = f"{QUEUES}:orders-dead-letters-1a2b3c4"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/analytics-stream-1a2b3c4"
ACCEPTED = {"detail-type": ["OrderAccepted"]}

Subscribers = Callable[[LevelledQueue, LevelledQueue, StreamConsumer], Mapping[str, Any]]


def usual(first: LevelledQueue, second: LevelledQueue, stream: StreamConsumer) -> Mapping[str, Any]:
    return {
        "fulfilment": {"queue": first, "pattern": ACCEPTED},
        "billing": {"queue": second, "pattern": {"detail": {"amount": [{"numeric": [">", 0]}]}}},
        "analytics": {"stream": stream, "pattern": ACCEPTED, "partition_key": "$.detail.id"},
    }


def fan_out(folder: Path, preview: Any = False, subscribers: Any = usual, **changes: Any) -> Deployment:
    (folder / "consumer.py").write_text("def handle(event, context): ...")
    consumer: FunctionArgs = {"code": code(folder, "consumer.handle")}

    def program() -> None:
        first, second = (
            LevelledQueue(name, {"consumer": consumer, "rate": 10, "people": PEOPLE})
            for name in ("fulfilment", "billing")
        )
        stream = StreamConsumer("analytics", {"consumer": consumer, "people": PEOPLE})
        base = {"people": PEOPLE, "subscribers": subscribers(first, second, stream)}
        args: FanOutArgs = base | changes  # pyright: ignore[reportAssignmentType]
        made = FanOut("orders", args)
        pulumi.export("buses", {"orders": made.replays})
        pulumi.export("environment", dict(made.publisher.environment))
        pulumi.export("statements", list(made.publisher.statements))

    return deploy(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False])
def test_each_subscriber_has_a_rule_for_what_the_bus_is_for(tmp_path: Path, preview: bool) -> None:
    deployment = fan_out(tmp_path, preview)
    rules = {each.name: each.inputs for each in deployment.of("aws:cloudwatch/eventRule:EventRule")}
    assert {rule["eventBusName"] for rule in rules.values()} == {"orders-bus-1a2b3c4"}
    assert {name: json.loads(rule["eventPattern"]) for name, rule in rules.items()} == {
        "orders-fulfilment": {"source": ["orders"], "detail-type": ["OrderAccepted"]},
        "orders-billing": {"source": ["orders"], "detail": {"amount": [{"numeric": [">", 0]}]}},
        "orders-analytics": {"source": ["orders"], "detail-type": ["OrderAccepted"]},
    }


@pytest.mark.parametrize("preview", [True, False])
def test_delivery_is_retried_for_an_hour_and_then_buried(tmp_path: Path, preview: bool) -> None:
    deployment = fan_out(tmp_path, preview)
    for subscriber, arn in (("fulfilment", f"{QUEUES}:fulfilment-1a2b3c4"), ("analytics", STREAM)):
        target = deployment.named(f"orders-{subscriber}-target").inputs
        assert target["arn"] == arn
        assert target["retryPolicy"] == {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 185}
        assert target["deadLetterConfig"] == {"arn": DEAD}
        assert (target["rule"], target["eventBusName"]) == (
            f"orders-{subscriber}-1a2b3c4",
            "orders-bus-1a2b3c4",
        )
    assert deployment.named("orders-analytics-target").inputs["kinesisTarget"] == {
        "partitionKeyPath": "$.detail.id"
    }
    assert "roleArn" not in deployment.named("orders-fulfilment-target").inputs


@pytest.mark.parametrize("preview", [True, False])
def test_a_queue_takes_events_of_its_own_rule_only(tmp_path: Path, preview: bool) -> None:
    deployment = fan_out(tmp_path, preview)
    queue = f"{QUEUES}:fulfilment-1a2b3c4"
    policy = deployment.named("orders-fulfilment-policy").inputs["policy"]

    def sent(rule: str, action: str = "sqs:SendMessage", service: str = "events.amazonaws.com") -> bool:
        asked = iam.Request(action, queue, service=service, context={"aws:SourceArn": rule})
        return iam.resource_policy(policy, asked) is iam.Verdict.ALLOWED

    assert sent(f"{RULE}fulfilment-1a2b3c4")
    assert not sent(f"{RULE}billing-1a2b3c4")
    assert not sent(f"{EVENTS}:rule/orders-fulfilment-1a2b3c4")
    assert not sent(f"{RULE}fulfilment-1a2b3c4", "sqs:ReceiveMessage")
    assert not sent(f"{RULE}fulfilment-1a2b3c4", service="sns.amazonaws.com")


@pytest.mark.parametrize("preview", [True, False])
def test_the_dead_letter_queue_takes_events_of_all_its_rules(tmp_path: Path, preview: bool) -> None:
    policy = fan_out(tmp_path, preview).named("orders-dead-letters-policy").inputs["policy"]
    for rule, verdict in (
        *((f"{RULE}{name}-1a2b3c4", iam.Verdict.ALLOWED) for name in ("fulfilment", "billing", "analytics")),
        (f"{RULE}other-1a2b3c4", iam.Verdict.NOT_ALLOWED),
    ):
        asked = iam.Request(
            "sqs:SendMessage", DEAD, service="events.amazonaws.com", context={"aws:SourceArn": rule}
        )
        assert iam.resource_policy(policy, asked) is verdict


@pytest.mark.parametrize("preview", [True, False])
def test_the_role_of_a_stream_writes_to_it_for_this_account_and_no_more(
    tmp_path: Path, preview: bool
) -> None:
    deployment = fan_out(tmp_path, preview)
    policy = deployment.named("orders-analytics-policy").inputs["policy"]
    assert deployment.named("orders-analytics-boundary").inputs["policy"] == policy
    assert iam.allows(policy, "kinesis:PutRecord", STREAM)
    assert not iam.allows(policy, "kinesis:PutRecord", f"{STREAM}x")
    assert not iam.allows(policy, "kinesis:GetRecords", STREAM)
    assert iam.too_wide(policy) == []
    assert json.loads(deployment.named("orders-analytics-role").inputs["assumeRolePolicy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "events.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
    ]


def test_nothing_is_delivered_before_it_may_be_and_can_be_buried(tmp_path: Path) -> None:
    deployment = fan_out(tmp_path)
    buried = deployment.named("orders-dead-letters-policy").urn
    for subscriber in ("fulfilment", "billing", "analytics"):
        needs = deployment.named(f"orders-{subscriber}-target").dependencies
        assert {buried, deployment.named(f"orders-{subscriber}-policy").urn} <= needs


@pytest.mark.parametrize("preview", [True, False])
def test_what_is_published_is_archived_and_nothing_else(tmp_path: Path, preview: bool) -> None:
    archive = fan_out(tmp_path, preview, source="shop.orders", archive_days=30).named("orders-archive").inputs
    assert archive == {
        "eventSourceArn": BUS,
        "eventPattern": '{"source": ["shop.orders"]}',
        "retentionDays": 30,
    }


@pytest.mark.parametrize("preview", [True, False])
def test_publishers_and_replays_know_where_before_it_exists(tmp_path: Path, preview: bool) -> None:
    exports = fan_out(tmp_path, preview).exports
    assert exports["environment"] == {"EVENT_BUS": "orders-bus-1a2b3c4", "EVENT_SOURCE": "orders"}
    assert exports["statements"] == [{"Effect": "Allow", "Action": ["events:PutEvents"], "Resource": [BUS]}]
    assert exports["buses"] == {
        "orders": {
            "bus": BUS,
            "archive": f"{EVENTS}:archive/orders-archive-1a2b3c4",
            "rules": {name: f"{RULE}{name}-1a2b3c4" for name in ("fulfilment", "billing", "analytics")},
        }
    }


def test_people_are_told_of_events_that_could_not_even_be_buried(tmp_path: Path) -> None:
    alarm = fan_out(tmp_path).named("orders-billing-lost").inputs
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Events", "InvocationsFailedToBeSentToDlq")
    assert alarm["dimensions"] == {
        "EventBusName": "orders-bus-1a2b3c4",
        "RuleName": "orders-billing-1a2b3c4",
    }
    assert (alarm["alarmActions"], alarm["okActions"]) == ([PEOPLE], [PEOPLE])
    assert "selfheal replay --only billing" in alarm["alarmDescription"]


@pytest.mark.parametrize(
    ("subscribers", "says"),
    [
        (lambda *_: {}, "subscribers must name at least one"),
        (lambda q, *_: {"a b": {"queue": q, "pattern": ACCEPTED}}, "letters, digits and hyphens.*'a b'"),
        (lambda *_: {"a": {"pattern": ACCEPTED}}, "needs either a queue or a stream, got neither"),
        (lambda q, _, s: {"a": {"queue": q, "stream": s, "pattern": ACCEPTED}}, "got both"),
        (lambda q, *_: {"a": {"queue": q, "pattern": {}}}, "subscriber a must not be empty"),
        (lambda q, *_: {"a": {"queue": q, "pattern": {"source": ["x"]}}}, "only events of \\['orders'\\]"),
        (
            lambda q, *_: {"a": {"queue": q, "pattern": ACCEPTED, "partition_key": "$.id"}},
            r"for a stream only.*got '\$.id' for a queue",
        ),
        (
            lambda _q, _r, s: {"a": {"stream": s, "pattern": ACCEPTED, "partition_key": "detail.id"}},
            "got 'detail.id' for a stream",
        ),
        (
            lambda q, *_: {name: {"queue": q, "pattern": ACCEPTED} for name in ("a", "b")},
            "the subscribers a and b have the same queue",
        ),
    ],
)
def test_subscribers_that_cannot_be_are_refused(tmp_path: Path, subscribers: Subscribers, says: str) -> None:
    with pytest.raises(ComponentError, match=says):
        fan_out(tmp_path, subscribers=subscribers)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("archive_days", 0, "1 to 3,650"),
        ("delivery_age_seconds", 59, "60 to 86,400"),
        ("delivery_age_seconds", 86_401, "60 to 86,400"),
    ],
)
def test_what_is_out_of_range_is_refused(tmp_path: Path, field: str, value: int, allowed: str) -> None:
    with pytest.raises(ComponentError, match=f"{field} must be a whole number from {allowed}, got {value}"):
        fan_out(tmp_path, **{field: value})
