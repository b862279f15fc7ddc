"""`selfheal dlq` on the emulator: letters of every kind go back to where they failed, and nowhere else."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal.functions.shared.batch import DeadLetterQueue
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from tests.cli.support import said, told
from tests.support.emulator_functions import deploy
from tests.support.processes import until

pytestmark = pytest.mark.slow

ACCOUNT = "us-east-1:000000000000"
QUEUES = ("orders", "levelled", "delivered", "dead", "quiet")

CONSUMER = """
import base64, json, os
def handle(event, context):
    if not os.path.exists({mended!r}):
        raise ValueError("not mended")
    with open({log!r}, "a") as file:
        file.write(json.dumps(event["Records"]) + "\\n")
"""


class Account:
    """An account with dead letters, and the commands on it."""

    def __init__(self, running: Emulator, folder: Path) -> None:
        self.clients: Clients = running.clients
        self.at = ("--endpoint", running.clients.endpoint)
        self.sqs, self.s3 = running.clients.get("sqs"), running.clients.get("s3")
        self.mended, self.log = folder / "mended", folder / "log"
        self.urls = {
            name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in QUEUES if name != "delivered"
        }
        policy = {"deadLetterTargetArn": f"arn:aws:sqs:{ACCOUNT}:dead", "maxReceiveCount": "1"}
        self.sqs.set_queue_attributes(
            QueueUrl=self.urls["levelled"], Attributes={"RedrivePolicy": json.dumps(policy)}
        )
        self.s3.create_bucket(Bucket="failures")

    def outputs(self) -> dict[str, Any]:
        places = {"dead": self.urls["dead"], "quiet": self.urls["quiet"], "analytics": "s3://failures"}
        return {"deadLetters": places}

    def taken(self, name: str) -> list[dict[str, Any]]:
        """What lies in a queue, which is empty after that."""
        url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        ).get("Messages", [])
        for each in found:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found

    def count(self, name: str) -> int:
        """How many visible messages a queue has."""
        told = self.sqs.get_queue_attributes(QueueUrl=self.urls[name], AttributeNames=["All"])["Attributes"]
        return int(told["ApproximateNumberOfMessages"])

    def die_of_receives(self) -> None:
        """Receive from the levelled queue, as a consumer that fails, until its messages are moved."""
        for _ in range(2):
            self.sqs.receive_message(QueueUrl=self.urls["levelled"], VisibilityTimeout=0)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as running:
        yield Account(running, tmp_path_factory.mktemp("files"))


@pytest.fixture(autouse=True)
def pulumi(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `pulumi` on PATH that tells the stack's outputs."""
    path = tmp_path / "pulumi"
    path.write_text(f"#!/bin/sh\necho '{json.dumps(account.outputs())}'\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def _three_letters(account: Account) -> None:
    """Put one letter of each kind into the queue: by a consumer, by SQS and by EventBridge."""
    moved: dict[str, Any] = {
        "eventSourceARN": f"arn:aws:sqs:{ACCOUNT}:orders",
        "body": "moved",
        "messageAttributes": {"caller": {"dataType": "String", "stringValue": "c"}},
    }
    DeadLetterQueue(account.sqs, account.urls["dead"], "orders").send(moved, "invalid: no amount")
    account.sqs.send_message(QueueUrl=account.urls["levelled"], MessageBody="redriven by SQS")
    account.die_of_receives()
    events = account.clients.get("events")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["orders"]}))
    dead = {"Arn": f"arn:aws:sqs:{ACCOUNT}:dead"}
    targets = [
        {"Id": "1", "Arn": f"arn:aws:sqs:{ACCOUNT}:delivered", "DeadLetterConfig": dead},
        {"Id": "2", "Arn": f"arn:aws:sqs:{ACCOUNT}:orders"},
    ]
    events.put_targets(Rule="all", Targets=targets)
    entry = {"Source": "orders", "DetailType": "order", "Detail": '{"id": "7"}'}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    until(lambda: account.count("dead") == 3)
    until(lambda: account.count("orders") == 1)
    account.taken("orders")  # what the rule's other target got of the event


