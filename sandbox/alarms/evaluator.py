"""Runs the alarms of an endpoint in time: CloudWatch's clock on a laptop."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from botocore.config import Config

from selfheal.sandbox.alarms.rounds import Round, Rounds
from selfheal.sandbox.clients import Credentials, session_of
from selfheal.sandbox.errors import SandboxError

SPEEDS = (1, 2, 5, 10)
"""Allowed values of `speed`: those that leave whole seconds of a 10 s step."""

_STEP_SECONDS = 10
_STOP_SECONDS = 10.0


class AlarmEvaluator:
    """Evaluates the metric alarms of an endpoint, in a thread of its own, until it is stopped.

    Alarms with a period of 10, 20 or 30 s are evaluated every 10 s and all others every minute, on the
    boundary plus `settle` seconds (default 1), so that the metrics of the period have arrived. A state is
    set only where it differs from the one read, and the endpoint then notifies. An endpoint that does not
    answer is survived: see `latest`.

    `now` returns epoch seconds; default: the time of this machine. `speed` (1, the default, 2, 5 or 10)
    makes all periods that many times shorter. It is for tests only: metrics keep their real timestamps, so
    a period of a faster clock holds fewer of them than the alarm's owner counted on, and thresholds lose
    their meaning.

    Raises SandboxError for another `speed`.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        credentials: Credentials,
        *,
        now: Callable[[], float] = time.time,
        speed: int = 1,
        settle: float = 1.0,
    ) -> None:
        if speed not in SPEEDS:
            raise SandboxError(f"the clock's speed is {speed!r}; allowed are {', '.join(map(str, SPEEDS))}")
        self._rounds = Rounds(_client(endpoint, region, credentials), speed=speed)
        self._now = now
        self._step = _STEP_SECONDS / speed
        self._settle = settle
        self._lock = threading.Lock()
        self._stopping = threading.Event()  # one for each thread: a thread that is slow to end must not go on
        self._thread: threading.Thread | None = None
        self._latest = Round()

    @property
    def latest(self) -> Round:
        """The latest round: its `problems` say what is not evaluated, and why. Empty before the first."""
        return self._latest

    def tick(self, now: float | None = None) -> Round:
        """Do one round for the time `now` (epoch seconds; default: the clock's own), without any delay.

        An alarm whose window has not moved since its last evaluation is left alone, so calling this often is
        harmless. Raises nothing: see `Round.problems`.
        """
        with self._lock:
            self._latest = self._rounds.run(self._now() if now is None else now)
            return self._latest

    def start(self) -> Self:
        """Start the thread, unless it runs. The first round is done at once."""
        if self._thread is None:
            self._stopping = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stopping,), name="cloudwatch-clock", daemon=True
            )
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop the thread and wait for the round it may be in, 10 s at most. Harmless twice."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            self._thread = None

    def _run(self, stopping: threading.Event) -> None:
        done: float | None = None
        while not stopping.is_set():
            now = self._now() - self._settle
            step = now // self._step
            if step != done:
                done = step
                self.tick(now)
            # A second at most, so that a stop is heard and a machine that slept or set its time catches up.
            remaining = (step + 1) * self._step + self._settle - self._now()
            stopping.wait(min(1.0, max(0.0, remaining)))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _client(endpoint: str, region: str, credentials: Credentials) -> Any:
    # No retries: the next round is one, and a clock whose endpoint is gone must stop at once.
    config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})
    return session_of(region, credentials).client("cloudwatch", endpoint_url=endpoint, config=config)
