"""The Lambda handler that has one order charged: the task of the billing workflow, which retries it."""

import os
import random
from typing import Any

from selfheal.functions.orders import surroundings
from selfheal.functions.orders.delivery import parse_delivery
from selfheal.functions.orders.downstream import DownstreamError
from selfheal.functions.orders.order import Order
from selfheal.functions.orders.worker import ordered
from selfheal.functions.shared.backoff import full_jitter
from selfheal.functions.shared.batch import RefusedError


def charge(order: Order) -> object:
    """Return what is to be charged: an amount in cents."""
    return {"charge": order.caller, "cents": ordered(order)["cents"]}


WORKER, _ = surroundings.connect("billing", charge)

RETRIES = int(os.environ["RETRIES"])
"""How often the workflow tries again. Then the message goes back while the order has attempts left: they
decide when it is dead, and not how often a workflow retries."""

LATER = 8
"""The attempt whose pause a message has that goes back: up to 128 s."""


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Have the order of one message charged. Raises as `Worker.run`; the workflow knows the names.

    Raises:
        RefusedError: when the workflow's attempts are used up, and the order's are not.

    """
    try:
        WORKER.run(parse_delivery(event))
    except DownstreamError as error:
        if int(event.get("retryCount", 0)) < RETRIES:
            raise
        seconds = 1 + full_jitter(LATER, random.random, base=2.0, cap=300.0)
        raise RefusedError(f"{error}; try again in {seconds:.0f} s", seconds) from error
    return {"billing": "done"}