def test_letters_of_each_kind_go_back_to_where_they_failed_and_nowhere_else(account: Account) -> None:
    _three_letters(account)
    listed = {each["name"]: each for each in told("dlq", "list", *account.at, code=3)}
    assert {name: each["letters"] for name, each in listed.items()} == {"analytics": 0, "dead": 3, "quiet": 0}
    assert {each["reason"] for each in listed["dead"]["reasons"]} == {
        "invalid: no amount",
        "received too often without being deleted",
        f"NO_RESOURCE: The target arn:aws:sqs:{ACCOUNT}:delivered does not exist.",
    }
    assert 0 <= listed["dead"]["oldest_seconds"] < 60
    shown = said("dlq", "show", "dead", *account.at)
    for words in ("invalid: no amount", "target orders", "body moved", "may be personal data"):
        assert words in shown
    assert account.count("dead") == 3  # looking took nothing away

    # The third target is still missing: its letter is left.
    dry = told("dlq", "redrive", "dead", "--dry-run", *account.at, code=3)
    assert (len(dry["would_be_redriven"]), len(dry["left"]), account.count("dead")) == (2, 1, 3)
    assert "cannot be had" in dry["left"][0]["problem"]
    account.sqs.create_queue(QueueName="delivered")
    assert "3 letters redriven, 0 left, 0 came back" in said("dlq", "redrive", "dead", "--yes", *account.at)

    bodies = {name: [each["Body"] for each in account.taken(name)] for name in ("levelled", "dead", "quiet")}
    assert bodies == {"levelled": ["redriven by SQS"], "dead": [], "quiet": []}
    [moved], [event] = account.taken("orders"), account.taken("delivered")
    assert {name: each["StringValue"] for name, each in moved["MessageAttributes"].items()} == {
        "caller": "c",
        "redriven": "1",
    }
    assert moved["Body"] == "moved"
    assert json.loads(event["Body"])["detail"] == {"id": "7"}
    assert event["MessageAttributes"].keys() == {"redriven"}
    assert "0 letters" in said("dlq", "list", "--queue", "dead", *account.at)


def test_a_streams_failure_in_its_bucket_runs_the_function_again_and_nothing_else(account: Account) -> None:
    deploy(account.clients, "tally", CONSUMER.format(mended=str(account.mended), log=str(account.log)))
    kinesis = account.clients.get("kinesis")
    kinesis.create_stream(StreamName="analytics", ShardCount=1)
    until(
        lambda: (
            kinesis.describe_stream_summary(StreamName="analytics")["StreamDescriptionSummary"][
                "StreamStatus"
            ]
            == "ACTIVE"
        )
    )
    kinesis.put_record(StreamName="analytics", Data=b"poison", PartitionKey="1")
    account.clients.get("lambda").create_event_source_mapping(
        FunctionName="tally",
        EventSourceArn=f"arn:aws:kinesis:{ACCOUNT}:stream/analytics",
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::failures"}},
    )
    until(lambda: account.s3.list_objects_v2(Bucket="failures")["KeyCount"] == 1)

    [letter] = told("dlq", "show", "analytics", *account.at)
    assert (letter["kind"], letter["reason"]) == ("stream", "RetryAttemptsExhausted")
    assert letter["target"] == f"arn:aws:lambda:{ACCOUNT}:function:tally"
    failed = told("dlq", "redrive", "analytics", "--yes", *account.at, code=3)
    assert "ValueError: not mended" in failed["left"][0]["problem"]
    assert account.s3.list_objects_v2(Bucket="failures")["KeyCount"] == 1

    account.mended.touch()
    done = told("dlq", "redrive", "--bucket", "failures", "--only", letter["id"], "--yes", *account.at)
    assert [each["id"] for each in done["redriven"]] == [letter["id"]]
    assert account.s3.list_objects_v2(Bucket="failures")["KeyCount"] == 0
    [[record]] = [json.loads(line) for line in account.log.read_text().splitlines()]
    assert base64.b64decode(record["kinesis"]["data"]) == b"poison"
    assert record["messageAttributes"]["redriven"]["stringValue"] == "1"


