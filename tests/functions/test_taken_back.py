"""The healer dies after an act, and a person takes the act back before the healer knows that it was done."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.shared.contract import override_key
from tests.functions.support.faults import DiedError, die, die_after
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import SCENARIOS
from tests.functions.support.world import REMEDY, World


def taken_back(scenario: str, take_back: Callable[[Loop], object]) -> Loop:
    loop = SCENARIOS[scenario]()
    loop.tap.fail_acts(die_after)
    loop.run(1)
    loop.tap.mend()
    take_back(loop)
    loop.cause = lambda: True
    loop.run(20)
    return loop


def clear_override(loop: Loop) -> None:
    item = {**override_key("shop", "MODE"), "schema": {"N": "2"}, "version": {"N": "2"}}
    loop.dynamodb.put_item(Item=item)


@pytest.mark.parametrize(
    ("scenario", "take_back"),
    [
        ("helped", lambda loop: loop.function.change(FAILURE_RATE="0.3")),
        ("helped", lambda loop: loop.function.change(FAILURE_RATE="0.5")),
        ("helped_by_rollback", lambda loop: loop.function.point_alias("4")),
        ("helped_by_override", clear_override),
    ],
    ids=["variable", "another value", "alias", "override"],
)
def test_an_act_is_not_repeated_and_a_person_is_called_once(
    scenario: str, take_back: Callable[[Loop], object]
) -> None:
    left: list[object] = []
    loop = taken_back(scenario, lambda loop: (take_back(loop), left.append(loop.live())))
    assert [loop.live()] == left
    assert len(loop.acts) == 1
    assert loop.incident.status is Status.ESCALATED
    assert Reason.VALUE_CHANGED in loop.reasons
    assert len(loop.sns.sent) == 1


def test_an_act_without_a_revision_is_repeated_once() -> None:
    """It looks as if it had not been done. One intent, counted once, and no other value is written."""
    loop = taken_back("limited_in_vain", lambda loop: setattr(loop.function, "reserved", None))
    assert [(act.effect, act.was) for act in loop.acts] == [
        (Effect.APPLY, None),
        (Effect.APPLY, None),
        (Effect.REVERT, "5"),
    ]
    assert len({act.intent for act in loop.applies()}) == len(loop.book.read_fleet().acts) == 1


def die_after_the_act(world: World) -> None:
    """Leave the intent of an act that was done, and that nobody knows of."""
    world.function.after = die
    with pytest.raises(DiedError):
        world.act()
    world.function.after = lambda: None
    world.pass_time(41)


def test_after_a_deployment_it_looks_afresh(world: World) -> None:
    """Revision and configuration have changed, so the new act is a new intent, and is counted."""
    die_after_the_act(world)
    world.function.change(FAILURE_RATE="0.3", OTHER="deployed")
    world.align()
    world.traffic(100, 30, seconds=30)
    assert world.step().reason is Reason.DEPLOYMENT_IN_PROGRESS
    world.step()
    assert world.incident.status is Status.VERIFYING
    assert len(world.incident.recent_acts) == 2


def test_a_revert_that_someone_undid_is_not_repeated(world: World) -> None:
    world.target = replace(world.target, remedies=(replace(REMEDY, revert_safe=True),))
    world.act()
    world.ask(Verb.ROLLBACK)
    world.function.after = die
    with pytest.raises(DiedError):
        world.step()
    world.function.after = lambda: None
    assert world.incident.effect is Effect.REVERT
    world.function.change(FAILURE_RATE="0")
    world.pass_time(41)
    assert world.step().reason is Reason.VALUE_CHANGED
    assert world.function.variables["FAILURE_RATE"] == "0"
    assert world.standing == ["environment:FAILURE_RATE"]
