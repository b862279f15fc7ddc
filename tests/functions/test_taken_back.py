"""What a person takes back before the healer knows that it was done is not done a second time."""

from dataclasses import replace

import pytest

from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from tests.functions.support.world import REMEDY, DiedError, World

OVERRIDE = Remedy("override", "FAILURE_RATE", "0")


def die() -> None:
    raise DiedError


def die_after_the_act(world: World) -> None:
    """Leave an intent whose act was done, and nobody knows."""
    world.break_down()
    world.function.after_update = die
    with pytest.raises(DiedError):
        world.step()
    world.function.after_update = lambda: None
    world.pass_time(41)


def fail_on(world: World) -> None:
    world.pass_time((10 - world.now.second % 10) % 10)
    world.traffic(100, 30, seconds=30)


@pytest.mark.parametrize("value", ["0.3", "0.5"])
def test_an_act_is_not_repeated_and_a_person_is_called_once(world: World, value: str) -> None:
    die_after_the_act(world)
    world.function.change(FAILURE_RATE=value)
    fail_on(world)
    assert world.step().reason is Reason.VALUE_CHANGED
    assert world.incident.status is Status.ESCALATED
    for _ in range(3):
        fail_on(world)
        world.step()
    assert world.function.variables["FAILURE_RATE"] == value
    assert len(world.sns.sent) == 1


def test_an_act_that_was_not_done_is_done_once(world: World) -> None:
    world.break_down()
    world.function.before_update = die
    with pytest.raises(DiedError):
        world.step()
    world.function.before_update = lambda: None
    world.pass_time(41)
    fail_on(world)
    world.step()
    assert (world.incident.status, len(world.function.updates)) == (Status.VERIFYING, 1)


def test_after_a_deployment_it_looks_afresh(world: World) -> None:
    """The revision is another one, and so is the world: the new act is a new intent, counted like any."""
    die_after_the_act(world)
    world.function.change(FAILURE_RATE="0.3", OTHER="deployed")
    fail_on(world)
    assert world.step().reason is Reason.DEPLOYMENT_IN_PROGRESS
    world.step()
    assert world.incident.status is Status.VERIFYING
    assert len(world.incident.recent_acts) == 2


def test_an_override_that_was_taken_back_is_not_written_again(world: World) -> None:
    world.target = replace(world.target, remedies=(OVERRIDE,))
    world.break_down()
    put = world.dynamodb.put_item

    def put_and_die(**arguments: object) -> None:
        put(**arguments)
        raise DiedError

    world.dynamodb.put_item = put_and_die
    with pytest.raises(DiedError):
        world.step()
    world.dynamodb.put_item = put
    key = {"pk": {"S": "override#shop"}, "sk": {"S": "FAILURE_RATE"}}
    put(TableName="ledger", Item=key | {"schema": {"N": "2"}, "version": {"N": "2"}})
    world.pass_time(41)
    fail_on(world)
    assert world.step().reason is Reason.VALUE_CHANGED


def test_a_revert_that_someone_undid_is_not_repeated(world: World) -> None:
    world.target = replace(world.target, remedies=(replace(REMEDY, revert_safe=True),))
    world.break_down()
    world.step()
    world.ask(Verb.ROLLBACK)
    world.function.after_update = die
    with pytest.raises(DiedError):
        world.step()
    world.function.after_update = lambda: None
    assert world.incident.effect is Effect.REVERT
    world.function.change(FAILURE_RATE="0")
    world.pass_time(41)
    assert world.step().reason is Reason.VALUE_CHANGED
    assert world.function.variables["FAILURE_RATE"] == "0"
    assert [str(each.plan.key) for each in world.incident.standing] == ["environment:FAILURE_RATE"]
