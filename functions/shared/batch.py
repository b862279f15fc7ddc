"""Partial batch responses: one bad record does not send its neighbours back.

A consumer gives its function for one record to `sqs_batch` or `kinesis_batch` and returns the answer to
Lambda, with ReportBatchItemFailures set on the event source mapping. Neither function raises because of a
record: an exception would fail the whole batch.

What the function raises says what becomes of the record:

    nothing       done
    PoisonError   it can never succeed: moved to the dead-letter queue at once and counted as done
    RefusedError  not now, for a reason that is not the record's, for example an open circuit: it goes back,
                  to appear again after `retry_after` seconds if that is given
    any other     a bug or a failure: logged with its class, and it goes back; a message appears again after a
                  pause with full jitter, which grows with each time that it was received

Source: "Handling errors for an SQS event source in Lambda" and "Configuring partial batch response with
Kinesis Data Streams and Lambda" in the AWS Lambda developer guide.
"""

import math
import random
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from selfheal.functions.shared.backoff import full_jitter
from selfheal.functions.shared.log import log

Record = Mapping[str, Any]
"""One record of an event, as Lambda passes it."""

LONGEST_VISIBILITY_SECONDS = 43200 - 900
"""How long a message can be kept invisible at most. SQS counts 12 hours from the moment it was received, of
which a function may have used its longest timeout. Source: API reference of ChangeMessageVisibility."""

PAUSE_SECONDS = 2.0
"""The longest pause of a message after its first failure. It doubles with each further one."""

PAUSE_CAP_SECONDS = 300.0
"""The longest pause of all."""

MOST_ENTRIES = 10
"""Messages of one call. Source: API reference of ChangeMessageVisibilityBatch."""

TEXT_LENGTH = 256
"""Characters of a text that travel with a letter. The whole reason is in the log."""

MOST_ATTRIBUTES = 10
"""Attributes that a message can have. Source: Amazon SQS message quotas."""

# SQS refuses a message with any other character. Source: API reference of SendMessage.
_REFUSED_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class PoisonError(ValueError):
    """The record can never succeed, however often it is tried. Its text is the letter's reason."""


class RefusedError(Exception):
    """The record is not tried now, for a reason that is not its own. It is no failure of the record.

    Args:
        text: Why.
        retry_after: Seconds until it is worth another try. None: after the queue's visibility timeout.

    """

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Failure(TypedDict):
    """One record that has to come again."""

    itemIdentifier: str


class Answer(TypedDict):
    """What Lambda expects of a batch: the records that have to come again."""

    batchItemFailures: list[Failure]


@dataclass(frozen=True)
class DeadLetterQueue:
    """Where a consumer moves poison, and what the letters say about it."""

    client: Any
    """A boto3 SQS client."""

    url: str
    """The queue's URL."""

    target: str
    """The consumer that a letter returns to when it is redriven, for example its queue's name."""

    def send(self, record: Record, reason: str) -> None:
        """Send a letter: the record's body and own attributes, with `origin`, `target` and `reason`.

        A letter of a letter keeps the first origin. Of a message's own attributes as many stay as there is
        room for.

        Raises:
            botocore.exceptions.ClientError: when the queue does not take it.

        """
        kept = {name: _attribute(value) for name, value in record.get("messageAttributes", {}).items()}
        said = {
            "origin": _text(record.get("eventSourceARN")),
            "target": _text(self.target),
            "reason": _text(reason),
        }
        if said.keys() <= kept.keys():
            said["origin"] = kept["origin"]
        own = [(name, value) for name, value in kept.items() if name not in said]
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=record["body"],
            MessageAttributes=dict(own[: MOST_ATTRIBUTES - len(said)]) | said,
        )


