"""One value of a store that may be slow or down: cached, refreshed, and kept while the store fails.

Used by several threads at once. Of these one refreshes, and the others continue with the value that is known.
"""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from selfheal.functions.shared.log import log

Value = TypeVar("Value")

LOG_SECONDS = 60.0
"""Minimum time between two log lines about a store that does not answer."""


class Cached(Generic[Value]):  # noqa: UP046 - the emulator runs it on Python 3.11
    """A value that is read again after a time to live. `get` does not raise because of the store.

    Args:
        read: Reads the value from the store. May raise anything.
        clock: Returns the time in seconds. Use a wall clock: it also advances while Lambda is frozen.
        ttl: Seconds until the value is read again.
        trust: Seconds after it was read for which the value is used while the store fails.
        pause: Returns the seconds until the store is asked again after it failed so many times in a row.
        failed: Told about each failure of the store. Must not raise.

    """

    def __init__(
        self,
        read: Callable[[], Value],
        clock: Callable[[], float],
        *,
        ttl: float,
        trust: float,
        pause: Callable[[int], float],
        failed: Callable[[Exception], None],
    ) -> None:
        self._read = read
        self._clock = clock
        self._ttl, self._trust = ttl, trust
        self._pause, self._failed = pause, failed
        self._reading = Lock()
        self._known: tuple[Value, float] | None = None
        self._asked_at: float | None = None
        self._wait = ttl
        self._failures = 0

    def get(self) -> Value | None:
        """Return the value, or None if there is none that can be trusted."""
        now = self._clock()
        # Without waiting: who does not read uses what is known.
        if self._due(now) and self._reading.acquire(blocking=False):
            try:
                if self._due(now):
                    self._ask(now)
            finally:
                self._reading.release()
        known = self._known
        return known[0] if known is not None and within(known[1], now, self._trust) else None

    def load(self) -> None:
        """Read the value now, whatever is known.

        Raises:
            Exception: what `read` raised.

        """
        with self._reading:
            error = self._ask(self._clock())
        if error is not None:
            raise error

    def _due(self, now: float) -> bool:
        return not within(self._asked_at, now, self._wait)

    def _ask(self, now: float) -> Exception | None:
        # Also set when the read fails: a slow store must not delay every request.
        self._asked_at = now
        try:
            self._known = (self._read(), now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service continues without the store
            self._failures += 1
            self._wait = self._pause(self._failures)
            self._failed(error)
            return error
        self._failures, self._wait = 0, self._ttl
        return None


class FailureLog:
    """Logs failures of a store, at most one in LOG_SECONDS.

    Args:
        message: The constant text of the lines.
        clock: Returns the time in seconds.
        fields: Details of every line.

    """

    def __init__(self, message: str, clock: Callable[[], float], **fields: object) -> None:
        self._message, self._clock, self._fields = message, clock, fields
        self._logged_at: float | None = None

    def __call__(self, error: str, **fields: object) -> None:
        """Log the kind of a failure, unless one was logged a short time ago. A text may quote a secret."""
        now = self._clock()
        if not within(self._logged_at, now, LOG_SECONDS):
            self._logged_at = now
            log("warning", self._message, **self._fields, **fields, error=error)


def within(moment: float | None, now: float, seconds: float) -> bool:
    """Return whether a moment is less than `seconds` ago. If the clock was set back, it is not."""
    return moment is not None and 0 <= now - moment < seconds
