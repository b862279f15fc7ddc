"""The Lambda handler that has orders shipped: one consumer of the event bus, behind its own queue."""

import os
from typing import Any

from selfheal.functions.orders import surroundings
from selfheal.functions.orders.delivery import parse_delivery
from selfheal.functions.orders.order import Order
from selfheal.functions.orders.worker import ordered
from selfheal.functions.shared import configuration_cache, levelled
from selfheal.functions.shared.batch import Answer, PoisonError, Record
from selfheal.functions.shared.levelled import PROBE_ATTRIBUTE

CATALOGUE = os.environ["CATALOGUE"]
"""Name of the parameter that lists what can be ordered, separated by commas."""

CONFIGURATION = configuration_cache.connect(
    parameters=[CATALOGUE],
    ttl=float(os.environ.get("CONFIGURATION_SECONDS", configuration_cache.TTL_SECONDS[1])),
)


def shipment(order: Order) -> object:
    """Return what is to be shipped.

    Raises:
        PoisonError: when there is no such article.

    """
    wanted = ordered(order)
    known = {each.strip() for each in CONFIGURATION.parameter(CATALOGUE).split(",")}
    if wanted["article"] not in known:
        raise PoisonError(f"there is no article {wanted['article']!r}: the parameter {CATALOGUE} lists them")
    note = {"note": wanted["note"]} if "note" in wanted else {}
    return {"ship": wanted["article"], "quantity": wanted["quantity"], **note}


WORKER, BREAKER = surroundings.connect("fulfilment", shipment)
QUEUE = levelled.connect(BREAKER.outage_seconds)


def _fulfil(record: Record) -> None:
    WORKER.run(parse_delivery(record), record.get(PROBE_ATTRIBUTE))


def handle(event: dict[str, Any], context: Any) -> Answer:
    """Have a batch of orders shipped."""
    return QUEUE.run(event, context, _fulfil)
