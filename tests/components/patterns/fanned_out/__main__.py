"""Orders that are accepted go to fulfilment, those that are paid to billing, and all to analytics."""

from pathlib import Path
from typing import Any

import pulumi

from selfheal.components.function import code
from selfheal.components.patterns.fan_out import FanOut
from selfheal.components.patterns.function import FunctionArgs
from selfheal.components.patterns.levelled_queue import LevelledQueue
from selfheal.components.patterns.on_call import OnCall
from selfheal.components.patterns.stream_consumer import StreamConsumer

people = OnCall("on-call").topic_arn


def queue(name: str, module: str, *uses: Any) -> LevelledQueue:
    """Register a queue that is drained as fast as it can be."""
    function = code(Path("functions"), f"{module}.handle")
    consumer: FunctionArgs = {"code": function, "uses": uses}
    return LevelledQueue(
        name, {"consumer": consumer, "rate": 1000, "maximum_concurrency": 2, "people": people}
    )


fulfilment, billing = queue("fulfilment", "from_queue"), queue("billing", "from_queue")
analytics = StreamConsumer(
    "analytics",
    {"consumer": {"code": code(Path("functions"), "from_stream.handle")}, "retries": 1, "people": people},
)
orders = FanOut(
    "orders",
    {
        "people": people,
        "subscribers": {
            "fulfilment": {"queue": fulfilment, "pattern": {"detail-type": ["accepted"]}},
            "billing": {"queue": billing, "pattern": {"detail-type": ["paid"]}},
            "analytics": {
                "stream": analytics,
                "pattern": {"detail-type": [{"exists": True}]},
                "partition_key": "$.detail.id",
            },
        },
    },
)
intake = queue("intake", "intake", orders.publisher)

pulumi.export("intake", intake.queue_url)
pulumi.export("billingQueue", billing.queue_url)
pulumi.export("letters", orders.dead_letters.queue_url)
pulumi.export("failures", analytics.failures_bucket)
pulumi.export("buses", {"orders": orders.replays})
pulumi.export(
    "functions",
    {
        "fulfilment": fulfilment.function_name,
        "billing": billing.function_name,
        "analytics": analytics.function_name,
    },
)
