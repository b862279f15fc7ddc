"""The status function: who may tell how everything is now, and what it may read for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pulumi
from pulumi import Input, Output

from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.function import own_code
from selfheal.components.iam import allow, on_items
from selfheal.components.patterns.circuit import Circuit
from selfheal.components.patterns.function import FunctionArgs
from selfheal.components.security import Security, Store
from selfheal.functions.shared.contract import DEPLOYMENT_KEY, FLEET_KEY, MODE_KEY, incident_key

TIMEOUT_SECONDS = 20
"""For the answers of services that are out: it reads eight sources at a time, and gives each 4 s."""

MEMORY_MB = 512
"""More than it needs: it starts faster, and somebody waits."""


class Queue(Protocol):
    """A queue whose messages are counted, such as a LevelledQueue or DeadLetters."""

    queue_url: Output[str]
    queue_arn: Output[str]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a status tells of."""

    ledger: str
    """Name of the healer's ledger. A name and no resource: the healer is registered after what it heals."""
    circuits: Sequence[Circuit] = ()
    queues: Mapping[str, Queue] = field(default_factory=dict[str, Queue])
    """By name."""
    dead_letters: Mapping[str, Queue] = field(default_factory=dict[str, Queue])
    """By name."""
    buckets: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """Buckets with dead letters, by name."""


def status_function(shown: Shown, arns: Arns, security: Security, log_retention_days: int) -> FunctionArgs:
    """Return the function for GET of /status/{id}, with rights to read, and only what is shown.

    Args:
        shown: What it tells of.
        arns: Builds ARNs.
        security: Key of the ledger.
        log_retention_days: One of RETENTION_DAYS.

    """
    places: dict[str, Output[str]] = {name: queue.queue_url for name, queue in shown.dead_letters.items()}
    places |= {name: Output.concat("s3://", bucket) for name, bucket in shown.buckets.items()}
    environment: dict[str, Input[str]] = {
        "LEDGER_TABLE": shown.ledger,
        "CIRCUITS": pulumi.Output.json_dumps({each.circuit_name: each.table_name for each in shown.circuits}),
        "QUEUES": pulumi.Output.json_dumps({name: each.queue_url for name, each in shown.queues.items()}),
        "DEAD_LETTERS": pulumi.Output.json_dumps(places),
    }
    # Neither people's requests nor the values of overrides: incidents, and what tells of all.
    items = on_items(incident_key("*"), FLEET_KEY, MODE_KEY, DEPLOYMENT_KEY)
    queues = [*shown.queues.values(), *shown.dead_letters.values()]
    statements = [
        allow(["dynamodb:GetItem", "dynamodb:Query"], [arns.table(shown.ledger)], items),
        *security.reads(Store.TABLE),
        # Of any alarm: their names are automatic, and known only once the healer is registered. It may see
        # how alarms are, and change none. `*` and not `alarm:*`, for the reason given at the healer's.
        allow(["cloudwatch:DescribeAlarms"], ["*"]),
        *(statement for circuit in shown.circuits for statement in circuit.reader.statements),
    ]
    if queues:
        statements.append(allow(["sqs:GetQueueAttributes"], [queue.queue_arn for queue in queues]))
    if shown.buckets:
        buckets = [arns.bucket(bucket) for bucket in shown.buckets.values()]
        statements.append(allow(["s3:ListBucket"], buckets))
    return {
        "code": own_code("status", also=["healer"]),
        "timeout_seconds": TIMEOUT_SECONDS,
        "memory_mb": MEMORY_MB,
        "uses": [Access(environment, statements)],
        "log_retention_days": log_retention_days,
    }
