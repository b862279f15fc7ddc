"""Reads overrides from the ledger through a cache.

A service must not depend on the ledger. If an override cannot be read in time, the last known value is used,
and after a while the baseline. `Overrides.get` does not raise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfheal.functions.shared.contract import override_key
from selfheal.functions.shared.log import log

TTL_SECONDS = 3.0
"""How long a value is cached, which delays an override. Well below the fast alarm's period of 10 s."""

TRUST_SECONDS = 60.0
"""How long the last known value is used if the ledger does not answer."""

LOG_SECONDS = 60.0
"""Minimum time between two log lines about a ledger that does not answer."""

TIMEOUT_SECONDS = 0.3
"""Timeout to connect, and again to read. This delays at most one request in TTL_SECONDS."""


@dataclass
class _Known:
    """The last value of one key, and when the ledger was asked last."""

    value: str | None = None
    read_at: float | None = None
    asked_at: float | None = None


class Overrides:
    """The overrides of one target.

    Args:
        client: A boto3 DynamoDB client with short timeouts and no retries.
        table: The table's name.
        target: The target's name, as the healer knows it.
        clock: Returns the time in seconds. Use a wall clock: it also advances while Lambda is frozen.

    """

    def __init__(self, client: Any, table: str, target: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._target = target
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._logged_at: float | None = None

    def get(self, key: str, baseline: str) -> str:
        """Return the override of a key, or the baseline if there is none or it cannot be read."""
        now = self._clock()
        known = self._known.setdefault(key, _Known())
        if not _within(known.asked_at, now, TTL_SECONDS):
            self._ask(key, known, now)
        if known.value is None or not _within(known.read_at, now, TRUST_SECONDS):
            return baseline
        return known.value

    def _ask(self, key: str, known: _Known, now: float) -> None:
        # Also set when the read fails: a slow ledger must not delay every request.
        known.asked_at = now
        try:
            value = self._read(key)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service continues without the ledger
            if not _within(self._logged_at, now, LOG_SECONDS):
                self._logged_at = now
                log("warning", "override not read", target=self._target, key=key, error=type(error).__name__)
            return
        known.value, known.read_at = value, now

    def _read(self, key: str) -> str | None:
        # Eventually consistent: a replica lags a second at most, less than the cache does. It costs half, and
        # it answers even if the leader does not.
        answer = self._client.get_item(
            TableName=self._table,
            Key=override_key(self._target, key),
            ConsistentRead=False,
        )
        value = answer.get("Item", {}).get("value")
        return None if value is None else str(value["S"])


def connect(table: str, target: str, clock: Callable[[], float]) -> Overrides:
    """Return the overrides of a target, with credentials and region from the function's environment."""
    # Imported here, so that a function without overrides starts without boto3.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return Overrides(boto3.client("dynamodb", config=config), table, target, clock)


def _within(moment: float | None, now: float, seconds: float) -> bool:
    """Return whether a moment is less than `seconds` ago. If the clock was set back, it is not."""
    return moment is not None and 0 <= now - moment < seconds
