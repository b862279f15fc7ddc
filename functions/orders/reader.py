"""The Lambda handler that tells a caller about an order of theirs: GET /orders/{id}."""

import json
import os
from typing import Any

import boto3

from selfheal.functions.orders.delivery import ID, PUBLIC_CALLER
from selfheal.functions.orders.order import Order, visible_to
from selfheal.functions.orders.store import Store

STORE = Store(boto3.client("dynamodb"), os.environ["ORDERS_TABLE"])


def told(order: Order) -> dict[str, Any]:
    """Return what a caller is told about an order."""
    work = {
        name: {
            "attempts": each.attempts,
            "doneAt": each.done_at,
            "deadAt": each.dead_at,
            "reason": each.reason,
        }
        for name, each in order.work.items()
    }
    return {
        "id": order.id,
        "state": order.state,
        "reason": order.reason,
        "receivedAt": order.received_at,
        "acceptedAt": order.accepted_at,
        "conflicts": order.conflict.number if order.conflict else 0,
        "work": work,
    }


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one request. An order of somebody else is not there, as one that does not exist."""
    order_id = str((event.get("pathParameters") or {}).get("id") or "")
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    caller = str(authorizer.get("principalId") or PUBLIC_CALLER)
    known = STORE.read(caller, order_id) if ID.fullmatch(order_id) else None
    order = visible_to(known, caller)
    if order is None:
        text = "there is no such order of yours, or it has just been stored: ask again in a moment"
        return _answer(404, {"error": text})
    return _answer(200, told(order))


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
