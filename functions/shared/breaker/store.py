"""The store of one circuit: an item in DynamoDB, and no write without a condition.

Counts are added by an atomic update that requires the generation in which the calls were made. Everything
else requires the version that was read. Either answers with the item as it then is, so that neither needs a
read.
"""

from typing import Any, cast

from botocore.exceptions import ClientError

from selfheal.functions.shared.breaker.circuit import Circuit
from selfheal.functions.shared.breaker.item import (
    OPTIONAL,
    count_names,
    from_item,
    stale_counts,
    to_item,
)
from selfheal.functions.shared.breaker.window import Buckets, bucket_of
from selfheal.functions.shared.contract import breaker_key

REFUSED = "ConditionalCheckFailedException"


class Store:
    """One circuit's item.

    Methods raise what boto3 raises when DynamoDB does not answer, and ValueError for an item of a later
    schema.

    Args:
        client: A boto3 DynamoDB client.
        table: Name of the table, with the keys `pk` and `sk`.
        name: Name of the circuit, the same for all its consumers.

    """

    def __init__(self, client: Any, table: str, name: str) -> None:
        self._client = client
        self._table = table
        self.name = name
        self._attributes: tuple[str, ...] = ()

    def read(self) -> Circuit:
        """Return the circuit as it is now; a closed one if none was ever written."""
        # Consistent: a replica that lags would have a fresh opening missed.
        answer = self._client.get_item(TableName=self._table, Key=breaker_key(self.name), ConsistentRead=True)
        return self._circuit(answer.get("Item"))

    def add(self, counts: Buckets, generation: int, now: float, window_seconds: int) -> Circuit:
        """Add counts, unless the generation is over, and return the circuit as it then is.

        Args:
            counts: Calls and failures by bucket, made in that generation; at least one bucket.
            generation: Of the circuit when the calls began.
            now: Seconds since the epoch.
            window_seconds: Older counts are removed from the item.

        """
        add: dict[str, int] = {}
        for bucket, count in counts.items():
            calls, failures = count_names(generation, bucket)
            add |= {calls: count.calls, failures: count.failures}
        stale = stale_counts(self._attributes, generation, bucket_of(now) - window_seconds)
        names = {f"#a{index}": name for index, name in enumerate(add)}
        gone = {f"#r{index}": name for index, name in enumerate(name for name in stale if name not in add)}
        values = {f":a{index}": {"N": str(number)} for index, number in enumerate(add.values())}
        update = "ADD " + ", ".join(f"#a{index} :a{index}" for index in range(len(add)))
        if gone:
            update += " REMOVE " + ", ".join(gone)
        changed, circuit = self._update(
            update, "#generation = :generation", names | gone, values, generation=generation
        )
        if not changed and not circuit.version:
            # Nothing was ever written: the counts go to the item that is made now.
            _, circuit = self.replace(circuit, Circuit(self.name, version=1))
            if circuit.generation == generation:
                return self.add(counts, generation, now, window_seconds)
        return circuit

    def replace(self, before: Circuit, after: Circuit) -> tuple[bool, Circuit]:
        """Write a circuit if it still is as it was before.

        Returns:
            Whether it was written, and the circuit as it is now: with the counts of others, or as another
            writer left it.

        """
        attributes = to_item(after)
        gone = [name for name in OPTIONAL if name not in attributes]
        gone += stale_counts(self._attributes, after.generation, 0)
        names = {f"#s{index}": name for index, name in enumerate(attributes)}
        removed = {f"#r{index}": name for index, name in enumerate(gone)}
        values = {f":s{index}": value for index, value in enumerate(attributes.values())}
        update = "SET " + ", ".join(f"#s{index} = :s{index}" for index in range(len(attributes)))
        if removed:
            update += " REMOVE " + ", ".join(removed)
        if not before.version:
            return self._update(update, "attribute_not_exists(#pk)", names | removed, values, pk=None)
        return self._update(update, "#version = :version", names | removed, values, version=before.version)

    def _update(
        self,
        update: str,
        condition: str,
        names: dict[str, str],
        values: dict[str, Any],
        **required: int | None,
    ) -> tuple[bool, Circuit]:
        """Carry out an update and return whether its condition held, and the circuit as it is now."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=breaker_key(self.name),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=names | {f"#{name}": name for name in required},
                ExpressionAttributeValues=values
                | {f":{name}": {"N": str(value)} for name, value in required.items() if value is not None},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            response = cast("dict[str, Any]", error.response)
            if response["Error"]["Code"] != REFUSED:
                raise
            return False, self._circuit(response.get("Item"))
        return True, self._circuit(answer["Attributes"])

    def _circuit(self, item: dict[str, Any] | None) -> Circuit:
        if not item:
            return Circuit(self.name)
        self._attributes = tuple(item)
        return from_item(self.name, item)
