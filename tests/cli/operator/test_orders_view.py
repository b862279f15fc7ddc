"""What became of orders, read from their table and from the downstream's own log."""

from collections.abc import Iterator
from typing import Any

from selfheal.cli.operator.orders_view import Call, OrdersView, longest_hidden, repeated_effects
from selfheal.functions.downstream.core import Outcome
from selfheal.functions.orders.order import State

OUTPUTS = {"ordersTable": "orders", "downstreamTable": "downstream", "url": "https://example.com"}


def number(value: float) -> dict[str, str]:
    return {"N": str(value)}


def call(place: int, at: float, key: str, outcome: str) -> dict[str, dict[str, str]]:
    return {
        "pk": {"S": "calls"},
        "sk": {"S": f"{place % 3:05}"},
        "number": number(place),
        "at": number(at),
        "key": {"S": key},
        "outcome": {"S": outcome},
    }


ORDER = {
    "pk": {"S": "order#ann#A-1"},
    "sk": {"S": "order"},
    "schema": number(1),
    "caller": {"S": "ann"},
    "id": {"S": "A-1"},
    "body": {"S": "{}"},
    "received_at": number(10),
    "accepted_at": number(11),
}
ITEMS: dict[str, list[dict[str, Any]]] = {
    "orders": [{"pk": {"S": "analytics#2026"}, "sk": {"S": "1"}}, ORDER],
    "calls": [call(3, 12.5, "", "health"), call(1, 10.5, "a", "unavailable"), call(2, 11.5, "a", "effect")],
    "effects": [{"pk": {"S": "effects"}, "sk": {"S": "a"}, "at": number(11.5)}],
    "counters": [
        {"pk": {"S": "counters"}, "sk": {"S": "calls"}, "calls": number(3), "effect": number(1)},
    ],
}


class Dynamodb:
    """Answers a page an item, as a large table does."""

    def __init__(self, items: dict[str, list[dict[str, Any]]]) -> None:
        self._items = items

    def get_paginator(self, operation: str) -> "Dynamodb":
        assert operation in ("scan", "query")
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request["ConsistentRead"]
        where = request.get("ExpressionAttributeValues", {":pk": {"S": request["TableName"]}})[":pk"]["S"]
        for item in self._items[where]:
            yield {"Items": [item]}


def test_orders_are_read_by_caller_and_id_and_other_items_are_none() -> None:
    found = OrdersView.of_outputs(Dynamodb(ITEMS), OUTPUTS).orders()
    assert {key: order.state for key, order in found.items()} == {("ann", "A-1"): State.ACCEPTED}


def test_calls_come_in_their_order_whatever_place_the_ring_gave_them() -> None:
    view = OrdersView.of_outputs(Dynamodb(ITEMS), OUTPUTS)
    assert view.calls() == [
        Call(10.5, "a", Outcome.UNAVAILABLE),
        Call(11.5, "a", Outcome.EFFECT),
        Call(12.5, "", Outcome.HEALTH),
    ]
    assert (view.effects(), view.counters()) == ({"a": 11.5}, {"calls": 3, "effect": 1})


def test_before_the_first_call_there_is_nothing() -> None:
    view = OrdersView.of_outputs(Dynamodb({name: [] for name in ITEMS}), OUTPUTS)
    assert (view.orders(), view.calls(), view.effects(), view.counters()) == ({}, [], {}, {})


def test_an_effect_beyond_the_first_of_its_key_is_repeated() -> None:
    outcomes = [("a", "effect"), ("a", "duplicate"), ("b", "effect"), ("a", "effect"), ("a", "effect")]
    assert repeated_effects(Call(0, key, Outcome(outcome)) for key, outcome in outcomes) == 2


def test_the_slowest_queue_says_how_long_a_message_is_hidden() -> None:
    class Sqs:
        def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
            assert AttributeNames == ["VisibilityTimeout"]
            return {"Attributes": {"VisibilityTimeout": {"a": "180", "b": "1000", "c": "378"}[QueueUrl]}}

    assert longest_hidden(Sqs(), {"queues": {"intake": "a", "fulfilment": "c"}}) == 378
    assert longest_hidden(Sqs(), {"queues": {"intake": "a", "billing": "b"}}) == 1000
