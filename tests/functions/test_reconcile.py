"""The healer step by step: one run after another against a small world."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.decide import MAX_ATTEMPTS, decide
from selfheal.functions.healer.execute import execute
from selfheal.functions.healer.ledger import LostRaceError
from selfheal.functions.healer.observe import UnreadableError
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode
from tests.functions.support.world import BACKSTOP, CANARY, REMEDY, START, DiedError, World, aws_error


def raising(error: BaseException) -> Callable[[], None]:
    """A hook of the fake function that fails."""

    def fail() -> None:
        raise error

    return fail


def test_a_healthy_service_is_left_alone(world: World) -> None:
    world.traffic(100, 0)
    assert world.step().reason is Reason.HEALTHY
    assert world.aws.ledger.read("shop") is None


def test_the_loop_acts_once_proves_it_and_closes(world: World) -> None:
    world.heal()
    assert world.function.variables == {"FAILURE_RATE": "0", "TOKEN": CANARY, "OTHER": "kept"}
    assert world.open_targets() == {"shop"}
    assert world.step().reason is Reason.RECOVERED
    closed = world.incident
    assert (closed.status, closed.acts, closed.effect) == (Status.RECOVERED, 1, None)
    assert closed.evidence is not None
    assert (closed.evidence.errors, closed.evidence.verdict) == (0, "healthy")
    assert [line.to for line in closed.history] == ["ACTING", "VERIFYING", "RECOVERED"]
    assert world.open_targets() == set()
    assert [message["Subject"] for message in world.sns.sent] == [
        "[selfheal] RECOVERED: shop (recovered-by-evidence)"
    ]
    assert [str(each.plan.key) for each in closed.standing] == ["environment:FAILURE_RATE"]
    assert world.step().reason is Reason.DRIFT_STANDS
    assert len(world.function.updates) == 1


def test_a_closed_incident_is_kept_as_a_copy_that_expires(world: World) -> None:
    world.heal()
    world.step()
    key = {"pk": {"S": "target#shop"}, "sk": {"S": f"closed#{world.incident.id}"}}
    item = world.dynamodb.get_item(TableName="ledger", Key=key)["Item"]
    assert int(item["expires_at"]["N"]) > START.timestamp()
    current = world.dynamodb.get_item(TableName="ledger", Key={**key, "sk": {"S": "incident"}})["Item"]
    assert "expires_at" not in current


def test_a_forced_alarm_with_healthy_metrics_changes_nothing(world: World) -> None:
    world.traffic(100, 0, seconds=60)
    world.cloudwatch.set("fast", "ALARM", world.now)
    assert world.step().reason is Reason.ALARM_NOT_CORROBORATED
    assert world.function.updates == []


def test_a_forced_alarm_without_any_metrics_changes_nothing(world: World) -> None:
    world.cloudwatch.set("fast", "ALARM", world.now)
    assert world.step().reason is Reason.ALARM_NOT_FRESH
    assert world.function.updates == []


def test_the_late_backstop_does_not_open_a_second_incident(world: World) -> None:
    world.cloudwatch.put(START, 600, 180, BACKSTOP)
    world.heal()
    world.step()
    world.cloudwatch.set("backstop", "ALARM", world.now)
    assert world.step().reason is Reason.ALARM_NOT_CORROBORATED
    assert world.incident.status is Status.RECOVERED


def test_no_traffic_after_the_act_is_never_called_recovered(world: World) -> None:
    world.break_down()
    world.step()
    world.cloudwatch.set("fast", "OK", world.now)
    for _ in range(14):
        world.pass_time(60)
        assert world.step().reason is Reason.COLLECTING_EVIDENCE
    world.pass_time(120)
    assert world.step().reason is Reason.NO_EVIDENCE
    assert [line.to for line in world.incident.history][-2:] == ["INCONCLUSIVE", "ESCALATED"]
    assert len(world.sns.sent) == 1
    assert "a person must look" in world.sns.sent[0]["Message"]


def test_an_ineffective_remedy_is_held_and_a_person_called_once(world: World) -> None:
    world.break_down()
    world.step()
    world.pass_time(10)
    world.traffic(100, 30, seconds=30)
    world.pass_time(2)
    assert world.step().reason is Reason.NO_REMEDY_HELPED
    assert world.incident.status is Status.ESCALATED
    assert world.function.variables["FAILURE_RATE"] == "0"
    for _ in range(5):
        world.pass_time(60)
        assert world.step().reason is Reason.AWAITING_PEOPLE
    assert len(world.sns.sent) == 1
    assert len(world.function.updates) == 1


def test_an_ineffective_remedy_that_is_safe_to_revert_is_undone(world: World) -> None:
    world.target = replace(world.target, remedies=(replace(REMEDY, revert_safe=True),))
    world.break_down()
    world.step()
    world.pass_time(10)
    world.traffic(100, 30, seconds=30)
    world.pass_time(2)
    assert world.step().reason is Reason.NO_REMEDY_HELPED
    assert world.function.variables["FAILURE_RATE"] == "0.3"
    assert (world.incident.status, world.incident.reason) == (Status.OPEN, Reason.REVERTED)
    assert world.open_targets() == set()
    assert world.step().reason is Reason.NO_REMEDY_HELPED
    assert world.incident.status is Status.ESCALATED
    world.step()
    assert len(world.sns.sent) == 1


def test_an_escalated_incident_closes_when_the_service_is_well_by_evidence(world: World) -> None:
    test_an_ineffective_remedy_is_held_and_a_person_called_once(world)
    world.cloudwatch.set("fast", "OK", world.now)
    world.pass_time(60 - world.now.second % 60)
    assert world.step().reason is Reason.AWAITING_PEOPLE
    world.traffic(100, 0, seconds=80)
    world.pass_time(2)
    assert world.step().reason is Reason.RECOVERED
    assert world.open_targets() == set()


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.SUGGEST])
def test_without_permission_it_records_a_plan_and_changes_nothing(world: World, mode: Mode) -> None:
    world.mode = mode
    world.break_down()
    for _ in range(4):
        assert world.step().reason is Reason.MODE_FORBIDS
        world.pass_time(1)
    assert world.incident.status is Status.PROPOSED
    assert world.incident.plan is not None
    assert (world.incident.plan.before, world.incident.plan.after) == ("0.3", "0")
    assert world.function.updates == []
    assert world.open_targets() == set()
    assert len(world.sns.sent) == (1 if mode is Mode.SUGGEST else 0)


def test_a_proposal_closes_by_evidence_when_the_service_recovers_unaided(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.break_down()
    world.step()
    world.cloudwatch.set("fast", "OK", world.now)
    world.pass_time(10)
    world.traffic(100, 0, seconds=80)
    world.pass_time(2)
    assert world.step().reason is Reason.RECOVERED_UNAIDED
    assert (world.incident.status, world.incident.acts) == (Status.RECOVERED, 0)


def test_a_variable_added_between_read_and_write_is_kept(world: World) -> None:
    world.break_down()
    world.function.before_update = lambda: world.function.change(ADDED="by someone")
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert world.function.updates == []
    assert (world.incident.status, world.incident.reason) == (Status.ACTING, Reason.DEFERRED)
    world.function.before_update = lambda: None
    assert world.step().reason is Reason.DEPLOYMENT_IN_PROGRESS
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert world.function.variables["ADDED"] == "by someone"
    assert world.function.variables["FAILURE_RATE"] == "0"
    assert (world.incident.status, world.incident.acts) == (Status.VERIFYING, 1)


def test_a_healer_that_dies_after_its_act_is_resumed_with_one_act(world: World) -> None:
    world.break_down()
    world.function.after_update = raising(DiedError())
    with pytest.raises(DiedError):
        world.step()
    world.function.after_update = lambda: None
    assert world.step().reason is Reason.BUSY
    world.pass_time(45)
    assert world.step().reason is Reason.APPLIED_EARLIER
    assert (world.incident.status, world.incident.acts) == (Status.VERIFYING, 1)
    assert len(world.function.updates) == 1


def test_a_healer_that_dies_before_its_act_is_resumed_and_acts_once(world: World) -> None:
    world.break_down()
    world.function.before_update = raising(DiedError())
    with pytest.raises(DiedError):
        world.step()
    world.function.before_update = lambda: None
    world.pass_time(45)
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert len(world.function.updates) == 1
    assert world.incident.status is Status.VERIFYING


def test_a_throttled_act_stays_intended_and_is_dropped_when_the_alarm_clears(world: World) -> None:
    world.break_down()
    world.function.before_update = raising(aws_error("TooManyRequestsException"))
    world.step()
    assert (world.incident.status, world.incident.effect) == (Status.ACTING, Effect.APPLY)
    assert world.open_targets() == {"shop"}
    world.cloudwatch.set("fast", "OK", world.now)
    assert world.step().reason is Reason.ALARM_CLEARED
    assert world.incident.status is Status.OPEN
    assert world.open_targets() == set()
    assert world.function.updates == []


def test_it_waits_while_another_update_is_in_progress(world: World) -> None:
    world.break_down()
    world.function.status = "InProgress"
    for _ in range(2):
        assert world.step().reason is Reason.TARGET_BUSY
    assert (world.incident.status, world.incident.version) == (Status.OPEN, 1)
    world.function.status = "Successful"
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert world.incident.status is Status.VERIFYING


def test_tries_are_bounded_and_then_a_person_is_called(world: World) -> None:
    world.break_down()
    world.function.before_update = raising(aws_error("TooManyRequestsException"))
    for _ in range(MAX_ATTEMPTS):
        assert world.step().reason is Reason.ALARM_CONFIRMED
    assert world.step().reason is Reason.ATTEMPTS_EXHAUSTED
    assert world.incident.status is Status.ESCALATED
    assert world.open_targets() == set()
    assert len(world.sns.sent) == 1
    assert world.function.updates == []


def test_an_unreadable_environment_is_never_written(world: World) -> None:
    world.break_down()
    world.function.readable = False
    assert world.step().reason is Reason.CONFIGURATION_UNREADABLE
    assert world.incident.status is Status.ESCALATED
    assert world.function.updates == []


def test_a_missing_variable_is_not_invented(world: World) -> None:
    world.break_down()
    del world.function.variables["FAILURE_RATE"]
    assert world.step().reason is Reason.VARIABLE_MISSING
    assert world.function.updates == []


def test_a_remedy_already_in_place_is_escalated_not_repeated(world: World) -> None:
    world.break_down()
    world.function.change(FAILURE_RATE="0")
    assert world.step().reason is Reason.ALREADY_APPLIED
    assert world.function.updates == []


def test_a_target_without_a_remedy_is_watched_and_people_are_called(world: World) -> None:
    world.target = replace(world.target, remedies=())
    world.break_down()
    assert world.step().reason is Reason.NO_REMEDY
    assert world.incident.status is Status.ESCALATED
    assert world.step().reason is Reason.AWAITING_PEOPLE
    world.cloudwatch.set("fast", "OK", world.now)
    world.pass_time(10)
    world.traffic(100, 0, seconds=80)
    world.pass_time(2)
    assert world.step().reason is Reason.RECOVERED_UNAIDED
    assert world.function.updates == []


def test_a_value_that_someone_changed_back_is_not_fought_over(world: World) -> None:
    world.break_down()
    world.step()
    world.function.change(FAILURE_RATE="0.3")
    world.pass_time(5)
    assert world.step().reason is Reason.VALUE_CHANGED
    world.pass_time(60)
    assert world.step().reason is Reason.AWAITING_PEOPLE
    assert len(world.function.updates) == 1


def test_an_error_of_lambda_keeps_the_intent_and_raises(world: World) -> None:
    world.break_down()
    denied = aws_error("AccessDeniedException", "UpdateFunctionConfiguration")
    world.function.before_update = raising(denied)
    with pytest.raises(ClientError):
        world.step()
    assert (world.incident.status, world.incident.effect) == (Status.ACTING, Effect.APPLY)


def test_no_act_without_a_ledger(world: World) -> None:
    world.break_down()
    world.dynamodb.delete_table(TableName="ledger")
    with pytest.raises(ClientError):
        world.step()
    assert world.function.updates == []


def test_no_act_when_an_alarm_is_gone(world: World) -> None:
    world.break_down()
    del world.cloudwatch.states["backstop"]
    with pytest.raises(UnreadableError, match="backstop"):
        world.step()
    assert world.function.updates == []


def test_no_act_on_metrics_that_cloudwatch_could_not_give(world: World) -> None:
    world.break_down()
    world.cloudwatch.status_code = "InternalError"
    with pytest.raises(UnreadableError, match="InternalError"):
        world.step()
    assert world.function.updates == []


def test_a_run_that_reads_before_another_writes_loses_and_does_nothing(world: World) -> None:
    world.break_down()
    seen = world.observe()
    world.step()
    with pytest.raises(LostRaceError):
        execute(seen, decide(seen), world.aws, world.clock)
    assert len(world.function.updates) == 1


def test_a_notice_that_cannot_be_sent_is_tried_again_but_not_for_ever(world: World) -> None:
    world.mode = Mode.SUGGEST
    world.break_down()
    world.sns.failing = True
    with pytest.raises(ClientError):
        world.step()
    for _ in range(MAX_ATTEMPTS - 1):
        world.pass_time(45)
        with pytest.raises(ClientError):
            world.step()
    world.pass_time(45)
    assert world.step().reason is Reason.NOTICE_OWED
    assert world.incident.effect is None


def test_a_notice_is_sent_by_the_next_run_when_this_one_died(world: World) -> None:
    world.mode = Mode.SUGGEST
    world.break_down()
    world.sns.failing = True
    with pytest.raises(ClientError):
        world.step()
    world.sns.failing = False
    world.pass_time(45)
    assert world.step().reason is Reason.NOTICE_DUE
    assert len(world.sns.sent) == 1


def test_no_secret_of_the_environment_leaves_the_healer(world: World) -> None:
    world.heal()
    world.step()
    assert CANARY in str(world.function.variables)
    assert CANARY not in world.everything_written()


def test_what_failed_while_the_act_was_under_way_is_no_evidence_against_it(world: World) -> None:
    world.break_down()
    world.function.after_update = lambda: world.traffic(100, 30, seconds=20)
    world.step()
    assert world.incident.acted_at == world.incident.standing[0].since == iso(world.now)
    world.pass_time(10)
    world.traffic(100, 0, seconds=80)
    world.cloudwatch.set("fast", "OK", world.now)
    world.pass_time(2)
    assert world.step().reason is Reason.RECOVERED
