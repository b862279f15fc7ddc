"""Values that the healer may override while a service runs, read through a cache.

The service must not depend on the ledger: what cannot be read in time is answered from memory, and then by
the baseline. Nothing here raises.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfheal.functions.shared.contract import override_key
from selfheal.functions.shared.log import log

TTL_SECONDS = 3.0
"""How long an answer is used, so how late an override acts: well below a period of the fast alarm, 10 s."""

TRUST_SECONDS = 60.0
"""How long the last known value is used when the ledger does not answer."""

LOG_SECONDS = 60.0
"""Between two lines on a ledger that does not answer."""

TIMEOUT_SECONDS = 0.3
"""What one look may wait for a connection, and again for the answer: at most once in TTL_SECONDS."""


@dataclass
class _Known:
    """The last answer on one key, and when the ledger was asked last."""

    value: str | None = None
    read_at: float | None = None
    asked_at: float | None = None


class Overrides:
    """The overrides of one target.

    Args:
        client: A boto3 DynamoDB client with short timeouts and no retries.
        table: The table's name.
        target: The target's name, as the healer knows it.
        clock: Seconds. A wall clock is best: a frozen execution environment ages by it too.

    """

    def __init__(self, client: Any, table: str, target: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._target = target
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._logged_at: float | None = None

    def get(self, key: str, baseline: str) -> str:
        """Return the override of a key; the baseline where there is none or it is not known."""
        now = self._clock()
        known = self._known.setdefault(key, _Known())
        if not _within(known.asked_at, now, TTL_SECONDS):
            self._ask(key, known, now)
        if known.value is None or not _within(known.read_at, now, TRUST_SECONDS):
            return baseline
        return known.value

    def _ask(self, key: str, known: _Known, now: float) -> None:
        # A failure counts as asked: a ledger that is slow must not slow down every request.
        known.asked_at = now
        try:
            value = self._read(key)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service goes on without the ledger
            if not _within(self._logged_at, now, LOG_SECONDS):
                self._logged_at = now
                log("warning", "override not read", target=self._target, key=key, error=type(error).__name__)
            return
        known.value, known.read_at = value, now

    def _read(self, key: str) -> str | None:
        # Not consistent: a replica is a second behind at most, less than the cache is, costs half and answers
        # also while the leader does not.
        answer = self._client.get_item(
            TableName=self._table,
            Key=override_key(self._target, key),
            ConsistentRead=False,
        )
        value = answer.get("Item", {}).get("value")
        return None if value is None else str(value["S"])


def connect(table: str, target: str, clock: Callable[[], float]) -> Overrides:
    """Return the overrides of a target, with credentials and region from the function's environment."""
    # Imported here: a function without overrides starts without boto3.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return Overrides(boto3.client("dynamodb", config=config), table, target, clock)


def _within(moment: float | None, now: float, seconds: float) -> bool:
    """Return whether a moment is less than so many seconds ago. A clock that was set back makes it old."""
    return moment is not None and 0 <= now - moment < seconds
