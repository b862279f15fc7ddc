"""The healer step by step: one run after another against a small world."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.decide import MAX_ATTEMPTS
from selfheal.functions.healer.incident_fields import Guard
from selfheal.functions.healer.observe import UnreadableError
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode
from tests.functions.support.faults import CANARY, die, throttle
from tests.functions.support.world import BACKSTOP, REMEDY, START, World


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
    assert world.statuses == ["ACTING", "VERIFYING", "RECOVERED"]
    assert world.open_targets() == set()
    assert [message["Subject"] for message in world.sns.sent] == [
        "[selfheal] RECOVERED: shop (recovered-by-evidence)"
    ]
    assert world.standing == ["environment:FAILURE_RATE"]
    assert world.step().reason is Reason.DRIFT_STANDS
    assert len(world.function.updates) == 1


def test_a_closed_incident_is_kept_as_a_copy_that_expires(world: World) -> None:
    world.heal()
    world.step()
    copy = world.dynamodb.items["target#shop", f"closed#{world.incident.id}"]
    assert int(copy["expires_at"]["N"]) > START.timestamp()
    assert "expires_at" not in world.dynamodb.items["target#shop", "incident"]


@pytest.mark.parametrize(
    ("traffic", "late", "reason"),
    [
        pytest.param((100, 0), 0, Reason.ALARM_NOT_CORROBORATED, id="forced while the service is well"),
        pytest.param((100, 2), 0, Reason.ALARM_NOT_CORROBORATED, id="made more sensitive by hand"),
        pytest.param(None, 0, Reason.ALARM_NOT_FRESH, id="without any metrics"),
        pytest.param((100, 30), 600, Reason.ALARM_NOT_FRESH, id="without recent metrics"),
    ],
)
def test_an_alarm_that_its_metrics_do_not_confirm_changes_nothing(
    world: World, traffic: tuple[int, int] | None, late: int, reason: Reason
) -> None:
    if traffic is not None:
        world.traffic(*traffic, seconds=60)
    world.cloudwatch.set("fast", "ALARM", world.now)
    world.pass_time(late)
    assert world.step().reason is reason
    assert world.function.updates == []


def test_the_late_backstop_does_not_open_a_second_incident(world: World) -> None:
    world.cloudwatch.put(START, 600, 180, BACKSTOP)
    world.heal()
    world.step()
    world.cloudwatch.set("backstop", "ALARM", world.now)
    assert world.step().reason is Reason.DRIFT_STANDS
    assert world.incident.status is Status.RECOVERED


def test_no_traffic_after_the_act_is_never_called_recovered(world: World) -> None:
    world.act()
    world.cloudwatch.set("fast", "OK", world.now)
    for _ in range(14):
        world.pass_time(60)
        assert world.step().reason is Reason.COLLECTING_EVIDENCE
    world.pass_time(120)
    assert world.step().reason is Reason.NO_EVIDENCE
    assert world.statuses[-2:] == ["INCONCLUSIVE", "ESCALATED"]
    assert len(world.sns.sent) == 1
    assert "a person must look" in world.sns.sent[0]["Message"]


def test_an_ineffective_remedy_is_held_and_a_person_called_once(world: World) -> None:
    """The incident closes once there is evidence that the service is well."""
    world.act()
    world.keep_failing()
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    assert world.incident.status is Status.ESCALATED
    assert world.function.variables["FAILURE_RATE"] == "0"
    for _ in range(5):
        world.pass_time(60)
        assert world.step().reason is Reason.AWAITING_PEOPLE
    assert len(world.sns.sent) == 1
    assert len(world.function.updates) == 1
    world.cloudwatch.set("fast", "OK", world.now)
    world.pass_time(60 - world.now.second % 60)
    assert world.step().reason is Reason.AWAITING_PEOPLE
    world.traffic(100, 0, seconds=190)
    world.pass_time(2)
    assert world.step().reason is Reason.RECOVERED
    assert world.open_targets() == set()


def test_an_ineffective_remedy_that_is_safe_to_revert_is_undone(world: World) -> None:
    world.target = replace(world.target, remedies=(replace(REMEDY, revert_safe=True),))
    world.act()
    world.keep_failing()
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    assert world.function.variables["FAILURE_RATE"] == "0.3"
    assert (world.incident.status, world.incident.reason) == (Status.OPEN, Reason.REVERTED)
    assert world.open_targets() == set()
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    assert world.incident.status is Status.ESCALATED
    world.step()
    assert len(world.sns.sent) == 1


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
    world.act()
    world.be_well()
    assert world.step().reason is Reason.RECOVERED_UNAIDED
    assert (world.incident.status, world.incident.acts) == (Status.RECOVERED, 0)


def test_a_variable_added_between_read_and_write_is_kept(world: World) -> None:
    world.break_down()
    world.function.before = lambda: world.function.change(ADDED="by someone")
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert world.function.updates == []
    assert (world.incident.status, world.incident.reason) == (Status.ACTING, Reason.DEFERRED)
    world.function.before = lambda: None
    assert world.step().reason is Reason.DEPLOYMENT_IN_PROGRESS
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert world.function.variables["ADDED"] == "by someone"
    assert world.function.variables["FAILURE_RATE"] == "0"
    assert (world.incident.status, world.incident.acts) == (Status.VERIFYING, 1)


def test_a_throttled_act_stays_intended_and_is_dropped_when_the_alarm_clears(world: World) -> None:
    world.break_down()
    world.function.before = lambda: throttle(die)
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
    assert world.incident.guard == Guard(Reason.TARGET_BUSY)
    world.function.status = "Successful"
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert (world.incident.status, world.incident.guard) == (Status.VERIFYING, None)


def test_tries_are_bounded_and_then_a_person_is_called(world: World) -> None:
    world.break_down()
    world.function.before = lambda: throttle(die)
    for _ in range(MAX_ATTEMPTS):
        assert world.step().reason is Reason.ALARM_CONFIRMED
    assert world.step().reason is Reason.ATTEMPTS_EXHAUSTED
    assert world.incident.status is Status.ESCALATED
    assert world.open_targets() == set()
    assert len(world.sns.sent) == 1
    assert world.function.updates == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exists": False}, Reason.TARGET_GONE),
        ({"readable": False}, Reason.CONFIGURATION_UNREADABLE),
        ({"variables": {"OTHER": "kept"}}, Reason.VARIABLE_MISSING),
        ({"variables": {"FAILURE_RATE": "0"}}, Reason.ALREADY_APPLIED),
    ],
)
def test_a_remedy_that_cannot_be_used_is_left_to_people(
    world: World, changes: dict[str, object], reason: Reason
) -> None:
    for name, value in changes.items():
        setattr(world.function, name, value)
    assert world.act().reason is reason
    assert world.incident.status is Status.ESCALATED
    assert world.function.updates == []


def test_a_target_without_a_remedy_is_watched_and_people_are_called(world: World) -> None:
    world.target = replace(world.target, remedies=())
    assert world.act().reason is Reason.NO_REMEDY
    assert world.incident.status is Status.ESCALATED
    assert world.step().reason is Reason.AWAITING_PEOPLE
    world.be_well()
    assert world.step().reason is Reason.RECOVERED_UNAIDED
    assert world.function.updates == []


def test_a_value_that_someone_changed_back_is_not_fought_over(world: World) -> None:
    world.act()
    world.function.change(FAILURE_RATE="0.3")
    world.pass_time(5)
    assert world.step().reason is Reason.VALUE_CHANGED
    world.pass_time(60)
    assert world.step().reason is Reason.AWAITING_PEOPLE
    assert len(world.function.updates) == 1


def test_an_error_of_lambda_keeps_the_intent_and_raises(world: World) -> None:
    world.break_down()
    world.function.refuse = {"update_function_configuration": "ServiceException"}
    with pytest.raises(ClientError):
        world.step()
    assert (world.incident.status, world.incident.effect) == (Status.ACTING, Effect.APPLY)


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (lambda world: setattr(world.dynamodb, "exists", False), ClientError, "ResourceNotFound"),
        (lambda world: world.cloudwatch.states.pop("fast"), UnreadableError, "fast"),
        (lambda world: world.cloudwatch.states.pop("backstop"), UnreadableError, "backstop"),
        (
            lambda world: setattr(world.cloudwatch, "status_code", "InternalError"),
            UnreadableError,
            "Internal",
        ),
    ],
    ids=["ledger", "alarm", "other alarm", "metrics"],
)
def test_no_act_when_something_cannot_be_read(
    world: World, spoil: Callable[[World], None], error: type[Exception], text: str
) -> None:
    world.break_down()
    spoil(world)
    with pytest.raises(error, match=text):
        world.step()
    assert world.function.updates == []


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
    world.function.after = lambda: world.traffic(100, 30, seconds=20)
    world.step()
    assert world.incident.acted_at == world.incident.standing[0].since == iso(world.now)
    world.be_well()
    assert world.step().reason is Reason.RECOVERED
