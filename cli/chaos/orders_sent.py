"""The orders that a run sends: a steady pace, callers and articles in turn, each with an id of its own."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import urllib3

from selfheal.cli.chaos.recording import Put
from selfheal.cli.demo.traffic import Traffic
from selfheal.scenarios.scenario import Traffic as Wanted

WORKERS = 16
"""Requests in flight at most: at 50 a second, answers may take a third of a second."""

ANSWER_SECONDS = 29.0
"""How long an answer may take, as at API Gateway itself: a machine that stands still for a moment is not to
decide a verdict. `answer_p95_seconds` says how long answers take."""

LATE_SECONDS = 6.0
"""From when on an order without an answer counts as not accepted, until there is one: so a fault is ended
early while the API does not answer."""

FIRST_ORDERS = 8
"""Sent before the traffic, at least."""

FIRST_SECONDS = 20.0
"""How long each of them may take to be answered: whatever has to start starts with them."""


@dataclass
class OrdersSent:
    """The traffic of one run."""

    url: str
    """The API's, without a slash at its end."""
    tokens: Mapping[str, str]
    """Of the callers that send them."""
    wanted: Wanted
    prefix: str
    """Of the orders' ids: unique to the run."""
    traffic: Traffic
    started: float = 0.0
    """When it was started, in seconds since the run began."""

    @classmethod
    def of(cls, url: str, tokens: Mapping[str, str], wanted: Wanted, run_id: str) -> "OrdersSent":
        """Return the traffic of a run. Nothing is sent yet."""
        prefix = f"chaos-{run_id[:12]}"
        traffic = Traffic(
            url,
            time.monotonic(),
            rate=wanted.per_second,
            workers=WORKERS,
            answer_seconds=ANSWER_SECONDS,
        )
        sent = cls(url.rstrip("/"), tokens, wanted, prefix, traffic)
        traffic.send = sent._send
        return sent

    def first(self) -> tuple[Put, ...]:
        """Send some orders one after the other, of each caller at least one, and return what became of them.

        They are not of the traffic: they show that the way is open, and let everything start that has to.
        Their times mean nothing.
        """
        pool = urllib3.PoolManager(timeout=FIRST_SECONDS, retries=False)
        return tuple(self._first(pool, number) for number in range(max(FIRST_ORDERS, len(self.tokens))))

    def _first(self, pool: urllib3.PoolManager, number: int) -> Put:
        caller, order_id = self._caller(number), f"{self.prefix}-first-{number}"
        try:
            status = self._put(pool, caller, order_id, number).status
        except urllib3.exceptions.HTTPError:
            status = None
        return Put(caller, order_id, 0.0, 0.0, status)

    def start(self, since: float) -> None:
        """Begin to send, this many seconds after the run began."""
        self.started, self.traffic.began = since, time.monotonic()
        self.traffic.start()

    def stop(self) -> None:
        """Send no more, and wait some seconds for the answers that are still due."""
        self.traffic.stop()

    def end(self) -> None:
        """Send no more, and wait for nothing."""
        self.traffic.end()

    @property
    def skipped(self) -> int:
        """Orders that were due and not sent."""
        return self.traffic.skipped

    def puts(self) -> tuple[Put, ...]:
        """Return what was answered or given up so far, and what has not been answered for LATE_SECONDS."""
        late = self.started
        return tuple(
            Put(
                self._caller(each.number),
                self._id(each.number),
                each.sent + late,
                each.done + late,
                each.status,
            )
            for each in (*self.traffic.samples(), *self.traffic.waiting(LATE_SECONDS))
        )

    def _send(self, pool: urllib3.PoolManager, _url: str, number: int) -> urllib3.BaseHTTPResponse:
        return self._put(pool, self._caller(number), self._id(number), number)

    def _put(
        self, pool: urllib3.PoolManager, caller: str, order_id: str, number: int
    ) -> urllib3.BaseHTTPResponse:
        body: dict[str, object] = {
            "id": order_id,
            "article": _in_turn(self.wanted.articles, number),
            "quantity": 1,
            "cents": 100 + number,
        }
        if self.wanted.note_bytes:
            body["note"] = "n" * self.wanted.note_bytes
        return pool.request(
            "PUT",
            f"{self.url}/orders/{order_id}",
            body=json.dumps(body).encode(),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {self.tokens[caller]}",
                "user-agent": "selfheal-chaos",
            },
        )

    def _caller(self, number: int) -> str:
        return _in_turn(list(self.tokens), number)

    def _id(self, number: int) -> str:
        return f"{self.prefix}-{number}"


def _in_turn(values: Sequence[str], number: int) -> str:
    return values[number % len(values)]
