"""Read what became of orders: their items, and what the downstream wrote down of effects and calls."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from selfheal.functions.downstream.core import Outcome
from selfheal.functions.orders.order import Order
from selfheal.functions.orders.store import from_item


@dataclass(frozen=True)
class Call:
    """One line of the downstream's log."""

    at: float
    """Seconds since the epoch."""
    key: str
    """Its idempotency key; empty on the health route."""
    outcome: Outcome


@dataclass(frozen=True)
class OrdersView:
    """The tables of an orders service. Its methods only read; they raise botocore's errors."""

    dynamodb: Any
    """A boto3 DynamoDB client."""
    orders_table: str
    """The stack's output `ordersTable`."""
    downstream_table: str
    """The stack's output `downstreamTable`."""

    @classmethod
    def of_outputs(cls, dynamodb: Any, outputs: Mapping[str, Any]) -> "OrdersView":
        """Return the view of the stack with these outputs.

        Raises:
            KeyError: when it deploys no orders service.

        """
        return cls(dynamodb, str(outputs["ordersTable"]), str(outputs["downstreamTable"]))

    def orders(self) -> dict[tuple[str, str], Order]:
        """Return all orders as they are now, by caller and id."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.orders_table, ConsistentRead=True)
        items = (item for page in pages for item in page["Items"])
        orders = (from_item(item) for item in items if item["sk"]["S"] == "order")
        return {(order.caller, order.id): order for order in orders}

    def effects(self) -> dict[str, float]:
        """Return when each effect happened, in seconds since the epoch, by idempotency key."""
        return {item["sk"]["S"]: float(item["at"]["N"]) for item in self._logged("effects")}

    def counters(self) -> dict[str, int]:
        """Return how many calls had each outcome, and all of them as `calls`; empty before the first."""
        return {
            name: int(value["N"])
            for item in self._logged("counters")
            for name, value in item.items()
            if "N" in value
        }

    def calls(self) -> list[Call]:
        """Return the log of calls, the oldest first: at most the last 50,000, and of one day."""
        found = [
            (
                int(item["number"]["N"]),
                Call(float(item["at"]["N"]), item["key"]["S"], Outcome(item["outcome"]["S"])),
            )
            for item in self._logged("calls")
        ]
        return [call for _, call in sorted(found, key=lambda each: each[0])]

    def _logged(self, partition: str) -> Iterable[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.downstream_table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
        )
        return (item for page in pages for item in page["Items"])


def longest_hidden(sqs: Any, outputs: Mapping[str, Any]) -> float:
    """Return for how many seconds a message is hidden whose handling was cut off, in the slowest queue.

    Args:
        sqs: A boto3 SQS client.
        outputs: Of a stack with an orders service.

    Raises:
        KeyError: when it deploys none.
        botocore.exceptions.BotoCoreError: when the endpoint does not answer.
        botocore.exceptions.ClientError: when it refuses.

    """
    name = "VisibilityTimeout"
    return max(
        float(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
        for url in outputs["queues"].values()
    )


def repeated_effects(calls: Iterable[Call]) -> int:
    """Return how many effects there were beyond one a key, by the log of calls."""
    times = Counter(call.key for call in calls if call.outcome is Outcome.EFFECT)
    return sum(number - 1 for number in times.values())
