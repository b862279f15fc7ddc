"""One levelled queue, of 20 messages a second."""

from pathlib import Path

import pulumi

from selfheal.components.function import code
from selfheal.components.patterns.levelled_queue import LevelledQueue
from selfheal.components.patterns.on_call import OnCall

queue = LevelledQueue(
    "orders",
    {
        "consumer": {"code": code(Path("consumer"), "consumer.handle"), "timeout_seconds": 10},
        "rate": 20,
        "maximum_concurrency": 4,
        "people": OnCall("on-call").topic_arn,
    },
)
pulumi.export("queue", queue.queue_url)
pulumi.export("function", queue.function_name)
pulumi.export("letters", queue.dead_letters.queue_url)
pulumi.export("evicted", queue.evicted.queue_url)
