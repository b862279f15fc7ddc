"""Puts a message into a queue of the emulator from within its process."""

import time
import uuid
from collections.abc import Mapping
from typing import Any


def enqueued(sqs: Any, arn: str, body: str, attributes: Mapping[str, str] | None = None) -> bool:
    """Send a message with string attributes to a standard queue; `sqs` is ministack's module.

    Returns False if there is no such queue, or if it is a FIFO queue, to which neither EventBridge nor Lambda
    delivers what failed.
    """
    queue = sqs._queue_by_arn(arn)  # noqa: SLF001
    if queue is None or queue["is_fifo"]:
        return False
    now = time.time()
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
    message: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "body": body,
        "sent_at": now,
        "visible_at": now + sqs.queue_delay(queue),
        "message_attributes": typed,
        "md5_attrs": sqs._md5_msg_attrs(typed),  # noqa: SLF001
    }
    sqs._ensure_msg_fields(message)  # noqa: SLF001
    with sqs._queues_lock:  # noqa: SLF001
        queue["messages"].append(message)
    sqs.esm_wake.set()
    return True
