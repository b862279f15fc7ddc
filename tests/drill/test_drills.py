"""The drills of the orders service on a smaller scale: `make drill` runs them in full."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.drill import configuration, outage, partial, poison, proportion
from bench.drill.claims import Report
from bench.drill.outage import Scale
from bench.drill.world import World, deployed

pytestmark = [pytest.mark.slow, pytest.mark.drill]

RATE = 20.0
QUICK = {
    "pause_seconds": 1,
    "pause_cap_seconds": 6,
    "window_seconds": 3,
    "minimum_calls": 10,
    "successes": 2,
}
"""A breaker that opens and closes within seconds."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("drill")
    with deployed(folder, rate=RATE, catalogue_seconds=1, circuit=QUICK) as world:
        yield world


def failed(report: Report) -> list[str]:
    """Return the claims that do not hold, with their figures."""
    return [f"{each.what}: {each.allowed}, got {each.seen}" for each in report.claims if not each.holds]


def test_poison_is_dead_with_a_reason_and_arrives_once_it_is_mended_and_a_replay_changes_nothing(
    world: World,
) -> None:
    report = poison.drill(world, Scale(30, 40, 0, RATE), 3)
    assert failed(report) == []
    assert [claim.what for claim in poison.replayed(world) if not claim.holds] == []


def test_a_parameter_store_that_fails_is_not_felt(world: World) -> None:
    assert failed(configuration.drill(world, Scale(20, 20, 0, RATE))) == []


def test_a_share_of_failures_opens_the_circuit_and_a_few_do_not(world: World) -> None:
    """At the rate of 1,000 calls a minute, for 5 s each."""
    assert failed(proportion.drill(world, 1000, 5)) == []


def test_a_partial_outage_does_not_flap(world: World) -> None:
    assert failed(partial.drill(world, Scale(40, 10, 5, RATE))) == []


def test_an_outage_loses_nothing_and_does_nothing_twice(world: World) -> None:
    report = outage.drill(world, Scale(60, 15, 5, RATE), speed=False)
    assert failed(report) == []
