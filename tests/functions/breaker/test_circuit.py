from dataclasses import replace

import pytest

from selfheal.functions.shared.breaker.circuit import (
    FORCE_SECONDS,
    Circuit,
    Forced,
    Lease,
    Outcome,
    State,
    longest_pause,
)
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.window import Count

NOW = 1_800_000_000.0
S = BreakerSettings()
CLOSED = Circuit("payments", version=1, changed_at=NOW - 10_000, buckets={1: Count(9, 9)})
FORCED = Forced(State.OPEN, "ann", "the bank is moving", NOW + 600)


def half_open(successes: int = 0) -> Circuit:
    circuit = CLOSED.opened(NOW, 0, S)
    return replace(circuit.half_opened(circuit.until), successes=successes)


def probed(circuit: Circuit, outcome: Outcome, now: float = NOW + 20) -> Circuit:
    after = circuit.leased("a", now, S).probed("a", outcome, now, 0.5, S)
    assert after is not None
    return after


def test_opening_begins_a_generation_and_an_episode_and_forgets_the_counts() -> None:
    circuit = CLOSED.opened(NOW, 0.5, S)
    assert (circuit.state, circuit.version, circuit.generation, circuit.episode) == (State.OPEN, 2, 1, 1)
    assert (circuit.until, circuit.buckets) == (NOW + 7.5, {})


def test_pauses_are_jittered_between_the_shortest_and_a_longest_that_doubles_to_the_cap() -> None:
    assert [longest_pause(n, S) for n in range(1, 9)] == [10, 20, 40, 80, 160, 300, 300, 300]
    circuit = CLOSED
    for longest in (10, 20, 40, 80, 160, 300, 300):
        assert circuit.opened(NOW, 0, S).until == NOW + 5
        assert replace(circuit, changed_at=NOW).opened(NOW, 0.999, S).until == pytest.approx(
            NOW + longest, abs=0.5
        )
        circuit = replace(circuit.opened(NOW, 0, S), state=State.CLOSED)
        circuit = replace(circuit, changed_at=NOW)


@pytest.mark.parametrize(
    ("since", "limit", "openings"),
    [(299, None, 4), (300, None, 1), (10_000, 4, 4)],
)
def test_pauses_start_again_once_it_was_closed_at_full_concurrency_for_as_long_as_the_longest(
    since: float, limit: int | None, openings: int
) -> None:
    circuit = replace(CLOSED, openings=3, changed_at=NOW - since, limit=limit)
    assert circuit.opened(NOW, 0, S).openings == openings


def test_it_cannot_be_probed_before_its_pause_is_over() -> None:
    circuit = CLOSED.opened(NOW, 0, S)
    with pytest.raises(ValueError, match="cannot be probed"):
        circuit.half_opened(NOW + 4.9)
    assert circuit.half_opened(NOW + 5).state is State.HALF_OPEN


def test_there_is_one_probe_at_a_time() -> None:
    leased = half_open().leased("a", NOW, S)
    assert leased.lease == Lease("a", NOW + 60)
    with pytest.raises(ValueError, match="no other may begin"):
        leased.leased("b", NOW + 1000, S)
    assert leased.claimed("b", NOW) is None
    claimed = leased.claimed("a", NOW + 59.9)
    assert claimed is not None
    assert claimed.claimed("a", NOW) is None
    assert leased.claimed("a", NOW + 60) is None


def test_successes_in_a_row_close_it_with_a_slow_start() -> None:
    circuit = half_open()
    for done in (1, 2):
        circuit = probed(circuit, Outcome.SUCCESS)
        assert (circuit.state, circuit.successes, circuit.lease) == (State.HALF_OPEN, done, None)
    circuit = probed(circuit, Outcome.SUCCESS)
    assert (circuit.state, circuit.limit, circuit.openings) == (State.CLOSED, 2, 1)
    assert not circuit.at_rest


