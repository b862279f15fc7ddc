"""The Lambda handler that has one order charged: the task of the billing workflow, which retries it."""

from typing import Any

from selfheal.functions.orders import surroundings
from selfheal.functions.orders.delivery import parse_delivery
from selfheal.functions.orders.order import Order
from selfheal.functions.orders.worker import ordered


def charge(order: Order) -> object:
    """Return what is to be charged: an amount in cents."""
    return {"charge": order.caller, "cents": ordered(order)["cents"]}


WORKER, _ = surroundings.connect("billing", charge)


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Have the order of one message charged. Raises as `Worker.run`; the workflow knows the names."""
    WORKER.run(parse_delivery(event))
    return {"billing": "done"}
