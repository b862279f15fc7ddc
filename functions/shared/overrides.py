"""Reads overrides from the ledger through a cache.

A service must not depend on the ledger. If an override cannot be read in time, the last known value is used,
and after a while the baseline. `Overrides.get` does not raise.
"""

from collections.abc import Callable
from typing import Any

from selfheal.functions.shared.cached import LOG_SECONDS, Cached, FailureLog
from selfheal.functions.shared.contract import override_key

__all__ = ["LOG_SECONDS", "TRUST_SECONDS", "TTL_SECONDS", "Overrides", "connect"]

TTL_SECONDS = 3.0
"""How long a value is cached, which delays an override. Well below the fast alarm's period of 10 s."""

TRUST_SECONDS = 60.0
"""How long the last known value is used if the ledger does not answer."""

TIMEOUT_SECONDS = 0.3
"""Timeout to connect, and again to read. This delays at most one request in TTL_SECONDS."""


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
        self._cached: dict[str, Cached[str | None]] = {}
        self._log = FailureLog("override not read", clock, target=target)

    def get(self, key: str, baseline: str) -> str:
        """Return the override of a key, or the baseline if there is none or it cannot be read."""
        cached = self._cached.get(key)
        if cached is None:
            cached = self._cached.setdefault(key, self._cache(key))
        value = cached.get()
        return baseline if value is None else value

    def _cache(self, key: str) -> Cached[str | None]:
        return Cached(
            lambda: self._read(key),
            self._clock,
            ttl=TTL_SECONDS,
            trust=TRUST_SECONDS,
            pause=lambda _: TTL_SECONDS,
            failed=lambda error: self._log(type(error).__name__, key=key),
        )

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
