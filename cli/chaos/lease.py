"""Keeps the record of a run alive while its process is."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.chaos.record import LEASE_SECONDS, Records

RENEW_SECONDS = 4.0
"""How often it renews that. Four attempts before anybody takes it for dead."""


@dataclass
class Lease:
    """Keeps a run's record alive on a thread of its own, and hears whether it must stop."""

    records: Records
    run_id: str
    now: Callable[[], float] = time.time
    every: float = RENEW_SECONDS
    reason: str = ""
    """Why the run must stop; empty while it may go on."""
    renewed_at: float = 0.0
    """When it was last renewed, in seconds since the epoch."""
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to renew it. The record has just been written."""
        self.renewed_at = self.now()
        self._thread = threading.Thread(target=self._work, name="chaos-lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Renew it no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _work(self) -> None:
        while not self._ended.wait(self.every):
            self.renew()

    def renew(self) -> None:
        """Renew it once."""
        began = self.now()
        try:
            stop = self.records.renew(self.run_id, began + LEASE_SECONDS)
        except (BotoCoreError, ClientError) as error:
            if self.now() - self.renewed_at >= LEASE_SECONDS - self.every:
                self.reason = self.reason or f"its record in the ledger cannot be renewed: {error}"
            return
        self.renewed_at = began
        if stop is None:
            self.reason = self.reason or "its record is gone: another command took it for dead and undid it"
        elif stop:
            self.reason = self.reason or f"{stop} stopped it"
