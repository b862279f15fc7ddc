"""What time it is, and times as the ledger writes them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

TOLERANCE = timedelta(seconds=2)
"""What cannot be told from no difference at all: a `Date` header has whole seconds, and took a while."""


@dataclass(frozen=True)
class Clock:
    """The ledger's clock: leases, windows and holds of every run are measured by one and the same."""

    ahead: timedelta = timedelta(0)
    """How far this machine's clock is ahead of it."""

    def now(self) -> datetime:
        """Return the time by the ledger's clock, in UTC."""
        return datetime.now(UTC) - self.ahead


def set_by(date: str, before: datetime, after: datetime) -> Clock:
    """Return the clock of a server, from the `Date` of its answer.

    Args:
        date: The header, as HTTP writes it, in whole seconds (RFC 9110, 5.6.7).
        before: This machine's time when the question was sent.
        after: And when the answer was there.

    Raises:
        ValueError: when the header is no date.

    """
    half = (after - before) / 2
    ahead = before + half - (parsedate_to_datetime(date) + timedelta(seconds=0.5))
    return Clock(ahead) if abs(ahead) > TOLERANCE + half else Clock()


def iso(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC with milliseconds, such as 2026-11-21T09:40:10.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """Return the moment that `iso` wrote."""
    return datetime.fromisoformat(text)
