"""A replay of archived events to the rules of one bus: wait until all are archived, start it, follow it."""

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from selfheal.cli.console import Output
from selfheal.cli.errors import CliError
from selfheal.cli.operator.find_bus import Bus

ARCHIVE_DELAY = timedelta(minutes=10)
"""How long after an event its replay should begin, so that it is certainly in the archive. Source:
EventBridge user guide, "Archiving and replaying events", "Event delivery"."""

POLL_SECONDS = 2.0
TOLD_EVERY_SECONDS = 60.0
"""How often something is said where lines cannot be redrawn."""

ENDED = frozenset({"COMPLETED", "CANCELLED", "FAILED"})


@dataclass(frozen=True)
class Interval:
    """From when to when events are replayed, by the time that is in them, which has whole seconds."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start: datetime, end: datetime, now: datetime) -> "Interval":
        """Return the whole seconds that contain an interval.

        Raises:
            CliError: when it ends before it starts, or in the future.

        """
        if start >= end:
            raise CliError(f"--from must be before --to, got {stamp(start)} and {stamp(end)}.")
        if end > now:
            raise CliError(f"--to must not be in the future: it is {stamp(now)}, got {stamp(end)}.")
        whole = end.replace(microsecond=0)
        return cls(start.replace(microsecond=0), whole if whole == end else whole + timedelta(seconds=1))


@dataclass(frozen=True)
class Replay:
    """What became of a replay."""

    name: str
    state: str
    reason: str
    """Why, if AWS says it."""
    last_event: datetime | None
    """The time of the last event that was replayed, if AWS says it."""


@dataclass(frozen=True)
class Replayer:
    """Replays on one bus."""

    events: Any
    """A boto3 client of EventBridge."""
    output: Output
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], object] = time.sleep

    def check_archive(self, bus: Bus, interval: Interval) -> None:
        """Raise unless the archive is of the bus and has kept the interval's events.

        Raises:
            CliError: when it is of another bus, or keeps no event as old as all of the interval.
            botocore.exceptions.ClientError: when there is no such archive.

        """
        archive = self.events.describe_archive(ArchiveName=bus.archive.rpartition("archive/")[2])
        if archive["EventSourceArn"] != bus.arn:
            raise CliError(
                f"The archive {bus.archive} is of {archive['EventSourceArn']}, and not of {bus.arn}. Nothing "
                "was replayed: deploy the stack again, so that its outputs are right."
            )
        days = archive.get("RetentionDays") or 0
        oldest = max(
            archive["CreationTime"], self.now() - timedelta(days=days) if days else archive["CreationTime"]
        )
        if interval.end <= oldest:
            raise CliError(
                f"The archive has nothing of that time: it was made at {stamp(archive['CreationTime'])} and "
                f"keeps events for {f'{days} days' if days else 'ever'}. Nothing was replayed."
            )
        if interval.start < oldest:
            self.output.say(f"The archive begins at {stamp(oldest)}: older events are gone.", style="yellow")

    def wait_for_archive(self, end: datetime) -> None:
        """Wait until everything before `end` is certainly archived, and show for how long still."""
        ready = end + ARCHIVE_DELAY
        with self._progress() as show:
            while (left := (ready - self.now()).total_seconds()) > 0:
                show(
                    f"Waiting until all events up to {stamp(end)} are archived, which AWS says can take ten "
                    f"minutes: {clock(left)} left (--no-wait begins now and may miss some)"
                )
                self.sleep(min(1.0, left))

    def start(self, bus: Bus, interval: Interval) -> str:
        """Start a replay to the rules of `bus`, and return its name.

        Raises:
            botocore.exceptions.ClientError: when EventBridge refuses it.

        """
        name = f"selfheal-{self.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self.events.start_replay(
            ReplayName=name,
            Description=f"selfheal replay to {', '.join(bus.rules)}"[:512],
            EventSourceArn=bus.archive,
            EventStartTime=interval.start,
            EventEndTime=interval.end,
            Destination={"Arn": bus.arn, "FilterArns": list(bus.rules.values())},
        )
        return name

    def follow(self, name: str) -> Replay:
        """Follow a replay to its end."""
        with self._progress() as show:
            while True:
                found = self.events.describe_replay(ReplayName=name)
                last = found.get("EventLastReplayedTime")
                if found["State"] in ENDED:
                    return Replay(name, found["State"], found.get("StateReason") or "", last)
                show(f"{name}: {found['State'].lower()}{f', up to {stamp(last)}' if last else ''}")
                self.sleep(POLL_SECONDS)

    @contextmanager
    def _progress(self) -> Generator[Callable[[str], None]]:
        """Yield what shows a line: redrawn on a terminal, else at first and then once a minute."""
        if self.output.interactive:
            with self.output.people.status("") as status:
                yield status.update
            return
        told: list[datetime] = []

        def say(text: str) -> None:
            if not told or (self.now() - told[-1]).total_seconds() >= TOLD_EVERY_SECONDS:
                told.append(self.now())
                self.output.say(text, style="dim")

        yield say


def stamp(moment: datetime) -> str:
    """Return a moment as people and the command line write it, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"
