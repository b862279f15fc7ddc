"""The ladder of autonomy: what the healer may do by itself, and what people let it do."""

from dataclasses import replace

import pytest

from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Mode
from tests.functions.support.world import OPERATOR, World


def proposed(world: World) -> str:
    """Break down in mode suggest, and return the digest of what is proposed."""
    world.mode = Mode.SUGGEST
    world.act()
    assert world.incident.plan is not None
    return world.incident.plan.digest("shop")


@pytest.mark.parametrize(
    ("baseline", "override", "acts"),
    [
        (Mode.ACT, None, True),
        (Mode.ACT, Mode.ACT, True),
        (Mode.ACT, Mode.SUGGEST, False),
        (Mode.ACT, Mode.OBSERVE, False),
        (Mode.SUGGEST, Mode.ACT, False),
        (Mode.OBSERVE, Mode.ACT, False),
    ],
)
def test_the_more_restrictive_mode_wins(
    world: World, baseline: Mode, override: Mode | None, acts: bool
) -> None:
    world.mode = baseline
    world.set_mode(override)
    world.act()
    assert bool(world.function.updates) is acts


def test_a_cleared_override_lets_the_baseline_count_again(world: World) -> None:
    world.set_mode(Mode.OBSERVE)
    assert world.act().reason is Reason.MODE_FORBIDS
    world.set_mode(None, version=2)
    world.step()
    assert len(world.function.updates) == 1


def test_an_override_that_is_no_mode_stops_everything(world: World) -> None:
    world.set_mode(Mode.OBSERVE)
    item = {"pk": {"S": "mode"}, "sk": {"S": "override"}, "version": {"N": "1"}, "mode": {"S": "yolo"}}
    world.dynamodb.put_item(TableName="ledger", Item=item)
    world.break_down()
    with pytest.raises(ValueError, match="yolo"):
        world.step()
    assert world.function.updates == []


def test_the_kill_switch_in_an_incident_keeps_what_stands_and_goes_on_judging(world: World) -> None:
    world.act()
    world.set_mode(Mode.OBSERVE)
    world.keep_failing()
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    assert len(world.function.updates) == 1


def test_an_approval_executes_exactly_the_plan_and_says_who_gave_it(world: World) -> None:
    digest = proposed(world)
    assert digest in world.sns.sent[0]["Message"]
    world.ask(Verb.APPROVE, digest)
    assert world.step().reason is Reason.APPROVED
    assert world.function.variables["FAILURE_RATE"] == "0"
    assert world.incident.approval is not None
    assert (world.incident.approval.by, world.incident.approval.plan) == (OPERATOR, digest)
    assert world.incident.status is Status.VERIFYING


def test_an_approval_counts_once(world: World) -> None:
    digest = proposed(world)
    request = world.ask(Verb.APPROVE, digest)
    world.step()
    assert world.incident.answered == {request.id}
    world.function.change(FAILURE_RATE="0.3")
    for _ in range(3):
        world.pass_time(60)
        world.step()
    assert len(world.function.updates) == 1


def test_a_stale_approval_is_refused_and_the_new_plan_proposed(world: World) -> None:
    digest = proposed(world)
    world.ask(Verb.APPROVE, digest)
    world.function.change(ADDED="by a deployment")
    assert world.step().reason is Reason.APPROVAL_STALE
    assert world.function.updates == []
    assert world.incident.plan is not None
    renewed = world.incident.plan.digest("shop")
    assert renewed != digest
    assert renewed in world.sns.sent[-1]["Message"]
    world.ask(Verb.APPROVE, renewed)
    assert world.step().reason is Reason.APPROVED
    assert (world.function.variables["FAILURE_RATE"], "ADDED" in world.function.variables) == ("0", True)


def test_an_expired_approval_is_refused(world: World) -> None:
    world.ask(Verb.APPROVE, proposed(world), minutes=1)
    for _ in range(7):
        world.traffic(100, 30)
    assert world.step().reason is Reason.APPROVAL_EXPIRED
    assert world.function.updates == []


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.SUGGEST])
def test_an_approval_of_another_incident_or_in_observe_does_nothing(world: World, mode: Mode) -> None:
    digest = proposed(world)
    world.mode = mode
    world.ask(Verb.APPROVE, digest, incident="" if mode is Mode.OBSERVE else "another")
    world.step()
    assert world.function.updates == []


def test_an_approved_act_that_dies_is_resumed_without_a_second_approval(world: World) -> None:
    world.ask(Verb.APPROVE, proposed(world))
    world.function.status = "InProgress"
    world.step()
    assert (world.incident.status, world.function.updates) == (Status.PROPOSED, [])
    world.function.status = "Successful"
    world.step()
    assert len(world.function.updates) == 1


@pytest.fixture
def treated(world: World) -> World:
    """A world in which the remedy is in place and the alarm has cleared."""
    world.act()
    world.cloudwatch.set("fast", "OK", world.now)
    return world


def test_rollback_undoes_what_stands_and_holds_the_target(treated: World) -> None:
    treated.ask(Verb.ROLLBACK)
    assert treated.step().reason is Reason.ROLLED_BACK
    assert treated.function.variables["FAILURE_RATE"] == "0.3"
    assert (treated.incident.status, treated.incident.standing) == (Status.ESCALATED, ())
    treated.break_down()
    treated.pass_time(5)
    assert treated.step().reason is Reason.AWAITING_PEOPLE
    assert len(treated.function.updates) == 2


def test_rollback_is_refused_while_the_alarm_rings(world: World) -> None:
    world.act()
    request = world.ask(Verb.ROLLBACK)
    assert world.step().reason is Reason.REVERT_REFUSED
    assert request.id in world.incident.answered
    assert world.function.variables["FAILURE_RATE"] == "0"


def test_rollback_is_carried_out_although_the_kill_switch_is_on(treated: World) -> None:
    treated.set_mode(Mode.OBSERVE)
    treated.ask(Verb.ROLLBACK)
    treated.step()
    assert treated.function.variables["FAILURE_RATE"] == "0.3"


def test_rollback_of_a_value_that_is_not_ours_changes_nothing(treated: World) -> None:
    treated.function.change(FAILURE_RATE="0.1")
    treated.ask(Verb.ROLLBACK)
    assert treated.step().reason is Reason.VALUE_CHANGED
    assert treated.function.variables["FAILURE_RATE"] == "0.1"


def test_a_held_incident_is_left_alone_until_it_is_released(world: World) -> None:
    world.target = replace(world.target, remedies=(replace(world.target.remedies[0], revert_safe=True),))
    world.act()
    world.pass_time(10)
    for _ in range(60):
        world.traffic(100, 30)
        world.step()
    assert world.incident.status is Status.ESCALATED
    assert [update["FAILURE_RATE"] for update in world.function.updates] == ["0", "0.3"]
    world.ask(Verb.RELEASE)
    assert world.step().reason is Reason.RELEASED
    world.step()
    assert [update["FAILURE_RATE"] for update in world.function.updates] == ["0", "0.3", "0"]


def test_an_expired_command_does_nothing_and_people_are_told_once(world: World) -> None:
    world.act()
    world.ask(Verb.ROLLBACK, minutes=1)
    world.pass_time(61)
    assert world.step().reason is Reason.COMMAND_EXPIRED
    world.step()
    assert len(world.function.updates) == 1
    assert ["command-expired" in message["Subject"] for message in world.sns.sent] == [True]
