"""What the starter says to the workflow, and what it makes of the workflow's end."""

import json
from typing import Any

import pytest

from selfheal.functions.shared.batch import PoisonError, RefusedError
from selfheal.functions.shared.breaker.client import CircuitOpen
from selfheal.functions.workflow_starter.core import (
    MOST_BYTES,
    REFUSED,
    REFUSED_SECONDS,
    WorkflowError,
    execution_input,
    judged,
)

RECORD: dict[str, Any] = {
    "messageId": "m1",
    "receiptHandle": "secret",
    "body": "café",
    "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1"},
    "messageAttributes": {},
    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:billing",
    "breakerProbe": "lease",
}


def attributes(count: int = 0, **texts: str) -> dict[str, Any]:
    named = texts | {f"own{number}": "x" for number in range(count)}
    return {name: {"dataType": "String", "stringValue": value} for name, value in named.items()}


def kept(given: dict[str, Any]) -> dict[str, Any]:
    return json.loads(execution_input({**RECORD, "messageAttributes": given}))["attributes"]


def ended(status: str, **fields: Any) -> dict[str, Any]:
    return {"status": status, **fields}


def test_the_task_gets_the_record_as_a_consumer_has_it_but_cannot_delete_the_message() -> None:
    passed = json.loads(execution_input(RECORD))["record"]
    assert passed == {name: value for name, value in RECORD.items() if name != "receiptHandle"}


def test_texts_and_numbers_among_the_attributes_are_kept_for_a_letter() -> None:
    given = attributes(tenant="acme") | {
        "weight": {"dataType": "Number", "stringValue": "7"},
        "picture": {"dataType": "Binary", "binaryValue": "AAA="},
    }
    assert kept(given) == {
        "tenant": {"DataType": "String", "StringValue": "acme"},
        "weight": {"DataType": "Number", "StringValue": "7"},
    }


def test_of_ten_attributes_there_is_room_for_seven() -> None:
    assert len(kept(attributes(10))) == 7
    assert len(kept(attributes(7, origin="o", target="t", reason="r"))) == 8


def test_a_letter_of_a_letter_keeps_the_first_origin_only() -> None:
    letter = attributes(origin="first", target="t", reason="r", tenant="acme")
    assert {name: value["StringValue"] for name, value in kept(letter).items()} == {
        "tenant": "acme",
        "origin": "first",
    }
    # Somebody's own attribute of that name is none of a letter.
    assert kept(attributes(origin="Berlin")) == {}


def test_what_a_workflow_cannot_take_is_poison_and_bytes_count() -> None:
    spare = MOST_BYTES - len(execution_input({**RECORD, "body": ""}).encode())
    assert len(execution_input({**RECORD, "body": "x" * spare}).encode()) == MOST_BYTES
    with pytest.raises(PoisonError, match=r"the message is 261,121 bytes .* takes 261,120"):
        execution_input({**RECORD, "body": "x" * (spare + 1)})
    with pytest.raises(PoisonError):
        execution_input({**RECORD, "body": "é" * (spare // 2 + 1)})


@pytest.mark.parametrize("letter", [True, False])
def test_a_workflow_that_succeeds_says_whether_it_sent_a_letter(letter: bool) -> None:
    assert judged(ended("SUCCEEDED", output=json.dumps({"letter": letter}))) is letter


def test_an_open_circuit_is_a_refusal_for_as_long_as_the_task_said() -> None:
    raised = CircuitOpen("payments", 41.6)
    assert type(raised).__name__ in REFUSED
    cause = json.dumps({"errorMessage": str(raised), "errorType": "CircuitOpen", "stackTrace": []})
    with pytest.raises(RefusedError) as refusal:
        judged(ended("FAILED", error="CircuitOpen", cause=cause))
    assert refusal.value.retry_after == 42


@pytest.mark.parametrize(
    ("cause", "seconds"),
    [
        ("somebody's own text", REFUSED_SECONDS),
        (None, REFUSED_SECONDS),
        ("try again in 0 s", 1),
        ("try again in 2.5 s", 2.5),
    ],
)
@pytest.mark.parametrize("error", REFUSED)
def test_a_refusal_that_names_no_time_has_one(cause: str | None, seconds: float, error: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        judged(ended("FAILED", error=error, cause=cause))
    assert refusal.value.retry_after == seconds


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            ended("FAILED", error="SQS.AccessDenied", cause="no" * 999),
            r"FAILED: SQS\.AccessDenied: (no){128}$",
        ),
        (ended("FAILED", error="Lambda.TooManyRequestsException", cause="Rate"), "TooManyRequests.*Rate"),
        (ended("TIMED_OUT"), "TIMED_OUT: no error: no cause"),
        # Only the workflow itself tells that it was the circuit.
        (ended("TIMED_OUT", error="CircuitOpen"), "TIMED_OUT: CircuitOpen"),
    ],
)
def test_any_other_end_is_a_failure_so_that_the_message_comes_again(
    answer: dict[str, Any], text: str
) -> None:
    with pytest.raises(WorkflowError, match=text):
        judged(answer)
