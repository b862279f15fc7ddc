"""Orders in DynamoDB: one item an order, and each change a compare-and-swap of the fields that it changes.

    pk                   sk      holds
    order#CALLER#ID      order   one order: `Order`, with an attribute for each consumer's work

A change is written under the condition that the fields it changes are still what they were. Two writers of
different fields never disturb each other; of two writers of the same field the second tries again from what
the first has written.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from selfheal.functions.orders.order import CONSUMERS, Conflict, Order, Work

SCHEMA = 1
"""Schema of the items. A later one is refused: misreading it could repeat an effect."""

ATTEMPTS = 10
"""Attempts to write while others do. Only deliveries of the same message at the same time compete."""

_PARTS = ("accepted_at", "conflict", *(f"work_{consumer}" for consumer in CONSUMERS))
"""Attributes that change."""


class LostRaceError(Exception):
    """Others wrote the order each time it was tried. The message comes again."""


def order_key(caller: str, order_id: str) -> dict[str, dict[str, str]]:
    """Return the key of an order. Callers' names have no `#`, so no two orders share one."""
    return {"pk": {"S": f"order#{caller}#{order_id}"}, "sk": {"S": "order"}}


class Store:
    """The table of orders.

    Args:
        client: A boto3 DynamoDB client.
        table: The table's name.

    """

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def read(self, caller: str, order_id: str) -> Order | None:
        """Return an order as it is now, or None."""
        answer = self._client.get_item(
            TableName=self._table, Key=order_key(caller, order_id), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def create(self, order: Order) -> Order:
        """Write a new order, and return it, or the one that was there first."""
        item = order_key(order.caller, order.id) | _to_item(order)
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return _loser(error)
        return order

    def change(self, known: Order, how: Callable[[Order], Order]) -> Order:
        """Change an order, and return it as it was written.

        Args:
            known: The order as it was last read.
            how: Returns the changed order, or the same one if there is nothing to change.

        Raises:
            LostRaceError: when it could not be written.

        """
        for _ in range(ATTEMPTS):
            after = how(known)
            written = self._replace(known, after)
            if written is None:
                return after
            known = written
        raise LostRaceError(f"order {known.id} was written by others {ATTEMPTS} times")

    def _replace(self, before: Order, after: Order) -> Order | None:
        """Write what differs. Return None if that was done, or the order that others wrote meanwhile."""
        old, new = _to_item(before), _to_item(after)
        changed = [part for part in _PARTS if old.get(part) != new.get(part)]
        if not changed:
            return None
        names = {f"#{part}": part for part in changed}
        values = {f":{part}": new[part] for part in changed}
        values |= {f":old_{part}": old[part] for part in changed if part in old}
        same = [
            f"#{part} = :old_{part}" if part in old else f"attribute_not_exists(#{part})" for part in changed
        ]
        try:
            self._client.update_item(
                TableName=self._table,
                Key=order_key(before.caller, before.id),
                UpdateExpression="SET " + ", ".join(f"#{part} = :{part}" for part in changed),
                ConditionExpression=" AND ".join(("attribute_exists(pk)", *same)),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return _loser(error)
        return None


def _loser(error: ClientError) -> Order:
    """Return the order that is there instead. Raises any other error."""
    response = cast("dict[str, Any]", error.response)
    if response["Error"]["Code"] != "ConditionalCheckFailedException" or not response.get("Item"):
        raise error
    return from_item(response["Item"])


def _to_item(order: Order) -> dict[str, Any]:
    """Return an order's attributes, without its key. What is None or untouched is absent."""
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "caller": order.caller,
        "id": order.id,
        "body": order.body,
        "received_at": _text(order.received_at),
    }
    if order.accepted_at is not None:
        plain["accepted_at"] = _text(order.accepted_at)
    if order.conflict is not None:
        plain["conflict"] = {"digest": order.conflict.digest, "at": _text(order.conflict.at)} | {
            "number": order.conflict.number
        }
    for consumer, work in order.work.items():
        if work != Work():
            plain[f"work_{consumer}"] = _work(work)
    return cast("dict[str, Any]", TypeSerializer().serialize(plain)["M"])


def _work(work: Work) -> dict[str, Any]:
    values = {each.name: getattr(work, each.name) for each in fields(Work)}
    return {
        name: _text(value) if isinstance(value, float) else value
        for name, value in values.items()
        if value is not None
    }


def from_item(item: Mapping[str, Any]) -> Order:
    """Return the order that an item holds. Raises ValueError if a later schema wrote it."""
    raw: dict[str, Any] = TypeDeserializer().deserialize({"M": dict(item)})
    if raw["schema"] > SCHEMA:
        raise ValueError(f"order of schema {raw['schema']}, known up to {SCHEMA}: deploy a newer version")
    conflict = raw.get("conflict")
    return Order(
        caller=raw["caller"],
        id=raw["id"],
        body=raw["body"],
        received_at=float(raw["received_at"]),
        accepted_at=_float(raw.get("accepted_at")),
        conflict=conflict and Conflict(conflict["digest"], float(conflict["at"]), int(conflict["number"])),
        work={consumer: _work_of(raw.get(f"work_{consumer}", {})) for consumer in CONSUMERS},
    )


def _work_of(raw: Mapping[str, Any]) -> Work:
    return Work(
        attempts=int(raw.get("attempts", 0)),
        done_at=_float(raw.get("done_at")),
        dead_at=_float(raw.get("dead_at")),
        reason=raw.get("reason", ""),
        generation=int(raw.get("generation", 0)),
    )


def _text(moment: float) -> str:
    """Return a time as text: DynamoDB's numbers are decimal, and a condition compares exactly."""
    return json.dumps(moment)


def _float(text: str | None) -> float | None:
    return None if text is None else float(text)
