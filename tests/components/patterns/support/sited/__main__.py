"""A site of two files, with an API under the same address."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.function import code
from selfheal.components.patterns.on_call import OnCall
from selfheal.components.patterns.static_site import StaticSite
from selfheal.components.patterns.storage_first_api import STAGE, StorageFirstApi

HERE = Path(__file__).parent
SCHEMA = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {"id": {"type": "string", "maxLength": 64}},
}

on_call = OnCall("on-call")
arns = Arns(on_call)


class Queue:
    """As much of a queue as the API needs."""

    def __init__(self, name: str) -> None:
        queue = aws.sqs.Queue(name, sqs_managed_sse_enabled=True)
        self.queue_name, self.queue_url = queue.name, queue.url
        self.queue_arn = arns.queue(queue.name)


api = StorageFirstApi(
    "orders",
    {
        "path": "orders",
        "queue": Queue("orders"),
        "schema": SCHEMA,
        "reader": {"code": code(HERE / "reader", "reader.handle")},
        "callers": pulumi.Output.secret({"alice": "a" * 32}),
        "people": on_call.topic_arn,
    },
)
site = StaticSite(
    "site",
    {
        "folder": str(HERE / "pages"),
        "api": {"id": api.api_id, "stage": STAGE, "paths": ["/orders/*"]},
    },
)
pulumi.export("url", site.url)
pulumi.export("bucket", site.bucket_name)
pulumi.export("distribution", site.distribution_id)
