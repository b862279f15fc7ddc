"""Writes down which order it got; cannot handle those that begin with poison."""

import json
from base64 import b64decode
from typing import Any

from selfheal.functions.shared.batch import kinesis_batch
from selfheal.functions.shared.log import log


def one(record: Any) -> None:
    """Handle one event."""
    event = json.loads(b64decode(record["kinesis"]["data"]))
    order = event["detail"]["id"]
    if order.startswith("poison"):
        raise ValueError(order)
    log("info", "got", order=order, key=record["kinesis"]["partitionKey"])


def handle(event: Any, _context: Any) -> Any:
    """Handle a batch of one shard."""
    return kinesis_batch(event, one)
