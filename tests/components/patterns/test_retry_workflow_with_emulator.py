"""A workflow and the downstream that it calls, deployed into the emulator with their policies enforced.

Each attempt of the task is one call in the log of the downstream.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal.functions.downstream.core import Mode, Setting
from selfheal.functions.downstream.store import SETTING_KEY, setting_item
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from tests.support.processes import until

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "support" / "billing"


class Stack:
    """The deployed stack, and what happened in it."""

    def __init__(self, emulator: Emulator) -> None:
        clients = emulator.clients
        self.exports: dict[str, Any] = deploy(PROGRAM, AwsProvider(clients), stack="test")
        self.sqs, self.dynamodb = clients.get("sqs"), clients.get("dynamodb")

    def send(self, body: str, **attributes: str) -> None:
        self.sqs.send_message(
            QueueUrl=self.exports["queueUrl"],
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    def calls(self, key: str) -> list[tuple[str, float]]:
        """Outcome and time of each call with a key, in order."""
        found = self.dynamodb.query(
            TableName=self.exports["table"],
            KeyConditionExpression="pk = :calls",
            FilterExpression="#key = :key",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues={":calls": {"S": "calls"}, ":key": {"S": key}},
        )["Items"]
        return sorted(
            ((item["outcome"]["S"], float(item["at"]["N"])) for item in found), key=lambda call: call[1]
        )

    def outcomes(self, key: str) -> list[str]:
        return [outcome for outcome, _ in self.calls(key)]

    def left(self) -> int:
        """Messages of the queue, whether visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.exports["queueUrl"], AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def letters(self) -> list[tuple[str, dict[str, str]]]:
        """Take all letters: body and attributes."""
        found = self.sqs.receive_message(
            QueueUrl=self.exports["deadLettersUrl"], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])
        for message in found:
            self.sqs.delete_message(
                QueueUrl=self.exports["deadLettersUrl"], ReceiptHandle=message["ReceiptHandle"]
            )
        return [
            (m["Body"], {name: value["StringValue"] for name, value in m["MessageAttributes"].items()})
            for m in found
        ]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Emulator.start(tmp_path_factory.mktemp("emulator"), iam=True) as emulator:
        yield Stack(emulator)


def test_a_task_that_fails_once_is_tried_again_and_the_message_is_done(stack: Stack) -> None:
    stack.send("second-time a1")
    until(lambda: stack.left() == 0, seconds=20)
    assert stack.outcomes("a1") == ["effect", "duplicate"]
    assert stack.letters() == []


def test_what_fails_at_last_is_one_letter_that_says_why_and_where_to(stack: Stack) -> None:
    stack.send("declined b1", tenant="acme")
    until(lambda: stack.left() == 0, seconds=20)
    assert stack.outcomes("b1") == ["effect", "duplicate", "duplicate"]
    assert stack.letters() == [
        (
            "declined b1",
            {
                "tenant": "acme",
                "origin": stack.exports["stateMachine"],
                "target": stack.exports["queueArn"],
                "reason": "DeclinedError: no such card",
            },
        )
    ]


def test_poison_is_a_letter_without_a_retry(stack: Stack) -> None:
    stack.send("poison c1")
    until(lambda: stack.left() == 0, seconds=20)
    assert stack.outcomes("c1") == ["effect"]
    [(body, attributes)] = stack.letters()
    assert (body, attributes["reason"]) == ("poison c1", "PoisonError: no amount")


def test_an_open_circuit_sends_the_message_back_until_it_is_worth_a_try(stack: Stack) -> None:
    stack.send("open d1")
    until(lambda: len(stack.calls("d1")) == 2, seconds=20)
    [(_, first), (_, second)] = stack.calls("d1")
    # It said 3 s. A retry would have come within 1 s, a failure would be hidden for 2 s at most.
    assert 2.9 <= second - first < 8
    assert stack.left() == 1
    assert stack.letters() == []


def asked(url: str, key: str) -> tuple[int, str]:
    request = urllib.request.Request(url, data=b"{}", headers={"idempotency-key": key, "x-caller": "test"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)["outcome"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["outcome"]


def test_the_downstream_is_switched_while_it_runs(stack: Stack) -> None:
    url, table = stack.exports["url"], stack.exports["table"]
    assert [asked(url, "e1") for _ in range(2)] == [(200, "effect"), (200, "duplicate")]
    stack.dynamodb.put_item(TableName=table, Item=setting_item(Setting(Mode.OUTAGE)))
    time.sleep(1.1)  # the time to live of a setting
    assert asked(url, "e2") == (503, "unavailable")
    stack.dynamodb.delete_item(TableName=table, Key=SETTING_KEY)
    time.sleep(1.1)
    assert asked(url, "e2") == (200, "effect")
    assert stack.outcomes("e2") == ["unavailable", "effect"]