def test_a_failure_opens_it_again_for_longer_and_successes_start_from_none() -> None:
    circuit = probed(half_open(successes=2), Outcome.FAILURE)
    assert (circuit.state, circuit.openings, circuit.successes) == (State.OPEN, 2, 0)
    assert circuit.until == NOW + 20 + 5 + 0.5 * 15
    assert circuit.episode == 1


def test_an_invalid_message_is_neither_success_nor_failure() -> None:
    circuit = probed(half_open(successes=2), Outcome.NEUTRAL)
    assert (circuit.state, circuit.successes, circuit.lease) == (State.HALF_OPEN, 2, None)


def test_a_success_after_the_end_of_the_lease_is_a_failure() -> None:
    leased = half_open().leased("a", NOW, S)
    after = leased.probed("a", Outcome.SUCCESS, NOW + 60, 0, S)
    assert after is not None
    assert after.state is State.OPEN


def test_a_result_under_another_lease_is_ignored() -> None:
    leased = half_open().leased("a", NOW, S)
    assert leased.probed("b", Outcome.SUCCESS, NOW, 0, S) is None
    assert CLOSED.probed("a", Outcome.FAILURE, NOW, 0, S) is None


def test_the_slow_start_doubles_to_what_is_configured_and_rests() -> None:
    circuit = replace(CLOSED, limit=2)
    limits: list[int | None] = []
    while circuit.limit is not None:
        circuit = circuit.settled(NOW).stepped(NOW, highest=10)
        limits.append(circuit.limit)
        assert circuit.settled_at is None
    assert limits == [4, 8, 10, None]
    assert (circuit.at_rest, circuit.changed_at) == (True, NOW)


def test_forced_open_it_stays_so_until_the_end_and_is_then_probed() -> None:
    circuit = CLOSED.force(FORCED, NOW, S)
    assert (circuit.state, circuit.until, circuit.forced) == (State.OPEN, NOW + 600, FORCED)
    assert (circuit.generation, circuit.episode, circuit.openings) == (1, 1, 0)
    with pytest.raises(ValueError, match="cannot be probed"):
        circuit.half_opened(NOW + 599)
    assert circuit.half_opened(NOW + 600).forced is None


def test_forced_open_ends_a_probe_whose_result_is_then_ignored() -> None:
    circuit = half_open(successes=2).leased("a", NOW, S).force(FORCED, NOW, S)
    assert circuit.probed("a", Outcome.SUCCESS, NOW, 0, S) is None
    assert (circuit.lease, circuit.successes) == (None, 0)


def test_forced_closed_an_open_one_starts_slowly_and_one_at_rest_stays_there() -> None:
    closed = replace(FORCED, state=State.CLOSED)
    assert half_open().force(closed, NOW, S).limit == 2
    resting = CLOSED.force(closed, NOW, S)
    assert (resting.at_rest, resting.episode, resting.changed_at) == (True, 0, CLOSED.changed_at)


def test_released_from_open_it_is_probed_at_once() -> None:
    circuit = CLOSED.force(FORCED, NOW, S).released(NOW + 1)
    assert circuit.forced is None
    assert circuit.half_opened(NOW + 1).state is State.HALF_OPEN
    assert CLOSED.opened(NOW, 0, S).released(NOW + 1).until == NOW + 5, "not forced: its pause goes on"


@pytest.mark.parametrize(
    ("forced", "error"),
    [
        (replace(FORCED, state=State.HALF_OPEN), "not half-open"),
        (replace(FORCED, by=""), "say who"),
        (replace(FORCED, why=""), "and why"),
        (replace(FORCED, until=NOW), "up to 24 hours, got 0"),
        (replace(FORCED, until=NOW + FORCE_SECONDS + 1), "up to 24 hours"),
    ],
)
def test_what_cannot_be_forced_is_refused(forced: Forced, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        CLOSED.force(forced, NOW, S)
