"""How many calls still reach a dependency that is out, through ten environments of the fleet."""

import random

import pytest

from selfheal.functions.shared.breaker.circuit import State
from selfheal.functions.shared.breaker.client import CircuitOpen
from selfheal.functions.shared.breaker.settings import BreakerSettings
from tests.functions.breaker.world import World

ENVIRONMENTS = 10
TICKS = 100
"""Steps of the simulated second."""


def calls_in_an_outage(rate: int, seed: int) -> int:
    """Return how many calls are made from the beginning of an outage on, after half a minute of health."""
    world, rng = World(), random.Random(seed)
    breakers = [world.breaker() for _ in range(ENVIRONMENTS)]
    reached, begins = 0, 30 * TICKS + rng.randrange(TICKS)  # anywhere in a bucket
    for tick in range(35 * TICKS):
        out = tick >= begins
        due = rate // TICKS + (rng.random() < rate % TICKS / TICKS)
        for _ in range(due):
            try:
                world.call(rng.choice(breakers), fails=out)
            except CircuitOpen:
                assert out, "refused while all was well"
            else:
                reached += out
        world.clock.now += 1 / TICKS
    assert world.circuit.state is State.OPEN
    return reached


@pytest.mark.slow
@pytest.mark.parametrize("rate", [10, 20, 50, 200])
def test_an_outage_is_met_by_the_minimum_and_two_seconds_of_the_rate_at_most(rate: int) -> None:
    reached = [calls_in_an_outage(rate, seed) for seed in range(8)]
    assert max(reached) <= BreakerSettings().minimum_calls + 2 * rate
