"""A partial outage, one caller in three, must not make the breaker flap. Simulated hours."""

import random
from dataclasses import dataclass, fields, replace

import pytest

from selfheal.functions.shared.breaker.circuit import Circuit, Outcome, State
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.window import Count, bucket_of, within

pytestmark = pytest.mark.slow

SETTINGS = BreakerSettings()
HOUR = 3600


@dataclass
class Figures:
    openings: float
    """From closed to open."""
    probes: float
    closed: float
    """Share of the hour."""


def by_share_alone(circuit: Circuit, now: float) -> bool:
    """What other breakers do: 20 calls, half of them failed, however likely that is by chance."""
    found = circuit.count(now, SETTINGS)
    return found.calls >= SETTINGS.minimum_calls and found.rate >= SETTINGS.failure_rate


def an_hour(failing: float, rate: int, seed: int, *, rule: bool, memory: bool) -> Figures:
    """Simulate a circuit second by second.

    Args:
        failing: Probability that a call fails.
        rate: Calls a second.
        seed: Of chance.
        rule: Whether an opening must not be chance.
        memory: Whether pauses go on growing after a circuit has closed.

    """
    rng = random.Random(seed)
    circuit, figures = Circuit("payments"), Figures(0, 0, 0.0)
    for now in range(HOUR):
        if circuit.state is State.CLOSED:
            figures.closed += 1 / HOUR
            # The slow start lets less through: each call takes a second.
            calls = rate if circuit.limit is None else min(rate, circuit.limit)
            failures = sum(rng.random() < failing for _ in range(calls))
            kept = {bucket: count for bucket, count in circuit.buckets.items() if within(bucket, now, 10)}
            circuit = replace(circuit, buckets={**kept, bucket_of(now): Count(calls, failures)})
            if circuit.should_open(now, SETTINGS) if rule else by_share_alone(circuit, now):
                figures.openings += 1
                circuit = circuit.opened(now, rng.random(), SETTINGS)
            elif circuit.limit and now - circuit.changed_at >= 10 and circuit.count(now, SETTINGS).rate < 0.5:
                circuit = replace(circuit.stepped(now, 10), changed_at=now)
        elif circuit.state is State.OPEN:
            if now >= circuit.until:
                circuit = circuit.half_opened(now)
        else:
            figures.probes += 1
            outcome = Outcome.FAILURE if rng.random() < failing else Outcome.SUCCESS
            after = circuit.leased("a", now, SETTINGS).probed("a", outcome, now, rng.random(), SETTINGS)
            assert after is not None
            circuit = after if memory or after.state is not State.CLOSED else replace(after, openings=0)
    return figures


def hours(failing: float, rate: int, *, rule: bool = True, memory: bool = True) -> Figures:
    """Mean of ten hours."""
    runs = [an_hour(failing, rate, seed, rule=rule, memory=memory) for seed in range(10)]
    return Figures(*(sum(getattr(run, each.name) for run in runs) / len(runs) for each in fields(Figures)))


@pytest.mark.parametrize("rate", [2, 3, 5, 20])
def test_one_caller_in_three_that_fails_does_not_open_it(rate: int) -> None:
    found = hours(1 / 3, rate)
    assert found.openings <= 0.2
    assert found.closed >= 0.99


def test_without_the_rule_it_would_flap_and_growing_pauses_alone_would_stop_who_is_well() -> None:
    flapping = hours(1 / 3, 2, rule=False, memory=False)
    assert flapping.openings >= 15
    growing = hours(1 / 3, 2, rule=False)
    assert growing.openings <= flapping.openings / 2
    assert growing.closed <= 0.2, "two callers in three are well, and are refused for most of the hour"


@pytest.mark.parametrize(("rate", "failing"), [(2, 0.6), (20, 0.6), (2, 1.0), (20, 1.0)])
def test_where_most_calls_fail_it_opens_and_is_probed_ever_more_rarely(rate: int, failing: float) -> None:
    found = hours(failing, rate)
    assert 1 <= found.openings <= 5
    assert found.closed <= 0.15
    assert found.probes <= 60


def test_failing_orders_that_are_called_again_must_not_be_counted_again() -> None:
    """With five attempts each, one order in three makes five of seven calls."""
    assert hours(5 / 7, 20).closed <= 0.1
    assert hours(1 / 3, 20).closed >= 0.99
