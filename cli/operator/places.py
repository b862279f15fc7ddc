"""The places where letters lie: a dead-letter queue, or a stream's failure bucket."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.errors import CliError
from selfheal.cli.operator.letters import Letter, of_message, of_object
from selfheal.functions.healer.clock import Clock, set_by

LOOK_SECONDS = 30
"""How long a letter that is only looked at stays invisible if it cannot be given back."""

HOLD_SECONDS = 960
"""How long a redrive hides a letter: longer than the longest invocation of a function, which is 900 s."""

WAIT_SECONDS = 2
"""How long a receive waits. One that waits asks all servers of a queue, so that nothing there means empty."""

BATCH = 10
"""Messages of one call. Source: Amazon SQS message quotas."""

LISTED_OBJECTS = 100_000
"""Objects of a bucket that are counted."""


@dataclass(frozen=True)
class Depth:
    """How many letters a place has."""

    letters: int
    """All of them; SQS counts approximately."""

    held: int = 0
    """Those among them that are hidden, because somebody has received them."""

    oldest: float | None = None
    """When the oldest was sent, in seconds since the epoch, if that is known without looking."""


class Place(Protocol):
    """Where letters lie."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def address(self) -> str:
        """The queue's URL, or s3://BUCKET."""
        ...

    def depth(self) -> Depth:
        """Return how many letters there are."""
        ...

    def now(self) -> float:
        """Return the time by the clock that stamps the letters, in seconds since the epoch."""
        ...

    def look(self, most: int) -> list[Letter]:
        """Return up to that many letters, and leave them there."""
        ...

    def take(self) -> Letter | None:
        """Return a letter that was not taken before, which is hidden from others; None if there is none."""
        ...

    def remove(self, letter: Letter) -> None:
        """Delete a letter that was taken."""
        ...

    def release(self) -> None:
        """Show the letters again that were taken and not removed."""
        ...


@dataclass
class QueuePlace:
    """A dead-letter queue."""

    name: str
    address: str
    sqs: Any
    """A boto3 client."""

    _taken: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """Receipt handles by the letter's id."""
    _removed: set[str] = field(default_factory=set[str], repr=False)

    def depth(self) -> Depth:
        """Return how many letters there are.

        Raises:
            CliError: when it is not a dead-letter queue: receiving from it would do harm.

        """
        told = self.sqs.get_queue_attributes(QueueUrl=self.address, AttributeNames=["All"])["Attributes"]
        if told.get("RedrivePolicy"):
            raise CliError(
                f"{self.address} is no dead-letter queue: it has a redrive policy itself, so each look would "
                "count as a failed attempt. Name the queue that its policy names: "
                f"{told['RedrivePolicy']}"
            )
        hidden = int(told["ApproximateNumberOfMessagesNotVisible"])
        late = int(told.get("ApproximateNumberOfMessagesDelayed", 0))
        return Depth(int(told["ApproximateNumberOfMessages"]) + hidden + late, hidden)

    def now(self) -> float:
        """Return the time by the clock of SQS."""
        before = datetime.now(UTC)
        answer = self.sqs.get_queue_attributes(QueueUrl=self.address, AttributeNames=["QueueArn"])
        return _time_of(answer, before)

    def look(self, most: int) -> list[Letter]:
        """Return up to that many letters. Each is received, which counts, and given back."""
        found: dict[str, Letter] = {}
        handles: dict[str, str] = {}
        try:
            while len(found) < most:
                known = len(found)
                for message in self._received(min(BATCH, most - known), LOOK_SECONDS, wait=1):
                    handles[message["MessageId"]] = message["ReceiptHandle"]
                    found.setdefault(message["MessageId"], of_message(message))
                if len(found) == known:
                    break
        finally:
            self._show(handles)
        return sorted(found.values(), key=lambda letter: letter.sent_at)

    def take(self) -> Letter | None:
        """Return a letter that was not taken before."""
        repeats = 0
        while received := self._received(1, HOLD_SECONDS, wait=WAIT_SECONDS):
            message = received[0]
            name, handle = str(message["MessageId"]), str(message["ReceiptHandle"])
            known = name in self._taken
            self._taken[name] = handle
            if name in self._removed:  # a standard queue may deliver once more what was deleted
                self.remove(of_message(message))
            elif not known:
                return of_message(message)
            elif (repeats := repeats + 1) > len(self._taken):  # the run took so long that they are back
                break
        return None

    def remove(self, letter: Letter) -> None:
        """Delete a letter that was taken."""
        self.sqs.delete_message(QueueUrl=self.address, ReceiptHandle=self._taken[letter.id])
        del self._taken[letter.id]
        self._removed.add(letter.id)

    def release(self) -> None:
        """Show the letters again that were taken and not removed."""
        self._show(self._taken)
        self._taken.clear()

    def _received(self, most: int, seconds: int, *, wait: int) -> list[dict[str, Any]]:
        return self.sqs.receive_message(
            QueueUrl=self.address,
            MaxNumberOfMessages=most,
            VisibilityTimeout=seconds,
            WaitTimeSeconds=wait,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])

    def _show(self, handles: dict[str, str]) -> None:
        """Make messages visible. Those that cannot be told so become visible by themselves."""
        left = iter(handles.values())
        while batch := list(islice(left, BATCH)):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(batch)
            ]
            with suppress(BotoCoreError, ClientError):
                self.sqs.change_message_visibility_batch(QueueUrl=self.address, Entries=entries)


@dataclass
class BucketPlace:
    """A bucket that a stream's mapping, or a function, sends its failures to."""

    name: str
    bucket: str
    prefix: str
    """What the keys begin with. Empty: all."""

    s3: Any
    """A boto3 client."""

    _left: Iterator[dict[str, Any]] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Return s3://BUCKET, with the prefix if there is one."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def depth(self) -> Depth:
        """Return how many letters there are; of more than 100,000, as many."""
        times = [each["LastModified"].timestamp() for each in islice(self._objects(), LISTED_OBJECTS)]
        return Depth(len(times), oldest=min(times, default=None))

    def now(self) -> float:
        """Return the time by the clock of S3."""
        before = datetime.now(UTC)
        return _time_of(self.s3.list_objects_v2(Bucket=self.bucket, MaxKeys=1), before)

    def look(self, most: int) -> list[Letter]:
        """Return up to that many letters, in the order of their keys."""
        return [letter for each in islice(self._objects(), most) if (letter := self._letter(each))]

    def take(self) -> Letter | None:
        """Return a letter that was not taken before. Nothing hides it from others."""
        if self._left is None:
            self._left = self._objects()
        return next(filter(None, map(self._letter, self._left)), None)

    def remove(self, letter: Letter) -> None:
        """Delete a letter."""
        self.s3.delete_object(Bucket=self.bucket, Key=letter.id)

    def release(self) -> None:
        """Do nothing: an object is never hidden."""

    def _objects(self) -> Iterator[dict[str, Any]]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        return (each for page in pages for each in page.get("Contents", []))

    def _letter(self, listed: dict[str, Any]) -> Letter | None:
        """Read an object; None if it is gone by now."""
        try:
            content = self.s3.get_object(Bucket=self.bucket, Key=listed["Key"])["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None
        return of_object(listed["Key"], content, listed["LastModified"].timestamp())


def _time_of(answer: dict[str, Any], before: datetime) -> float:
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    clock = set_by(date, before, datetime.now(UTC)) if date else Clock()
    return clock.now().timestamp()
