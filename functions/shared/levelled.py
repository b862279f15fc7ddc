"""The consumer of a `LevelledQueue`: one message at a time, at a steady pace, and none that waited too long.

    QUEUE = levelled.connect()

    def handle(event, context):
        return QUEUE.run(event, context, one)      # one(record) says what becomes of a record as in batch.py

Beside what `sqs_batch` does: each message occupies its place for a fixed time (see pace.py). What waited too
long is moved to the queue of the evicted. What there is no time left for goes back at once, untried. Calls
and failures are counted as `Detection` reads them, because a batch with failures is no error of the function.
A probe, which the circuit breaker sends (key `breakerProbe` of the record), is neither paced nor evicted.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from selfheal.functions.shared.batch import (
    Answer,
    DeadLetterQueue,
    PoisonError,
    Record,
    RefusedError,
    receives,
    sqs_batch,
)
from selfheal.functions.shared.emf import emf_line
from selfheal.functions.shared.log import log
from selfheal.functions.shared.pace import Pace, has_time, too_old

PROBE_ATTRIBUTE = "breakerProbe"
"""Key of the record that a circuit breaker sends as its probe."""

COUNT_SECONDS = 5.0
"""How old a count may be before it is told. Less than the period of the fast alarm, 10 s."""

SPREAD_SECONDS = 1.0
"""The most by which the first batch of an environment begins later."""

Outages = Callable[[float, float], float]
"""Returns for how many of the seconds between two moments (since the epoch) the circuit was not at rest. What
is not known counts as such."""


def no_outages(_since: float, _until: float) -> float:
    """Return that there was none: for consumers without a circuit."""
    return 0.0


@dataclass(frozen=True)
class Level:
    """What the component says."""

    seconds_per_message: float
    """For which a message occupies its place."""
    max_age_seconds: float
    """After which a message is evicted."""
    retention_seconds: float
    """After which its queue deletes a message."""


@dataclass(frozen=True)
class LevelledQueue:
    """A queue as its consumer sees it."""

    client: Any
    """A boto3 SQS client."""
    queue_url: str
    dead_letters: DeadLetterQueue
    evicted: DeadLetterQueue
    level: Level
    outage_seconds: Outages = no_outages
    wall: Callable[[], float] = time.time
    """Returns seconds since the epoch, for ages."""
    clock: Callable[[], float] = time.monotonic
    """Returns seconds, for the pace."""
    sleep: Callable[[float], object] = time.sleep
    chance: Callable[[], float] = random.random
    """Returns a random number in [0, 1), for the pauses of failed messages, and for the first turn."""
    started: list[bool] = field(default_factory=list[bool])
    """Empty until the first batch."""

    def run(self, event: Mapping[str, Any], context: Any, one: Callable[[Record], object]) -> Answer:
        """Handle a batch, and return what Lambda expects. Never raises because of a record.

        Args:
            event: The event of the mapping.
            context: Of the invocation.
            one: Handles one record. What it returns is ignored, what it raises is said in batch.py.

        """
        self._spread()
        batch = _Batch(self, context, one)
        # First what came most often: a message that there was no time for several times is not to run out of
        # receives. A standard queue promises no order.
        records = sorted(event["Records"], key=receives, reverse=True)
        answer = sqs_batch(
            {"Records": records},
            batch.handle,
            client=self.client,
            queue_url=self.queue_url,
            dead_letters=self.dead_letters,
            chance=self.chance,
        )
        batch.tell()
        batch.pace.wait()
        return answer

    def _spread(self) -> None:
        """Begin the first batch a little later, at random.

        Environments that start together would otherwise call together, again and again at the same pace, and
        many at once are more than what is called may bear although the rate is kept.
        """
        if not self.started:
            self.started.append(True)
            self.sleep(self.chance() * min(self.level.seconds_per_message, SPREAD_SECONDS))


def connect(outage_seconds: Outages = no_outages) -> LevelledQueue:
    """Return the queue that the component described in the environment.

    Args:
        outage_seconds: Of the consumer's circuit, `BREAKER.outage_seconds`. Default: no circuit.

    """
    # Imported here, so that tests and tools which never connect start without boto3.
    import boto3  # noqa: PLC0415

    client = boto3.client("sqs")
    name = os.environ["QUEUE_NAME"]
    return LevelledQueue(
        client,
        os.environ["QUEUE_URL"],
        DeadLetterQueue(client, os.environ["DEAD_LETTERS_URL"], name),
        DeadLetterQueue(client, os.environ["EVICTED_URL"], name),
        Level(
            float(os.environ["SECONDS_PER_MESSAGE"]),
            float(os.environ["MAX_AGE_SECONDS"]),
            float(os.environ["RETENTION_SECONDS"]),
        ),
        outage_seconds,
    )


@dataclass
class _Batch:
    """One batch under way: its pace, and what it has counted."""

    queue: LevelledQueue
    context: Any
    one: Callable[[Record], object]
    pace: Pace = field(init=False)
    longest: float | None = None
    """Seconds that a message of this batch has taken, with what its end asked of the queue. None: none was
    tried."""
    began: float | None = None
    """When the message was tried that was the last."""
    counts: Counter[str] = field(default_factory=Counter[str])
    oldest: float = 0.0
    told_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.queue.level.seconds_per_message, self.queue.clock, self.queue.sleep)
        self.told_at = self.queue.clock()

    def handle(self, record: Record) -> None:
        """Handle one record, unless it is too old, or there is no time left."""
        self._measure()
        if PROBE_ATTRIBUTE in record:
            self._try(record)
            return
        if self._evicted(record):
            return
        if not self._has_time():
            self.counts["NotTried"] += 1
            raise RefusedError("no time left for it in this batch", retry_after=0)
        self.pace.begin()
        self._try(record)

    def tell(self) -> None:
        """Print what was counted since the last time."""
        names = ("Requests", "Errors", "Evicted", "NotTried")
        values = {name: float(self.counts[name]) for name in names} | {"OldestAge": self.oldest}
        print(emf_line(self.context.function_name, values, int(self.queue.wall() * 1000)), flush=True)
        self.counts.clear()
        self.oldest, self.told_at = 0.0, self.queue.clock()

    def _try(self, record: Record) -> None:
        self.began = self.queue.clock()
        self.counts["Requests"] += 1
        try:
            self.one(record)
        except PoisonError:
            raise
        except RefusedError:
            # Nothing was tried.
            self.counts["Requests"] -= 1
            raise
        except Exception:
            self.counts["Errors"] += 1
            raise
        finally:
            if self.queue.clock() - self.told_at >= COUNT_SECONDS:
                self.tell()

    def _measure(self) -> None:
        """Measure the message before this one. Only now is it a letter, or given back, if it was to be."""
        if self.began is not None:
            self.longest = max(self.longest or 0.0, self.queue.clock() - self.began)
            self.began = None

    def _has_time(self) -> bool:
        # The first is always tried, or a message that takes long would never be.
        if self.longest is None:
            return True
        remaining = self.context.get_remaining_time_in_millis() / 1000
        return has_time(remaining, self.pace.busy(), self.pace.seconds, self.longest)

    def _evicted(self, record: Record) -> bool:
        """Move a message that waited too long, and return whether it was one."""
        queue, now = self.queue, self.queue.wall()
        sent = float(record.get("attributes", {}).get("SentTimestamp", now * 1000)) / 1000
        outages = queue.outage_seconds(sent, now)
        self.oldest = max(self.oldest, now - sent - outages)
        reason = too_old(now - sent, outages, queue.level.max_age_seconds, queue.level.retention_seconds)
        if reason is None:
            return False
        queue.evicted.send(record, reason)
        self.counts["Evicted"] += 1
        log("warning", "message evicted", message_id=record["messageId"], reason=reason)
        return True
