"""Two consumers that call one dependency, whose address is configured, through a circuit breaker."""

from pathlib import Path

import pulumi

from selfheal.components.function import code
from selfheal.components.patterns.circuit import Circuit
from selfheal.components.patterns.circuit_breaker import CircuitBreaker
from selfheal.components.patterns.levelled_queue import LevelledQueue
from selfheal.components.patterns.on_call import OnCall

dependency = pulumi.Config().require("dependency")
people = OnCall("on-call").topic_arn
circuit = Circuit(
    "payments",
    {
        "settings": {
            "window_seconds": 2,
            "minimum_calls": 10,
            "lease_seconds": 12,
            "pause_seconds": 1,
            "pause_cap_seconds": 2,
            "first_limit": 4,
        }
    },
)


def consumer(name: str, maximum_concurrency: int) -> LevelledQueue:
    """Register a consumer of a hundred messages a second."""
    return LevelledQueue(
        name,
        {
            "consumer": {
                "code": code(Path("consumer"), "consumer.handle"),
                "timeout_seconds": 6,
                "environment": {"DEPENDENCY": dependency},
            },
            "rate": 100,
            "maximum_concurrency": maximum_concurrency,
            "circuit": circuit,
            "people": people,
        },
    )


fulfil, bill = consumer("fulfil", 5), consumer("bill", 2)
breaker = CircuitBreaker(
    "breaker",
    {
        "circuit": circuit,
        "consumers": [fulfil, bill],
        "probe_url": f"{dependency}/health",
        "probe_queue": fulfil,
        "people": people,
    },
)
pulumi.export("circuits", {circuit.circuit_name: circuit.table_name})
pulumi.export("workflow", breaker.state_machine_arn)
pulumi.export("wake", breaker.wake_name)
for queue, its_name in ((fulfil, "fulfil"), (bill, "bill")):
    pulumi.export(
        its_name,
        {
            "function": queue.function_name,
            "queue_url": queue.queue_url,
            "queue_arn": queue.queue_arn,
            "dead_letters": queue.dead_letters.queue_url,
            "evicted": queue.evicted.queue_url,
        },
    )
