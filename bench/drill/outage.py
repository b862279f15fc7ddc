"""The downstream is out and comes back: no order is lost, none has an effect twice, and the backlog drains.

One consumer is killed between an effect and its acknowledgement, and each tenth order is sent twice.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.drill.claims import Report
from bench.drill.world import World
from selfheal.cli.demo.claims import Claim, at_least, at_most, equal
from selfheal.cli.operator.orders_view import Call
from selfheal.functions.downstream.core import Mode, Outcome, Setting
from selfheal.functions.orders.order import CONSUMERS, State
from selfheal.functions.shared.breaker.circuit import Forced
from selfheal.functions.shared.breaker.circuit import State as CircuitState

SETTLE_SECONDS = 1.5
"""After which all workers of the downstream follow a switch."""


@dataclass(frozen=True)
class Scale:
    """How large a drill is."""

    orders: int
    feed_per_second: float
    """Orders placed a second."""
    outage_seconds: float
    rate: float
    """Calls a second that the downstream states, of both consumers together."""


@dataclass(frozen=True)
class Outage:
    """When the downstream was out."""

    began: float
    ended: float
    opened: float
    """When the circuit opened; the outage's end if it did not."""
    openings: int
    """How often the circuit opened, at the outage's end."""
    in_flight: int
    """The most calls that can have been under way."""


WARM_ORDERS = 24
"""Placed first, so that workers have started and no drill measures how long that takes."""

LATE = 10**6
"""Number of the first order that is placed for the kill."""

FIRST = 5 * 10**6
"""Number of the first order of this drill. Another drill's orders would be done already, and make no call."""


def warm(world: World, scale: Scale) -> None:
    """Let a few orders through."""
    world.downstream(_setting(scale, Mode.HEALTHY))
    for number in range(2 * LATE, 2 * LATE + WARM_ORDERS):
        world.place(number)
    world.until(world.settled)


def feed(
    world: World, scale: Scale, end: threading.Event | None = None, *, first: int = FIRST
) -> threading.Thread:
    """Place all orders, or until the end, at a steady pace, and each tenth twice, in a thread of its own."""

    def place() -> None:
        began = time.monotonic()
        for number in range(scale.orders):
            time.sleep(max(0.0, began + number / scale.feed_per_second - time.monotonic()))
            if end is not None and end.is_set():
                return
            world.place(first + number)
            if number % 10 == 0:
                world.place(first + number)

    thread = threading.Thread(target=place, daemon=True)
    thread.start()
    return thread


def suffer(world: World, scale: Scale, mode: Mode, *, opens: threading.Thread | None = None) -> Outage:
    """Let the downstream fail for a while.

    Args:
        world: The service.
        scale: For how long.
        mode: How it fails.
        opens: Who places orders, if the outage is to last until the circuit opens, or no more orders come. A
            machine with other work makes too few calls a second for a short outage to be seen.

    """
    before = world.circuit().openings
    began = time.time()
    world.downstream(_setting(scale, mode))
    time.sleep(scale.outage_seconds)
    while opens is not None and opens.is_alive() and world.circuit().openings == before:
        time.sleep(SETTLE_SECONDS)
    circuit = world.circuit()
    world.downstream(_setting(scale, Mode.HEALTHY))
    ended = time.time()
    opened = min((each.began for each in circuit.outages if each.began >= began), default=ended)
    return Outage(began, ended, opened, circuit.openings - before, world.concurrency)


def kill_after_an_effect(world: World, scale: Scale) -> bool:
    """Kill the consumer of an order that has its effect and no acknowledgement. Return whether it was so.

    The downstream does what is asked for and answers late, so that there is time.
    """
    world.redeliver_soon("orders-fulfilment", 30)  # not below the consumer's timeout
    world.downstream(Setting(mode=Mode.LATENCY, seconds=3.0, rate=scale.rate))
    time.sleep(SETTLE_SECONDS)
    before = set(world.effects())
    for number in range(LATE, LATE + 10):
        world.place(number)

    def waiting() -> bool:
        return any(key.startswith("fulfilment.") for key in world.effects().keys() - before)

    seen = world.until(waiting, every=0.1)
    killed = world.kill_workers("orders-fulfilment")
    world.downstream(_setting(scale, Mode.HEALTHY))
    return seen and killed > 0


