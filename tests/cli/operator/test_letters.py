"""What a letter says, from whoever it is."""

import json
from typing import Any

import pytest

from selfheal.cli.operator.dlq_text import letter_lines
from selfheal.cli.operator.letters import Kind, Letter, function_payload, of_message, of_object, queue_message
from tests.cli.operator.fake_queues import ARN, FUNCTION, text, written

RULE = "arn:aws:events:us-east-1:123456789012:rule/orders/fulfilment"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/analytics"
OURS = written(origin=f"{ARN}orders", target="orders", reason="invalid: no amount")
RECORDS: dict[str, Any] = {"Records": [{"kinesis": {"sequenceNumber": "1", "data": "e30="}}]}


def message(body: str = "{}", attributes: dict[str, Any] | None = None, **system: str) -> dict[str, Any]:
    return {
        "MessageId": "m-1",
        "Body": body,
        "Attributes": {"SentTimestamp": "1790000000500", "ApproximateReceiveCount": "4", **system},
        **({"MessageAttributes": attributes} if attributes else {}),
    }


def record(**more: Any) -> dict[str, Any]:
    context = {"functionArn": f"{FUNCTION}analytics", "condition": "RetryAttemptsExhausted"}
    return {"version": "1.0", "requestContext": context, **more}


def test_what_sqs_moved_belongs_to_the_queue_that_it_came_from() -> None:
    letter = of_message(
        message("b", written(id="7"), DeadLetterQueueSourceArn=f"{ARN}orders", MessageGroupId="g")
    )
    assert letter == Letter(
        id="m-1",
        kind=Kind.QUEUE,
        body="b",
        sent_at=1790000000.5,
        reason="received too often without being deleted",
        origin=f"{ARN}orders",
        target=f"{ARN}orders",
        payload="b",
        attributes=written(id="7"),
        receives=4,
        group="g",
    )


def test_what_a_consumer_moved_says_it_itself() -> None:
    letter = of_message(message("b", OURS | written(caller="c", redriven="2")))
    assert (letter.kind, letter.origin, letter.target) == (Kind.CONSUMER, f"{ARN}orders", "orders")
    assert (letter.reason, letter.payload, letter.redriven) == ("invalid: no amount", "b", 2)
    assert queue_message(letter) == ("b", written(caller="c", redriven="3"))


def test_what_sqs_records_counts_more_than_what_a_sender_wrote() -> None:
    letter = of_message(
        message("b", OURS | written(target="payroll"), DeadLetterQueueSourceArn=f"{ARN}orders")
    )
    assert (letter.kind, letter.target) == (Kind.QUEUE, f"{ARN}orders")


def test_what_eventbridge_could_not_deliver_belongs_to_its_target_and_never_to_the_bus() -> None:
    attributes = written(
        RULE_ARN=RULE,
        TARGET_ARN=f"{ARN}orders",
        ERROR_CODE="NO_RESOURCE",
        ERROR_MESSAGE="gone",
        RETRY_ATTEMPTS="0",
        EXHAUSTED_RETRY_CONDITION="MaximumRetryAttempts",
    )
    letter = of_message(message('{"detail": {}}', attributes))
    assert (letter.kind, letter.origin, letter.target) == (Kind.RULE, RULE, f"{ARN}orders")
    assert letter.reason == "NO_RESOURCE: gone"
    assert queue_message(letter) == ('{"detail": {}}', written(redriven="1"))


def test_a_functions_failure_has_the_payload_that_it_was_invoked_with() -> None:
    error = {"errorType": "ValueError", "errorMessage": "no amount"}
    body = json.dumps(record(requestPayload={"id": 7}, responsePayload=error))
    letter = of_message(message(body))
    assert (letter.kind, letter.target) == (Kind.FUNCTION, f"{FUNCTION}analytics")
    assert letter.reason == "RetryAttemptsExhausted: ValueError: no amount"
    assert json.loads(function_payload(letter)) == {"id": 7}


