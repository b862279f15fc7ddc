"""Incidents of a target that calls through a circuit: who waits for whom, and what nobody overwrites."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.shared.breaker.circuit import Circuit, Forced, State
from selfheal.functions.shared.breaker.settings import BreakerSettings
from tests.functions.support.faults import die_before
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import (
    FORCE,
    PAUSE,
    ROLLBACK,
    Guarded,
    failing,
    forced,
    through_a_circuit,
)
from tests.functions.support.world import START

S = BreakerSettings()


def failing_for(seconds: int, loop: Guarded) -> Guarded:
    loop.cause = lambda: loop.now < START + timedelta(seconds=seconds)
    return loop


def effects(loop: Loop) -> list[Effect]:
    return [act.effect for act in loop.acts]


def test_it_is_forced_released_and_closed_by_its_breaker() -> None:
    loop = forced()
    loop.run(2)
    assert (loop.live(), loop.standing) == ({"force_breaker:payments": "open"}, ["force_breaker:payments"])
    assert loop.open_targets() == set(), "`up` leaves it alone"
    loop.run(60)
    assert (loop.incident.status, loop.incident.reason) == (Status.RECOVERED, Reason.RECOVERED)
    assert (loop.circuit.at_rest, loop.circuit.forced, loop.standing) == (True, None, [])


def test_refused_calls_while_it_is_open_are_no_evidence_that_it_did_not_help() -> None:
    """On AWS a mapping takes minutes to stop, and a task raises when it is refused."""
    loop = failing_for(100, through_a_circuit(FORCE))
    loop.run(2)
    assert loop.live() == {"force_breaker:payments": "open"}
    for _ in range(6):
        loop.traffic(100, 100)
        loop.step()
    assert loop.incident.status is Status.VERIFYING
    assert effects(loop) == [Effect.APPLY]


def test_failures_after_the_release_force_it_again_and_call_people() -> None:
    loop = failing_for(3600, through_a_circuit(FORCE))
    loop.run(30)
    assert effects(loop) == [Effect.APPLY, Effect.REVERT, Effect.APPLY]
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.RELAPSED)
    assert loop.circuit.forced_now(time.time() + 400) is not None
    assert loop.circuit.forced_now(time.time() + 500) is None, "its own end, though nobody releases it"


def test_after_the_release_the_breaker_is_waited_for_and_then_people_are_called() -> None:
    loop = failing_for(110, through_a_circuit(FORCE))
    loop.run(3)
    loop.probes_well = False
    loop.run(20)
    assert effects(loop) == [Effect.APPLY, Effect.REVERT]
    assert loop.incident.status is Status.VERIFYING
    loop.run(90)
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.NO_EVIDENCE)


@pytest.mark.parametrize("remedies", [(FORCE,), (ROLLBACK, FORCE)])
def test_an_outage_of_the_dependency_is_left_to_the_breaker_and_rolls_nothing_back(
    remedies: tuple[object, ...],
) -> None:
    loop = failing_for(3600, through_a_circuit(FORCE))
    loop.target = replace(loop.target, remedies=remedies)
    loop.probes_well = False
    loop.become(Circuit("payments").opened(time.time(), 0.5, S))
    loop.break_down()
    loop.step()
    assert (loop.incident.status, loop.incident.reason) == (Status.OPEN, Reason.TARGET_BUSY)
    loop.cause, loop.probes_well = (lambda: False), True
    loop.run(30)
    assert (loop.acts, loop.incident.reason) == ([], Reason.RECOVERED_UNAIDED)


@pytest.mark.parametrize("state", [State.OPEN, State.CLOSED])
def test_what_a_person_forced_stays_and_people_are_told(state: State) -> None:
    loop = failing_for(3600, through_a_circuit(FORCE))
    decision = Forced(state, "ann", "the bank moves", time.time() + 3600)
    loop.become(Circuit("payments").force(decision, time.time(), S))
    loop.break_down()
    loop.step()
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.CIRCUIT_FORCED)
    assert (loop.acts, loop.circuit.forced) == ([], decision)
    assert "circuit-forced-by-someone-else" in loop.sns.sent[-1]["Message"]


def test_a_person_who_replaces_the_healers_force_keeps_theirs() -> None:
    loop = failing_for(3600, through_a_circuit(FORCE))
    loop.run(2)
    decision = Forced(State.CLOSED, "ann", "it is well", time.time() + 3600)
    loop.become(loop.circuit.force(decision, time.time(), S))
    loop.run(40)
    assert (effects(loop), loop.circuit.forced, loop.standing) == ([Effect.APPLY], decision, [])
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.VALUE_CHANGED)


def test_a_person_takes_it_back_in_alarm_too() -> None:
    loop = failing_for(3600, through_a_circuit(FORCE))
    loop.run(2)
    loop.ask(Verb.ROLLBACK)
    loop.step()
    assert effects(loop) == [Effect.APPLY, Effect.REVERT]
    assert loop.circuit.forced is None


def test_a_consumer_behind_a_breaker_is_not_paused_and_people_learn_why() -> None:
    loop = failing_for(3600, through_a_circuit(PAUSE))
    loop.run(30)
    assert (loop.acts, loop.function.mapping) == ([], "Enabled")
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.BREAKER_OWNS)
    assert "circuit-breaker-owns-the-mapping" in loop.sns.sent[-1]["Message"]
    assert "force_breaker" in loop.sns.sent[-1]["Message"]
    assert len(loop.sns.sent) == 1


def test_the_next_remedy_follows_a_pause_that_is_refused() -> None:
    loop = failing_for(110, through_a_circuit(PAUSE, FORCE))
    loop.run(4)
    assert loop.live() == {str(PAUSE.setting): "Enabled", "force_breaker:payments": "open"}
    assert Reason.BREAKER_OWNS in loop.reasons


def test_a_consumer_that_gets_a_breaker_after_the_intent_is_not_paused_either() -> None:
    """The intent is recorded, the run dies, and a deployment puts a circuit in between."""
    loop = failing(PAUSE)
    loop.tap.fail_acts(die_before)
    loop.run(2)
    assert loop.incident.effect is Effect.APPLY
    loop.tap.mend()
    loop.function.change(CIRCUIT="payments", BREAKER_TABLE="circuits")
    loop.pass_time(60)
    loop.run(30)
    assert (loop.acts, loop.function.mapping) == ([], "Enabled")
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.BREAKER_OWNS)