def drill(world: World, scale: Scale, *, speed: bool = True) -> Report:
    """Run the drill.

    Args:
        world: The service.
        scale: How large it is.
        speed: Whether it also claims how many calls are made until the circuit opens, and how quickly the
            backlog drains. That takes a machine without other work, and enough orders.

    """
    warm(world, scale)
    feeder = feed(world, scale)
    time.sleep(min(5.0, scale.orders / scale.feed_per_second / 4))
    outage = suffer(world, scale, Mode.OUTAGE, opens=feeder)
    world.until(lambda: world.circuit().at_rest)
    at_rest = time.time()
    feeder.join()
    drained = _drained(world, scale, at_rest) if speed else Drained([], {})
    killed = kill_after_an_effect(world, scale)
    world.until(world.settled, every=2)
    refused = [
        call.at for call in world.calls() if call.outcome == Outcome.UNAVAILABLE and call.at >= outage.began
    ]
    after = sum(at > outage.opened for at in refused)
    bound, bound_after = _bounds(world, scale, outage)
    return Report(
        "outage",
        [
            *nothing_lost(world),
            Claim("a consumer was killed after an effect", "yes", "yes" if killed else "no", killed),
            at_least("times the circuit opened", 1, outage.openings),
            *([at_most("calls during the outage", bound, len(refused))] if speed else []),
            at_most("calls after the circuit opened", bound_after, after),
            at_most("orders dead while the circuit was open", 0, sum(world.letters().values())),
            *drained.claims,
        ],
        {
            "calls during the outage": len(refused),
            "calls after the circuit opened": after,
            **drained.figures,
            "bound of calls": bound,
        },
    )


def nothing_lost(world: World) -> list[Claim]:
    """Claim what must hold whatever happened."""
    orders = world.orders()
    done = [order for order in orders.values() if order.state is State.FULFILLED]
    dead = [order for order in orders.values() if order.state is State.DEAD]
    effects, counters = world.effects(), world.counters()
    return [
        equal("accepted = fulfilled + dead", len(world.placed), len(done) + len(dead)),
        equal(
            "orders that are neither", [], sorted(set(world.placed) - {(o.caller, o.id) for o in done + dead})
        ),
        equal("dead without a reason", 0, sum(not order.reason for order in dead)),
        equal("effects by the downstream's count, one for each key", len(effects), counters.get("effect", 0)),
        at_least(
            "effects, one for each consumer and fulfilled order", len(CONSUMERS) * len(done), len(effects)
        ),
    ]


@dataclass(frozen=True)
class Drained:
    """How quickly the backlog was worked off."""

    claims: Sequence[Claim]
    figures: dict[str, float]


def _drained(world: World, scale: Scale, at_rest: float) -> Drained:
    """Measure from the end of the slow start until the backlog is nearly gone."""
    backlog = 2 * scale.rate
    world.until(lambda: _left(world) <= backlog, every=1)
    ended = time.time()
    calls = [call for call in world.calls() if at_rest + 1 <= call.at <= ended and call.key]
    seconds = ended - at_rest - 1
    served = sum(call.outcome in ("effect", "duplicate") for call in calls)
    refused = sum(call.outcome == "throttled" for call in calls)
    offered = len(calls) / seconds / scale.rate if seconds > 0 else 0.0
    share = served / seconds / scale.rate if seconds > 0 else 0.0
    return Drained(
        [
            at_least("share of the stated rate at which the backlog drains", 0.9, share),
            at_most(
                "share of the stated rate in any 5 s, beside one message in each place at once",
                1.0 + world.concurrency / (5 * scale.rate),
                _busiest(calls, scale),
            ),
            at_most("share of the stated rate that is called, on average", 1.0, offered),
        ],
        {
            "drained for, s": seconds,
            "calls while it drained": len(calls),
            "drain share": share,
            "refused with 429": refused,
        },
    )


def _left(world: World) -> int:
    """Return how much work is left."""
    orders = world.orders()
    known = sum(each.done_at is None for order in orders.values() for each in order.work.values())
    return known + len(CONSUMERS) * len(world.placed.keys() - orders.keys())


def _busiest(calls: Sequence[Call], scale: Scale, seconds: float = 5.0) -> float:
    """Return the largest share of the rate in a window of some seconds."""
    times = [call.at for call in calls]
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] > seconds:
            first += 1
        most = max(most, last - first + 1)
    return most / (seconds * scale.rate)


def _bounds(world: World, scale: Scale, outage: Outage) -> tuple[float, float]:
    """Return how many calls an outage may meet in all, and how many after the circuit opened.

    The minimum opens it. For 2 s consumers may not know, and call at the rate; what was in flight arrives,
    and each opening but the first is a probe that failed.
    """
    after = 2 * scale.rate + outage.in_flight + max(0, outage.openings - 1)
    return world.minimum_calls + after, after


def without_breaker(world: World, scale: Scale, seconds: float) -> float:
    """Return the calls a second that the same consumers make during an outage with no breaker.

    The circuit is forced closed, so that nothing opens it; the consumers return failures, as they do.
    """
    now = time.time()
    before, after = world.circuit(), Forced(CircuitState.CLOSED, "drill", "to compare", now + 3600)
    world.circuit_store.replace(before, before.force(after, now, world.settings))
    world.downstream(_setting(scale, Mode.OUTAGE))
    time.sleep(SETTLE_SECONDS)
    began = time.time()
    time.sleep(seconds)
    calls = [call for call in world.calls() if call.at >= began]
    return len(calls) / (time.time() - began)


def _setting(scale: Scale, mode: Mode) -> Setting:
    return Setting(mode=mode, rate=scale.rate)
