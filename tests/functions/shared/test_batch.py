"""Against SQS as moto has it. What a mapping does with the answer is tested with the components."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from selfheal.functions.shared.batch import (
    LONGEST_VISIBILITY_SECONDS,
    DeadLetterQueue,
    PoisonError,
    Record,
    RefusedError,
    kinesis_batch,
    sqs_batch,
)
from selfheal.functions.shared.breaker.client import CircuitOpen

ORIGIN = "arn:aws:sqs:us-east-1:123456789012:orders"


class Queues:
    """A queue, its dead-letter queue, and a consumer of batches."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.url, self.letters_url = (
            client.create_queue(QueueName=n)["QueueUrl"] for n in ("orders", "dead")
        )
        self.dead_letters = DeadLetterQueue(client, self.letters_url, "fulfilment")

    def received(self, *bodies: str, **attributes: Any) -> list[dict[str, Any]]:
        """Send messages, receive them, and return them as Lambda passes them."""
        for body in bodies:
            self.client.send_message(QueueUrl=self.url, MessageBody=body, MessageAttributes=attributes)
        return self.take(self.url)

    def take(self, url: str) -> list[dict[str, Any]]:
        messages = self.client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30, MessageAttributeNames=["All"]
        ).get("Messages", [])
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "messageAttributes": {
                    name: {key[0].lower() + key[1:]: _event(part) for key, part in value.items()}
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                "eventSourceARN": ORIGIN,
            }
            for message in messages
        ]

    def run(
        self,
        records: list[dict[str, Any]],
        handle: Callable[[Record], object],
        **change: Any,
    ) -> list[str]:
        """Return the bodies of the messages that come again."""
        arguments: dict[str, Any] = {
            "client": self.client,
            "queue_url": self.url,
            "dead_letters": self.dead_letters,
        }
        answer = sqs_batch({"Records": records}, handle, **arguments | change)
        assert list(answer) == ["batchItemFailures"]
        bodies = {record["messageId"]: record["body"] for record in records}
        return [bodies[failure["itemIdentifier"]] for failure in answer["batchItemFailures"]]

    def letters(self) -> list[dict[str, Any]]:
        return self.take(self.letters_url)


def _event(part: Any) -> Any:
    return base64.b64encode(part).decode() if isinstance(part, bytes) else part


def _said(letter: dict[str, Any]) -> dict[str, Any]:
    return {name: value["stringValue"] for name, value in letter["messageAttributes"].items()}


