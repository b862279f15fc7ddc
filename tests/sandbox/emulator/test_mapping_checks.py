"""What is refused of event source mappings and of messages, on the emulator."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from tests.support.emulator_functions import deploy

pytestmark = pytest.mark.slow

ACCOUNT = "us-east-1:000000000000"
EMPTY = "def handle(event, context): pass"


def _map(clients: Clients, queue: str, function: str) -> dict[str, Any]:
    answer: dict[str, Any] = clients.get("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=f"arn:aws:sqs:{ACCOUNT}:{queue}"
    )
    return answer


def test_messages_must_not_reappear_before_the_function_has_to_be_done(clients: Clients) -> None:
    sqs, functions = clients.get("sqs"), clients.get("lambda")
    deploy(clients, "ten", EMPTY)  # with a timeout of 10 s
    for seconds in (9, 10):
        sqs.create_queue(QueueName=f"hidden-{seconds}", Attributes={"VisibilityTimeout": str(seconds)})
    text = "Queue visibility timeout: 9 seconds is less than Function timeout: 10 seconds"
    with pytest.raises(ClientError, match=rf"InvalidParameterValueException.*{text}"):
        _map(clients, "hidden-9", "ten")
    mapping = _map(clients, "hidden-10", "ten")["UUID"]
    deploy(clients, "eleven", EMPTY)
    functions.update_function_configuration(FunctionName="eleven", Timeout=11)
    with pytest.raises(ClientError, match="10 seconds is less than Function timeout: 11 seconds"):
        functions.update_event_source_mapping(UUID=mapping, FunctionName="eleven")
    assert functions.update_event_source_mapping(UUID=mapping, BatchSize=1)["BatchSize"] == 1


def test_a_second_mapping_of_a_queue_to_a_function_is_refused(clients: Clients) -> None:
    clients.get("sqs").create_queue(QueueName="shared")
    for name in ("one", "two"):
        deploy(clients, name, EMPTY)
    first = _map(clients, "shared", "one")["UUID"]
    with pytest.raises(ClientError, match=rf"ResourceConflictException.*UUID {first}"):
        _map(clients, "shared", f"arn:aws:lambda:{ACCOUNT}:function:one")
    assert _map(clients, "shared", "two")["UUID"] != first
    clients.get("lambda").delete_event_source_mapping(UUID=first)
    _map(clients, "shared", "one")


def test_a_mapping_to_no_function_is_refused_as_before(clients: Clients) -> None:
    clients.get("sqs").create_queue(QueueName="alone")
    with pytest.raises(ClientError, match="Function not found: none"):
        _map(clients, "alone", "none")


def test_a_stream_mapping_has_the_defaults_of_aws(clients: Clients) -> None:
    deploy(clients, "streaming", EMPTY)
    clients.get("kinesis").create_stream(StreamName="s", ShardCount=1)
    mapping = clients.get("lambda").create_event_source_mapping(
        FunctionName="streaming",
        EventSourceArn=f"arn:aws:kinesis:{ACCOUNT}:stream/s",
        StartingPosition="LATEST",
        MaximumRetryAttempts=3,
    )
    shown = "BatchSize", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError"
    assert [mapping[name] for name in shown] == [100, 3, -1, False]


def test_a_delay_of_more_than_900_seconds_is_refused(clients: Clients) -> None:
    sqs = clients.get("sqs")
    queue = sqs.create_queue(QueueName="delayed")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="m", DelaySeconds=900)
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*Value 901 for parameter DelaySeconds"):
        sqs.send_message(QueueUrl=queue, MessageBody="m", DelaySeconds=901)
    entries = [{"Id": str(d), "MessageBody": "m", "DelaySeconds": d} for d in (0, 901)]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["0"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("901", "InvalidParameterValue")]
