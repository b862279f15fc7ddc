import json
from dataclasses import replace
from threading import Barrier, Event, Lock, Thread
from typing import Any

import pytest

from selfheal.functions.shared.breaker.changes import claim, settle
from selfheal.functions.shared.breaker.circuit import Circuit, Forced, Outcome, State
from selfheal.functions.shared.breaker.client import LOG_SECONDS, READ_SECONDS, TRUST_SECONDS, CircuitOpen
from selfheal.functions.shared.breaker.window import Count
from tests.functions.breaker.world import DownError, World
from tests.functions.support.memory_table import MemoryTable


class Watched(MemoryTable):
    """A table that counts what is asked of it, and may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.failure: Exception | None = None
        self.lost = False

    def get_item(self, **arguments: Any) -> Any:
        self.asked.append("read")
        if self.failure:
            raise self.failure
        return super().get_item(**arguments)

    def update_item(self, **arguments: Any) -> Any:
        self.asked.append("write")
        if self.failure and not self.lost:
            raise self.failure
        answer = super().update_item(**arguments)
        if self.failure:
            raise self.failure
        return answer


@pytest.fixture
def table() -> Watched:
    return Watched()


@pytest.fixture
def world(table: Watched) -> World:
    return World(table=table)


def put(world: World, **fields: Any) -> Circuit:
    before = world.circuit
    after = replace(before, version=before.version + 1, generation=before.generation + 1, **fields)
    assert world.store().replace(before, after)[0]
    return after


def test_a_call_answers_and_raises_as_it_does_without_breaker(world: World) -> None:
    breaker = world.breaker()
    with breaker.call():
        pass
    with pytest.raises(DownError, match="bang"), breaker.call():
        raise DownError("bang")


def test_calls_are_counted_but_not_invalid_ones(world: World) -> None:
    breaker = world.breaker()
    for fails, invalid in ((False, False), (True, False), (False, True), (True, False)):
        world.call(breaker, fails=fails, invalid=invalid)
    world.clock.now += 1
    breaker.flush()
    assert world.circuit.count(world.clock.now, world.settings) == Count(3, 2)


def test_later_attempts_of_an_order_are_not_counted_but_refused_like_others(world: World) -> None:
    breaker = world.breaker()
    with pytest.raises(DownError), breaker.call(counts=False):
        raise DownError
    world.clock.now += 1
    breaker.flush()
    assert world.circuit.buckets == {}
    put(world, state=State.OPEN, until=world.clock.now + 60)
    world.clock.now += 1
    with pytest.raises(CircuitOpen), breaker.call(counts=False):
        pytest.fail("was called")


def test_many_calls_cost_one_write_a_second_and_no_read(world: World, table: Watched) -> None:
    breaker = world.breaker()
    world.call(breaker)
    world.clock.now += 1
    world.call(breaker)
    table.asked.clear()
    for _ in range(1000):
        world.clock.now += 0.01
        world.call(breaker)
    assert table.asked.count("read") == 0
    assert 9 <= table.asked.count("write") <= 10


def test_the_first_failure_reads_at_once_and_those_after_it_do_not(world: World, table: Watched) -> None:
    breaker = world.breaker()
    world.call(breaker)
    table.asked.clear()
    put(world, state=State.OPEN, until=world.clock.now + 60)
    table.asked.clear()
    with pytest.raises(DownError), breaker.call():
        raise DownError
    assert table.asked == ["read"]
    with pytest.raises(CircuitOpen), breaker.call():
        pass
    assert table.asked == ["read"]


def test_failures_between_successes_do_not_read_each_time(world: World, table: Watched) -> None:
    breaker = world.breaker()
    world.call(breaker)
    table.asked.clear()
    for index in range(100):
        world.clock.now += 0.009
        world.call(breaker, fails=index % 2 == 0)
    assert table.asked == ["read"]


def test_enough_failures_of_several_environments_open_it_for_all(world: World) -> None:
    breakers = [world.breaker() for _ in range(10)]
    for breaker in breakers:
        for _ in range(2):
            world.call(breaker, fails=True)
    assert world.circuit.state is State.CLOSED
    world.clock.now += 1
    for breaker in breakers:
        breaker.flush()
    assert (world.circuit.state, world.circuit.openings) == (State.OPEN, 1)
    world.clock.now += READ_SECONDS
    for breaker in breakers:
        with pytest.raises(CircuitOpen, match="'payments' is open") as refused, breaker.call():
            pytest.fail("was called")
        assert refused.value.retry_after is not None
        assert 1 <= refused.value.retry_after <= 10


def test_a_refusal_sends_nothing_counts_nothing_and_reads_now_and_then(world: World, table: Watched) -> None:
    put(world, state=State.OPEN, until=world.clock.now + 60)
    breaker = world.breaker()
    table.asked.clear()
    for _ in range(100):
        world.clock.now += 0.1
        with pytest.raises(CircuitOpen), breaker.call():
            pytest.fail("was called")
    assert set(table.asked) == {"read"}
    assert 6 <= len(table.asked) <= 7
    assert world.circuit.buckets == {}


def test_a_call_that_ends_in_a_later_generation_says_nothing_about_it(world: World) -> None:
    breaker = world.breaker()

    def meanwhile() -> None:
        """The circuit opens and closes again, and then the call fails."""
        put(world, state=State.OPEN, until=world.clock.now)
        put(world, state=State.CLOSED)
        world.clock.now += 5
        raise DownError

    with pytest.raises(DownError), breaker.call():
        meanwhile()
    assert world.circuit.buckets == {}
    world.clock.now += 1
    world.call(breaker)
    world.clock.now += 1
    breaker.flush()
    assert world.circuit.count(world.clock.now, world.settings) == Count(1, 0)


def test_nor_does_it_once_others_of_the_later_generation_are_counted(world: World) -> None:
    breaker = world.breaker()

    def meanwhile() -> None:
        put(world, state=State.CLOSED)
        world.clock.now += 1
        world.clock.now += 1
        world.call(breaker)
        world.call(breaker)
        raise DownError

    with pytest.raises(DownError), breaker.call():
        meanwhile()
    world.clock.now += 1
    breaker.flush()
    assert world.circuit.count(world.clock.now, world.settings) == Count(2, 0)


def test_counts_that_a_frozen_environment_kept_too_long_are_dropped(world: World) -> None:
    breaker = world.breaker()
    world.call(breaker)
    world.call(breaker, fails=True)
    world.clock.now += 3600
    breaker.flush()
    assert sum((each for each in world.circuit.buckets.values()), start=Count()).failures == 0


@pytest.mark.parametrize("state", [State.OPEN, State.HALF_OPEN])
def test_a_store_that_is_down_leaves_the_last_known_state_for_a_minute_and_then_lets_calls_go_on(
    world: World, table: Watched, state: State
) -> None:
    put(world, state=state, until=world.clock.now + 30)
    breaker = world.breaker()
    with pytest.raises(CircuitOpen), breaker.call():
        pass
    table.failure = TimeoutError("slow")
    world.clock.now += 30 + TRUST_SECONDS - 1
    with pytest.raises(CircuitOpen), breaker.call():
        pass
    world.clock.now += 1
    with breaker.call():
        pass


def test_a_store_that_never_answered_stops_no_call(world: World, table: Watched) -> None:
    table.failure = TimeoutError("slow")
    breaker = world.breaker()
    for index in range(100):
        world.clock.now += 0.1
        with breaker.call():
            pass
        assert len(table.asked) <= 1 + index // 14
    table.failure = None
    world.clock.now += 1
    world.call(breaker)
    assert world.circuit.state is State.CLOSED


def test_an_update_whose_answer_was_lost_is_not_sent_twice(world: World, table: Watched) -> None:
    put(world)
    breaker = world.breaker()
    world.call(breaker)
    world.call(breaker, fails=True)
    table.failure, table.lost = TimeoutError("slow"), True
    world.clock.now += 1
    breaker.flush()
    table.failure = None
    world.clock.now += 1
    breaker.flush()
    assert world.circuit.count(world.clock.now, world.settings).failures == 1


def test_a_store_that_is_down_is_logged_once_a_minute_and_not_quoted(
    world: World, table: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    table.failure = TimeoutError("told about a secret")
    breaker = world.breaker()
    for _ in range(10):
        world.clock.now += 1
        world.call(breaker)
    (line,) = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert (line["message"], line["error"]) == ("breaker store not asked", "TimeoutError")
    world.clock.now += LOG_SECONDS
    world.call(breaker)
    out = capsys.readouterr().out
    assert out.count("not asked") == 1
    assert "secret" not in out


def test_forced_closed_failures_do_not_open_it_and_forced_open_nothing_is_called(world: World) -> None:
    breaker = world.breaker()
    circuit = world.circuit
    closed = Forced(State.CLOSED, "ann", "drill", world.clock.now + 60)
    assert world.store().replace(circuit, circuit.force(closed, world.clock.now, world.settings))[0]
    for _ in range(200):
        world.clock.now += 0.1
        world.call(breaker, fails=True)
    assert world.circuit.state is State.CLOSED
    circuit = world.circuit
    opened = replace(closed, state=State.OPEN, until=world.clock.now + 60)
    assert world.store().replace(circuit, circuit.force(opened, world.clock.now, world.settings))[0]
    world.clock.now += READ_SECONDS
    with pytest.raises(CircuitOpen), breaker.call():
        pytest.fail("was called")


def probing(world: World) -> str:
    """Make the circuit half-open with a lease for a probe."""
    circuit = put(world, state=State.HALF_OPEN)
    assert world.store().replace(circuit, circuit.leased("a", world.clock.now, world.settings))[0]
    return "a"


@pytest.mark.parametrize(
    ("ends", "state", "successes"),
    [(None, State.HALF_OPEN, 1), (DownError, State.OPEN, 0), ("invalid", State.HALF_OPEN, 0)],
)
def test_a_probe_is_called_once_and_its_outcome_recorded(
    world: World, ends: Any, state: State, successes: int
) -> None:
    from tests.functions.breaker.world import InvalidOrderError

    lease, error = probing(world), InvalidOrderError if ends == "invalid" else ends
    breaker = world.breaker()
    with pytest.raises(CircuitOpen), breaker.call():
        pytest.fail("is no probe")
    if error is None:
        with breaker.call(probe=lease):
            pass
    else:
        with pytest.raises(error), breaker.call(probe=lease):
            raise error
    assert (world.circuit.state, world.circuit.successes, world.circuit.lease) == (state, successes, None)
    with pytest.raises(CircuitOpen), breaker.call(probe=lease):
        pytest.fail("was called again")


def test_a_probe_that_cannot_claim_its_lease_because_the_store_is_down_is_refused(
    world: World, table: Watched
) -> None:
    lease = probing(world)
    table.failure = TimeoutError("slow")
    with pytest.raises(CircuitOpen), world.breaker().call(probe=lease):
        pytest.fail("was called")


def test_a_probe_whose_outcome_cannot_be_recorded_still_answers(world: World, table: Watched) -> None:
    lease = probing(world)
    with world.breaker().call(probe=lease):
        table.failure = TimeoutError("slow")
    table.failure = None
    assert world.circuit.lease is not None, "it runs out and counts as failed"


def test_fifty_threads_on_one_module_lose_no_count_and_write_once_a_second(
    world: World, table: Watched
) -> None:
    put(world)
    table.asked.clear()
    breaker, start = world.breaker(), Barrier(50)

    def work() -> None:
        start.wait()
        for index in range(100):
            world.call(breaker, fails=index % 10 == 0)

    run_all([Thread(target=work) for _ in range(50)])
    world.clock.now += 1
    breaker.flush()
    assert world.circuit.count(world.clock.now, world.settings) == Count(5000, 500)
    assert table.asked.count("write") == 2


def test_fifty_threads_that_start_with_an_open_circuit_all_wait_for_the_first_answer(world: World) -> None:
    put(world, state=State.OPEN, until=world.clock.now + 60)
    breaker, start, asked = world.breaker(), Barrier(50), Event()
    called: list[int] = []
    read = world.table.get_item

    def slow(**arguments: Any) -> Any:
        asked.wait(0.2)
        return read(**arguments)

    world.table.get_item = slow

    def work() -> None:
        start.wait()
        try:
            with breaker.call():
                called.append(1)
        except CircuitOpen:
            pass

    run_all([Thread(target=work) for _ in range(50)])
    assert called == []


def test_of_fifty_environments_one_gets_the_probe_and_another_only_after_it(world: World) -> None:
    lock, now_probing, most, won = Lock(), [0], [0], [0]
    put(world, state=State.HALF_OPEN)
    start = Barrier(50)

    def work(name: int) -> None:
        store = world.store()
        start.wait()
        for attempt in range(5):
            circuit = store.read()
            if circuit.state is not State.HALF_OPEN or circuit.lease is not None:
                continue
            lease = f"{name}-{attempt}"
            if not store.replace(circuit, circuit.leased(lease, world.clock.now, world.settings))[0]:
                continue
            if claim(store, lease, world.clock.now):
                with lock:
                    now_probing[0] += 1
                    won[0] += 1
                    most[0] = max(most[0], now_probing[0])
                Event().wait(0.002)
                with lock:
                    now_probing[0] -= 1
                settle(
                    store, lease, Outcome.SUCCESS, now=world.clock.now, chance=0.5, settings=world.settings
                )

    run_all([Thread(target=work, args=(name,)) for name in range(50)])
    assert most[0] == 1
    assert won[0] >= 1
    assert (world.circuit.state is State.CLOSED) == (won[0] == world.settings.successes)


def run_all(threads: list[Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
