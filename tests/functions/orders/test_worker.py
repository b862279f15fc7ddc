"""What a consumer does with an order: in every state of it, and whatever breaker and downstream answer."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from selfheal.functions.orders.delivery import Delivery
from selfheal.functions.orders.downstream import DownstreamError, RejectedError
from selfheal.functions.orders.order import Order, State, Work, accept, effect_key, fulfil, receive
from selfheal.functions.orders.store import Store
from selfheal.functions.orders.worker import NEUTRAL, Worker
from selfheal.functions.shared.batch import PoisonError
from selfheal.functions.shared.breaker.client import CircuitOpen

DELIVERY = Delivery("ann", "o1", "2026-11-26")


@dataclass
class FakeBreaker:
    """Notes what it is asked; refuses when open."""

    is_open: bool = False
    calls: list[tuple[str | None, bool, str]] = field(default_factory=list[tuple[str | None, bool, str]])

    @contextmanager
    def call(self, probe: str | None = None, *, counts: bool = True) -> Generator[None]:
        if self.is_open and probe is None:
            raise CircuitOpen("downstream", 7.0)
        try:
            yield
        except NEUTRAL:
            self.calls.append((probe, counts, "neutral"))
            raise
        except Exception:
            self.calls.append((probe, counts, "failure"))
            raise
        self.calls.append((probe, counts, "success"))


@dataclass
class FakeDownstream:
    """Does things, or raises what it is told to."""

    error: Exception | None = None
    during: Callable[[], None] = lambda: None
    done: list[tuple[str, object]] = field(default_factory=list[tuple[str, object]])

    def do(self, key: str, caller: str, data: object) -> None:
        assert caller == "ann"
        self.during()
        if self.error is not None:
            raise self.error
        self.done.append((key, data))


class World:
    """A worker, and what is around it."""

    def __init__(self, store: Store) -> None:
        self.store, self.breaker, self.downstream = store, FakeBreaker(), FakeDownstream()
        self.order = store.create(accept(receive(None, "ann", "o1", '{"cents": 5}', 1.0), 2.0))

    def run(self, delivery: Delivery = DELIVERY, probe: str | None = None, most: int = 3) -> None:
        Worker(
            "billing", self.store, self.breaker, self.downstream, lambda: 9.0, lambda _: {"c": 1}, most
        ).run(delivery, probe)

    @property
    def now(self) -> Order:
        order = self.store.read("ann", "o1")
        assert order is not None
        return order

    @property
    def work(self) -> Work:
        return self.now.work["billing"]


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def test_it_is_done_once_under_the_orders_key(world: World) -> None:
    world.run()
    world.run()
    assert world.downstream.done == [(effect_key(world.order, "billing"), {"c": 1})]
    assert world.work == Work(1, 9.0)
    assert world.breaker.calls == [(None, True, "success")]


def test_the_attempt_is_written_before_the_call(world: World) -> None:
    seen: list[int] = []
    world.downstream.during = lambda: seen.append(world.work.attempts)
    world.run()
    assert seen == [1]


def test_a_refused_call_is_no_attempt(world: World) -> None:
    world.breaker.is_open = True
    for _ in range(20):
        with pytest.raises(CircuitOpen):
            world.run()
    assert world.work == Work()


def test_failures_are_tried_again_and_then_the_order_is_dead_with_the_last_reason(world: World) -> None:
    world.downstream.error = DownstreamError("it answered 503")
    for _ in range(2):
        with pytest.raises(DownstreamError):
            world.run()
    with pytest.raises(PoisonError, match="503"):
        world.run()
    assert world.now.state is State.DEAD
    assert "attempt 3 of 3" in world.now.reason
    # Only the first attempt of an order counts for the circuit.
    assert world.breaker.calls == [(None, counts, "failure") for counts in (True, False, False)]


def test_a_dead_order_that_comes_again_makes_no_call_and_another_letter(world: World) -> None:
    world.downstream.error = RejectedError("it answered 422")
    for _ in range(2):
        with pytest.raises(PoisonError, match="422"):
            world.run()
    assert world.breaker.calls == [(None, True, "neutral")]


def test_attempts_that_were_killed_count(world: World) -> None:
    world.downstream.error = KeyboardInterrupt()  # type: ignore[assignment]  # nothing catches it, as nothing catches a kill
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            world.run()
    world.downstream.error = None
    with pytest.raises(PoisonError, match="no answer in 3 attempts"):
        world.run()
    assert world.downstream.done == []


def test_a_redriven_order_has_all_its_attempts_again(world: World) -> None:
    world.downstream.error = RejectedError("no")
    with pytest.raises(PoisonError):
        world.run()
    world.downstream.error = None
    again = Delivery("ann", "o1", DELIVERY.day, redriven=1)
    world.run(again)
    assert world.work == Work(1, 9.0, generation=1)
    world.run(again)
    assert len(world.downstream.done) == 1


def test_a_redriven_message_opens_dead_work_once(world: World) -> None:
    world.downstream.error = RejectedError("no")
    again = Delivery("ann", "o1", DELIVERY.day, redriven=1)
    for delivery in (DELIVERY, again, again, again):
        with pytest.raises(PoisonError):
            world.run(delivery)
    assert len(world.breaker.calls) == 2


def test_a_probe_is_no_attempt_and_kills_no_order(world: World) -> None:
    world.breaker.is_open = True
    world.downstream.error = DownstreamError("it answered 503")
    for _ in range(9):
        with pytest.raises(DownstreamError):
            world.run(probe="lease")
    assert world.work == Work()
    world.downstream.error = None
    world.run(probe="lease")
    assert world.work.done_at == 9.0


def test_work_that_was_done_while_it_was_given_up_is_no_letter(world: World) -> None:
    def other_delivery() -> None:
        world.store.change(world.now, lambda each: fulfil(each, "billing", 8.0))

    world.downstream.during = other_delivery
    world.downstream.error = RejectedError("no")
    world.run()
    assert world.work.done_at == 8.0


def test_an_order_that_does_not_exist_is_poison(world: World) -> None:
    with pytest.raises(PoisonError, match="no order o9"):
        world.run(Delivery("ann", "o9", DELIVERY.day))


def test_what_cannot_be_asked_is_dead_without_a_call(world: World) -> None:
    def unfit(_: Order) -> object:
        raise PoisonError("no such article")

    worker = Worker("billing", world.store, world.breaker, world.downstream, lambda: 9.0, unfit)
    with pytest.raises(PoisonError, match="no such article"):
        worker.run(DELIVERY)
    assert (world.now.state, world.breaker.calls) == (State.DEAD, [])
