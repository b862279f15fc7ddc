"""Steady HTTP traffic to the service, whatever that does."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import urllib3

from selfheal.cli.demo.model import Sample

REQUESTS_PER_SECOND = 10.0
"""Enough that a share of 0.3 is unmistakable within one period of 10 s. It makes three failing requests a
second, which the emulator can serve: an exception ends its worker: about four a second is its limit."""

WORKERS = 8
"""Requests in flight at most. At 0.44 s a failing request, the target rate keeps about two of them busy."""

ANSWER_SECONDS = 6.0
"""A request without an answer by then counts as failed: twice the function's time-out of 3 s."""


Send = Callable[[urllib3.PoolManager, str, int], urllib3.BaseHTTPResponse]
"""Sends a request to a URL, given its number from 0, and returns the answer. What urllib3 raises counts as no
answer."""


def get(pool: urllib3.PoolManager, url: str, _number: int) -> urllib3.BaseHTTPResponse:
    """Ask for the service's root."""
    return pool.request("GET", url, headers={"user-agent": "selfheal-demo"})


@dataclass
class Traffic:
    """An open-loop load generator: a request is due every 1/rate seconds, whatever happened to those before.

    A request that is due while all workers wait for answers is skipped and counted. So a slow service is
    neither spared, as by a closed loop, nor flooded later, as by a queue.
    """

    url: str
    """Where to; the service's root."""
    began: float
    """The time.monotonic() from which every time is counted."""
    rate: float = REQUESTS_PER_SECOND
    """Requests a second."""
    workers: int = WORKERS
    """Requests in flight at most."""
    send: Send = get
    """Sends one request."""
    answer_seconds: float = ANSWER_SECONDS
    """How long an answer may take."""
    skipped: int = 0
    """Requests that were due and not sent."""
    _samples: list[Sample] = field(default_factory=list[Sample])
    _waiting: dict[int, float] = field(default_factory=dict[int, float])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])
    _next: int = 0

    def start(self) -> None:
        """Begin to send, on daemon threads: they never keep the process alive."""
        pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=self.workers,
            retries=False,
            timeout=urllib3.Timeout(connect=2.0, read=self.answer_seconds, total=self.answer_seconds),
        )
        for number in range(self.workers):
            thread = threading.Thread(target=self._work, args=(pool,), name=f"traffic-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Send no more, and wait for nothing."""
        self._ended.set()

    def stop(self) -> None:
        """Send no more, and wait for the answers still due: each has come or been given up by then."""
        self.end()
        deadline = time.monotonic() + self.answer_seconds + 2.0
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def samples(self) -> tuple[Sample, ...]:
        """Return the requests answered or given up so far, in the order of their answers."""
        with self._lock:
            return tuple(self._samples)

    def waiting(self, seconds: float) -> tuple[Sample, ...]:
        """Return the requests that have waited for an answer for this long, as if they were given up now."""
        with self._lock:
            now = self._now()
            late = [(number, sent) for number, sent in self._waiting.items() if now - sent >= seconds]
        return tuple(Sample(round(sent, 4), round(now, 4), None, number) for number, sent in late)

    def _work(self, pool: urllib3.PoolManager) -> None:
        while not self._ended.is_set():
            number, due = self._ticket()
            if self._ended.wait(max(0.0, due - self._now())):
                return
            sent = self._now()
            with self._lock:
                self._waiting[number] = sent
            status = self._status(pool, number)
            with self._lock:
                del self._waiting[number]
                self._samples.append(Sample(round(sent, 4), round(self._now(), 4), status, number))

    def _status(self, pool: urllib3.PoolManager, number: int) -> int | None:
        try:
            return self.send(pool, self.url, number).status
        except urllib3.exceptions.HTTPError:
            return None

    def _ticket(self) -> tuple[int, float]:
        """Take the next number whose due time has not passed by more than one interval."""
        with self._lock:
            earliest = int((self._now() - 1 / self.rate) * self.rate)
            if self._next < earliest:
                self.skipped += earliest - self._next
                self._next = earliest
            number = self._next
            self._next += 1
            return number, number / self.rate

    def _now(self) -> float:
        return time.monotonic() - self.began
