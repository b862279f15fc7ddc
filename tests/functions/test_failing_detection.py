"""Alarms and metrics that are late, silent, forced or forged: docs/failures.md."""

from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.functions.healer.observation import Decision
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.shared.contract import Mode
from tests.functions.support.loop import Loop
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.scenarios import SCENARIOS
from tests.functions.support.world import BACKSTOP, START, TARGET, World

MINUTE = 6
"""Ticks of the loop."""


def run(loop: Loop, ticks: int) -> list[Reason]:
    """Let time pass; return what was decided. No run may fail."""
    ended = loop.run(ticks)
    decided = [each for each in ended if isinstance(each, Decision)]
    assert decided == ended
    return [each.reason for each in decided]


def acted() -> Loop:
    """A loop just after its act, which helps."""
    loop = SCENARIOS["helped"]()
    assert run(loop, 1) == [Reason.ALARM_CONFIRMED]
    return loop


def test_an_alarm_that_rings_late_is_acted_upon_when_it_rings() -> None:
    loop = SCENARIOS["helped"]()
    loop.forced = "OK"
    assert set(run(loop, 5 * MINUTE)) == {Reason.HEALTHY}
    loop.forced = None
    assert run(loop, 1) == [Reason.ALARM_CONFIRMED]
    assert len(loop.applies()) == 1


def test_an_alarm_that_rings_when_the_failure_is_over_changes_nothing() -> None:
    loop = SCENARIOS["helped"]()
    loop.forced = "OK"
    run(loop, MINUTE)
    loop.function.change(FAILURE_RATE="0")
    run(loop, 2 * MINUTE)
    loop.forced = "ALARM"
    assert run(loop, 1) == [Reason.ALARM_NOT_CORROBORATED]
    assert loop.acts == []


def test_an_alarm_that_clears_late_makes_recovery_late() -> None:
    loop = acted()
    loop.forced = "ALARM"
    assert set(run(loop, 10 * MINUTE)) == {Reason.COLLECTING_EVIDENCE}
    loop.forced = None
    assert Reason.RECOVERED in run(loop, 3 * MINUTE)
    assert len(loop.applies()) == 1


@pytest.mark.slow
def test_an_alarm_forced_into_ok_after_an_act_does_not_hide_that_it_did_not_help() -> None:
    loop = SCENARIOS["not_helped"]()
    run(loop, 1)
    loop.forced = "OK"
    run(loop, 60 * MINUTE)
    assert loop.statuses == ["ACTING", "VERIFYING", "INEFFECTIVE", "ESCALATED"]
    assert loop.incident.evidence is not None
    assert (loop.incident.evidence.verdict, loop.incident.reason) == ("broken", Reason.REMEDY_INEFFECTIVE)
    assert (len(loop.applies()), len(loop.sns.sent)) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("mode", [Mode.ACT, Mode.SUGGEST])
def test_an_alarm_forced_into_ok_before_the_act_leaves_an_open_incident_to_people(mode: Mode) -> None:
    loop = Loop(mode=mode)
    loop.cause = lambda: True
    loop.function.status = "InProgress"
    run(loop, 1)
    assert loop.incident.is_open
    loop.forced = "OK"
    sent = len(loop.sns.sent)
    run(loop, 60 * MINUTE)
    assert (loop.statuses[-1], loop.incident.reason) == ("ESCALATED", Reason.ALARM_SILENT)
    assert Status.RECOVERED not in loop.statuses
    assert loop.acts == []
    assert len(loop.sns.sent) == sent + 1


@pytest.mark.slow
@pytest.mark.parametrize("state", ["ALARM", "INSUFFICIENT_DATA"])
def test_an_alarm_that_does_not_return_to_ok_after_an_act_is_never_called_recovered(state: str) -> None:
    loop = acted()
    loop.forced = state
    assert set(run(loop, 15 * MINUTE)) == {Reason.COLLECTING_EVIDENCE}
    assert run(loop, 1) == [Reason.ALARM_STUCK]
    assert set(run(loop, 60 * MINUTE)) == {Reason.AWAITING_PEOPLE}
    assert loop.statuses == ["ACTING", "VERIFYING", "INCONCLUSIVE", "ESCALATED"]
    (told,) = loop.sns.sent
    assert "alarm-stuck-while-healthy" in told["Subject"]
    loop.forced = None
    assert Reason.RECOVERED in run(loop, 3 * MINUTE)
    assert len(loop.applies()) == 1


