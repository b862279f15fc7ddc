"""Kinds of probe: a health route, or a real message of the queue.

A probe is a function of the lease that it is made under. It returns what it found out, or None where the
probed consumer itself records the outcome in the circuit, because only it can tell a failure from an invalid
message.
"""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

from selfheal.functions.shared.breaker.circuit import Outcome
from selfheal.functions.shared.levelled import PROBE_ATTRIBUTE
from selfheal.functions.shared.log import log

Probe = Callable[[str], Outcome | None]
"""Takes the id of the lease."""

HEALTH_SECONDS = 5.0
"""Timeout of a health route."""


def health_route(get: Callable[[], int]) -> Probe:
    """Return a probe that asks for a status: below 400 is success, all else and any exception a failure.

    It shows less than a real message does: use it where the queue may be empty, and let the route do what the
    dependency does for a call.
    """

    def probe(_lease: str) -> Outcome:
        try:
            status = get()
        except Exception as error:  # noqa: BLE001 - whatever it is, the dependency did not answer
            log("info", "health route failed", error=type(error).__name__)
            return Outcome.FAILURE
        return Outcome.SUCCESS if status < 400 else Outcome.FAILURE  # noqa: PLR2004 - HTTP

    return probe


def http_get(url: str) -> Callable[[], int]:
    """Return a function that gets a URL and returns the status, or raises.

    Raises:
        ValueError: when the URL is not one of HTTP.

    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"a health route must begin with http:// or https://, got {url[:60]!r}")

    def get() -> int:
        with urllib.request.urlopen(url, timeout=HEALTH_SECONDS) as answer:  # noqa: S310 - checked above
            return answer.status

    return get


def message(sqs: Any, lambda_: Any, queue_url: str, function: str, otherwise: Probe) -> Probe:
    """Return a probe that releases one message of the queue to one consumer.

    The mapping stays paused: the controller receives the message and invokes the consumer with it, so exactly
    one is released, and nothing has to be switched on, which takes minutes. The record carries the lease
    under PROBE_ATTRIBUTE. The message is deleted if the consumer does not report it as failed; else it goes
    back. The consumer claims the lease and records the outcome itself.

    Args:
        sqs: A boto3 client.
        lambda_: A boto3 client without retries, with a read timeout above the consumer's.
        queue_url: The consumer's queue. Its visibility timeout is longer than the consumer's timeout.
        function: Name of the consumer.
        otherwise: The probe for an empty queue.

    """

    def probe(lease: str) -> Outcome | None:
        received = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=1, AttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", [])
        if not received:
            return otherwise(lease)
        raw = received[0]
        payload = json.dumps({"Records": [record(raw, lease)]})
        answer = lambda_.invoke(FunctionName=function, Payload=payload)
        if answer.get("FunctionError"):
            return Outcome.FAILURE
        body: Any = json.loads(answer["Payload"].read() or "null")
        if body and body.get("batchItemFailures"):
            # Also where the consumer recorded nothing, because it does not know probes, for example: without
            # an outcome the circuit would be probed for ever, and never closed.
            return Outcome.FAILURE
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=raw["ReceiptHandle"])
        return None

    return probe


def record(raw: dict[str, Any], lease: str) -> dict[str, Any]:
    """Return a received message as the record that a mapping would hand over, with the lease."""
    attributes = {
        name: {"dataType": each["DataType"], "stringValue": each.get("StringValue")}
        for name, each in raw.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": raw["MessageId"],
        "receiptHandle": raw["ReceiptHandle"],
        "body": raw["Body"],
        "attributes": raw.get("Attributes", {}),
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        PROBE_ATTRIBUTE: lease,
    }
