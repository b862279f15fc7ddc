"""Orders in DynamoDB: what is written is read, and writers of different fields do not disturb each other."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from selfheal.functions.orders.order import (
    Conflict,
    Order,
    Work,
    accept,
    attempt,
    fulfil,
    give_up,
    receive,
    redrive,
)
from selfheal.functions.orders.store import ATTEMPTS, LostRaceError, Store

BODY = '{"id": "o1"}'


def new(caller: str = "ann") -> Order:
    return receive(None, caller, "o1", BODY, 1.25)


def test_an_order_is_read_as_it_was_written(store: Store) -> None:
    order = replace(
        new(),
        accepted_at=2.5,
        conflict=Conflict("abc", 3.1, 2),
        work={"fulfilment": Work(2, None, 4.2, "no stock", 1), "billing": Work(1, 0.1 + 0.2)},
    )
    assert store.create(order) == order
    assert store.read("ann", "o1") == order


def test_there_is_no_order_of_another_caller(store: Store) -> None:
    store.create(new())
    assert store.read("bob", "o1") is None
    assert store.create(new("bob")).caller == "bob"


def test_an_order_that_is_there_stays(store: Store) -> None:
    first = store.create(accept(new(), 2.0))
    assert store.create(receive(None, "ann", "o1", "{}", 9.0)) == first
    assert store.read("ann", "o1") == first


def test_each_transition_is_written(store: Store) -> None:
    order = store.create(new())
    order = store.change(order, lambda each: accept(each, 2.0))
    order = store.change(order, lambda each: attempt(each, "billing", 3.0)[0])
    order = store.change(order, lambda each: give_up(each, "billing", 0, "no money", 4.0))
    order = store.change(order, lambda each: redrive(each, "billing"))
    order = store.change(order, lambda each: fulfil(each, "billing", 5.0))
    assert store.read("ann", "o1") == order
    assert order.work["billing"] == Work(0, 5.0, None, "", 1)


def test_writers_of_different_fields_do_not_disturb_each_other(store: Store) -> None:
    outdated = store.create(new())
    store.change(outdated, lambda each: fulfil(each, "fulfilment", 3.0))
    after = store.change(outdated, lambda each: fulfil(each, "billing", 4.0))
    assert after.work["fulfilment"] == Work(), "it was not read again, because it is another's field"
    now = store.read("ann", "o1")
    assert now is not None
    assert (now.work["fulfilment"].done_at, now.work["billing"].done_at) == (3.0, 4.0)


def test_the_second_writer_of_a_field_goes_on_from_the_first(store: Store) -> None:
    outdated = store.create(new())
    for _ in range(3):
        store.change(outdated, lambda each: attempt(each, "billing", 3.0)[0])
    now = store.read("ann", "o1")
    assert now is not None
    assert now.work["billing"].attempts == 3


def test_a_race_that_never_ends_is_given_up(store: Store) -> None:
    order = store.create(new())
    tries = 0

    def disturbed(each: Order) -> Order:
        nonlocal tries
        tries += 1
        store.change(each, lambda other: attempt(other, "billing", 3.0, 1000)[0])
        return attempt(each, "billing", 3.0, 1000)[0]

    with pytest.raises(LostRaceError):
        store.change(order, disturbed)
    assert tries == ATTEMPTS


def test_an_order_that_is_gone_is_no_race(store: Store) -> None:
    with pytest.raises(ClientError):
        store.change(new(), lambda each: accept(each, 2.0))


def test_a_later_schema_is_refused(store: Store) -> None:
    store.create(new())
    store._client.update_item(  # pyright: ignore[reportPrivateUsage]
        TableName="orders",
        Key={"pk": {"S": "order#ann#o1"}, "sk": {"S": "order"}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "schema"},
        ExpressionAttributeValues={":s": {"N": "2"}},
    )
    with pytest.raises(ValueError, match="schema 2"):
        store.read("ann", "o1")
