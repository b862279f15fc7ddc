"""Takes requests in: writes each order down, then tells the event bus.

In this order, because the order's item is what makes a second delivery harmless: an order that is written and
not yet published is published by the next delivery of its message.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal.functions.orders.delivery import RECEIVED, Request, detail
from selfheal.functions.orders.order import accept, receive
from selfheal.functions.orders.store import Store
from selfheal.functions.shared.log import log


@dataclass(frozen=True)
class Intake:
    """What taking in needs."""

    store: Store
    publish: Callable[[Sequence[Mapping[str, Any]]], object]
    """Sends events. Raises if the bus does not take them."""
    clock: Callable[[], float]
    """Returns seconds since the epoch."""

    def take(self, request: Request) -> None:
        """Take one request: a new order, one that was sent again, or a conflict, which is recorded."""
        now = self.clock()
        order = self.store.create(receive(None, request.caller, request.id, request.body, now))
        order = self.store.change(
            order, lambda each: receive(each, request.caller, request.id, request.body, now)
        )
        if order.body != request.body:
            log("warning", "conflict recorded", order=request.id, caller=request.caller)
        if order.accepted_at is not None:
            return
        self.publish([{"DetailType": RECEIVED, "Detail": json.dumps(detail(order))}])
        self.store.change(order, lambda each: accept(each, self.clock()))
