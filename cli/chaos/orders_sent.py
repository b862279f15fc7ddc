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


@dataclass(frozen=True)
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

    @classmethod
    def of(cls, url: str, tokens: Mapping[str, str], wanted: Wanted, run_id: str) -> "OrdersSent":
        """Return the traffic of a run. Nothing is sent until `traffic.start()`, but its clock begins."""
        prefix = f"chaos-{run_id[:12]}"
        traffic = Traffic(url, time.monotonic(), rate=wanted.per_second, workers=WORKERS)
        sent = cls(url.rstrip("/"), tokens, wanted, prefix, traffic)
        traffic.send = sent._send
        return sent

    def start(self) -> None:
        """Begin to send."""
        self.traffic.start()

    def stop(self) -> None:
        """Send no more, and wait some seconds for the answers that are still due."""
        self.traffic.stop()

    @property
    def skipped(self) -> int:
        """Orders that were due and not sent."""
        return self.traffic.skipped

    def puts(self) -> tuple[Put, ...]:
        """Return what was answered or given up so far."""
        return tuple(
            Put(self._caller(each.number), self._id(each.number), each.sent, each.done, each.status)
            for each in self.traffic.samples()
        )

    def _send(self, pool: urllib3.PoolManager, number: int) -> int:
        caller, order_id = self._caller(number), self._id(number)
        body: dict[str, object] = {
            "id": order_id,
            "article": _in_turn(self.wanted.articles, number),
            "quantity": 1,
            "cents": 100 + number,
        }
        if self.wanted.note_bytes:
            body["note"] = "n" * self.wanted.note_bytes
        answer = pool.request(
            "PUT",
            f"{self.url}/orders/{order_id}",
            body=json.dumps(body).encode(),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {self.tokens[caller]}",
                "user-agent": "selfheal-chaos",
            },
        )
        return answer.status

    def _caller(self, number: int) -> str:
        return _in_turn(list(self.tokens), number)

    def _id(self, number: int) -> str:
        return f"{self.prefix}-{number}"


def _in_turn(values: Sequence[str], number: int) -> str:
    return values[number % len(values)]
