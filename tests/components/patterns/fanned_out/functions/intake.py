"""Publishes what it gets: the kind of an event and the id of an order, with a space between."""

import json
from typing import Any

from selfheal.functions.shared import levelled, publisher

QUEUE = levelled.connect()
ORDERS = publisher.connect()


def one(record: Any) -> None:
    """Publish one event."""
    kind, order = record["body"].split()
    ORDERS.publish([{"DetailType": kind, "Detail": json.dumps({"id": order})}])


def handle(event: Any, context: Any) -> Any:
    """Handle a batch."""
    return QUEUE.run(event, context, one)
