"""What AWS refuses for good is asked once: then it is the next remedy's turn, or people are told."""

from dataclasses import replace

import pytest

from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Mode
from tests.functions.support.scenarios import LIMIT, OVERRIDE, ROLLBACK
from tests.functions.support.world import REMEDY, TARGET, World

UPDATE = "update_function_configuration"
QUOTA = "InvalidParameterValueException"


def world_with(*remedies: Remedy, mode: Mode = Mode.ACT) -> World:
    return World(replace(TARGET, remedies=remedies), mode)


def test_a_quota_refusal_goes_to_the_next_remedy_at_once() -> None:
    """A reservation that would leave the account fewer than it must keep."""
    world = world_with(LIMIT, OVERRIDE)
    world.function.refuse = {"put_function_concurrency": QUOTA}
    world.act()
    assert (world.incident.status, world.incident.reason) == (Status.OPEN, Reason.CHANGE_REFUSED)
    assert world.incident.tried == ("limit_concurrency",)
    world.pass_time(10)
    world.step()
    assert world.standing == ["override:MODE"]
    assert world.function.actions["lambda:PutFunctionConcurrency"] == 1
    assert world.incident.failures == (f"limit_concurrency: {QUOTA}",)
    assert Status.INEFFECTIVE not in world.statuses


@pytest.mark.parametrize(
    ("remedy", "method", "action"),
    [
        (REMEDY, UPDATE, "lambda:UpdateFunctionConfiguration"),
        (ROLLBACK, "update_alias", "lambda:UpdateAlias"),
        (LIMIT, "put_function_concurrency", "lambda:PutFunctionConcurrency"),
    ],
)
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InvalidParameterValueException", "CodeVerificationFailedException"]
)
def test_people_are_told_once_and_nothing_is_asked_again(
    remedy: Remedy, method: str, action: str, code: str
) -> None:
    world = world_with(remedy)
    world.function.refuse = {method: code}
    world.act()
    assert (world.incident.status, world.incident.reason) == (Status.ESCALATED, Reason.CHANGE_REFUSED)
    for _ in range(10):
        world.traffic(100, 30, 60)
        world.step()
    assert world.function.actions[action] == 1
    [told] = world.sns.sent
    assert f"{remedy.setting}: {code}" in told["Message"]
    assert "would refuse it again" in told["Message"]
    assert (world.incident.acts, world.standing) == (0, [])


def test_after_a_release_it_is_tried_again() -> None:
    world = world_with(REMEDY)
    world.function.refuse = {UPDATE: "AccessDeniedException"}
    world.act()
    world.function.refuse = {}
    world.ask(Verb.RELEASE)
    world.step()
    world.traffic(100, 30)
    world.step()
    assert world.function.variables["FAILURE_RATE"] == "0"


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ResourceConflictException"])
def test_what_is_only_not_possible_now_is_tried_again(code: str) -> None:
    world = world_with(REMEDY)
    world.function.refuse = {UPDATE: code}
    world.act()
    assert (world.incident.status, world.incident.effect) == (Status.ACTING, Effect.APPLY)
    assert world.incident.failures == ()
    world.function.refuse = {}
    world.pass_time(5)
    world.step()
    assert world.function.variables["FAILURE_RATE"] == "0"


def test_a_rollback_that_is_refused_is_told_and_not_repeated() -> None:
    world = world_with(REMEDY, LIMIT)
    world.act()
    world.keep_failing()
    world.step()
    world.pass_time(5)
    world.step()
    assert world.standing == ["environment:FAILURE_RATE", "limit_concurrency"]
    world.cloudwatch.set("fast", "OK", world.now)
    world.function.refuse = {"delete_function_concurrency": "AccessDeniedException"}
    request = world.ask(Verb.ROLLBACK)
    for _ in range(4):
        world.pass_time(45)
        world.step()
    assert world.function.actions["lambda:DeleteFunctionConcurrency"] == 1
    [answered] = world.incident.requests
    assert (answered.id, answered.answer, answered.done) == (request.id, Reason.CHANGE_REFUSED, False)
    assert world.standing == ["environment:FAILURE_RATE", "limit_concurrency"]
    assert [Reason.CHANGE_REFUSED.value in told["Subject"] for told in world.sns.sent].count(True) == 1


@pytest.mark.parametrize("remedies", [(REMEDY,), (REMEDY, LIMIT)])
def test_an_approval_of_what_aws_refuses_is_answered_with_that(remedies: tuple[Remedy, ...]) -> None:
    world = world_with(*remedies, mode=Mode.SUGGEST)
    world.act()
    assert world.incident.plan is not None
    world.function.refuse = {UPDATE: "AccessDeniedException"}
    request = world.ask(Verb.APPROVE, world.incident.plan.digest("shop"))
    world.pass_time(5)
    world.step()
    [answered] = world.incident.requests
    assert (answered.id, answered.answer, answered.done) == (request.id, Reason.CHANGE_REFUSED, False)
    assert world.incident.answered == {request.id}
    assert world.incident.status is (Status.OPEN if LIMIT in remedies else Status.ESCALATED)


def failed(world: World, code: str = "EniLimitExceeded") -> None:
    """AWS has accepted the update and then given it up."""
    world.function.extra = {"LastUpdateStatusReasonCode": code}
    world.function.status = "Failed"


def test_a_change_that_aws_fails_to_make_is_told_as_that() -> None:
    world = world_with(REMEDY)
    world.act()
    failed(world)
    world.pass_time(45)
    assert world.step().reason is Reason.CHANGE_FAILED
    assert (world.incident.status, world.incident.reason) == (Status.ESCALATED, Reason.CHANGE_FAILED)
    assert Status.INEFFECTIVE not in world.statuses
    [told] = world.sns.sent
    assert "environment:FAILURE_RATE: EniLimitExceeded" in told["Message"]
    assert "runs as it did before" in told["Message"]


def test_after_a_change_that_failed_it_is_the_next_remedys_turn() -> None:
    world = world_with(REMEDY, LIMIT)
    world.act()
    failed(world)
    world.pass_time(45)
    world.step()
    assert (world.incident.status, world.incident.tried) == (Status.OPEN, ("environment:FAILURE_RATE",))
    world.pass_time(5)
    world.step()
    assert world.function.reserved == 5


@pytest.mark.parametrize("shown", ["0", "0.3"])
def test_it_makes_no_difference_which_value_aws_shows_then(shown: str) -> None:
    """If it is the one from before, nobody else has changed it, and nothing stands."""
    world = world_with(REMEDY)
    world.act()
    failed(world)
    world.function.change(FAILURE_RATE=shown)
    world.pass_time(20)
    assert world.step().reason is Reason.CHANGE_FAILED
    assert world.standing == (["environment:FAILURE_RATE"] if shown == "0" else [])


def test_a_failed_update_from_before_does_not_hinder_a_change_that_aws_makes() -> None:
    world = world_with(REMEDY)
    failed(world)
    world.act()
    world.function.status = "Successful"
    world.be_well()
    assert world.step().reason is Reason.RECOVERED
