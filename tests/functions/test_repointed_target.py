"""A deployment points a target to another function under the same name: nothing known is about that one."""

from dataclasses import replace

import pytest

from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Mode
from tests.functions.support.remedy_fakes import RemedyLambda
from tests.functions.support.world import World


@pytest.fixture
def world() -> World:
    return World()


def repoint(world: World, function: str = "shop-v2") -> None:
    world.target = replace(world.target, function=function)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    world.function = RemedyLambda(function, fed=arn)
    world.aws = world.connect()


def test_the_open_incident_ends_and_what_stands_is_told(world: World) -> None:
    world.act()
    assert world.incident.function == "shop-fn"
    world.pass_time(60)
    repoint(world)
    assert world.step().reason is Reason.TARGET_REPOINTED
    assert (world.incident.status, world.incident.standing) == (Status.CLOSED, ())
    assert world.incident.closure is not None
    [left] = world.incident.closure.left
    assert (left.plan.before, left.plan.after) == ("0.3", "0")
    [told] = world.sns.sent
    assert "the target was shop-fn, and a deployment has pointed it to shop-v2" in told["Message"]
    assert "from '0.3' to '0'" in told["Message"]
    assert world.open_targets() == frozenset()
    assert world.function.updates == []
    world.step()
    assert len(world.sns.sent) == 1


def test_what_was_held_or_learned_is_not_about_the_other_function(world: World) -> None:
    world.act()
    world.keep_failing()
    world.step()
    assert world.incident.hold is not None
    world.pass_time(60)
    repoint(world)
    world.step()
    world.pass_time(600)
    world.align()
    world.break_down()
    world.step()
    assert world.incident.function == "shop-v2"
    assert (world.incident.status, world.incident.hold, world.incident.rejected) == (
        Status.VERIFYING,
        None,
        (),
    )
    assert world.function.variables["FAILURE_RATE"] == "0"


def test_drift_of_the_other_function_is_handed_over(world: World) -> None:
    world.heal()
    assert world.step().reason is Reason.RECOVERED
    repoint(world)
    assert world.step().reason is Reason.TARGET_REPOINTED
    assert (world.incident.status, world.incident.standing) == (Status.CLOSED, ())
    assert world.function.updates == []


def test_a_command_for_the_old_function_changes_nothing_of_the_new_one(world: World) -> None:
    world.act()
    request = world.ask(Verb.ROLLBACK)
    world.pass_time(60)
    repoint(world)
    world.cloudwatch.set("fast", "OK", world.now)
    world.step()
    [answered] = world.incident.requests
    assert (answered.id, answered.answer, answered.done) == (request.id, Reason.TARGET_REPOINTED, False)
    world.pass_time(60)
    world.step()
    assert world.function.updates == []


def test_in_observe_nobody_is_told_of_what_nobody_was_told(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.act()
    world.pass_time(60)
    repoint(world)
    world.step()
    assert world.incident.status is Status.CLOSED
    assert world.sns.sent == []


def test_an_incident_of_an_earlier_version_is_the_targets_own(world: World) -> None:
    world.act()
    old = replace(world.incident, function=None, version=world.incident.version + 1)
    world.book.write(None, world.incident, old)
    world.be_well()
    assert world.step().reason is Reason.RECOVERED
