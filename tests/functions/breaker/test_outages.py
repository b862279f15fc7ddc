"""The times in which a circuit was not at rest, and the part of a message's age that lay in them."""

from dataclasses import replace

import pytest

from selfheal.functions.shared.breaker.circuit import Circuit, Forced, Outcome, State
from selfheal.functions.shared.breaker.client import TRUST_SECONDS, connect_from_environment
from selfheal.functions.shared.breaker.outages import (
    MEMORY_SECONDS,
    MOST_OUTAGES,
    Outage,
    Outages,
    begun,
    ended,
    seconds_within,
)
from selfheal.functions.shared.breaker.settings import BreakerSettings
from tests.functions.breaker.test_client import Watched
from tests.functions.breaker.world import START, World

S = BreakerSettings()
PAST = Outage(START - 100, START - 40)


def test_an_outage_lasts_from_the_opening_until_the_slow_start_is_over() -> None:
    circuit = Circuit("payments", version=1).opened(START, 0, S)
    assert circuit.outages == (Outage(START),)
    circuit = circuit.half_opened(circuit.until)
    for number in range(S.successes):
        after = circuit.leased(str(number), START + 10, S).probed(
            str(number), Outcome.SUCCESS, START + 11, 0, S
        )
        assert after is not None
        circuit = after
    assert (circuit.state, circuit.limit) == (State.CLOSED, 2)
    # It fails again in the slow start: the same outage goes on.
    again = circuit.opened(START + 20, 0, S)
    assert again.outages == (Outage(START),)
    assert circuit.stepped(START + 30, 4).outages == (Outage(START),)
    rested = circuit.stepped(START + 30, 4).stepped(START + 45, 4)
    assert rested.at_rest
    assert rested.outages == (Outage(START, START + 45),)
    assert rested.opened(START + 60, 0, S).outages == (Outage(START, START + 45), Outage(START + 60))


def test_a_forced_opening_is_an_outage_and_a_forced_closing_at_rest_is_none() -> None:
    circuit = Circuit("payments", version=1, outages=(PAST,))
    forced = Forced(State.OPEN, "ann", "the bank moves", START + 600)
    assert circuit.force(forced, START, S).outages == (PAST, Outage(START))
    assert circuit.force(replace(forced, state=State.CLOSED), START, S).outages == (PAST,)


@pytest.mark.parametrize(
    ("since", "until", "seconds"),
    [
        (START - 200, START, 60),
        (START - 80, START, 40),
        (START - 200, START - 90, 10),
        (START - 80, START - 60, 20),
        (START - 30, START, 0),
        (START - 200, START - 150, 0),
        (START - 200, START + 25, 60 + 15),
        (START + 20, START + 25, 5),
    ],
)
def test_the_part_of_an_interval_in_outages(since: float, until: float, seconds: float) -> None:
    assert seconds_within((PAST, Outage(START + 10)), since, until) == seconds


def test_nothing_is_ended_twice_and_nothing_that_never_began() -> None:
    assert ended((), START) == ()
    assert ended((PAST,), START) == (PAST,)
    assert ended((PAST, Outage(START)), START + 1) == (PAST, Outage(START, START + 1))


def test_what_no_message_can_have_waited_in_is_forgotten() -> None:
    old = Outage(START - MEMORY_SECONDS - 10, START - MEMORY_SECONDS)
    assert begun((old, PAST), START) == (PAST, Outage(START))


def test_of_too_many_the_two_with_the_least_between_them_become_one_so_that_no_outage_is_lost() -> None:
    outages: Outages = tuple(Outage(START + 100 * n, START + 100 * n + 10 * n) for n in range(MOST_OUTAGES))
    after = begun(outages, START + 2000)
    assert len(after) == MOST_OUTAGES
    assert after[-2:] == (Outage(START + 800, START + 990), Outage(START + 2000))
    assert seconds_within(after, START, START + 2000) >= seconds_within(outages, START, START + 2000)
    assert len(begun(after, START + 3000)) == MOST_OUTAGES


@pytest.fixture
def table() -> Watched:
    return Watched()


@pytest.fixture
def world(table: Watched) -> World:
    return World(table=table)


def put(world: World, *outages: Outage) -> None:
    before = world.circuit
    assert world.store().replace(before, replace(before, version=before.version + 1, outages=outages))[0]


def test_a_consumer_knows_the_outages_with_the_read_of_the_call_that_follows(
    world: World, table: Watched
) -> None:
    put(world, PAST)
    table.asked.clear()
    breaker = world.breaker()
    assert breaker.outage_seconds(START - 60, START) == 20
    assert breaker.outage_seconds(START - 200, START) == 60
    with breaker.call():
        pass
    assert table.asked == ["read", "write"], "one read, and the counts"


def test_an_environment_that_slept_through_an_outage_learns_of_it_before_it_evicts(world: World) -> None:
    put(world)
    breaker = world.breaker()
    assert breaker.outage_seconds(START - 60, START) == 0
    put(world, Outage(START + 10, START + 3000))
    world.clock.now = START + 3600
    assert breaker.outage_seconds(START, world.clock.now) == 2990


def test_what_is_not_known_counts_as_outage(world: World, table: Watched) -> None:
    put(world, PAST)
    table.failure = TimeoutError("slow")
    fresh, informed = world.breaker(), world.breaker()
    assert fresh.outage_seconds(START - 500, START) == 500
    assert fresh.outage_seconds(START, START - 500) == 0
    table.failure = None
    assert informed.outage_seconds(START - 200, START) == 60
    table.failure = TimeoutError("slow")
    world.clock.now = START + TRUST_SECONDS - 1
    assert informed.outage_seconds(START - 200, world.clock.now) == 60
    world.clock.now += 1
    assert informed.outage_seconds(START - 200, world.clock.now) == 60 + TRUST_SECONDS


def test_the_environment_that_the_circuits_access_sets_describes_the_breaker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {"BREAKER_TABLE": "t", "CIRCUIT": "payments", "BREAKER": '{"successes": 0}'}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="successes must be from 1"):
        connect_from_environment()
    monkeypatch.setenv("BREAKER", "{}")
    # Nothing listens there: calls go on, and one that is refused says the circuit's name.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with connect_from_environment((KeyError,)).call():
        pass
    monkeypatch.delenv("CIRCUIT")
    with pytest.raises(KeyError, match="CIRCUIT"):
        connect_from_environment()
