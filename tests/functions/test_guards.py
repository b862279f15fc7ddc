"""Each guard keeps the healer from acting, says why in the incident, and lets it act once it is over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.functions.healer.incident_fields import Guard
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import LIMIT, failing, helped
from tests.functions.support.world import BACKSTOP, REMEDY, TARGET, World


def recover(world: World) -> None:
    """Let an incident be healed and close, and someone restore the baseline."""
    world.heal()
    assert world.step().reason is Reason.RECOVERED
    world.function.change(FAILURE_RATE="0.3")
    assert world.step().reason is Reason.DRIFT_ENDED
    world.align()


def test_the_budget_of_a_target_ends_its_acts_for_a_day_and_calls_people_once(world: World) -> None:
    world.limits = Limits(target_budget=1, flapping_limit=9)
    recover(world)
    assert world.act().reason is Reason.BUDGET_SPENT
    guard = world.incident.guard
    assert guard is not None
    assert (guard.limit, guard.found, world.incident.status) == (1, 1, Status.ESCALATED)
    sent = len(world.sns.sent)
    assert "budget-spent" in world.sns.sent[-1]["Message"]
    for _ in range(10):
        world.traffic(100, 30)
        world.step()
    assert len(world.function.updates) == 1
    assert len(world.sns.sent) == sent
    world.pass_time(24 * 3600)
    assert world.act().reason is Reason.RELEASED
    world.step()
    assert len(world.function.updates) == 2


def test_the_budget_of_the_fleet_counts_the_acts_of_all_targets(world: World) -> None:
    world.limits = Limits(budget=1)
    fleet = {"pk": {"S": "fleet"}, "sk": {"S": "open"}, "version": {"N": "7"}}
    acts = {"L": [{"S": "2026-11-21T09:00:00.000Z"}]}
    world.dynamodb.put_item(TableName="ledger", Item=fleet | {"acts": acts})
    assert world.act().reason is Reason.BUDGET_SPENT
    assert world.function.updates == []


def test_after_an_incident_the_next_waits_for_the_cool_down(world: World) -> None:
    world.limits = Limits(cool_down_seconds=300)
    recover(world)
    assert world.act().reason is Reason.COOL_DOWN
    assert (world.incident.status, world.incident.reason) == (Status.OPEN, Reason.COOL_DOWN)
    version = world.incident.version
    world.step()
    assert world.incident.version == version
    world.traffic(100, 30, seconds=300)
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert len(world.function.updates) == 2


@pytest.mark.parametrize("released", [True, False])
def test_a_flapping_target_is_held_with_one_escalation_and_not_called_well_meanwhile(
    world: World, released: bool
) -> None:
    """Until a person releases it, or an hour has passed."""
    for _ in range(3):
        recover(world)
    assert world.act().reason is Reason.FLAPPING
    guard = world.incident.guard
    assert guard == Guard(Reason.FLAPPING, limit=3, found=4, until=guard and guard.until)
    sent, updates = len(world.sns.sent), len(world.function.updates)
    for quiet in (True, False) * 5:
        world.cloudwatch.set("fast", "OK" if quiet else "ALARM", world.now)
        world.traffic(100, 0 if quiet else 30, seconds=180)
        assert world.step().reason is Reason.AWAITING_PEOPLE
    assert (len(world.sns.sent), len(world.function.updates)) == (sent, updates)
    if released:
        world.ask(Verb.RELEASE)
    else:
        world.pass_time(1800)
        world.break_down()
    assert world.step().reason is Reason.RELEASED
    assert world.step().reason is Reason.ALARM_CONFIRMED


def test_flapping_that_was_only_observed_counts_once_it_may_act(world: World) -> None:
    world.limits, world.mode = Limits(flapping_limit=0), Mode.OBSERVE
    assert world.act().reason is Reason.MODE_FORBIDS
    world.mode = Mode.ACT
    assert world.step().reason is Reason.FLAPPING
    assert (world.incident.status, world.function.updates) == (Status.ESCALATED, [])


def test_too_many_targets_under_a_change_at_once_stop_the_next(world: World) -> None:
    world.fleet_size = 2
    fleet = {"pk": {"S": "fleet"}, "sk": {"S": "open"}, "acting": {"SS": ["cart"]}}
    world.dynamodb.put_item(TableName="ledger", Item=fleet)
    world.break_down()
    for _ in range(3):
        assert world.step().reason is Reason.BLAST_RADIUS
        world.traffic(100, 30)
        world.pass_time(40)
    assert world.incident.guard == Guard(Reason.BLAST_RADIUS, limit=1, found=2, total=2)
    assert len(world.sns.sent) == 1
    assert "limit 1, found 2, of 2" in world.sns.sent[0]["Message"]
    del world.dynamodb.items["fleet", "open"]
    world.traffic(100, 30)
    assert world.step().reason is Reason.ALARM_CONFIRMED


def test_an_alarm_that_rings_on_without_being_borne_out_is_told_once_and_recorded(world: World) -> None:
    world.traffic(100, 0, seconds=60)
    world.cloudwatch.set("fast", "ALARM", world.now)
    for _ in range(14):
        world.traffic(100, 0, seconds=60)
        assert world.step().reason is Reason.ALARM_NOT_CORROBORATED
    assert world.aws.ledger.read("shop") is None
    for _ in range(5):
        world.traffic(100, 0, seconds=60)
        world.step()
    stuck = world.incident
    assert (stuck.status, stuck.reason) == (Status.ESCALATED, Reason.ALARM_STUCK)
    assert stuck.guard == Guard(Reason.ALARM_NOT_CORROBORATED)
    assert world.function.updates == []
    assert len(world.sns.sent) == 1
    assert "in ALARM, not borne out by its metrics" in world.sns.sent[0]["Message"]
    world.cloudwatch.set("fast", "OK", world.now)
    world.traffic(100, 0, seconds=200)
    assert world.step().reason is Reason.RECOVERED_UNAIDED
    assert world.incident.hold is None


def test_an_alarm_that_outlasts_its_incident_is_given_its_time_again(world: World) -> None:
    world.cloudwatch.set("backstop", "ALARM", world.now)
    world.pass_time(800)
    world.act()
    world.be_well()
    assert world.step().reason is Reason.RECOVERED
    world.traffic(100, 0, seconds=890)
    assert world.step().reason is Reason.ALARM_NOT_CORROBORATED
    world.pass_time(10)
    world.step()
    assert world.incident.reason is Reason.ALARM_STUCK
    assert world.standing == ["environment:FAILURE_RATE"]


def test_in_observe_an_alarm_that_rings_on_is_recorded_and_nobody_told(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.cloudwatch.set("fast", "ALARM", world.now)
    world.pass_time(15 * 60)
    assert world.step().reason is Reason.ALARM_NOT_FRESH
    assert world.incident.status is Status.ESCALATED
    assert world.sns.sent == []


def test_an_open_incident_says_that_its_alarm_is_no_longer_borne_out(world: World) -> None:
    world.function.status = "InProgress"
    world.act()
    world.traffic(100, 0, seconds=300)
    written = world.incident.version
    for _ in range(3):
        assert world.step().reason is Reason.ALARM_NOT_CORROBORATED
    assert world.incident.guard == Guard(Reason.ALARM_NOT_CORROBORATED)
    assert world.incident.version == written + 1
    assert world.function.updates == []


def test_a_target_that_is_deleted_in_an_incident_no_longer_blocks_a_deployment(world: World) -> None:
    world.act()
    assert world.open_targets() == {"shop"}
    world.function.exists = False
    world.pass_time(60)
    assert world.step().reason is Reason.TARGET_GONE
    assert world.open_targets() == set()


def test_a_hold_outlives_the_incident_when_nothing_helped(world: World) -> None:
    world.target = replace(world.target, remedies=(replace(REMEDY, revert_safe=True),))
    world.act()
    world.keep_failing()
    world.step()
    world.traffic(100, 30)
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    world.be_well()
    assert world.step().reason is Reason.RECOVERED
    world.align()
    assert world.act().reason is Reason.HELD
    assert len(world.function.updates) == 2


def test_a_limit_that_a_person_set_is_never_raised() -> None:
    loop = failing(LIMIT)
    loop.function.reserved = 0
    loop.run(5)
    assert (loop.function.reserved, loop.incident.reason) == (0, Reason.ALREADY_APPLIED)


def test_a_hold_that_waits_for_a_release_outlives_other_escalations() -> None:
    loop = helped()
    loop.run(5)
    loop.ask(Verb.ROLLBACK)
    loop.cause = lambda: False
    loop.run(30)
    loop.forced = "ALARM"
    loop.run(100)
    assert loop.incident.reason is Reason.ALARM_STUCK
    loop.forced = None
    loop.run(30)
    acts = len(loop.acts)
    loop.pass_time(7200)
    loop.cause = lambda: True
    loop.run(6)
    assert (loop.incident.reason, len(loop.acts)) == (Reason.HELD, acts)


def test_what_comes_back_after_a_restore_is_not_applied_again_on_a_held_target() -> None:
    loop = failing(REMEDY)
    loop.run(12)
    loop.cause = lambda: False
    loop.run(40)
    loop.ask(Verb.RESTORE)
    loop.run(2)
    loop.cause = lambda: True
    loop.run(3)
    assert (loop.incident.reason, len(loop.applies())) == (Reason.RELAPSED, 1)


def test_another_alarm_that_rings_and_is_borne_out_keeps_the_incident_open() -> None:
    """Half of the calls die before the service can count them."""
    loop = Loop(TARGET)
    loop.cause = loop.fails_by_variable
    loop.run(1)
    loop.cloudwatch.set("backstop", "ALARM", loop.now)
    for _ in range(30):
        if loop.now.second == 0:
            loop.cloudwatch.put(loop.now - timedelta(seconds=60), 600, 300, BACKSTOP)
        loop.run(1)
    assert Status.RECOVERED not in loop.statuses


def test_the_stability_window_sees_all_of_itself() -> None:
    """A burst of 10 s, whose alarm rang between two runs."""
    loop = Loop()
    loop.limits, loop.requests = Limits(stability_seconds=300), 1000
    burst = [False]
    loop.cause = lambda: loop.fails_by_variable() or burst[0]
    loop.run(30)
    burst[0] = True
    loop.elapse()
    burst[0] = False
    loop.elapse()
    loop.run(25)
    assert loop.incident.status is Status.VERIFYING
    loop.run(30)
    assert loop.incident.status is Status.RECOVERED


def test_probes_of_an_earlier_time_decide_nothing() -> None:
    loop = Loop(replace(TARGET, probe="{}"))
    failing = [True]
    loop.cause = lambda: failing[0]
    loop.run(3)
    loop.requests, loop.forced = 0, "ALARM"
    loop.run(20)
    failing[0], loop.forced, loop.requests = False, None, 100
    loop.run(40)
    assert loop.incident.status is Status.RECOVERED