@pytest.mark.parametrize("payload", [RECORDS, json.dumps(RECORDS)], ids=["object", "escaped"])
def test_a_streams_failure_in_a_bucket_has_the_records(payload: Any) -> None:
    content = json.dumps(record(KinesisBatchInfo={"streamArn": STREAM, "batchSize": 1}, payload=payload))
    letter = of_object("aws/lambda/x", content.encode(), 1790000000.0)
    assert (letter.id, letter.kind, letter.sent_at) == ("aws/lambda/x", Kind.STREAM, 1790000000.0)
    assert (letter.origin, letter.target) == (STREAM, f"{FUNCTION}analytics")
    assert letter.reason == "RetryAttemptsExhausted"
    mark = {"redriven": {"stringValue": "1", "dataType": "String"}}
    assert json.loads(function_payload(letter)) == {
        "Records": [{**RECORDS["Records"][0], "messageAttributes": mark}]
    }


def test_a_streams_failure_in_a_queue_has_no_records_to_send() -> None:
    letter = of_message(message(json.dumps(record(KinesisBatchInfo={"streamArn": STREAM}))))
    assert (letter.kind, letter.payload) == (Kind.STREAM, None)
    with pytest.raises(ValueError, match="does not hold what failed"):
        queue_message(letter)


@pytest.mark.parametrize(
    "body",
    [
        *(
            "",
            "text",
            "[]",
            "null",
            "3",
            '{"requestContext": null}',
            '{"requestContext": {"functionArn": 3}}',
        ),
        *('{"requestContext": {"functionArn": ""}}', "[" * 100_000),
    ],
    ids=range(9),
)
def test_anything_else_is_kept_as_it_is_and_has_no_target(body: str) -> None:
    for letter in (of_message(message(body)), of_object("key", body.encode(), 0)):
        assert (letter.kind, letter.target, letter.payload) == (Kind.UNKNOWN, "", body)


def test_bytes_that_are_no_text_are_no_crash() -> None:
    assert of_object("key", b"\xff\x00", 0).kind is Kind.UNKNOWN


def test_a_functions_own_dead_letter_queue_tells_the_error_but_not_the_function() -> None:
    letter = of_message(message("{}", written(RequestID="r", ErrorCode="200", ErrorMessage="boom")))
    assert (letter.kind, letter.target, letter.reason) == (Kind.UNKNOWN, "", "boom")


@pytest.mark.parametrize("count", ["", "-1", "x", "²", "1.5"])
def test_a_count_of_redrives_that_is_none_is_zero(count: str) -> None:
    assert of_message(message("b", OURS | written(redriven=count))).redriven == 0


def test_a_message_with_ten_attributes_is_sent_whole_and_without_the_mark() -> None:
    own = {f"a{number}": text("x") for number in range(10)}
    letter = of_message(message("b", own, DeadLetterQueueSourceArn=f"{ARN}orders"))
    assert queue_message(letter) == ("b", own)
    nine = {name: own[name] for name in list(own)[:8]} | written(redriven="4")
    letter = of_message(message("b", nine | written(z="x"), DeadLetterQueueSourceArn=f"{ARN}orders"))
    assert queue_message(letter)[1] == nine | written(z="x", redriven="5")


@pytest.mark.parametrize("payload", ["[1]", '{"Records": 3}', '{"Records": [1]}', '{"id": 1}'])
def test_a_payload_without_records_is_not_touched(payload: str) -> None:
    letter = Letter("key", Kind.FUNCTION, "", 0, payload=payload)
    assert function_payload(letter) == payload


def test_a_record_keeps_its_own_attributes() -> None:
    own = {"id": {"stringValue": "7", "dataType": "String"}}
    payload = json.dumps({"Records": [{"messageAttributes": own}]})
    sent = json.loads(function_payload(Letter("key", Kind.FUNCTION, "", 0, payload=payload)))
    assert sent["Records"][0]["messageAttributes"].keys() == {"id", "redriven"}


def test_what_a_letter_contains_cannot_act_on_the_terminal() -> None:
    letter = of_message(message("\x1b[2Jgone", OURS | written(reason="\x1b]0;x\x07")))
    assert not any("\x1b" in each for each in letter_lines(letter, full=True))
