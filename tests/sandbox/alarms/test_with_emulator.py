"""The evaluator with the emulator: metrics in, alarm out, notification delivered, and back to OK."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from tests.support.processes import until

pytestmark = pytest.mark.slow

DIMENSIONS = [{"Name": "FunctionName", "Value": "fragile"}]


DEFAULTS = {
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 1,
    "TreatMissingData": "notBreaching",
}


class Aws:
    """What the tests do in the emulator."""

    def __init__(self, clients: Clients, folder: Path) -> None:
        self.clients = clients
        self.cloudwatch = self.clients.get("cloudwatch")
        self.name = folder.name  # of this test alone: the emulator is shared
        self.topic, self.queue = self._subscribed_queue()

    def _subscribed_queue(self) -> tuple[str, str]:
        sns, sqs = self.clients.get("sns"), self.clients.get("sqs")
        topic = sns.create_topic(Name=self.name)["TopicArn"]
        queue = sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return topic, queue

    def put_alarm(self, **alarm: Any) -> None:
        self.cloudwatch.put_metric_alarm(
            AlarmName=self.name,
            EvaluationPeriods=1,
            AlarmActions=[self.topic],
            OKActions=[self.topic],
            **{**DEFAULTS, **alarm},
        )

    def put(self, metric: str, at: float, value: float, function: str = "fragile") -> None:
        datum = {"MetricName": metric, "Timestamp": at, "Value": value, "StorageResolution": 1}
        dimensions = [{"Name": "FunctionName", "Value": function}]
        self.cloudwatch.put_metric_data(Namespace=self.name, MetricData=[{**datum, "Dimensions": dimensions}])

    def state(self) -> str:
        return str(self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"][0]["StateValue"])

    def notification(self) -> dict[str, Any]:
        sqs = self.clients.get("sqs")
        (message,) = sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=5)["Messages"]
        sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return dict(json.loads(json.loads(message["Body"])["Message"]))


@pytest.fixture
def aws(clients: Clients, tmp_path: Path) -> Aws:
    return Aws(clients, tmp_path)


@pytest.fixture
def alarms(emulator: Emulator) -> AlarmEvaluator:
    return AlarmEvaluator(emulator.endpoint, emulator.region, emulator.credentials)


def boundary() -> int:
    return int(time.time() // 60) * 60


def test_a_math_alarm_fires_notifies_and_recovers(aws: Aws, alarms: AlarmEvaluator) -> None:
    def metric(name: str) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": aws.name, "MetricName": name, "Dimensions": DIMENSIONS}, "Period": 10}
        return {"Id": name.lower(), "MetricStat": {**stat, "Stat": "Sum"}, "ReturnData": False}

    expression = "IF(errors >= 6 AND errors / requests >= 0.05, 1, 0)"
    watched = {"Id": "fires", "Expression": expression, "ReturnData": True}
    aws.put_alarm(Metrics=[metric("Requests"), metric("Errors"), watched])
    now = boundary()
    for at, requests, errors in ((now - 8, 30.0, 3.0), (now - 5, 20.0, 4.0), (now + 2, 50.0, 1.0)):
        aws.put("Requests", at, requests)
        aws.put("Errors", at, errors)
    aws.put("Errors", now + 4, 500.0, function="another")

    assert aws.state() == "INSUFFICIENT_DATA"
    assert alarms.tick(now).problems == {}
    assert aws.state() == "ALARM"
    alarm = aws.notification()
    alarms.tick(now + 10)
    assert aws.state() == "OK"
    ok = aws.notification()

    assert (alarm["OldStateValue"], alarm["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert alarm["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [1.0 (")
    assert (ok["OldStateValue"], ok["NewStateValue"]) == ("ALARM", "OK")


def test_a_plain_alarm_sees_its_own_dimensions_only_and_a_window_that_slides(
    aws: Aws, alarms: AlarmEvaluator
) -> None:
    aws.put_alarm(
        Namespace=aws.name, MetricName="Errors", Dimensions=DIMENSIONS, Statistic="Average", Period=120
    )
    now = boundary() - 600
    aws.put("Errors", now - 90, 0.5)
    aws.put("Errors", now - 30, 2.0)
    aws.put("Errors", now - 30, 500.0, function="another")

    alarms.tick(now)
    assert aws.state() == "ALARM"
    reason = aws.notification()["NewStateReason"]
    alarms.tick(now + 60)

    assert "[1.25 (" in reason  # both datapoints, none of the other function
    assert aws.state() == "ALARM"  # minutes 2 and 3 hold the 2.0 alone


def test_a_percentile_is_left_to_the_endpoint(aws: Aws, alarms: AlarmEvaluator) -> None:
    aws.put_alarm(
        Namespace=aws.name,
        MetricName="Duration",
        Dimensions=DIMENSIONS,
        ExtendedStatistic="p50",
        Period=60,
        Threshold=20,
    )
    now = boundary()
    for value in (1.0, 30.0, 40.0):
        aws.put("Duration", now - 30, value)

    alarms.tick(now)

    assert aws.state() == "ALARM"
    assert "[30.0 (" in aws.notification()["NewStateReason"]


def test_the_thread_evaluates_by_itself_and_a_stopped_endpoint_is_survived(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Emulator.start(tmp_path / "own") as own:
        there = Aws(own.clients, tmp_path)
        there.put_alarm(
            Namespace=there.name, MetricName="Errors", Dimensions=DIMENSIONS, Statistic="Sum", Period=10
        )
        with AlarmEvaluator(own.endpoint, own.region, own.credentials):
            until(lambda: there.state() == "OK")
            there.put("Errors", time.time(), 5.0)
            until(lambda: there.state() == "ALARM")
            own.stop()
            until(lambda: "alarms cannot be read" in caplog.text)
