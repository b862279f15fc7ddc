"""Metrics of queues: number and age of messages."""

import contextlib
import json
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.emulator.queue_metrics import QueueMetrics, note_arrivals, queue_metrics
from tests.support.processes import until

NOW = 1_000_000.0
ARN = "arn:aws:sqs:us-east-1:000000000000:q"


def _message(age: float, *, receives: int = 0, hidden: bool = False, **more: Any) -> dict[str, Any]:
    visible_at = NOW + 5 if hidden else NOW - age
    return {"sent_at": NOW - age, "visible_at": visible_at, "receive_count": receives, **more}


def _queue(*messages: dict[str, Any], fifo: bool = False, created: float = NOW) -> dict[str, Any]:
    attributes = {"QueueArn": ARN, "CreatedTimestamp": str(int(created))}
    return {"messages": list(messages), "is_fifo": fifo, "attributes": attributes}


def test_messages_are_counted_by_what_can_be_done_with_them() -> None:
    queue = _queue(
        *(_message(3), _message(9), _message(20, receives=1, hidden=True), _message(4, hidden=True)),
    )
    assert queue_metrics(queue, NOW) == {
        "ApproximateNumberOfMessagesVisible": 2,
        "ApproximateNumberOfMessagesNotVisible": 1,
        "ApproximateNumberOfMessagesDelayed": 1,
        "ApproximateAgeOfOldestMessage": 20,
    }


def test_an_empty_queue_has_a_depth_and_no_age() -> None:
    assert queue_metrics(_queue(), NOW) == {"ApproximateNumberOfMessagesVisible": 0}


def test_a_message_received_three_times_does_not_count_for_the_age_except_in_a_fifo_queue() -> None:
    messages = _message(90, receives=3), _message(40, receives=2)
    assert queue_metrics(_queue(*messages), NOW)["ApproximateAgeOfOldestMessage"] == 40
    assert queue_metrics(_queue(*messages, fifo=True), NOW)["ApproximateAgeOfOldestMessage"] == 90
    assert "ApproximateAgeOfOldestMessage" not in queue_metrics(_queue(messages[0]), NOW)


def test_the_age_of_a_dead_letter_counts_from_its_arrival() -> None:
    queue = _queue(_message(90, receives=5, sys={"DeadLetterQueueSourceArn": "arn"}))
    note_arrivals(queue, NOW)
    note_arrivals(queue, NOW + 30)
    assert queue_metrics(queue, NOW + 30)["ApproximateAgeOfOldestMessage"] == 30


class _CloudWatch:
    def __init__(self) -> None:
        self.points: dict[str, list[dict[str, Any]]] = {}

    def _dims_key(self, dimensions: dict[str, str]) -> str:
        return json.dumps(dimensions)

    def _metric_bucket(self, key: tuple[str, str, str]) -> list[dict[str, Any]]:
        assert key[::2] == ("AWS/SQS", '{"QueueName": "q"}')
        return self.points.setdefault(key[1], [])


@contextlib.contextmanager
def _scope(account: str, region: str) -> Generator[None]:
    assert (account, region) == ("0", "r")
    yield


def _metrics(queue: dict[str, Any]) -> tuple[QueueMetrics, _CloudWatch]:
    cloudwatch = _CloudWatch()
    sqs = SimpleNamespace(_queues=SimpleNamespace(_data={("0", "r", "url"): queue}))
    return QueueMetrics(sqs, cloudwatch, _scope), cloudwatch


def test_each_minute_has_one_datapoint_which_is_the_latest() -> None:
    queue = _queue(_message(0))
    metrics, cloudwatch = _metrics(queue)
    start = NOW // 60 * 60
    for second in (0, 30, 59):
        metrics.update(start + second)
    queue["messages"].clear()
    metrics.update(start + 60)
    queue["messages"].append(_message(0))
    metrics.update(start + 61)
    queue["messages"].clear()
    metrics.update(start + 62)
    depth = cloudwatch.points["ApproximateNumberOfMessagesVisible"]
    assert [(p["Timestamp"] - start, p["Value"]) for p in depth] == [(0, 1), (60, 0)]
    age = cloudwatch.points["ApproximateAgeOfOldestMessage"]
    assert [(p["Timestamp"] - start, p["Value"], p["Unit"]) for p in age] == [
        (0, start + 59 - NOW, "Seconds")
    ]


def test_an_empty_queue_that_nobody_used_for_six_hours_has_no_metrics() -> None:
    idle = time.time() - 6 * 3600 - 60
    queue = _queue(created=idle)
    metrics, cloudwatch = _metrics(queue)
    metrics.update(time.time())
    assert not any(cloudwatch.points.values())
    metrics.used(lambda *_: queue)("url")
    metrics.update(time.time())
    assert [name for name, points in cloudwatch.points.items() if points] == [
        "ApproximateNumberOfMessagesVisible"
    ]


@pytest.mark.slow
def test_the_emulator_has_them(clients: Clients) -> None:
    sqs, cloudwatch = clients.get("sqs"), clients.get("cloudwatch")
    source = sqs.create_queue(QueueName="measured")["QueueUrl"]
    for body in "abc":
        sqs.send_message(QueueUrl=source, MessageBody=body)
    sqs.receive_message(QueueUrl=source)

    def latest(metric: str) -> list[float]:
        now = datetime.now(tz=UTC)
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName=metric,
            Dimensions=[{"Name": "QueueName", "Value": "measured"}],
            StartTime=now - timedelta(minutes=2),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        return [point["Maximum"] for point in sorted(answer, key=lambda point: point["Timestamp"])][-1:]

    until(lambda: latest("ApproximateNumberOfMessagesVisible") == [2])
    until(lambda: latest("ApproximateNumberOfMessagesNotVisible") == [1])
    until(lambda: latest("ApproximateAgeOfOldestMessage") in ([2], [3], [4]))


@pytest.mark.slow
def test_an_alarm_on_depth_and_age_fires_and_recovers(clients: Clients, emulator: Emulator) -> None:
    sqs, cloudwatch = clients.get("sqs"), clients.get("cloudwatch")
    queue = sqs.create_queue(QueueName="alarmed")["QueueUrl"]
    limits = {"ApproximateNumberOfMessagesVisible": 2, "ApproximateAgeOfOldestMessage": 1}
    for metric, limit in limits.items():
        cloudwatch.put_metric_alarm(
            AlarmName=metric,
            Namespace="AWS/SQS",
            MetricName=metric,
            Dimensions=[{"Name": "QueueName", "Value": "alarmed"}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=limit,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        )

    def states() -> list[str]:
        """Evaluate as it will be done at the end of this minute."""
        evaluator = AlarmEvaluator(emulator.endpoint, emulator.region, emulator.credentials)
        evaluator.tick((time.time() // 60 + 1) * 60)  # a new one each time: it evaluates a period once
        found = cloudwatch.describe_alarms(AlarmNames=list(limits))["MetricAlarms"]
        by_name = {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}
        return [by_name[name] for name in limits]

    sqs.send_message(QueueUrl=queue, MessageBody="1")
    sqs.send_message(QueueUrl=queue, MessageBody="2")
    until(lambda: states() == ["ALARM", "ALARM"])
    sqs.purge_queue(QueueUrl=queue)
    until(lambda: states()[0] == "OK")  # an empty queue has no age: that alarm may use an earlier minute's