class Refusing:
    """An SQS client of which every call fails."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "no"}}, name)

        return call


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queues]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Queues(boto3.client("sqs", region_name="us-east-1"))


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def by_body(record: Record) -> None:
    """Do what the body says."""
    match record["body"].partition(" "):
        case "poison", _, reason:
            raise PoisonError(reason)
        case "refused", _, seconds:
            raise RefusedError("circuit open", float(seconds) if seconds else None)
        case "bug", _, _:
            raise KeyError("amount")
        case _:
            return


def test_only_what_failed_comes_again_and_each_failure_is_logged_with_its_message(
    queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    records = queues.received("good", "bug", "poison no amount", "refused", "good too")
    assert queues.run(records, by_body) == ["bug", "refused"]
    identifiers = {record["body"]: record["messageId"] for record in records}
    lines = [(line["level"], line["message"], line["message_id"]) for line in logged(capsys)]
    assert lines == [
        ("error", "message failed", identifiers["bug"]),
        ("error", "poison moved", identifiers["poison no amount"]),
        ("warning", "message refused", identifiers["refused"]),
    ]


def test_a_bug_is_logged_with_its_class_and_text(queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
    queues.run(queues.received("bug"), by_body)
    (line,) = logged(capsys)
    assert (line["error"], line["detail"], line["source"]) == ("KeyError", "'amount'", ORIGIN)
    assert queues.letters() == []


def test_a_value_error_that_nobody_called_poison_is_a_bug(queues: Queues) -> None:
    def handle(_: Record) -> None:
        int("x")

    assert queues.run(queues.received("any"), handle) == ["any"]
    assert queues.letters() == []


def test_poison_is_moved_at_once_and_says_where_it_came_from_where_it_returns_to_and_why(
    queues: Queues,
) -> None:
    assert queues.run(queues.received("poison no amount"), by_body) == []
    (letter,) = queues.letters()
    assert letter["body"] == "poison no amount"
    assert _said(letter) == {"origin": ORIGIN, "target": "fulfilment", "reason": "no amount"}


def test_a_letter_keeps_the_attributes_that_the_message_had(queues: Queues) -> None:
    own = {
        "caller": {"DataType": "String", "StringValue": "c1"},
        "digest": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    queues.run(queues.received("poison x", **own), by_body)
    (letter,) = queues.letters()
    attributes = letter["messageAttributes"]
    assert attributes["caller"]["stringValue"] == "c1"
    assert base64.b64decode(attributes["digest"]["binaryValue"]) == b"\x00\x01"


def test_a_letter_never_has_more_attributes_than_sqs_takes_and_its_own_three_come_first(
    queues: Queues,
) -> None:
    own = {f"a{number}": {"DataType": "String", "StringValue": "v"} for number in range(10)}
    queues.run(queues.received("poison x", **own), by_body)
    (letter,) = queues.letters()
    assert len(letter["messageAttributes"]) == 10
    assert {"origin", "target", "reason"} <= letter["messageAttributes"].keys()


def test_a_letter_that_fails_again_keeps_its_first_origin(queues: Queues) -> None:
    def text(value: str) -> dict[str, str]:
        return {"DataType": "String", "StringValue": value}

    first = {"origin": text("first"), "target": text("billing"), "reason": text("old")}
    queues.run(queues.received("poison new", **first), by_body)
    (letter,) = queues.letters()
    assert _said(letter) == {"origin": "first", "target": "fulfilment", "reason": "new"}
    # A message that happens to have such an attribute is no letter.
    queues.run(queues.received("poison new", origin=text("web")), by_body)
    assert _said(queues.letters()[-1])["origin"] == ORIGIN


@pytest.mark.parametrize("reason", ["", "a\x00b\ufffe\ud800", "\N{PILE OF POO}"])
def test_a_reason_that_sqs_would_refuse_does_not_keep_poison_in_the_queue(
    queues: Queues, reason: str
) -> None:
    def handle(_: Record) -> None:
        raise PoisonError(reason * 1000)

    assert queues.run(queues.received("any"), handle) == []
    (letter,) = queues.letters()
    shown = _said(letter)["reason"]
    assert len(shown) == (256 if reason else len("unknown"))
    assert not set(shown) & {"\x00", "\ufffe", "\ud800"}
    assert not set(shown) & {"\x00", "\ufffe", "\ud800"}


def test_poison_that_cannot_be_moved_comes_again(queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
    lost = DeadLetterQueue(Refusing(), queues.letters_url, "fulfilment")
    assert queues.run(queues.received("poison x"), by_body, dead_letters=lost) == ["poison x"]
    (line,) = logged(capsys)
    assert (line["message"], line["reason"], line["error"]) == ("poison not moved", "x", "ClientError")


@pytest.mark.parametrize(
    ("seconds", "visibility"),
    [
        ("120", 120),
        ("0.2", 1),
        ("-5", 0),
        ("1e9", LONGEST_VISIBILITY_SECONDS),
        ("inf", LONGEST_VISIBILITY_SECONDS),
    ],
)
def test_a_refused_message_stays_away_for_as_long_as_the_refusal_says(
    queues: Queues, seconds: str, visibility: int
) -> None:
    client = Recording()
    (record,) = queues.received(f"refused {seconds}")
    assert queues.run([record], by_body, client=client) == [record["body"]]
    entry = {"Id": "0", "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": visibility}
    assert client.calls == [{"QueueUrl": queues.url, "Entries": [entry]}]


class Recording:
    """An SQS client that keeps what it was asked, and refuses some of it."""

    def __init__(self, *refused: str) -> None:
        self.calls: list[dict[str, Any]] = []
        self.refused = refused

    def change_message_visibility_batch(self, **arguments: Any) -> dict[str, Any]:
        self.calls.append(arguments)
        failed = [each["Id"] for each in arguments["Entries"] if each["ReceiptHandle"] in self.refused]
        return {"Failed": [{"Id": each, "Code": "ReceiptHandleIsInvalid"} for each in failed]}

    def seconds(self) -> list[list[int]]:
        """Return the visibility of each message, call by call."""
        return [[entry["VisibilityTimeout"] for entry in call["Entries"]] for call in self.calls]


def test_ten_refused_messages_are_one_call_at_the_end_and_failed_ones_are_hidden_at_once(
    queues: Queues,
) -> None:
    client, seen = Recording(), list[int]()
    records = [{"messageId": str(n), "receiptHandle": f"h{n}", "body": "refused 0"} for n in range(12)]
    records.insert(1, {"messageId": "bug", "receiptHandle": "bug", "body": "bug"})

    def handle(record: Record) -> None:
        seen.append(len(client.calls))
        by_body(record)

    assert len(queues.run(records, handle, client=client, chance=lambda: 0.5)) == 13
    assert seen == [0, 0, *[1] * 11]  # known at once, also if the function is stopped after it
    assert client.seconds() == [[1], [0] * 10, [0] * 2]
    handles = [entry["ReceiptHandle"] for call in client.calls for entry in call["Entries"]]
    assert sorted(handles) == sorted(record["receiptHandle"] for record in records)


def test_of_a_call_for_several_messages_the_log_names_those_that_sqs_refused(
    queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    records = queues.received("refused 5", "refused 6")
    client = Recording(records[1]["receiptHandle"])
    assert queues.run(records, by_body, client=client) == ["refused 5", "refused 6"]
    assert client.seconds() == [[5, 6]]
    [line] = [line for line in logged(capsys) if line["message"] == "visibility not changed"]
    assert (line["message_id"], line["error"]) == (records[1]["messageId"], "ReceiptHandleIsInvalid")


def test_a_refusal_without_a_delay_leaves_the_visibility_alone(queues: Queues) -> None:
    client = Recording()
    assert queues.run(queues.received("refused"), by_body, client=client) == ["refused"]
    assert client.calls == []


def test_sqs_takes_the_visibility_and_the_message_is_away(queues: Queues) -> None:
    records = queues.received("refused 0", "refused 600")
    assert queues.run(records, by_body) == ["refused 0", "refused 600"]
    assert [record["body"] for record in queues.take(queues.url)] == ["refused 0"]


@pytest.mark.parametrize("seconds", ["5", "nan"])
def test_a_visibility_that_cannot_be_changed_is_logged_and_the_message_comes_again(
    queues: Queues, seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    body = f"refused {seconds}"
    assert queues.run(queues.received(body), by_body, client=Refusing()) == [body]
    assert [line["message"] for line in logged(capsys)] == ["message refused", "visibility not changed"]


@pytest.mark.parametrize(
    ("received", "visibility"), [("1", 1), ("2", 2), ("3", 4), ("8", 128), ("9", 150), ("1000", 150)]
)
def test_a_failed_message_comes_again_after_a_random_pause_that_grows_with_its_receives(
    queues: Queues, received: str, visibility: int
) -> None:
    client = Recording()
    (record,) = queues.received("bug")
    record["attributes"] = {"ApproximateReceiveCount": received}
    # Half of the longest pause, since that is what chance says.
    assert queues.run([record], by_body, client=client, chance=lambda: 0.5) == ["bug"]
    assert client.seconds() == [[visibility]]


def test_poison_that_was_moved_is_not_hidden(queues: Queues) -> None:
    client = Recording()
    assert queues.run(queues.received("poison x"), by_body, client=client) == []
    assert client.calls == []


def test_a_good_batch_says_nothing(queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
    assert queues.run(queues.received("good", "better"), by_body) == []
    assert logged(capsys) == []


def stream(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"eventSourceARN": "arn:stream", "kinesis": {"sequenceNumber": str(number)}, "body": body}
            for number, body in enumerate(bodies, start=100)
        ]
    }


@pytest.mark.parametrize("bad", ["bug", "poison x", "refused 5"])
def test_a_stream_stops_at_its_first_failure_whatever_it_is(
    bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[str] = []

    def handle(record: Record) -> None:
        tried.append(record["body"])
        by_body(record)

    answer = kinesis_batch(stream("good", bad, "good", "bug"), handle)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "101"}]}
    assert tried == ["good", bad]
    (line,) = logged(capsys)
    assert (line["level"], line["message"], line["sequence_number"]) == ("error", "record failed", "101")


def test_a_stream_without_failures_has_none() -> None:
    assert kinesis_batch(stream("good", "good"), by_body) == {"batchItemFailures": []}
    assert kinesis_batch(stream(), by_body) == {"batchItemFailures": []}


def test_an_open_circuit_is_a_refusal_without_being_named(
    queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Record) -> None:
        raise CircuitOpen("payments", 600)

    assert queues.run(queues.received("an order"), refuse) == ["an order"]
    assert logged(capsys)[0]["message"] == "message refused"
    assert queues.take(queues.url) == []
