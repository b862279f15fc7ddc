"""What callers are told about orders, and what reports keep: the two handlers that only read events."""

import base64
import importlib
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from selfheal.functions.orders.order import accept, fulfil, give_up, receive
from selfheal.functions.orders.store import Store
from tests.functions.support.remedy_fakes import create_table

EVENT = {"detail-type": "OrderReceived", "detail": {"caller": "ann", "id": "o1", "day": "2026-11-26"}}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("ORDERS_TABLE", "orders")
    with mock_aws():
        client = boto3.client("dynamodb")
        create_table(client, "orders")
        yield client


def module(name: str) -> ModuleType:
    """Return a handler's module, loaded anew: it reads its environment and connects when it is loaded."""
    return importlib.reload(importlib.import_module(f"selfheal.functions.orders.{name}"))


def get(order_id: str, caller: str | None) -> tuple[int, dict[str, Any]]:
    context = {} if caller is None else {"authorizer": {"principalId": caller}}
    event = {"pathParameters": {"id": order_id}, "requestContext": context}
    answer = module("reader").handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_a_caller_is_told_where_an_order_is(client: Any) -> None:
    store = Store(client, "orders")
    order = store.create(accept(receive(None, "ann", "o1", "{}", 1.5), 2.5))
    order = store.change(order, lambda each: fulfil(each, "fulfilment", 3.5))
    store.change(order, lambda each: give_up(each, "billing", 0, "no money", 4.5))
    status, told = get("o1", "ann")
    assert (status, told["state"], told["reason"]) == (200, "dead", "billing: no money")
    assert (told["receivedAt"], told["acceptedAt"], told["conflicts"]) == (1.5, 2.5, 0)
    assert told["work"]["fulfilment"]["doneAt"] == 3.5
    assert "body" not in told


@pytest.mark.parametrize(
    ("order_id", "caller"), [("o1", "bob"), ("o2", "ann"), ("a b", "ann"), ("ann#o1", ""), ("o1", None)]
)
def test_an_order_of_somebody_else_is_as_one_that_does_not_exist(
    client: Any, order_id: str, caller: str | None
) -> None:
    Store(client, "orders").create(receive(None, "ann", "o1", "{}", 1.0))
    assert get(order_id, caller) == get("never", "ann")
    assert get(order_id, caller)[0] == 404


def test_without_an_authorizer_everybody_has_the_same_orders(client: Any) -> None:
    Store(client, "orders").create(receive(None, "anonymous", "o1", "{}", 1.0))
    assert get("o1", None)[0] == 200


def record(event: object, number: str = "1") -> dict[str, Any]:
    data = base64.b64encode(json.dumps(event).encode()).decode()
    return {"kinesis": {"data": data, "sequenceNumber": number}, "eventSourceARN": "stream"}


def test_an_order_is_one_row_of_its_day_however_often_it_comes(client: Any) -> None:
    handler = module("analytics")
    for _ in range(2):
        assert handler.handle({"Records": [record(EVENT)] * 3}, None) == {"batchItemFailures": []}
    items = client.scan(TableName="orders")["Items"]
    assert items == [{"pk": {"S": "analytics#2026-11-26"}, "sk": {"S": "ann#o1"}}]


def test_what_is_no_event_about_an_order_fails_from_there_on(client: Any) -> None:
    records = [record(EVENT, "1"), record({"detail-type": "Other"}, "2"), record(EVENT, "3")]
    assert module("analytics").handle({"Records": records}, None) == {
        "batchItemFailures": [{"itemIdentifier": "2"}]
    }
    assert client.scan(TableName="orders")["Count"] == 1
