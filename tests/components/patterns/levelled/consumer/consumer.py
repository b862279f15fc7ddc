"""Does what its messages say: nothing, a failure at the first time, or poison."""

import time
from typing import Any

from selfheal.functions.shared import levelled
from selfheal.functions.shared.batch import PoisonError, Record
from selfheal.functions.shared.log import log

QUEUE = levelled.connect()


def handle(event: Any, context: Any) -> Any:
    """Handle a batch."""
    return QUEUE.run(event, context, one)


def one(record: Record) -> None:
    """Note when a message was begun, and do what it says."""
    log("info", "begun", body=record["body"], at=time.time())
    if record["body"].startswith("poison"):
        raise PoisonError("no amount")
    if record["body"].startswith("bug") and record["attributes"]["ApproximateReceiveCount"] == "1":
        raise KeyError("amount")
