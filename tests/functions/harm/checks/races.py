"""Two healers that run at the same time, a hundred times over."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from threading import Barrier

from selfheal.functions.healer.decide import decide
from selfheal.functions.healer.execute import execute
from selfheal.functions.healer.ledger import LostRaceError
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.events import fleet_of
from tests.functions.support.loop import Loop
from tests.functions.support.tap import Do
from tests.functions.support.world import REMEDY

ROUNDS = 100
ALL_AT_ONCE = Limits(blast_radius=1.0)


def fleet(
    size: int, mode: Mode = Mode.ACT, remedy: Remedy = REMEDY, limits: Limits = ALL_AT_ONCE
) -> list[Loop]:
    """Return failing targets."""
    loops = list(fleet_of([((remedy,), "unremedied", None)] * size, mode).loops)
    for loop in loops:
        loop.limits = limits
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


def act_once_in_turns(size: int) -> None:
    for seed in range(ROUNDS):
        dice, loops = Random(seed), fleet(size)
        for _ in range(30):
            for loop in loops:
                loop.elapse()
            interleave([turns(loops), turns(loops)], dice)
            if all(loop.has_ended for loop in loops):
                break
        check_end(loops)


def act_once_when_overtaken(size: int, remedy: Remedy) -> None:
    """A second healer runs before the k-th call of the first one's acting run, for every k.

    For settings without a revision, only the lease keeps the two apart.
    """
    number = 0
    while True:
        loops = fleet(size, remedy=remedy)
        for loop in loops:
            loop.elapse()
        overtaken = overtake(loops, number)
        for _ in range(30):
            for loop in loops:
                loop.tick()
        check_end(loops)
        if not overtaken:
            assert number > 2
            return
        number += 1


def overtake(loops: list[Loop], number: int) -> bool:
    """Run one healer, and a second one before call `number` of the first; return whether it got so far."""
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
        loop.tap.mend()
    return bool(done)


def act_once_in_threads() -> None:
    barrier = Barrier(2)

    def work(loops: list[Loop]) -> None:
        barrier.wait()
        for loop in loops:
            loop.attempt()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            loops = fleet(2)
            for loop in loops:
                loop.elapse()
            for run in [pool.submit(work, loops), pool.submit(work, loops)]:
                run.result()
            for _ in range(20):
                for loop in loops:
                    loop.tick()
            check_end(loops)


def spend_the_last_of_a_budget_once() -> None:
    for seed in range(ROUNDS):
        dice, loops = Random(seed), fleet(2, limits=Limits(budget=1, blast_radius=1.0))
        for _ in range(12):
            for loop in loops:
                loop.elapse()
            interleave([turns([loop]) for loop in loops], dice)
        assert sum(len(loop.applies()) for loop in loops) == 1
        reasons = {loop.incident.hold.reason for loop in loops if loop.incident.hold}
        assert reasons == {Reason.BUDGET_SPENT}


def keep_within_the_blast_radius() -> None:
    for seed in range(ROUNDS):
        dice, loops = Random(seed), fleet(2, limits=Limits(blast_radius=0.5))
        for _ in range(12):
            for loop in loops:
                loop.elapse()
            interleave([turns([loop]) for loop in loops], dice)
            assert len(loops[0].book.read_fleet().acting) <= 1


def obey_a_kill_switch_between_reading_and_writing() -> None:
    (loop,) = fleet(1)
    loop.elapse()
    seen = loop.observe()
    loop.set_mode(Mode.OBSERVE)
    with suppress(LostRaceError):
        execute(seen, decide(seen), loop.aws, loop.clock)
    assert (loop.acts, loop.last) == ([], None)
    assert loop.step().reason is Reason.MODE_FORBIDS


def use_an_approval_once() -> None:
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
