"""The healer remembers which versions it rolled away from, and takes at most two steps in one incident."""

from dataclasses import replace

import pytest

from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Mode
from tests.functions.support.scenarios import LIMIT, ROLLBACK
from tests.functions.support.world import TARGET, World


def rolling(*remedies: Remedy, versions: str = "1 2 3 4", serving: str = "4") -> World:
    world = World(replace(TARGET, remedies=remedies or (ROLLBACK,)))
    world.function.versions = ["$LATEST", *versions.split()]
    world.function.point_alias(serving)
    world.align()
    return world


def version(world: World) -> str:
    assert world.function.alias is not None
    return str(world.function.alias["FunctionVersion"])


def recover(world: World) -> None:
    world.be_well()
    assert world.step().reason is Reason.RECOVERED


def deploy(world: World, number: str) -> None:
    """Publish a version, and point the alias to it; long after what was before."""
    world.pass_time(2 * 86400)
    world.align()
    world.function.versions.append(number)
    world.function.point_alias(number)


def fails_again(world: World) -> None:
    world.keep_failing()
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    world.pass_time(5)


def test_a_version_that_was_bad_is_not_gone_back_to() -> None:
    """Version 2 was bad, and 1 helped. 3 is bad too: it goes to 1, not to 2."""
    world = rolling(versions="1 2", serving="2")
    world.act()
    assert version(world) == "1"
    recover(world)
    assert world.incident.rejected == ("shop-fn:2",)
    deploy(world, "3")
    world.act()
    assert version(world) == "1"
    recover(world)
    assert world.incident.rejected == ("shop-fn:2", "shop-fn:3")


def test_if_that_does_not_help_one_further_step_is_taken_and_no_third() -> None:
    world = rolling(versions="1 2 3 5", serving="3")
    world.act()
    recover(world)
    assert version(world) == "2"
    world.function.point_alias("5")
    world.pass_time(2 * 86400)
    world.align()
    world.act()
    assert version(world) == "2", "3 was rolled away from"
    fails_again(world)
    assert world.incident.status is Status.OPEN
    world.step()
    assert version(world) == "1"
    world.function.versions.append("0")
    fails_again(world)
    assert (world.incident.status, world.incident.reason) == (Status.ESCALATED, Reason.REMEDY_INEFFECTIVE)
    assert version(world) == "1", "there is a 0, but two steps are the most"
    assert world.incident.acts == 2


def test_after_two_steps_what_is_put_back_is_the_version_before_the_first() -> None:
    world = rolling()
    world.act()
    fails_again(world)
    world.step()
    assert version(world) == "2"
    recover(world)
    [standing] = world.incident.standing
    assert (standing.plan.before, standing.plan.after) == ("4", "2")
    assert world.incident.rejected == ("shop-fn:4", "shop-fn:3")
    world.ask(Verb.RESTORE)
    world.step()
    assert version(world) == "4"
    assert world.incident.rejected == ("shop-fn:3",), "people want 4 back"


def test_versions_that_were_no_worse_than_those_before_are_not_avoided() -> None:
    """The cause was elsewhere: what helps is the other remedy. Version 1 stays as good as any."""
    world = rolling(ROLLBACK, LIMIT, versions="1 2 3", serving="3")
    world.act()
    fails_again(world)
    world.step()
    fails_again(world)
    assert version(world) == "1"
    assert world.incident.rejected == ()
    world.step()
    assert world.function.reserved == 5
    recover(world)


def test_without_an_earlier_version_there_is_no_further_step() -> None:
    world = rolling(versions="1 2", serving="2")
    world.act()
    fails_again(world)
    assert (world.incident.status, world.incident.acts) == (Status.ESCALATED, 1)


def test_a_release_lets_every_version_be_tried_again() -> None:
    world = rolling(versions="1 2", serving="2")
    world.act()
    recover(world)
    world.ask(Verb.RELEASE)
    world.step()
    assert world.incident.rejected == ()
    deploy(world, "3")
    world.act()
    assert version(world) == "2"


def test_where_no_version_can_run_people_are_told_so() -> None:
    world = rolling(versions="1 2 3", serving="3")
    world.function.broken = {"1": {"State": "Failed"}, "2": {"State": "Failed"}}
    assert world.act().reason is Reason.NO_EARLIER_VERSION
    assert (world.incident.status, world.incident.acts) == (Status.ESCALATED, 0)
    [told] = world.sns.sent
    assert "No earlier published version can run" in told["Message"]
    assert version(world) == "3"


@pytest.mark.parametrize("mode", [Mode.SUGGEST, Mode.OBSERVE])
def test_a_plan_that_waits_for_people_names_a_version_that_can_run(mode: Mode) -> None:
    world = rolling(versions="1 2 3", serving="3")
    world.mode = mode
    world.function.broken = {"2": {"State": "Failed"}}
    world.act()
    assert world.incident.plan is not None
    assert (world.incident.status, world.incident.plan.after) == (Status.PROPOSED, "1")


def test_the_last_ten_versions_are_remembered() -> None:
    world = rolling(versions="1 2", serving="2")
    for number in range(3, 14):
        world.act()
        assert version(world) == "1"
        recover(world)
        deploy(world, str(number))
    assert world.incident.rejected == tuple(f"shop-fn:{number}" for number in range(3, 13))
