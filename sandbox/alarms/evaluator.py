"""Evaluates the alarms of an endpoint periodically, in a thread."""

import threading
import time
from collections.abc import Callable
from typing import Any, Self

from selfheal.sandbox.alarms.rounds import Round, Rounds
from selfheal.sandbox.clients import Clients, Credentials

_STEP_SECONDS = 10
_SETTLE_SECONDS = 1.0
"""After the end of a period, for its metrics to arrive."""
_STOP_SECONDS = 10.0


class AlarmEvaluator:
    """Evaluates the metric alarms of an endpoint in a thread, as a context manager that is entered once.

    Alarms with a period of 10, 20 or 30 s are evaluated every 10 s, all others every minute, 1 s after the
    end of the period. A state is set only if it changes, and the endpoint then notifies. Errors of the
    endpoint are logged and do not end the thread.

    `now` returns epoch seconds. Default: the time of this machine.
    """

    def __init__(
        self, endpoint: str, region: str, credentials: Credentials, *, now: Callable[[], float] = time.time
    ) -> None:
        self._rounds = Rounds(_client(endpoint, region, credentials))
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarm-evaluator", daemon=True)

    def tick(self, now: float | None = None) -> Round:
        """Run one round for the time `now` (epoch seconds; default: that of the evaluator).

        An alarm whose window has not moved since its last evaluation is skipped. Raises nothing: errors are
        in `Round.problems`.
        """
        return self._rounds.run(self._now() if now is None else now)

    def __enter__(self) -> Self:
        """Start the thread, which begins with a round."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread, and wait up to 10 s for its current round to end."""
        self._stopping.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        done: float | None = None
        while not self._stopping.is_set():
            now = self._now() - _SETTLE_SECONDS
            step = now // _STEP_SECONDS
            if step != done:
                done = step
                self.tick(now)
            # At most 1 s, so that a stop or a change of the machine's time is noticed.
            remaining = (step + 1) * _STEP_SECONDS + _SETTLE_SECONDS - self._now()
            self._stopping.wait(min(1.0, max(0.0, remaining)))


def _client(endpoint: str, region: str, credentials: Credentials) -> Any:
    # No retries: the next round is one, and a stop must not wait for an endpoint that is gone.
    return Clients(endpoint, region, credentials, retries=1, read_timeout=10, connect_timeout=2).get(
        "cloudwatch"
    )
