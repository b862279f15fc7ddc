"""Times as the ledger writes them."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC with milliseconds, such as 2026-11-21T09:40:10.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """Return the moment that `iso` wrote."""
    return datetime.fromisoformat(text)
