"""Each guard keeps the healer from acting, says why in the incident, and lets it act once it is over."""

from dataclasses import replace

import pytest

from selfheal.functions.healer.incident_fields import Guard
from selfheal.functions.healer.observe import UnreadableError
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.world import World


def recover(world: World) -> None:
    """Let the incident close by evidence, and someone put the baseline back."""
    world.pass_time(10)
    world.traffic(100, 0, seconds=80)
    world.cloudwatch.set("fast", "OK", world.now)
    world.pass_time(2)
    assert world.step().reason is Reason.RECOVERED
    world.function.change(FAILURE_RATE="0.3")
    assert world.step().reason is Reason.DRIFT_ENDED
    world.pass_time((10 - world.now.second % 10) % 10)


def test_the_budget_of_a_target_ends_its_acts_and_calls_people_once(world: World) -> None:
    world.limits = Limits(target_budget=1, flapping_limit=9)
    world.break_down()
    world.step()
    recover(world)
    world.break_down()
    assert world.step().reason is Reason.BUDGET_SPENT
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


def test_the_budget_frees_itself_after_a_day(world: World) -> None:
    test_the_budget_of_a_target_ends_its_acts_and_calls_people_once(world)
    world.pass_time(24 * 3600)
    world.break_down()
    assert world.step().reason is Reason.RELEASED
    world.step()
    assert len(world.function.updates) >= 1


def test_the_budget_of_the_fleet_counts_the_acts_of_all_targets(world: World) -> None:
    world.limits = Limits(budget=1)
    fleet = {"pk": {"S": "fleet"}, "sk": {"S": "open"}, "version": {"N": "7"}}
    acts = {"L": [{"S": "2026-11-21T09:00:00.000Z"}]}
    world.dynamodb.put_item(TableName="ledger", Item=fleet | {"acts": acts})
    world.break_down()
    assert world.step().reason is Reason.BUDGET_SPENT
    assert world.function.updates == []


def test_an_act_is_counted_in_the_transaction_of_its_intent(world: World) -> None:
    world.break_down()
    world.step()
    fleet = world.aws.ledger.read_fleet()
    assert (fleet.version, len(fleet.acts), fleet.acting, fleet.blocking) == (
        1,
        1,
        frozenset({"shop"}),
        frozenset({"shop"}),
    )


def test_after_an_incident_the_next_waits_for_the_cool_down(world: World) -> None:
    world.limits = Limits(cool_down_seconds=300)
    world.break_down()
    world.step()
    recover(world)
    world.break_down()
    assert world.step().reason is Reason.COOL_DOWN
    assert (world.incident.status, world.incident.reason) == (Status.OPEN, Reason.COOL_DOWN)
    version = world.incident.version
    world.step()
    assert world.incident.version == version
    world.traffic(100, 30, seconds=300)
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert len(world.function.updates) == 2


def test_a_flapping_target_is_held_with_one_escalation_and_not_called_well_meanwhile(world: World) -> None:
    for _ in range(3):
        world.break_down()
        world.step()
        recover(world)
    world.break_down()
    assert world.step().reason is Reason.FLAPPING
    assert world.incident.guard == Guard(
        Reason.FLAPPING, limit=3, found=4, until=world.incident.guard and world.incident.guard.until
    )
    sent, updates = len(world.sns.sent), len(world.function.updates)
    for quiet in (True, False) * 5:
        world.cloudwatch.set("fast", "OK" if quiet else "ALARM", world.now)
        world.traffic(100, 0 if quiet else 30, seconds=180)
        assert world.step().reason is Reason.AWAITING_PEOPLE
    assert (len(world.sns.sent), len(world.function.updates)) == (sent, updates)
    world.ask(Verb.RELEASE)
    assert world.step().reason is Reason.RELEASED
    assert world.step().reason is Reason.ALARM_CONFIRMED


def test_flapping_that_was_only_observed_counts_once_it_may_act(world: World) -> None:
    world.limits, world.mode = Limits(flapping_limit=0), Mode.OBSERVE
    world.break_down()
    assert world.step().reason is Reason.MODE_FORBIDS
    world.mode = Mode.ACT
    assert world.step().reason is Reason.FLAPPING
    assert (world.incident.status, world.function.updates) == (Status.ESCALATED, [])


def test_a_flapping_hold_ends_by_itself(world: World) -> None:
    for _ in range(3):
        world.break_down()
        world.step()
        recover(world)
    world.break_down()
    world.step()
    world.pass_time(3610)
    world.break_down()
    assert world.step().reason is Reason.RELEASED
    assert world.step().reason is Reason.ALARM_CONFIRMED


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
    world.dynamodb.delete_item(TableName="ledger", Key={"pk": {"S": "fleet"}, "sk": {"S": "open"}})
    world.traffic(100, 30)
    assert world.step().reason is Reason.ALARM_CONFIRMED


