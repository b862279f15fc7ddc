"""Event source mappings of Kinesis streams, on the emulator."""

import base64
import json
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from tests.support.emulator_functions import deploy
from tests.support.processes import until

pytestmark = pytest.mark.slow

ACCOUNT = "us-east-1:000000000000"

CONSUMER = """
import base64, json, time
PATH = {path!r}
def handle(event, context):
    time.sleep({seconds})
    texts = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
    with open(PATH, "a") as file:
        file.write(json.dumps(texts) + "\\n")
    bad = [r["kinesis"]["sequenceNumber"]
           for r, text in zip(event["Records"], texts) if text.startswith("poison")]
    if bad and {report}:
        return {{"batchItemFailures": [{{"itemIdentifier": number}} for number in bad]}}
    if bad:
        raise ValueError("poison")
"""


class Consumer:
    """A function on a stream of its own, which writes down what it was invoked with."""

    def __init__(self, clients: Clients, folder: Path, name: str, **code: Any) -> None:
        self._clients, self._name, self._log = clients, name, folder / f"{name}.log"
        self._log.touch()
        code = {"report": False, "seconds": 0, **code}
        deploy(clients, name, CONSUMER.format(path=str(self._log), **code))
        clients.get("kinesis").create_stream(StreamName=name, ShardCount=1)
        clients.get("kinesis").get_waiter("stream_exists").wait(
            StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )

    def put(self, *texts: str) -> list[str]:
        """Put records into the stream, and return their sequence numbers."""
        records = [{"Data": text.encode(), "PartitionKey": "1"} for text in texts]
        answer = self._clients.get("kinesis").put_records(StreamName=self._name, Records=records)
        return [record["SequenceNumber"] for record in answer["Records"]]

    def map(self, **settings: Any) -> str:
        return self._clients.get("lambda").create_event_source_mapping(
            FunctionName=self._name,
            EventSourceArn=f"arn:aws:kinesis:{ACCOUNT}:stream/{self._name}",
            StartingPosition="TRIM_HORIZON",
            **settings,
        )["UUID"]

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]


