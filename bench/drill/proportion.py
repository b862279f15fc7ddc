"""What opens the breaker: a share of failures, in a fleet; and what then probes: one at a time.

Threads stand for environments: each has a breaker of its own on one circuit in the emulator's DynamoDB, as
each environment has. What a call does is decided here, so that the shares are exact.
"""

import threading
import time
from dataclasses import dataclass

from bench.drill.claims import Report
from bench.drill.world import World
from selfheal.cli.demo.claims import at_least, equal
from selfheal.functions.shared.breaker.circuit import Circuit, State
from selfheal.functions.shared.breaker.client import Breaker, CircuitOpen
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store

CONSUMERS = 50


class CallError(Exception):
    """A call that fails."""


def drill(world: World, calls_per_minute: int, seconds: float) -> Report:
    """Call for a while with 10 failures in 1,000, then with 60 %."""
    settings = BreakerSettings()
    load = Load(calls_per_minute, seconds)
    few = _fleet(world, "few", settings, load, failing=1)
    many = _fleet(world, "many", settings, load, failing=60)
    return Report(
        "proportion",
        [
            equal("state after 1 % of failures", State.CLOSED, few.state),
            equal("openings after 1 % of failures", 0, few.openings),
            equal("state after 60 % of failures", State.OPEN, many.state),
            at_least("openings after 60 % of failures", 1, many.openings),
        ],
        {"calls a minute": calls_per_minute, "consumers": CONSUMERS, "seconds": seconds},
    )


@dataclass(frozen=True)
class Load:
    """How many calls are made."""

    calls_per_minute: int
    seconds: float


def _fleet(world: World, name: str, settings: BreakerSettings, load: Load, *, failing: int) -> Circuit:
    """Make calls from many environments, of which `failing` % fail, and return the circuit afterwards."""
    [table] = world.outputs["circuits"].values()
    client = world.emulator.clients.get("dynamodb")
    breakers = [Breaker(Store(client, table, name), settings) for _ in range(CONSUMERS)]
    began, numbers, lock = time.monotonic(), iter(range(10**9)), threading.Lock()
    gap = 60 / load.calls_per_minute

    def consume(breaker: Breaker) -> None:
        while True:
            with lock:
                number = next(numbers)
            time.sleep(max(0.0, began + number * gap - time.monotonic()))
            if time.monotonic() - began > load.seconds:
                return
            try:
                with breaker.call():
                    _call(number, failing)
            except (CallError, CircuitOpen):
                continue

    threads = [threading.Thread(target=consume, args=(breaker,)) for breaker in breakers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for breaker in breakers:
        breaker.flush()
    return Store(client, table, name).read()


def _call(number: int, failing: int) -> None:
    """Fail evenly spread: 60 of 100 are 3 of 5."""
    if (number * failing) % 100 < failing:
        raise CallError