def test_a_busy_target_is_waited_for_and_the_incident_says_so(world: World) -> None:
    world.break_down()
    world.function.status = "InProgress"
    world.step()
    assert world.incident.guard == Guard(Reason.TARGET_BUSY)
    world.function.status = "Successful"
    world.step()
    assert (world.incident.guard, len(world.function.updates)) == (None, 1)


def test_an_alarm_without_recent_metrics_is_not_fresh(world: World) -> None:
    world.break_down()
    world.pass_time(600)
    assert world.step().reason is Reason.ALARM_NOT_FRESH
    assert world.function.updates == []


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
    world.traffic(100, 0, seconds=120)
    assert world.step().reason is Reason.RECOVERED_UNAIDED
    assert world.incident.hold is None


def test_an_alarm_that_outlasts_its_incident_is_given_its_time_again(world: World) -> None:
    world.cloudwatch.set("backstop", "ALARM", world.now)
    world.pass_time(800)
    world.break_down()
    world.step()
    world.traffic(100, 0, seconds=100)
    world.cloudwatch.set("fast", "OK", world.now)
    assert world.step().reason is Reason.RECOVERED
    world.traffic(100, 0, seconds=890)
    assert world.step().reason is Reason.ALARM_NOT_FRESH
    world.pass_time(10)
    world.step()
    assert world.incident.reason is Reason.ALARM_STUCK
    assert [str(each.plan.key) for each in world.incident.standing] == ["environment:FAILURE_RATE"]


def test_in_observe_an_alarm_that_rings_on_is_recorded_and_nobody_told(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.cloudwatch.set("fast", "ALARM", world.now)
    world.pass_time(15 * 60)
    assert world.step().reason is Reason.ALARM_NOT_FRESH
    assert world.incident.status is Status.ESCALATED
    assert world.sns.sent == []


def test_an_open_incident_says_that_its_alarm_is_no_longer_borne_out(world: World) -> None:
    world.function.status = "InProgress"
    world.break_down()
    world.step()
    world.traffic(100, 0, seconds=300)
    written = world.incident.version
    for _ in range(3):
        assert world.step().reason is Reason.ALARM_NOT_CORROBORATED
    assert world.incident.guard == Guard(Reason.ALARM_NOT_CORROBORATED)
    assert world.incident.version == written + 1
    assert world.function.updates == []


def test_a_target_that_is_gone_is_left_to_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.functions.support.world import aws_error

    def gone(**_: str) -> None:
        raise aws_error("ResourceNotFoundException", "GetFunctionConfiguration")

    world.break_down()
    monkeypatch.setattr(world.function, "get_function_configuration", gone)
    assert world.step().reason is Reason.TARGET_GONE
    assert world.incident.status is Status.ESCALATED


def test_a_target_that_is_deleted_in_an_incident_no_longer_blocks_a_deployment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.functions.support.world import aws_error

    def gone(**_: str) -> None:
        raise aws_error("ResourceNotFoundException", "GetFunctionConfiguration")

    world.break_down()
    world.step()
    assert world.open_targets() == {"shop"}
    monkeypatch.setattr(world.function, "get_function_configuration", gone)
    world.pass_time(60)
    assert world.step().reason is Reason.TARGET_GONE
    assert world.open_targets() == set()


def test_what_cannot_be_read_stops_the_run(world: World) -> None:
    world.break_down()
    world.cloudwatch.states.pop("fast")
    with pytest.raises(UnreadableError):
        world.step()


def test_a_hold_outlives_the_incident_when_nothing_helped(world: World) -> None:
    world.target = replace(world.target, remedies=(replace(world.target.remedies[0], revert_safe=True),))
    world.break_down()
    world.step()
    world.pass_time(10)
    world.traffic(100, 30, seconds=30)
    world.pass_time(2)
    world.step()
    world.traffic(100, 30)
    assert world.step().reason is Reason.NO_REMEDY_HELPED
    world.cloudwatch.set("fast", "OK", world.now)
    world.pass_time(10 - world.now.second % 10)
    world.traffic(100, 0, seconds=80)
    world.pass_time(2)
    assert world.step().reason is Reason.RECOVERED
    world.pass_time(10 - world.now.second % 10)
    world.break_down()
    assert world.step().reason is Reason.HELD
    assert len(world.function.updates) == 2
