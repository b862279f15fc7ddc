"""Taking requests in: once, whatever is sent again, lost, or in conflict."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from selfheal.functions.orders.delivery import Delivery, Request, parse_delivery
from selfheal.functions.orders.intake import Intake
from selfheal.functions.orders.order import State
from selfheal.functions.orders.store import Store

REQUEST = Request("ann", "o1", '{"id": "o1"}')


@dataclass
class Bus:
    """Notes events, or fails."""

    error: Exception | None = None
    events: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])

    def publish(self, entries: Sequence[Mapping[str, Any]]) -> None:
        if self.error:
            raise self.error
        self.events += entries


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def intake(store: Store, bus: Bus) -> Intake:
    return Intake(store, bus.publish, lambda: 1795651200.0)


def test_a_new_order_is_written_and_published(intake: Intake, store: Store, bus: Bus) -> None:
    intake.take(REQUEST)
    order = store.read("ann", "o1")
    assert order is not None
    assert (order.state, order.body) == (State.ACCEPTED, REQUEST.body)
    [event] = bus.events
    body = json.dumps({"detail-type": event["DetailType"], "detail": json.loads(event["Detail"])})
    assert parse_delivery({"body": body}) == Delivery("ann", "o1", "2026-11-26")


def test_one_that_is_sent_again_is_not_published_again(intake: Intake, bus: Bus) -> None:
    intake.take(REQUEST)
    intake.take(REQUEST)
    assert len(bus.events) == 1


def test_one_that_could_not_be_published_is_published_by_the_next_delivery(
    intake: Intake, store: Store, bus: Bus
) -> None:
    bus.error = ConnectionError("no bus")
    with pytest.raises(ConnectionError):
        intake.take(REQUEST)
    order = store.read("ann", "o1")
    assert order is not None
    assert order.state is State.RECEIVED
    bus.error = None
    intake.take(REQUEST)
    assert len(bus.events) == 1


def test_a_conflict_is_recorded_and_not_published(intake: Intake, store: Store, bus: Bus) -> None:
    intake.take(REQUEST)
    intake.take(Request("ann", "o1", '{"id": "o1", "cents": 5}'))
    order = store.read("ann", "o1")
    assert order is not None
    assert order.conflict is not None
    assert (order.body, order.conflict.number) == (REQUEST.body, 1)
    assert len(bus.events) == 1


def test_the_same_id_of_another_caller_is_another_order(intake: Intake, store: Store, bus: Bus) -> None:
    intake.take(REQUEST)
    intake.take(Request("bob", "o1", '{"id": "o1", "cents": 5}'))
    order = store.read("bob", "o1")
    assert order is not None
    assert order.conflict is None
    assert len(bus.events) == 2