def _queue(clients: Clients, name: str) -> tuple[str, dict[str, Any]]:
    url = clients.get("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, {"OnFailure": {"Destination": f"arn:aws:sqs:{ACCOUNT}:{name}"}}


def _letter(clients: Clients, url: str) -> dict[str, Any]:
    [message] = clients.get("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    return json.loads(message["Body"])


def _flat(calls: Iterable[list[str]]) -> list[str]:
    return [text for call in calls for text in call]


def test_bisection_finds_the_poison_and_a_queue_gets_its_numbers_only(
    clients: Clients, tmp_path: Path
) -> None:
    consumer = Consumer(clients, tmp_path, "bisected")
    url, destination = _queue(clients, "bisected-dead")
    numbers = consumer.put("0", "poison", "2", "3", "4", "5")
    consumer.map(
        BatchSize=6, BisectBatchOnFunctionError=True, MaximumRetryAttempts=1, DestinationConfig=destination
    )
    letter = _letter(clients, url)
    until(lambda: consumer.calls()[-1:] == [["3", "4", "5"]])
    whole = ["0", "poison", "2", "3", "4", "5"]
    assert consumer.calls() == [
        *(whole, ["0", "poison", "2"], ["0"], ["poison", "2"], ["poison"], ["poison"], ["2"]),
        ["3", "4", "5"],
    ]
    assert letter["requestContext"] == {
        "requestId": letter["requestContext"]["requestId"],
        "functionArn": f"arn:aws:lambda:{ACCOUNT}:function:bisected",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 2,
    }
    assert letter["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    info = letter["KinesisBatchInfo"]
    assert info["startSequenceNumber"] == info["endSequenceNumber"] == numbers[1]
    assert (info["batchSize"], info["shardId"]) == (1, "shardId-000000000000")
    assert info["streamArn"] == f"arn:aws:kinesis:{ACCOUNT}:stream/bisected"
    assert info["approximateArrivalOfFirstRecord"] == info["approximateArrivalOfLastRecord"]
    assert set(letter) == {*("requestContext", "responseContext", "version", "timestamp", "KinesisBatchInfo")}


def test_a_bucket_gets_the_records_themselves(clients: Clients, tmp_path: Path) -> None:
    consumer = Consumer(clients, tmp_path, "kept")
    s3 = clients.get("s3")
    s3.create_bucket(Bucket="kept-dead")
    consumer.put("poison 1", "2")
    mapping = consumer.map(
        MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::kept-dead"}}
    )
    until(lambda: s3.list_objects_v2(Bucket="kept-dead")["KeyCount"] == 1)
    key = s3.list_objects_v2(Bucket="kept-dead")["Contents"][0]["Key"]
    day = r"\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}"
    assert re.fullmatch(rf"aws/lambda/{mapping}/shardId-000000000000/{day}", key)
    record = json.loads(s3.get_object(Bucket="kept-dead", Key=key)["Body"].read())
    assert record["KinesisBatchInfo"]["batchSize"] == 2
    data = [r["kinesis"]["data"] for r in json.loads(record["payload"])["Records"]]
    assert [base64.b64decode(each).decode() for each in data] == ["poison 1", "2"]
    assert consumer.calls() == [["poison 1", "2"]]


def test_a_partial_response_loses_nothing_and_goes_on_behind_what_it_discards(
    clients: Clients, tmp_path: Path
) -> None:
    consumer = Consumer(clients, tmp_path, "partial", report=True)
    url, destination = _queue(clients, "partial-dead")
    numbers = consumer.put("0", "1", "poison", "3", "poison too")
    consumer.map(
        BatchSize=5,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=0,
        DestinationConfig=destination,
    )
    dead = [_letter(clients, url) for _ in range(2)]
    assert [each["KinesisBatchInfo"]["startSequenceNumber"] for each in dead] == [numbers[2], numbers[4]]
    assert "functionError" not in dead[0]["responseContext"]
    calls = consumer.calls()
    assert calls[:2] == [["0", "1", "poison", "3", "poison too"], ["poison", "3", "poison too"]]
    assert _flat(calls).count("0") == 1
    assert "3" in _flat(call for call in calls if call[0] == "3")  # in a call that did not begin with poison


def test_what_became_too_old_is_discarded_whatever_the_retries(clients: Clients, tmp_path: Path) -> None:
    consumer = Consumer(clients, tmp_path, "aged")
    url, destination = _queue(clients, "aged-dead")
    consumer.map(MaximumRecordAgeInSeconds=1, DestinationConfig=destination)
    consumer.put("poison")
    letter = _letter(clients, url)
    assert letter["requestContext"]["condition"] == "RecordAgeExceeded"
    assert letter["requestContext"]["approximateInvokeCount"] == len(consumer.calls()) > 1
    consumer.put("next")
    until(lambda: consumer.calls()[-1] == ["next"])


def test_without_limits_a_poison_blocks_its_shard_and_a_disabled_mapping_resumes_at_it(
    clients: Clients, tmp_path: Path
) -> None:
    consumer = Consumer(clients, tmp_path, "blocked")
    mapping = consumer.map(BatchSize=1)
    consumer.put("poison", "behind")
    until(lambda: len(consumer.calls()) > 2)
    functions = clients.get("lambda")
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    time.sleep(1.5)
    seen = len(consumer.calls())
    time.sleep(1.5)
    assert len(consumer.calls()) == seen
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    until(lambda: len(consumer.calls()) > seen)
    assert _flat(consumer.calls()).count("behind") == 0


def test_a_throttled_function_uses_up_no_retries(clients: Clients, tmp_path: Path) -> None:
    consumer = Consumer(clients, tmp_path, "throttled-stream")
    functions = clients.get("lambda")
    functions.put_function_concurrency(FunctionName="throttled-stream", ReservedConcurrentExecutions=0)
    consumer.put("1")
    consumer.map(MaximumRetryAttempts=0)
    time.sleep(2.5)
    functions.delete_function_concurrency(FunctionName="throttled-stream")
    until(lambda: consumer.calls() == [["1"]])


def test_a_slow_stream_does_not_slow_a_queue(clients: Clients, tmp_path: Path) -> None:
    slow = Consumer(clients, tmp_path, "slow", seconds=4)
    slow.put("1")
    slow.map()
    log = tmp_path / "queue.log"
    deploy(
        clients, "quick", f"import time\ndef handle(e, c): open({str(log)!r}, 'w').write(str(time.time()))"
    )
    url = clients.get("sqs").create_queue(QueueName="quick")["QueueUrl"]
    clients.get("lambda").create_event_source_mapping(
        FunctionName="quick", EventSourceArn=f"arn:aws:sqs:{ACCOUNT}:quick"
    )
    time.sleep(0.5)
    sent = time.time()
    clients.get("sqs").send_message(QueueUrl=url, MessageBody="1")
    until(lambda: log.exists() and log.read_text() != "")
    assert float(log.read_text()) - sent < 3
    assert slow.calls() == []


def test_a_mapping_can_be_deleted_while_its_poison_is_retried(clients: Clients, tmp_path: Path) -> None:
    consumer = Consumer(clients, tmp_path, "deleted")
    mapping = consumer.map()
    consumer.put("poison")
    until(lambda: len(consumer.calls()) > 0)
    functions = clients.get("lambda")
    functions.delete_event_source_mapping(UUID=mapping)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        functions.get_event_source_mapping(UUID=mapping)
    time.sleep(1.5)
    seen = len(consumer.calls())
    time.sleep(1.2)
    assert len(consumer.calls()) == seen
