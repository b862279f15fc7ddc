"""A letter: what lies in a dead-letter queue or a stream's failure bucket, where it failed, and why. Pure.

Our consumers write on a letter where it belongs. From what AWS moves, that is derived:

    SQS redrive               the queue that it came from, which SQS itself records
    delivery of EventBridge   attributes of the message. The body is the event, not what the rule makes of it
    OnFailure of a function   the invocation record, with the payload that the function was invoked with
    OnFailure of a stream     the same record: with the payload in a bucket, without it in a queue

Sources: "Using dead-letter queues to process undelivered events" in the EventBridge user guide; "Capturing
records of Lambda asynchronous invocations" and "Retain discarded batch records for a Kinesis Data Streams
event source" in the Lambda developer guide.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

from selfheal.functions.shared.batch import MOST_ATTRIBUTES

REDRIVEN = "redriven"
"""Attribute of a redriven message: how often it was redriven, as text. Consumers may read it."""

OURS = frozenset({"origin", "target", "reason"})
"""Attributes of a letter that a consumer of ours moved."""

OF_EVENTBRIDGE = frozenset(
    {
        *("RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"),
        *("RETRY_ATTEMPTS", "EXHAUSTED_RETRY_CONDITION"),
    }
)
"""Attributes of an event that EventBridge could not deliver."""


class Kind(StrEnum):
    """Who made a letter."""

    CONSUMER = "consumer"
    QUEUE = "queue"
    RULE = "rule"
    FUNCTION = "function"
    STREAM = "stream"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Letter:
    """One letter."""

    id: str
    """The message's id, or the object's key."""

    kind: Kind
    body: str
    """As it lies there."""

    sent_at: float
    """When it was sent, or stored in the bucket; what SQS redrove keeps the time at which it was first sent.
    Seconds since the epoch."""

    reason: str = "unknown"
    origin: str = ""
    """What it failed on its way from: an ARN. Empty: it cannot be told."""

    target: str = ""
    """Where it failed, and is sent again: ARN of a queue or function, or a queue's name. Empty: cannot be
    told."""

    payload: str | None = None
    """What is sent there; None if the letter does not hold it."""

    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The message's own attributes, which are sent along, as SQS takes them."""

    redriven: int = 0
    """How often it was redriven before."""

    receives: int = 0
    """How often it was received, which includes every look at it. 0 for an object."""

    group: str = ""
    """The message group, if it has one."""

    @property
    def size(self) -> int:
        """Size of the body in bytes."""
        return len(self.body.encode())

    @property
    def digest(self) -> str:
        """Identifies what is sent."""
        return sha256((self.body if self.payload is None else self.payload).encode()).hexdigest()[:16]


def of_message(message: Mapping[str, Any]) -> Letter:
    """Return the letter that a message is.

    Args:
        message: As ReceiveMessage returns it, with all attributes.

    """
    system: Mapping[str, str] = message.get("Attributes", {})
    attributes: Mapping[str, Any] = message.get("MessageAttributes", {})
    body = str(message["Body"])
    known: dict[str, Any] = {"payload": body, "attributes": attributes}
    known |= _of_redrive(system) or _of_attributes(attributes) or _of_record(body) or {"kind": Kind.UNKNOWN}
    if known["kind"] is Kind.UNKNOWN and (said := _text(attributes, "ErrorMessage")):
        known["reason"] = said  # of a function's DeadLetterConfig, which does not tell the function
    counted = _text(attributes, REDRIVEN)
    return Letter(
        id=str(message["MessageId"]),
        body=body,
        sent_at=float(system.get("SentTimestamp", 0)) / 1000,
        redriven=int(counted) if counted.isascii() and counted.isdigit() else 0,
        receives=int(system.get("ApproximateReceiveCount", 0)),
        group=system.get("MessageGroupId", ""),
        **known,
    )


def of_object(key: str, content: bytes, stored_at: float) -> Letter:
    """Return the letter that an object in a failure bucket is.

    Args:
        key: The object's key.
        content: The object.
        stored_at: When it was last modified, in seconds since the epoch.

    """
    body = content.decode("utf-8", "replace")
    known = _of_record(body) or {"kind": Kind.UNKNOWN, "payload": body}
    return Letter(id=key, body=body, sent_at=stored_at, **known)


