"""The loop that sends letters back to where they failed: receive one, send it, and only then delete it.

A crash between any two of these loses nothing. At worst a letter is sent twice, with the same mark, which
consumers that are idempotent do not feel.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.operator.delivery import Deliveries, NoAddressError, NotSentError
from selfheal.cli.operator.letters import Letter
from selfheal.cli.operator.places import Place
from selfheal.functions.healer.clock import TOLERANCE

FAILURES_IN_A_ROW = 10
"""After so many sends that failed one after the other the loop ends: what was to be mended is not."""

LOOKED_THROUGH = 1000
"""Letters that are looked through, after a redrive, for those that came back."""


class Fate(StrEnum):
    """What became of a letter."""

    REDRIVEN = "redriven"
    WOULD_BE = "would be redriven"
    """In a dry run."""
    LEFT = "left"
    """It lies where it lay."""
    CAME_BACK = "came back"
    """It was redriven in this run, failed again, and lies there again. It is not redriven twice."""
    ARRIVED = "arrived"
    """It was first sent after the run began."""


@dataclass(frozen=True)
class Outcome:
    """What became of one letter, and why."""

    letter: Letter
    fate: Fate
    target: str = ""
    problem: str = ""
    """Why it was left; or what is to be known about one that was sent."""


@dataclass(frozen=True)
class Wish:
    """Which letters, and how."""

    only: frozenset[str] = frozenset()
    """Ids of the letters. Empty: all."""

    limit: int | None = None
    """How many are sent at most, those that fail included. None: no limit."""

    dry_run: bool = False
    """Send nothing."""


@dataclass
class Sent:
    """What was sent in a run, to recognise it when it comes back."""

    _messages: set[str] = field(default_factory=set[str])
    _digests: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def add(self, letter: Letter, message_id: str) -> None:
        """Remember a letter that was sent as a message; a function's letter has no id."""
        if message_id:
            self._messages.add(message_id)
        self._digests.add((letter.digest, letter.redriven + 1))

    def __contains__(self, letter: Letter) -> bool:
        """Return whether a letter was sent: SQS keeps its id when it moves it, a consumer its mark."""
        return letter.id in self._messages or (letter.digest, letter.redriven) in self._digests

    def __bool__(self) -> bool:
        return bool(self._digests)


@dataclass
class Pace:
    """Spaces what is done evenly, without catching up."""

    rate: float
    """How often a second at most."""

    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _next: float = 0.0

    def wait(self) -> None:
        """Wait until it is time for the next."""
        now = self.clock()
        if now < self._next:
            self.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.rate


@dataclass
class Redrive:
    """One run."""

    place: Place
    """Where the letters lie."""

    deliveries: Deliveries
    wish: Wish
    done: Callable[[Outcome], object]
    """Is told what became of each letter, in turn. Letters that are not wanted are not mentioned."""

    pace: Pace
    sent: Sent = field(default_factory=Sent)

    def run(self) -> str:
        """Send letters to their targets until every letter has been seen that lay there at the beginning.

        However it ends, the letters that were not sent are visible again.

        Returns:
            Why it ended before all letters were seen; empty if it did not.

        Raises:
            botocore.exceptions.ClientError: when letters cannot be received.

        """
        wish, began = self.wish, self.place.now() + TOLERANCE.total_seconds()
        wanted, tried, failures = set(wish.only), 0, 0
        try:
            for letter in self._letters():
                if letter in self.sent or letter.sent_at > began:
                    self.done(Outcome(letter, Fate.CAME_BACK if letter in self.sent else Fate.ARRIVED))
                    continue
                outcome, was_tried = self._one(letter)
                self.done(outcome)
                wanted.discard(letter.id)
                tried += was_tried
                failures = failures + 1 if was_tried and outcome.fate is Fate.LEFT else 0
                if failures >= FAILURES_IN_A_ROW:
                    return f"{failures} in a row failed again; nothing more is sent until that is mended"
                if wish.limit is not None and tried >= wish.limit:
                    return f"the limit of {wish.limit} was reached"
                if wish.only and not wanted:
                    break
        finally:
            self.place.release()
        return ""

    def came_back(self) -> list[Letter]:
        """Return the letters that were sent and lie there again, among the first 1,000."""
        return [each for each in self.place.look(LOOKED_THROUGH) if each in self.sent]

    def _letters(self) -> Iterator[Letter]:
        only = self.wish.only
        while (letter := self.place.take()) is not None:
            if not only or letter.id in only:
                yield letter

    def _one(self, letter: Letter) -> tuple[Outcome, bool]:
        """Send a letter and delete it; return what became of it, and whether sending was tried."""
        target = self.deliveries.target(letter)
        try:
            address = self.deliveries.address(letter)
            if self.wish.dry_run:
                return Outcome(letter, Fate.WOULD_BE, target), True
            self.pace.wait()
            message_id = self.deliveries.send(letter, address)
        except NotSentError as error:
            return Outcome(letter, Fate.LEFT, target, str(error)), not isinstance(error, NoAddressError)
        self.sent.add(letter, message_id)
        problem = ""
        try:
            self.place.remove(letter)
        except (ClientError, BotoCoreError) as error:
            problem = f"sent, but not deleted, so that the next redrive sends it again: {error}"
        return Outcome(letter, Fate.REDRIVEN, target, problem), True
