"""Writes down which order it got."""

import json
from typing import Any

from selfheal.functions.shared import levelled
from selfheal.functions.shared.log import log

QUEUE = levelled.connect()


def one(record: Any) -> None:
    """Handle one event."""
    event = json.loads(record["body"])
    log("info", "got", order=event["detail"]["id"], replay=event.get("replay-name", ""))


def handle(event: Any, context: Any) -> Any:
    """Handle a batch."""
    return QUEUE.run(event, context, one)
