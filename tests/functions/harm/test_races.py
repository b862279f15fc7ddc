"""Two healers at once, a hundred times: one act for each target, and the ledger of one healer."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from random import Random
from threading import Barrier

import pytest

from selfheal.functions.healer.decide import decide
from selfheal.functions.healer.execute import execute
from selfheal.functions.healer.ledger import LostRaceError
from selfheal.functions.healer.states import TERMINAL, Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.loop import Loop
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.scenarios import LIMIT, unremedied
from tests.functions.support.tap import Do
from tests.functions.support.world import REMEDY, TARGET

pytestmark = pytest.mark.slow

ROUNDS = 100


def fleet(size: int, mode: Mode = Mode.ACT, remedy: Remedy = REMEDY) -> list[Loop]:
    """Targets that are failing now, and may all be changed at the same time."""
    table, loops = MemoryTable(), list[Loop]()
    for number in range(size):
        target = replace(TARGET, name=f"t{number}", function=f"fn{number}", remedies=(remedy,))
        loop = Loop(target, mode, table)
        loop.limits, loop.fleet_size, loop.cause = Limits(blast_radius=1.0), size, unremedied(loop)
        loops.append(loop)
    return loops


def turns(loops: list[Loop]) -> Iterator[None]:
    """One run of a healer over all targets, which pauses between reading and writing."""
    for loop in loops:
        seen = loop.observe()
        yield
        decision = decide(seen)
        try:
            execute(seen, decision, loop.aws, loop.clock)
        except LostRaceError:
            continue
        yield


def interleave(runs: list[Iterator[None]], dice: Random) -> None:
    while runs:
        one = dice.choice(runs)
        if next(one, StopIteration) is StopIteration:
            runs.remove(one)


def check_end(loops: list[Loop]) -> None:
    for loop in loops:
        assert len(loop.applies()) == 1
        assert loop.incident.status is Status.RECOVERED
        assert (loop.incident.acts, len(loop.incident.recent_acts)) == (1, 1)
        assert len(loop.sns.sent) == 1
    shared = loops[0].book.read_fleet()
    assert (len(shared.acts), shared.version) == (len(loops), len(loops))
    assert (shared.acting, shared.blocking) == (frozenset(), frozenset())


@pytest.mark.parametrize("size", [1, 2])
def test_two_healers_in_turns_act_once_for_each_target(size: int) -> None:
    for seed in range(ROUNDS):
        dice, loops = Random(seed), fleet(size)
        for _ in range(30):
            for loop in loops:
                loop.elapse()
            interleave([turns(loops), turns(loops)], dice)
            if all(loop.last and loop.last.status in TERMINAL and not loop.last.effect for loop in loops):
                break
        check_end(loops)


@pytest.mark.parametrize("remedy", [REMEDY, LIMIT], ids=lambda remedy: remedy.kind)
@pytest.mark.parametrize("size", [1, 2])
def test_a_healer_that_overtakes_another_at_any_call_leaves_one_act(size: int, remedy: Remedy) -> None:
    """A second healer runs whole before the k-th call of the first one's acting run, for every k.

    Where AWS has no revision it is the lease alone that keeps them apart.
    """
    number = 0
    while True:
        loops = fleet(size, remedy=remedy)
        for loop in loops:
            loop.elapse()
        overtaken = overtake(loops, number)
        for _ in range(30):
            for loop in loops:
                loop.elapse()
                loop.attempt()
        check_end(loops)
        if not overtaken:
            assert number > 2
            return
        number += 1


def overtake(loops: list[Loop], number: int) -> bool:
    """Run one healer, and a second one before its call `number`; return whether it came to that."""
    done: list[int] = []
    calls: list[int] = []

    def fault(_call: int, do: Do) -> object:
        calls.append(1)
        if len(calls) == number + 1 and not done:
            done.append(number)
            for loop in loops:
                loop.attempt()
        return do()

    for loop in loops:
        loop.tap.fault = fault
    for loop in loops:
        loop.attempt()
    for loop in loops:
        loop.tap.fault = lambda _call, do: do()
    return bool(done)


def test_two_threads_act_once_for_each_target() -> None:
    for _ in range(ROUNDS):
        loops = fleet(2)
        for loop in loops:
            loop.elapse()
        at_once([loops, loops], lambda loop: loop.attempt())
        for _ in range(20):
            for loop in loops:
                loop.elapse()
                loop.attempt()
        check_end(loops)


def at_once(parts: list[list[Loop]], act: Callable[[Loop], object]) -> None:
    barrier = Barrier(len(parts))

    def work(loops: list[Loop]) -> None:
        barrier.wait()
        for loop in loops:
            act(loop)

    with ThreadPoolExecutor(len(parts)) as pool:
        for run in [pool.submit(work, part) for part in parts]:
            run.result()


def test_the_last_of_a_budget_is_spent_once() -> None:
    for seed in range(ROUNDS):
        dice, loops = Random(seed), fleet(2)
        for loop in loops:
            loop.limits = Limits(budget=1, blast_radius=1.0)
        for _ in range(12):
            for loop in loops:
                loop.elapse()
            interleave([turns([loop]) for loop in loops], dice)
        assert sum(len(loop.applies()) for loop in loops) == 1
        reasons = {loop.incident.hold.reason for loop in loops if loop.incident.hold}
        assert reasons == {Reason.BUDGET_SPENT}


def test_only_as_many_targets_are_changed_at_a_time_as_the_blast_radius_allows() -> None:
    for seed in range(ROUNDS):
        dice, loops = Random(seed), fleet(2)
        for loop in loops:
            loop.limits = Limits(blast_radius=0.5)
        for _ in range(12):
            for loop in loops:
                loop.elapse()
            interleave([turns([loop]) for loop in loops], dice)
            assert len(loops[0].book.read_fleet().acting) <= 1


def test_a_kill_switch_between_reading_and_writing_is_obeyed() -> None:
    (loop,) = fleet(1)
    loop.elapse()
    seen = loop.observe()
    loop.set_mode(Mode.OBSERVE)
    with suppress(LostRaceError):
        execute(seen, decide(seen), loop.aws, loop.clock)
    assert (loop.acts, loop.last) == ([], None)


def test_an_approval_is_used_once_by_two_healers() -> None:
    for seed in range(ROUNDS):
        dice, (loop,) = Random(seed), fleet(1, Mode.SUGGEST)
        loop.run(1)
        assert loop.incident.plan is not None
        loop.ask(Verb.APPROVE, loop.incident.plan.digest(loop.target.name))
        for _ in range(3):
            loop.elapse()
            interleave([turns([loop]), turns([loop])], dice)
        assert len(loop.applies()) == 1
        assert len(loop.incident.answered) == 1
