"""An API with callers and a public one, each with a plain queue, and one without any callers."""

from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.function import code
from selfheal.components.patterns.on_call import OnCall
from selfheal.components.patterns.storage_first_api import StorageFirstApi

SCHEMA = {
    "type": "object",
    "required": ["id", "amount"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "maxLength": 64},
        "amount": {"type": "integer", "minimum": 1, "maximum": 99},
        "note": {"type": "string", "maxLength": 200},
    },
}

on_call = OnCall("on-call")
arns = Arns(on_call)


class Queue:
    """As much of a queue as the component needs."""

    def __init__(self, name: str) -> None:
        queue = aws.sqs.Queue(name, sqs_managed_sse_enabled=True)
        self.queue_name, self.queue_url = queue.name, queue.url
        self.queue_arn = arns.queue(queue.name)


READER = {"code": code(Path(__file__).parent / "reader", "reader.handle")}
CALLERS = pulumi.Output.secret({"alice": "a" * 32, "bob": "b" * 31 + "!"})


def door(name: str, **more: Any) -> None:
    queue = Queue(f"{name}-queue")
    args: dict[str, Any] = {
        "path": "orders",
        "queue": queue,
        "schema": SCHEMA,
        "reader": READER,
        "people": on_call.topic_arn,
        **more,
    }
    api = StorageFirstApi(name, args)  # pyright: ignore[reportArgumentType]
    pulumi.export(f"{name}-url", api.url)
    pulumi.export(f"{name}-queue", queue.queue_url)
    pulumi.export(f"{name}-api", api.api_name)


door("orders", callers=CALLERS, reads={"status": READER})
door("open", public=True, sandbox=True, rate=1, burst=6)
door("closed")
