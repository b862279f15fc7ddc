"""What messages say: of the API and of the bus."""

import json
from typing import Any

import pytest

from selfheal.functions.orders.delivery import (
    Delivery,
    Request,
    detail,
    parse_delivery,
    parse_request,
)
from selfheal.functions.orders.order import receive
from selfheal.functions.shared.batch import PoisonError


def record(body: str, **attributes: str) -> dict[str, Any]:
    return {
        "body": body,
        "messageAttributes": {
            name: {"stringValue": value, "dataType": "String"} for name, value in attributes.items()
        },
    }


def test_a_request_has_id_caller_and_the_body_as_it_came() -> None:
    body = '{"id":  "o-1", "cents": 5}'
    assert parse_request(record(body, id="o-1", caller="ann")) == Request("ann", "o-1", body)
    assert parse_request(record(body, id="o-1")).caller == "anonymous"


@pytest.mark.parametrize(
    ("body", "order_id", "reason"),
    [
        ('{"id": "o2"}', "o1", "the path names order o1, the body 'o2'"),
        ("{}", "o1", "the body 'None'"),
        ("[1]", "o1", "must be a JSON object"),
        ("{", "o1", "is no JSON"),
        ("[" * 100_000, "o1", "is no JSON"),
        ('{"id": "a b"}', "a b", "the id in the path"),
        ('{"id": ""}', "", "the id in the path"),
        ('{"id": "x&DelaySeconds=900"}', "x&DelaySeconds=900", "the id in the path"),
        ('{"id": "a#b"}', "a#b", "the id in the path"),
    ],
)
def test_a_request_that_can_never_be_an_order_is_poison(body: str, order_id: str, reason: str) -> None:
    with pytest.raises(PoisonError, match=reason):
        parse_request(record(body, id=order_id, caller="ann"))


EVENT = {"detail-type": "OrderReceived", "detail": {"caller": "ann", "id": "o1", "day": "2026-11-26"}}


def test_an_event_is_read_as_it_was_written() -> None:
    order = receive(None, "ann", "o1", "{}", 1795651200.5)
    event = {"detail-type": "OrderReceived", "detail": detail(order)}
    assert parse_delivery(record(json.dumps(event))) == Delivery("ann", "o1", "2026-11-26")
    assert parse_delivery(record(json.dumps(event), redriven="2")).redriven == 2
    assert parse_delivery(record(json.dumps(event), redriven="many")).redriven == 0


@pytest.mark.parametrize(
    "event",
    [
        {**EVENT, "detail-type": "Other"},
        {**EVENT, "detail": "text"},
        {**EVENT, "detail": {"caller": "ann", "day": "2026-11-26"}},
        {**EVENT, "detail": {"caller": 1, "id": "o1", "day": "2026-11-26"}},
        {},
        [],
    ],
)
def test_what_is_no_event_about_an_order_is_poison(event: object) -> None:
    with pytest.raises(PoisonError):
        parse_delivery(record(json.dumps(event)))