def test_an_alarm_without_data_is_no_alarm() -> None:
    loop = SCENARIOS["helped"]()
    loop.forced = "INSUFFICIENT_DATA"
    assert set(run(loop, MINUTE)) == {Reason.HEALTHY}
    assert loop.last is None


def fail_by_the_backstop(world: World) -> None:
    world.cloudwatch.put(START, 600, 180, BACKSTOP)
    world.pass_time(60)
    world.cloudwatch.set("backstop", "ALARM", world.now)
    assert world.step().reason is Reason.ALARM_CONFIRMED


def test_without_the_services_own_metrics_the_backstop_sees_a_failure_and_people_see_the_recovery(
    world: World,
) -> None:
    """What Lambda counts does not tell whether answers are right. An instrumented service is to say so."""
    fail_by_the_backstop(world)
    reasons: list[Reason] = []
    for _ in range(16):
        world.cloudwatch.put(world.now, 600, 0, BACKSTOP)
        world.pass_time(60)
        reasons.append(world.step().reason)
        world.cloudwatch.set("backstop", "OK", world.now)
    assert set(reasons[:-1]) == {Reason.COLLECTING_EVIDENCE}
    assert reasons[-1] is Reason.NO_EVIDENCE
    assert len(world.function.updates) == 1


def test_for_a_service_without_metrics_of_its_own_the_backstop_is_enough(world: World) -> None:
    world.target = replace(TARGET, alarms=(BACKSTOP,))
    fail_by_the_backstop(world)
    for _ in range(4):
        world.cloudwatch.put(world.now, 600, 0, BACKSTOP)
        world.pass_time(60)
        assert world.step().reason is Reason.COLLECTING_EVIDENCE
        world.cloudwatch.set("backstop", "OK", world.now)
    world.cloudwatch.put(world.now, 600, 0, BACKSTOP)
    world.pass_time(60)
    assert world.step().reason is Reason.RECOVERED
    assert len(world.function.updates) == 1


def forged(table: MemoryTable, name: str) -> Loop:
    """A target that is well, and someone whose metrics make the healer act as often as it can.

    They say that it fails until it is changed, and then that it is well. The baseline is put back at once,
    and they wait for the healer to see that; people are never so quick.
    """
    loop = Loop(replace(TARGET, name=name), table=table)
    loop.fleet_size = 3

    def cause() -> bool:
        last = loop.last
        if last is not None and last.status is Status.RECOVERED and last.standing:
            loop.function.change(FAILURE_RATE="0.3")
            return False
        return loop.fails_by_variable()

    loop.cause = cause
    return loop


@pytest.mark.slow
@pytest.mark.parametrize(("targets", "acts"), [(1, 6), pytest.param(3, 12, marks=pytest.mark.slow)])
def test_forged_metrics_cause_no_more_acts_in_a_day_than_the_budget_allows(targets: int, acts: int) -> None:
    table = MemoryTable()
    loops = [forged(table, name) for name in ("shop", "cart", "search")[:targets]]
    for _ in range(24 * 60 - 1):
        for loop in loops:
            loop.cloudwatch.forget(timedelta(minutes=10))
            for _ in range(MINUTE):
                loop.elapse()
            loop.attempt()
    assert sum(len(loop.applies()) for loop in loops) == acts
    assert all(len(loop.applies()) <= 6 for loop in loops)


@pytest.mark.slow
def test_forged_metrics_cause_one_act_while_nobody_restores_the_baseline() -> None:
    loop = Loop()
    loop.cause = lambda: loop.last is None or loop.last.status is not Status.VERIFYING
    run(loop, 120 * MINUTE)
    assert len(loop.applies()) == 1
    assert loop.incident.reason is Reason.ALREADY_APPLIED