def sqs_batch(
    event: Mapping[str, Any],
    handle: Callable[[Record], object],
    *,
    client: Any,
    queue_url: str,
    dead_letters: DeadLetterQueue,
    chance: Callable[[], float] = random.random,
) -> Answer:
    """Run a function for each message of a batch from a standard queue. Never raises because of a record.

    Args:
        event: The event of the SQS mapping.
        handle: Handles one message. What it returns is ignored, what it raises says what becomes of the
            message.
        client: A boto3 SQS client.
        queue_url: The URL of the queue that the messages come from, whose visibility is changed.
        dead_letters: Where poison goes. If it cannot be sent, the message goes back and nothing is lost.
        chance: Returns a random number in [0, 1), for the pauses of failed messages.

    """
    failures, refused = list[Failure](), list[_Pause]()
    for record in event["Records"]:
        identifier = str(record["messageId"])
        fields = {"message_id": identifier, "source": record.get("eventSourceARN")}
        try:
            handle(record)
        except PoisonError as error:
            if not _moved(record, error, dead_letters, fields):
                failures.append({"itemIdentifier": identifier})
        except RefusedError as error:
            seconds = error.retry_after
            log("warning", "message refused", **fields, error=type(error).__name__, retry_after=seconds)
            if seconds is not None:
                refused.append((record, seconds))
            failures.append({"itemIdentifier": identifier})
        except Exception as error:  # noqa: BLE001 - whatever it is, the other messages are not to pay for it
            log("error", "message failed", **fields, error=type(error).__name__, detail=str(error))
            _hide([(record, pause(receives(record), chance))], client, queue_url)
            failures.append({"itemIdentifier": identifier})
    # Together: a call each would take time, and want of time is what most of them are refused for.
    _hide(refused, client, queue_url)
    return {"batchItemFailures": failures}


def receives(record: Record) -> int:
    """Return how often a message was received, this time included."""
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def pause(received: int, chance: Callable[[], float]) -> float:
    """Return for how many seconds a message that failed stays invisible: full jitter, 2 s to 300 s at most.

    Args:
        received: How often it was received, at least 1.
        chance: Returns a random number in [0, 1).

    """
    return full_jitter(received + 1, chance, base=PAUSE_SECONDS, cap=PAUSE_CAP_SECONDS)


def kinesis_batch(event: Mapping[str, Any], handle: Callable[[Record], object]) -> Answer:
    """Run a function for each record of a batch from one shard, up to the first that fails. Never raises.

    Records of a shard are in order, and Lambda retries from the failed one on, so nothing behind it is tried.
    Poison and refusals come again as any other failure: the mapping's limits on retries and record age bring
    the record to its failure destination, which keeps the order and the data.
    """
    for record in event["Records"]:
        number = str(record["kinesis"]["sequenceNumber"])
        try:
            handle(record)
        except Exception as error:  # noqa: BLE001 - whatever it is, what came before it is done
            log(
                "error",
                "record failed",
                sequence_number=number,
                source=record.get("eventSourceARN"),
                error=type(error).__name__,
                detail=str(error),
            )
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}


def _moved(
    record: Record, poison: PoisonError, dead_letters: DeadLetterQueue, fields: dict[str, Any]
) -> bool:
    """Move a message to the dead-letter queue, and return whether it is there."""
    try:
        dead_letters.send(record, str(poison))
    except Exception as error:  # noqa: BLE001 - it goes back instead: better twice than never
        log("error", "poison not moved", **fields, reason=str(poison), error=type(error).__name__)
        return False
    log("error", "poison moved", **fields, reason=str(poison), target=dead_letters.target)
    return True


_Pause = tuple[Record, float]
"""A message, and for how many seconds it stays invisible."""


def _hide(pauses: Sequence[_Pause], client: Any, queue_url: str) -> None:
    """Keep messages invisible from now on, with one call for ten of them."""
    for start in range(0, len(pauses), MOST_ENTRIES):
        chunk = {str(index): each for index, each in enumerate(pauses[start : start + MOST_ENTRIES])}
        entries = [
            {
                "Id": key,
                "ReceiptHandle": record["receiptHandle"],
                "VisibilityTimeout": math.ceil(min(max(0.0, seconds), LONGEST_VISIBILITY_SECONDS)),
            }
            for key, (record, seconds) in chunk.items()
        ]
        try:
            answer = client.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
        except Exception as error:  # noqa: BLE001 - they come again after the queue's visibility timeout instead
            codes = dict.fromkeys(chunk, type(error).__name__)
        else:
            codes = {each["Id"]: str(each["Code"]) for each in answer.get("Failed", [])}
        for key, code in codes.items():
            record, _ = chunk[key]
            fields = {"message_id": str(record["messageId"]), "source": record.get("eventSourceARN")}
            log("warning", "visibility not changed", **fields, error=code)


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an attribute as SQS takes it, from one as Lambda passes it."""
    if "stringValue" in value:
        return {"DataType": value["dataType"], "StringValue": value["stringValue"]}
    return {"DataType": value["dataType"], "BinaryValue": b64decode(value["binaryValue"])}


def _text(value: object) -> dict[str, Any]:
    """Return an attribute that SQS takes, whatever the text."""
    text = _REFUSED_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", str(value or "unknown")[:TEXT_LENGTH])
    return {"DataType": "String", "StringValue": text}
