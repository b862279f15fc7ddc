"""The unmodified program, up in the sandbox, with traffic on demand and an ear on what people are told."""

import json
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfheal.cli.demo.traffic import Traffic
from selfheal.cli.operator.ledger import incident_json, read_incidents
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from tests.support.emulator_users import administrator

ROOT = Path(__file__).parents[3]
REGION = "us-east-1"
CANARY = "canary-secret-7b19e2"


@dataclass
class Platform:
    """A deployed stack, and what a test needs to know of it."""

    clients: Clients
    outputs: dict[str, Any]
    iam: bool
    """Whether the emulator enforces policies."""
    mailbox: str
    """URL of the queue that receives what people are told."""

    def variables(self) -> dict[str, str]:
        """Return the fragile service's live environment."""
        answer = self.clients.get("lambda").get_function_configuration(
            FunctionName=self.outputs["functionName"]
        )
        return answer["Environment"]["Variables"]

    def set_variable(self, name: str, value: str) -> None:
        """Change the fragile service's environment as an operator would."""
        lambda_ = self.clients.get("lambda")
        variables = self.variables() | {name: value}
        function = self.outputs["functionName"]
        lambda_.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})

    def incident(self) -> dict[str, Any] | None:
        """Return the target's newest incident, as JSON documents have it."""
        found = read_incidents(self.clients.get("dynamodb"), self.outputs["ledgerTable"]).readable
        newest = max(found, key=lambda incident: incident.opened_at, default=None)
        return incident_json(newest) if newest else None

    def status(self) -> str | None:
        """Return the newest incident's status."""
        incident = self.incident()
        return incident["status"] if incident else None

    def alarm_state(self, kind: str) -> str:
        """Return the state of the fast or the backstop alarm."""
        name = next(name for name in self.outputs["alarmNames"] if kind in name)
        answer = self.clients.get("cloudwatch").describe_alarms(AlarmNames=[name])
        return answer["MetricAlarms"][0]["StateValue"]

    def set_alarm(self, kind: str, state: str) -> None:
        """Force an alarm's state; on a change its topics are notified."""
        name = next(name for name in self.outputs["alarmNames"] if kind in name)
        cloudwatch = self.clients.get("cloudwatch")
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="set by a test")

    def count(self, requests: int, errors: int) -> None:
        """Record requests of the last whole fast period, as the service's own metric would."""
        moment = int(time.time()) // 10 * 10 - 5
        dimensions = [{"Name": "FunctionName", "Value": self.outputs["functionName"]}]
        data = [
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Value": value}
            for name, value in (("Requests", requests), ("Errors", errors))
        ]
        self.clients.get("cloudwatch").put_metric_data(Namespace="selfheal", MetricData=data)

    def invoke_healer(self, event: object) -> dict[str, Any]:
        """Run the healer on any event and return what it answered."""
        answer = self.clients.get("lambda").invoke(
            FunctionName=self.outputs["healerName"], Payload=json.dumps(event).encode()
        )
        return json.loads(answer["Payload"].read())

    def healer_runs(self) -> int:
        """Count how often the healer ran, by its log."""
        return sum('"level": "info", "message": "decision"' in line for line in self.logs())

    def wake_healer(self) -> dict[str, Any]:
        """Nudge the healer as an operator would."""
        return self.invoke_healer({"wake": "operator"})

    def notify_healer(self, message: str) -> None:
        """Publish to the healer's topic."""
        self.clients.get("sns").publish(TopicArn=self.outputs["healerTopicArn"], Message=message)

    def logs(self) -> list[str]:
        """Return every line of every log group."""
        return log_lines(self.clients)

    def story(self) -> str:
        """Return what the healer decided and where the incident stands, to explain a failure."""
        decisions = [line for line in self.logs() if '"level"' in line]
        return "\n".join([*decisions[-40:], str(self.incident())])

    def told(self) -> list[str]:
        """Return what people were told since the last call."""
        return received(self.clients, self.mailbox)

    @contextmanager
    def traffic(self) -> Generator[Traffic]:
        """Send about ten requests a second meanwhile."""
        traffic = Traffic(self.outputs["url"], time.monotonic())
        traffic.start()
        try:
            yield traffic
        finally:
            traffic.stop()


def log_lines(clients: Clients) -> list[str]:
    """Return every line of every log group, in the order of their times."""
    client = clients.get("logs")
    groups = [group["logGroupName"] for group in client.describe_log_groups()["logGroups"]]
    pages = (
        page
        for group in groups
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group)
    )
    events = [event for page in pages for event in page["events"]]
    return [event["message"] for event in sorted(events, key=lambda event: event["timestamp"])]


PATIENCE = 330
"""Seconds until a wait gives up: longer than a recovery takes. A limit for what hangs, and no claim."""


def wait_for(what: str, condition: Callable[[], bool], story: Callable[[], str] = lambda: "") -> None:
    """Wait until a condition holds, or fail naming it and telling the story."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {PATIENCE} s\n{story()}")
        time.sleep(0.5)


@contextmanager
def deployed(folder: Path, *, iam: bool, clock: bool = True, **overrides: Any) -> Generator[Platform]:
    """Deploy the dev stack, and take everything down at the end. Without a clock, tests set the alarms."""
    with Emulator.start(folder / "emulator", iam=iam) as emulator:
        clients = administrator(emulator) if iam else emulator.clients
        provider = AwsProvider(clients)
        outputs = deploy(ROOT, provider, stack="dev", overrides=overrides)
        mailbox = listen(clients, [outputs["escalationTopicArn"]])
        with AlarmEvaluator(emulator.endpoint, REGION, emulator.credentials) if clock else nullcontext():
            yield Platform(clients, outputs, iam, mailbox)


def listen(clients: Clients, topics: list[str]) -> str:
    """Make a queue that receives what these topics send to people, and return its URL."""
    sqs = clients.get("sqs")
    url = sqs.create_queue(QueueName="people")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topics}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    for topic in topics:
        clients.get("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def received(clients: Clients, queue: str) -> list[str]:
    """Return what is in a queue, and take it out."""
    sqs, messages = clients.get("sqs"), []
    while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in batch:
            messages.append(message["Body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return messages
