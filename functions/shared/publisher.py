"""Publishes events to a bus of EventBridge: every one of them, or an error that names those that were not.

PutEvents answers with success although some of its entries failed. Here the answer is checked entry by entry,
and only what failed is sent again. A connection that breaks after EventBridge took the events looks like a
failure: such events are published twice, so consumers have to be idempotent, as for EventBridge itself.

Source: EventBridge user guide, "Sending events with PutEvents" and "Calculating PutEvents event entry size";
API reference of PutEventsResultEntry.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from selfheal.functions.shared.backoff import full_jitter
from selfheal.functions.shared.batch import PoisonError
from selfheal.functions.shared.log import log

ENTRIES = 10
"""Most entries of one call. Source: API reference of PutEvents."""

MOST_BYTES = 256 * 1024
"""Below this is the size of an entry, and of all entries of one call."""

ENVELOPE_BYTES = 512
"""Added to each entry for the keys of the event: one page of AWS counts them, another does not. They take
about 250 bytes."""

ATTEMPTS = 5
BASE_SECONDS = 0.2
"""The longest pause before the second attempt. With 5 attempts, all pauses take 3 s at most."""

FINAL = frozenset(
    {
        *("AccessDeniedException", "InvalidAccountIdException", "InvalidArgument", "MalformedDetail"),
        *("NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException", "RedactionFailure"),
        *("ValidationException", "ResourceNotFoundException", "UnrecognizedClientException"),
    }
)
"""Error codes with which the same entry fails again. Any other is taken for a passing one."""

Entry = Mapping[str, Any]
"""An entry as PutEvents takes it: DetailType, Detail (JSON text) and perhaps Time and Resources. The bus and,
unless given, the Source are the publisher's."""


class InvalidEventError(PoisonError):
    """EventBridge can never take the event: it is too large or no JSON object. Nothing was sent."""


@dataclass(frozen=True)
class Unsent:
    """An event that was not published."""

    index: int
    """Its place among the entries that were given, from 0."""

    entry: Entry

    code: str = "not tried"
    """AWS's error code of the last attempt."""

    text: str = ""
    """What AWS says to it."""


class PublishError(Exception):
    """Some events were not published. Those that are not named were, and must not be published again.

    Args:
        unsent: The events that were not published, in the order in which they were given.
        given: How many were given.

    """

    def __init__(self, unsent: Sequence[Unsent], given: int) -> None:
        self.unsent = tuple(unsent)
        reasons = "; ".join(f"{_named(each)}: {each.code} {each.text}".rstrip() for each in self.unsent)
        super().__init__(f"{len(self.unsent)} of {given} events were not published. {reasons}")


@dataclass(frozen=True)
class Publisher:
    """Publishes to one bus."""

    client: Any
    """A boto3 client of EventBridge that does not itself retry."""

    bus: str
    """Name or ARN of the bus."""

    source: str
    """The Source of events that do not name theirs: what the rules and the archive of the bus look for."""

    sleep: Callable[[float], object] = time.sleep
    random: Callable[[], float] = random.random

    def publish(self, entries: Sequence[Entry]) -> list[str]:
        """Publish events, and return their ids, in the order of the entries.

        Raises:
            InvalidEventError: when an entry is too large or its Detail is no JSON object. Nothing was sent.
            PublishError: when some were not taken, after 5 attempts or for a reason that lasts.

        """
        given = [{"Source": self.source, **entry} for entry in entries]
        for index, entry in enumerate(given):
            _check(index, entry)
        ids: dict[int, str] = {}
        waiting, lost = [Unsent(index, entry) for index, entry in enumerate(given)], list[Unsent]()
        for attempt in range(1, ATTEMPTS + 1):
            if not waiting:
                break
            self.sleep(full_jitter(attempt, self.random, base=BASE_SECONDS))
            failed = [each for chunk in _chunks(waiting) for each in self._send(chunk, ids)]
            lost += [each for each in failed if each.code in FINAL]
            waiting = [each for each in failed if each.code not in FINAL]
            if failed:
                log("warning", "events not taken", bus=self.bus, attempt=attempt, codes=_codes(failed))
        if unsent := sorted([*lost, *waiting], key=lambda each: each.index):
            raise PublishError(unsent, len(entries))
        return [ids[index] for index in range(len(entries))]

    def _send(self, chunk: Sequence[Unsent], ids: dict[int, str]) -> list[Unsent]:
        """Send a chunk, note the ids of what was taken, and return what was not."""
        entries = [{**each.entry, "EventBusName": self.bus} for each in chunk]
        try:
            answers = self.client.put_events(Entries=entries)["Entries"]
        except ClientError as error:
            said = error.response["Error"]
            code, text = said.get("Code", "unknown"), said.get("Message", "")
            return [replace(each, code=code, text=text) for each in chunk]
        except BotoCoreError as error:
            return [replace(each, code=type(error).__name__, text=str(error)) for each in chunk]
        failed: list[Unsent] = []
        for each, answer in zip(chunk, answers, strict=True):
            if answer.get("EventId"):
                ids[each.index] = answer["EventId"]
            else:
                code, text = answer.get("ErrorCode", "unknown"), answer.get("ErrorMessage", "")
                failed.append(replace(each, code=code, text=text))
        return failed


def connect() -> Publisher:
    """Return the publisher for the bus that the FanOut component names in the environment.

    Raises:
        KeyError: when EVENT_BUS or EVENT_SOURCE is not set: the function does not use the publisher of a
            FanOut.

    """
    config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
    bus, source = os.environ["EVENT_BUS"], os.environ["EVENT_SOURCE"]
    return Publisher(boto3.client("events", config=config), bus, source)


def entry_bytes(entry: Entry) -> int:
    """Return the size of an entry as AWS calculates it, in bytes, with the keys of its event."""
    texts = [entry["Source"], entry["DetailType"], entry["Detail"], *entry.get("Resources", ())]
    stamp = 14 if entry.get("Time") is not None else 0
    return ENVELOPE_BYTES + stamp + sum(len(str(text).encode()) for text in texts)


def _check(index: int, entry: Entry) -> None:
    size = entry_bytes(entry)
    if size >= MOST_BYTES:
        raise InvalidEventError(
            f"event {index} ({entry['DetailType']}) has {size} bytes, and EventBridge takes less than "
            f"{MOST_BYTES}: bound it where it comes in, or publish where its data is"
        )
    try:
        detail = json.loads(entry["Detail"])
    except ValueError as error:
        raise InvalidEventError(
            f"the detail of event {index} ({entry['DetailType']}) is no JSON: {error}"
        ) from error
    if not isinstance(detail, dict):
        raise InvalidEventError(
            f"the detail of event {index} ({entry['DetailType']}) must be a JSON object, got a "
            f"{type(detail).__name__}"
        )


def _chunks(waiting: Sequence[Unsent]) -> Iterator[list[Unsent]]:
    """Cut what waits into calls that EventBridge takes, in its order."""
    chunk: list[Unsent] = []
    size = 0
    for each in waiting:
        more = entry_bytes(each.entry)
        if chunk and (len(chunk) == ENTRIES or size + more >= MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += more
    if chunk:
        yield chunk


def _named(unsent: Unsent) -> str:
    return f"event {unsent.index} ({unsent.entry['DetailType']})"


def _codes(failed: Sequence[Unsent]) -> dict[str, int]:
    codes = [each.code for each in failed]
    return {code: codes.count(code) for code in sorted(set(codes))}
