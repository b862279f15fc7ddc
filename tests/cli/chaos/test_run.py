"""One run in its phases: what is broken when, and that it is undone whatever happens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from selfheal.cli.chaos.judge import Verdict, judge
from selfheal.cli.chaos.recording import Phase
from selfheal.cli.chaos.run import Run, not_ready
from selfheal.cli.errors import CliError
from selfheal.scenarios.scenario import Bound
from tests.cli.chaos.support import (
    BEGAN,
    OPEN,
    RUNNER,
    FakeClock,
    FakeSent,
    FakeStack,
    FakeWay,
    Recording,
    Silent,
    scenario,
)


@dataclass
class FakeLease:
    run_id: str = "r"
    reason: str = ""

    def renew(self) -> None:
        self.reason = self.reason or "bob stopped it"


@dataclass
class FakeRecords:
    go_on: bool = True
    renewed: list[float] = field(default_factory=list[float])

    def may_go_on(self, _run_id: str, alive_until: float) -> bool:
        self.renewed.append(alive_until)
        return self.go_on


class World:
    """A run of a scenario on things that are not there."""

    def __init__(self, **changes: Any) -> None:
        self.clock = FakeClock()
        self.stack, self.sent, self.way = FakeStack(self.clock), FakeSent(self.clock), FakeWay(self.clock)
        self.lease, self.records, self.shown = FakeLease(), FakeRecords(), Silent()
        self.scenario = scenario(**changes)
        self.allow: Callable[[], None] = lambda: None
        self.made: Run | None = None

    def at(self, seconds: float, what: Callable[[], object]) -> None:
        self.clock.wakes.append((seconds, what))

    def refuse(self, keys: object) -> Any:
        raise ClientError({"Error": {"Code": "Throttling", "Message": f"slow down: {keys}"}}, "BatchGetItem")

    def run(self) -> Recording:
        stack, lease, records = cast("Any", self.stack), cast("Any", self.lease), cast("Any", self.records)
        made = Recording(scenario=self.scenario, stack="orders", by=RUNNER, began=BEGAN, how="by nothing")
        self.made = Run(
            *(made, stack, self.sent, self.way, lease, records, self.way.undone, self.shown),
            allow=self.allow,
            now=self.clock.time,
            sleep=self.clock.sleep,
        )
        return self.made.go()


def test_the_phases_of_a_run_that_holds() -> None:
    world = World()
    recording = world.run()
    assert world.shown.phases == [Phase.BEFORE, Phase.FAULT, Phase.AFTER]
    assert (world.way.made_at, world.way.undone_at) == (10.0, [30.0])
    assert (recording.fault_began, recording.fault_ended) == (10.0, 30.0)
    assert world.sent.stopped == 30.0  # no order is sent afterwards
    assert 33.0 <= recording.ended < 36.0  # settled at once, and looked on for a while
    assert len(recording.puts) == len(recording.orders) == 90
    assert judge(recording)[0] is Verdict.HOLDS
    assert len(recording.looks) >= 33


def test_what_is_not_settled_is_waited_for_at_most_so_long() -> None:
    world = World(hypothesis=(Bound("lost_orders", at_most=0),))
    world.at(11, lambda: setattr(world.stack, "stuck", True))
    recording = world.run()
    assert recording.ended == pytest.approx(60.0)
    assert judge(recording)[0] is Verdict.FAILS


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda world: setattr(world.way, "refused", "switched already"), "switched already"),
        (lambda world: setattr(world.stack, "circuit", OPEN), "not at rest"),
        (lambda world: world.at(5, lambda: setattr(world.stack, "letters", 2)), "2 letters came"),
        (lambda world: world.at(5, lambda: setattr(world.lease, "reason", "bob stopped it")), "bob stopped"),
        (lambda world: setattr(world.sent, "status", 500), "accepted_share at least 1 does not hold"),
        (lambda world: setattr(world.stack, "stuck", True), "no order was fulfilled"),
    ],
)
def test_nothing_is_broken_where_all_is_not_well_before(spoil: Callable[[World], None], reason: str) -> None:
    world = World()
    spoil(world)
    recording = world.run()
    assert world.way.made_at is None
    assert reason in recording.not_started
    assert judge(recording)[0] is Verdict.NOT_STARTED


def test_a_stop_that_came_at_the_last_moment_is_heard() -> None:
    world = World()
    world.records.go_on = False
    recording = world.run()
    assert world.way.made_at is None
    assert recording.not_started == "bob stopped it"


def test_without_its_approval_nothing_is_broken() -> None:
    def allow() -> None:
        raise CliError("the approval was used")

    world = World()
    world.allow = allow
    assert "the approval was used" in world.run().not_started
    assert world.way.made_at is None


def test_a_fault_that_could_be_made_in_part_only_is_undone() -> None:
    world = World()
    world.way.fails = True
    assert "it cannot be made" in world.run().not_started
    assert world.way.undone_at == [10.0]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda world: setattr(world.lease, "reason", "bob stopped it"), "bob stopped it"),
        (lambda world: setattr(world.way, "ends", "FIS ended it"), "FIS ended it"),
        (lambda world: setattr(world.stack, "letters", 7), "new_letters at least 5: it is 7"),
    ],
)
def test_a_fault_is_ended_early(spoil: Callable[[World], None], reason: str) -> None:
    world = World(stop_when=(Bound("new_letters", at_least=5),))
    world.at(15, lambda: spoil(world))
    recording = world.run()
    [undone] = world.way.undone_at
    assert 15.0 <= undone <= 16.5
    assert recording.stopped == reason
    assert judge(recording)[0] is Verdict.STOPPED


@pytest.mark.parametrize("moment", [3.0, 12.0, 45.0])
def test_ctrl_c_undoes_first(moment: float) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    world = World(hypothesis=(Bound("lost_orders", at_most=0),))
    world.at(11, lambda: setattr(world.stack, "stuck", True))
    world.at(moment, interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    made, undone = world.way.made_at, world.way.undone_at
    assert (made is None and undone == []) if moment < 10 else undone == [min(moment, 30.0)]
    assert world.sent.stopped is not None


def test_an_error_while_the_fault_lasts_undoes_it_and_is_told() -> None:
    def fail() -> None:
        raise CliError("the stack answers no more")

    world = World()
    world.at(14, fail)
    assert "the stack answers no more" in world.run().stopped
    assert world.way.undone_at == [14.0]


@pytest.mark.parametrize("partly", [False, True])
def test_a_fault_that_cannot_be_undone_is_told_and_its_record_kept(*, partly: bool) -> None:
    def refuse(undo: object) -> None:
        raise CliError(f"Not undone: {undo}")

    world = World()
    world.way.fails = partly
    world.way.undone = refuse
    recording = world.run()
    assert recording.stopped.startswith("Not undone")
    assert recording.fault_ended is None
    assert judge(recording)[0] is Verdict.STOPPED
    assert world.made is not None
    assert not world.made.is_undone


def test_what_was_never_made_is_not_undone() -> None:
    world = World()
    world.records.go_on = False
    world.run()
    assert world.way.undone_at == []


def test_a_fault_that_takes_a_while_is_waited_for() -> None:
    world, begun = World(), [False, False, True]
    world.way.begun = lambda: begun.pop(0)
    recording = world.run()
    assert (world.way.made_at, recording.fault_began) == (10.0, 12.0)
    assert world.way.undone_at == [32.0]


def test_a_stop_is_heard_after_the_fault_too() -> None:
    world = World(hypothesis=(Bound("lost_orders", at_most=0),))
    world.at(11, lambda: setattr(world.stack, "stuck", True))
    world.at(35, lambda: setattr(world.lease, "reason", "bob stopped it"))
    recording = world.run()
    assert 35 <= recording.ended <= 36
    assert judge(recording)[0] is Verdict.STOPPED


def test_after_the_fault_a_stack_that_does_not_answer_for_a_while_is_waited_for() -> None:
    def lose() -> None:
        world.stack.orders = world.refuse
        world.at(40, lambda: setattr(world.stack, "orders", answers))

    world = World()
    answers = world.stack.orders
    world.at(30.5, lose)
    recording = world.run()
    assert "the orders could not be read at 31 s" in recording.notes[0]
    assert judge(recording)[0] is Verdict.HOLDS
    assert recording.ended > 40


def test_while_the_fault_lasts_a_stack_that_does_not_answer_ends_it() -> None:
    world = World()
    world.at(15, lambda: setattr(world.stack, "orders", world.refuse))
    assert "slow down" in world.run().stopped
    assert world.way.undone_at == [15.0]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda _: None, ""),
        (lambda world: setattr(world.stack, "circuit", OPEN), "not at rest"),
        (lambda world: setattr(world.sent, "status", 403), "answered 403 to an order of ann"),
        (lambda world: setattr(world.sent, "status", None), "did not answer"),
        (lambda world: setattr(world.stack, "stuck", True), "1 of 1 orders were not fulfilled within 200 s"),
    ],
)
def test_first_orders_must_arrive(spoil: Callable[[World], None], reason: str) -> None:
    world = World()
    spoil(world)
    found = not_ready(world.stack, world.sent, world.clock.sleep)
    assert reason in found
    assert bool(found) is bool(reason)
