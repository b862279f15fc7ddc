"""Calls the downstream once, with the body's second word as key, and ends as its first word says."""

import json
import os
import urllib.request
from typing import Any

from selfheal.functions.shared.batch import PoisonError
from selfheal.functions.shared.breaker.client import CircuitOpen


class DeclinedError(Exception):
    """The card was declined."""


def handle(record: dict[str, Any], _context: Any) -> None:
    """Handle one message."""
    end, _, key = record["body"].partition(" ")
    call(key)
    match end:
        case "second-time" if record["retryCount"] == 0:
            raise TimeoutError
        case "declined":
            raise DeclinedError("no such card")
        case "poison":
            raise PoisonError("no amount")
        case "open":
            raise CircuitOpen("payments", 3)
        case _:
            return


def call(key: str) -> None:
    """Ask the downstream for the effect of a key."""
    request = urllib.request.Request(
        os.environ["DOWNSTREAM_URL"],
        data=json.dumps({"amount": 1}).encode(),
        headers={"idempotency-key": key, "x-caller": "task", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5):
        return