def test_what_comes_back_after_the_run_is_told(account: Account) -> None:
    account.sqs.send_message(QueueUrl=account.urls["levelled"], MessageBody="poison")
    account.die_of_receives()
    until(lambda: account.count("dead") == 1)
    ended = threading.Event()

    def fail() -> None:
        while not ended.is_set():
            account.sqs.receive_message(
                QueueUrl=account.urls["levelled"], VisibilityTimeout=0, WaitTimeSeconds=1
            )

    consumer = threading.Thread(target=fail)
    consumer.start()
    try:
        done = told("dlq", "redrive", "dead", "--yes", "--wait", "2", *account.at, code=3)
    finally:
        ended.set()
        consumer.join()
    assert len(done["redriven"]) == len(done["came_back"]) == 1
    assert done["came_back"][0]["digest"] == done["redriven"][0]["digest"]
    [letter] = account.taken("dead")
    assert letter["MessageAttributes"]["redriven"]["StringValue"] == "1"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show",), 1, "name one of analytics, dead, quiet"),
        (("show", "nothing"), 1, "has no dead letters 'nothing'; it has analytics, dead, quiet"),
        (("show", "analytic"), 1, "has no dead letters 'analytic'. Did you mean analytics?"),
        (("show", "dead", "--queue", "dead"), 2, "give one of NAME"),
        (("show", "--queue", "nothing"), 1, "the queue nothing cannot be had"),
        (("show", "--bucket", "nothing-there"), 1, "cannot be read"),
        (("show", "--bucket", "Not_A_Bucket"), 1, "is no bucket"),
        (("show", "--queue", "levelled"), 1, "is no dead-letter queue"),
        (("redrive", "quiet", "--json"), 2, "nothing can be asked"),
        (("redrive", "quiet", "--rate", "0"), 2, "--rate"),
        (("redrive", "quiet", "--to", "quiet", "--yes"), 1, "the dead-letter queue itself"),
        (("redrive", "quiet", "--yes"), 0, "0 letters redriven, 0 left, 0 came back"),
        (("redrive", "quiet", "--yes", "--only", "x"), 3, "not found: x"),
    ],
)
def test_mistakes_are_said(account: Account, arguments: tuple[str, ...], code: int, words: str) -> None:
    assert words in said("dlq", *arguments, *account.at, code=code)


def test_a_no_sends_nothing(account: Account) -> None:
    account.sqs.send_message(QueueUrl=account.urls["quiet"], MessageBody="garbage")
    asked = said("dlq", "redrive", "quiet", "--to", "orders", *account.at, typed_in="n\n", code=1)
    assert "Send all of them to orders, 10 a second?" in asked
    assert "1 unknown → target cannot be told" in asked
    assert (account.count("quiet"), account.count("orders")) == (1, 0)


def test_outputs_that_name_no_dead_letters_are_said(account: Account, tmp_path: Path) -> None:
    for outputs, words in (
        ("{}", "is missing"),
        ('{"deadLetters": "[secret]"}', "is '[secret]'"),
        ('{"deadLetters": {"x": 3}}', "x in the stack's output"),
    ):
        (tmp_path / "pulumi").write_text(f"#!/bin/sh\necho '{outputs}'\n")
        shown = said("dlq", "list", *account.at, code=1)
        assert words in shown
        assert "--queue URL_OR_NAME" in shown


@pytest.mark.parametrize("command", ["list", "show", "redrive"])
def test_the_help_teaches(command: str) -> None:
    shown = said("dlq", command, "--help")
    for words in (
        "Examples",
        f"selfheal dlq {command}",
        "Exit codes",
        "--stack",
        "--endpoint",
        "--aws",
        "--region",
    ):
        assert words in shown
    assert "--ledger" not in shown
