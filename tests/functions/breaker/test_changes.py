import pytest

from selfheal.functions.shared.breaker.changes import LostRaceError, change, force, release
from selfheal.functions.shared.breaker.circuit import Circuit, Forced, State
from tests.functions.breaker.world import World


def test_a_person_forces_and_releases_a_circuit_that_others_write_meanwhile() -> None:
    world = World()
    forced = Forced(State.OPEN, "ann", "the bank is moving", world.clock.now + 600)
    force(world.store(), forced, world.clock.now, world.settings)
    assert (world.circuit.state, world.circuit.forced) == (State.OPEN, forced)
    assert release(world.store(), "ann", world.clock.now)
    assert (world.circuit.forced, world.circuit.until) == (None, world.clock.now)
    assert not release(world.store(), "ann", world.clock.now)


def test_another_writer_costs_another_attempt_and_loses_nothing() -> None:
    world = World()
    others = 3

    def how(circuit: Circuit) -> Circuit:
        nonlocal others
        if others:
            others -= 1
            other = world.circuit
            assert world.store().replace(other, other.settled(others))[0]
        return circuit.stepped(world.clock.now, 10)

    after = change(world.store(), how)
    assert after is not None
    assert after.version == 4


def test_who_loses_every_race_is_told_that_nothing_changed() -> None:
    world = World()

    def how(circuit: Circuit) -> Circuit:
        other = world.circuit
        assert world.store().replace(other, other.settled(1))[0]
        return circuit.stepped(world.clock.now, 10)

    with pytest.raises(LostRaceError, match="'payments' was written by others 10 times: try again"):
        change(world.store(), how)
