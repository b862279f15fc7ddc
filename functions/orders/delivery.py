"""What a message says: from the API about a request, and from the event bus about an order. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from selfheal.functions.orders.order import Order
from selfheal.functions.shared.batch import PoisonError, Record

RECEIVED = "OrderReceived"
"""Detail type of the event about a new order."""

PUBLIC_CALLER = "anonymous"
"""The caller where the API is open to everybody."""

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""An order's id. The API's model demands it of the body; of the path it cannot."""


@dataclass(frozen=True)
class Request:
    """What came through the API."""

    caller: str
    id: str
    body: str


@dataclass(frozen=True)
class Delivery:
    """An event about an order, as a consumer gets it."""

    caller: str
    id: str
    day: str
    """The day on which it was received, as 2026-11-26, in UTC. The same however often it is published."""
    redriven: int = 0
    """How often people have sent it again after it was dead."""


def parse_request(record: Record) -> Request:
    """Return the request that the API has put into the queue.

    Raises:
        PoisonError: when it can never become an order. The text says why.

    """
    order_id = _attribute(record, "id")
    if not ID.fullmatch(order_id):
        raise PoisonError(f"the id in the path must be 1 to 64 of A-Z a-z 0-9 _ -, got {order_id[:80]!r}")
    body = _object(record["body"], "the body")
    if body.get("id") != order_id:
        raise PoisonError(f"the path names order {order_id}, the body {str(body.get('id'))[:80]!r}")
    return Request(_attribute(record, "caller") or PUBLIC_CALLER, order_id, record["body"])


def detail(order: Order) -> dict[str, str]:
    """Return the event's detail. What was ordered is in the order itself, where it cannot be outdated."""
    day = datetime.fromtimestamp(order.received_at, UTC).date().isoformat()
    return {"caller": order.caller, "id": order.id, "day": day}


def parse_delivery(record: Record) -> Delivery:
    """Return the event about an order in a message from the bus.

    Raises:
        PoisonError: when it is no such event.

    """
    event = _object(record["body"], "the event")
    found: object = event.get("detail")
    if event.get("detail-type") != RECEIVED or not isinstance(found, Mapping):
        raise PoisonError(f"must be an event {RECEIVED}, got {str(event.get('detail-type'))[:80]!r}")
    inner = cast("Mapping[str, Any]", found)
    named = [inner.get(name) for name in ("caller", "id", "day")]
    caller, order_id, day = (each if isinstance(each, str) else "" for each in named)
    if not caller or not order_id or not day:
        raise PoisonError("the event's detail must name caller, id and day")
    redriven = _attribute(record, "redriven")
    return Delivery(caller, order_id, day, int(redriven) if redriven.isdecimal() else 0)


def _attribute(record: Record, name: str) -> str:
    return str(record.get("messageAttributes", {}).get(name, {}).get("stringValue") or "")


def _object(text: str, what: str) -> Mapping[str, Any]:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PoisonError(f"{what} is no JSON") from error
    if not isinstance(found, dict):
        raise PoisonError(f"{what} must be a JSON object")
    return cast("Mapping[str, Any]", found)
