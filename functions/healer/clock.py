"""The ledger's clock, and the format of times in the ledger."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

TOLERANCE = timedelta(seconds=2)
"""Differences up to this are ignored: a `Date` header has whole seconds and takes time to arrive."""


@dataclass(frozen=True)
class Clock:
    """The ledger's clock. All runs use it for leases, windows and holds, whatever their machine says."""

    ahead: timedelta = timedelta(0)
    """How far this machine's clock is ahead of it."""

    def now(self) -> datetime:
        """Return the ledger's time in UTC."""
        return datetime.now(UTC) - self.ahead


def set_by(date: str, before: datetime, after: datetime) -> Clock:
    """Return the clock of a server, computed from the `Date` header of its response.

    Args:
        date: The header, as HTTP writes it, in whole seconds (RFC 9110, 5.6.7).
        before: This machine's time when the request was sent.
        after: This machine's time when the response arrived.

    Raises:
        ValueError: when the header is not a date.

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