def _of_redrive(system: Mapping[str, str]) -> dict[str, Any] | None:
    """Read what SQS records. It comes first: whoever sends a message can write any other attribute."""
    source = system.get("DeadLetterQueueSourceArn")
    if not source:
        return None
    return {
        "kind": Kind.QUEUE,
        "origin": source,
        "target": source,
        "reason": "received too often without being deleted",
    }


def _of_attributes(attributes: Mapping[str, Any]) -> dict[str, Any] | None:
    if attributes.keys() >= OURS:
        said = {name: _text(attributes, name) for name in OURS}
        own = {name: value for name, value in attributes.items() if name not in OURS}
        return {"kind": Kind.CONSUMER, "attributes": own, **said}
    if {"RULE_ARN", "TARGET_ARN"} <= attributes.keys():
        code, message = (_text(attributes, name) for name in ("ERROR_CODE", "ERROR_MESSAGE"))
        return {
            "kind": Kind.RULE,
            "origin": _text(attributes, "RULE_ARN"),
            "target": _text(attributes, "TARGET_ARN"),
            "reason": ": ".join(filter(None, (code, message))) or "unknown",
            "attributes": {name: each for name, each in attributes.items() if name not in OF_EVENTBRIDGE},
        }
    return None


def _of_record(body: str) -> dict[str, Any] | None:
    """Read an invocation record of Lambda."""
    record = _object(body)
    context = _mapping(record.get("requestContext"))
    function = context.get("functionArn")
    if not isinstance(function, str) or not function:
        return None
    streams = [_mapping(each) for name, each in record.items() if name.endswith("BatchInfo")]
    stream = next((each.get("streamArn") for each in streams), None)
    payload = record.get("payload", record.get("requestPayload"))
    error = _mapping(record.get("responsePayload"))
    said = (context.get("condition"), error.get("errorType"), error.get("errorMessage"))
    return {
        "kind": Kind.STREAM if streams else Kind.FUNCTION,
        "origin": str(stream or function),
        "target": function,
        "reason": ": ".join(str(each) for each in said if each) or "unknown",
        # In a bucket it is an escaped string. An asynchronous payload that is a string is one in JSON.
        "payload": payload if isinstance(payload, str) and "payload" in record else _json(payload),
    }


def queue_message(letter: Letter) -> tuple[str, dict[str, Any]]:
    """Return the body and attributes of a letter on its way to a queue.

    It is marked as redriven, unless it has as many attributes of its own as a message can have.

    Raises:
        ValueError: when the letter does not hold what failed.

    """
    mark = {REDRIVEN: {"DataType": "String", "StringValue": str(letter.redriven + 1)}}
    marked = {**letter.attributes, **mark}
    return _payload(letter), dict(letter.attributes) if len(marked) > MOST_ATTRIBUTES else marked


def function_payload(letter: Letter) -> str:
    """Return the payload of a letter on its way to a function.

    Each record of a batch is marked in its `messageAttributes`, as Lambda passes those of SQS. Any other
    payload is left as it is.

    Raises:
        ValueError: when the letter does not hold what failed.

    """
    payload = _payload(letter)
    event = _object(payload)
    records = event.get("Records")
    if not isinstance(records, list) or not all(
        isinstance(each, dict) for each in cast("list[Any]", records)
    ):
        return payload
    mark = {REDRIVEN: {"stringValue": str(letter.redriven + 1), "dataType": "String"}}
    marked = [
        {**each, "messageAttributes": {**_mapping(each.get("messageAttributes")), **mark}}
        for each in cast("list[dict[str, Any]]", records)
    ]
    return json.dumps({**event, "Records": marked})


def _payload(letter: Letter) -> str:
    if letter.payload is None:
        raise ValueError("it does not hold what failed")
    return letter.payload


def _text(attributes: Mapping[str, Any], name: str) -> str:
    return str(_mapping(attributes.get(name)).get("StringValue", ""))


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object that a text is; an empty one for anything else."""
    try:
        return _mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
