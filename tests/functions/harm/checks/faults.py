"""Scenarios in which one call goes wrong, or every call of one kind."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise, takewhile
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from selfheal.functions.healer.decide import MAX_ATTEMPTS
from selfheal.functions.healer.states import Effect, Reason, Status
from tests.functions.support.faults import (
    Do,
    Fault,
    aws_error,
    die_after,
    die_before,
    fail_after,
    fail_before,
    read_timeout,
    refuse,
    time_out_after,
)
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import FAILED, SCENARIOS, UNDONE
from tests.functions.support.tap import ACTS, UNCONDITIONAL, WRITES

AFTERWARDS = 5
"""Ticks of ten seconds after the end, in which nothing more may happen."""

LONG = 75
"""Ticks in which every scenario ends, expired leases and AFTERWARDS included."""


def time_out_before(_do: Do) -> Any:
    raise read_timeout()


def throttle(_do: Do) -> Any:
    raise aws_error("ThrottlingException")


ERRORS: tuple[Fault, ...] = (throttle, refuse, fail_before, time_out_before)
FAULTS: tuple[Fault, ...] = (die_before, die_after, time_out_after, fail_after, *ERRORS)
QUIET = {
    ("put_item", throttle),
    ("update_item", throttle),
    ("invoke", time_out_before),
    ("invoke", time_out_after),
    *((act, refuse) for act in ACTS),
}
"""Errors that do not fail the run: an act that AWS rejects is recorded as deferred or refused, and a probe
without an answer as failed."""


def run(scenario: str, numbers: Sequence[int] = (), fault: Fault | None = None) -> tuple[Loop, object]:
    """Run a scenario to its end; return it, and how the run ended in which a call went wrong.

    Args:
        scenario: Its name.
        numbers: The calls of one run that go wrong, each in an attempt of its own at the same moment. All but
            the last change nothing, so what follows is what would follow if only that one had gone wrong.
        fault: How they go wrong.

    """
    loop, ended, left = SCENARIOS[scenario](), None, AFTERWARDS
    for _ in range(LONG):
        loop.elapse()
        if fault is not None and numbers and len(loop.tap.calls) == numbers[0]:
            for number in numbers[:-1]:
                fail_and_change_nothing(loop, number, fault)
        begin = len(loop.tap.calls)
        if fault is not None and numbers:
            loop.tap.fail_call(numbers[-1], fault)
        result = loop.attempt()
        if numbers and numbers[-1] in range(begin, len(loop.tap.calls)):
            ended = result
        left -= loop.has_ended
        if left < 0:
            return loop, ended
    raise AssertionError(f"{scenario} did not end: {loop.last}")


def fail_and_change_nothing(loop: Loop, number: int, fault: Fault) -> None:
    """Attempt a run that ends at a call which goes wrong; its calls are all that it leaves, and forgotten."""
    before, begin = world(loop), len(loop.tap.calls)
    where = f"{fault.__name__} at call {number}"
    loop.tap.fail_call(number, fault)
    ended = loop.attempt()
    where += f", {loop.tap.calls[-1][0]}"
    assert isinstance(ended, BaseException), f"{where}: silence, {ended}"
    assert len(loop.tap.calls) == number + 1, f"{where}: it went on, so `undisturbed` must not group it"
    assert world(loop) == before, f"{where}: it changed something"
    del loop.tap.calls[begin:], loop.runs[-1]


def world(loop: Loop) -> str:
    """Return all that a run can change: ledger, target, alarms, acts, and what people were told."""
    function = vars(loop.function) | {"actions": None}  # a record of calls
    return repr((loop.dynamodb.items, function, loop.cloudwatch, loop.sns, loop.acts, loop.touched, loop.now))


def end_of(loop: Loop) -> tuple[Any, ...]:
    """Return what must be the same whatever went wrong. The time it took is not part of it."""
    incident, fleet = loop.incident, loop.book.read_fleet()
    return (
        incident.status,
        incident.reason,
        incident.effect,
        incident.lease_until,
        incident.acts,
        len(incident.recent_acts),
        loop.standing,
        loop.live(),
        loop.function.variables,
        len(fleet.acts),
        fleet.acting,
        fleet.blocking,
    )


def notices(loop: Loop) -> Counter[str]:
    """Return how often each notice was sent or tried."""
    return Counter(arguments["Message"] for name, arguments in loop.tap.calls if name == "publish")


@cache
def undisturbed(scenario: str) -> tuple[tuple[Any, ...], int, list[Effect], list[tuple[list[int], str]]]:
    """Run a scenario; return its end, its notices, its acts and the calls that are worth a fault.

    Those of a run up to its first write come together, with the last one's name: see `run`.
    """
    loop, _ = run(scenario)
    moments = set(loop.moments())
    calls: list[tuple[list[int], str]] = []
    for begin, end in pairwise((*loop.runs, len(loop.tap.calls))):
        names = [name for name, _ in loop.tap.calls[begin:end]]
        reads = len(list(takewhile(lambda name: name not in WRITES, names)))
        if begin in moments:
            calls.append((list(range(begin, begin + reads)), names[reads - 1]))
            calls += [([number], loop.tap.calls[number][0]) for number in range(begin + reads, end)]
    return end_of(loop), len(loop.sns.sent), [act.effect for act in loop.acts], calls


def ends_as_its_name_says(scenario: str) -> None:
    (loop, _), made_by = run(scenario), SCENARIOS[scenario]
    assert loop.incident.status is (Status.ESCALATED if made_by in FAILED else Status.RECOVERED)
    undone = made_by in UNDONE or any(remedy.revert_safe for remedy in loop.target.remedies)
    assert [act.effect for act in loop.acts] == [Effect.APPLY, *([Effect.REVERT] if undone else [])]
    assert any(name == "invoke" for name, _ in loop.tap.calls) is (loop.target.probe is not None)


def ends_the_same(scenario: str, fault: Fault) -> None:
    """One call goes wrong: the incident ends as without that, with the same acts, and the run fails.

    This includes settings for which AWS has no revision: if an answer was lost, the next run reads the
    setting before it tries again.
    """
    end, sent, acts, calls = undisturbed(scenario)
    for numbers, name in calls:
        loop, ended = run(scenario, numbers, fault)
        where = f"{fault.__name__} at call {numbers[-1]}, {name}"
        assert ended is not None, where
        assert isinstance(ended, BaseException) or (name, fault) in QUIET, f"{where}: silence, {ended}"
        if fault is refuse and name in ACTS:
            assert_told_of_the_refusal(loop, where)
            assert [act.effect for act in loop.acts] == acts[: len(loop.acts)], where
            continue
        assert end_of(loop) == end, where
        assert [act.effect for act in loop.acts] == acts, where
        # A notice is repeated where it was sent and that could not be recorded.
        assert sent <= len(loop.sns.sent) <= sent + 1, where
        assert all(times <= 2 for times in notices(loop).values()), where
        assert loop.incident.reason is not Reason.NOTICE_OWED, where


def assert_told_of_the_refusal(loop: Loop, where: str) -> None:
    """What AWS refuses for good is not asked again, and people are told which code it answered."""
    assert Reason.CHANGE_REFUSED in loop.incident.reasons, where
    assert [each.rpartition(": ")[2] for each in loop.incident.failures] == ["AccessDeniedException"], where
    assert [each for each in loop.sns.sent if "AccessDeniedException" in each["Message"]], where
    assert loop.book.read_fleet().acting == frozenset(), where


def ends_the_same_when_repeated(scenario: str) -> None:
    """boto3 repeats a write whose answer was lost.

    Where AWS has a revision it rejects the second write: one act. Elsewhere the same value is written twice:
    one intent, counted once.
    """
    end, sent, acts, calls = undisturbed(scenario)
    for numbers, name in calls:
        if name not in ACTS:
            continue
        loop, _ = run(scenario, numbers, lambda do: (do(), do())[1])
        assert end_of(loop) == end, f"call {numbers[-1]}, {name}"
        assert len(loop.acts) - len(acts) == (name in UNCONDITIONAL)
        assert list(dict.fromkeys(act.effect for act in loop.acts)) == acts
        assert len({act.intent for act in loop.acts}) == len(acts)
        assert len(loop.sns.sent) == sent


AFTER_AN_ACT = ("publish", "invoke")
"""First called once the act is done. All other calls must work before an act."""


def gives_up(scenario: str, fault: Fault) -> None:
    """Every call of one kind fails: no act without its record, and no endless tries or messages."""
    usual, _ = run(scenario)
    for call in dict.fromkeys(name for name, _ in usual.tap.calls):
        loop, passes = SCENARIOS[scenario](), SCENARIOS[scenario] in UNDONE
        failures = run_without(loop, call, fault)
        where = f"{fault.__name__} at every {call}"
        assert failures, where
        assert all(times <= MAX_ATTEMPTS for times in notices(loop).values()), where
        assert len(loop.sns.sent) <= len(usual.sns.sent) + 1, where
        assert len(loop.applies()) <= 1, where
        if call in ACTS:
            # Tried a few times: until the trouble passes, or people are called. Once, if AWS refuses it.
            assert len(failures) <= (1 if fault is refuse else MAX_ATTEMPTS)
            reverting = call == "delete_function_concurrency"
            assert [act.effect for act in loop.acts] == ([Effect.APPLY] if reverting else [])
            # What is deferred is tried in the next run, and so given up before the trouble passes.
            cleared = passes and (call, fault) not in QUIET
            given_up = Reason.CHANGE_REFUSED if fault is refuse else Reason.ATTEMPTS_EXHAUSTED
            assert (Reason.ALARM_CLEARED if cleared else given_up) in loop.reasons
            assert loop.sns.sent
        elif call not in AFTER_AN_ACT:
            assert loop.acts == [], where


def run_without(loop: Loop, call: str, fault: Fault) -> list[int]:
    """Run on while every call of one kind fails; return the numbers of those calls."""
    loop.tap.fail_every({call}, fault)
    failures: list[int] = []
    for _ in range(LONG):
        loop.elapse()
        begin = len(loop.tap.calls)
        ended = loop.attempt()
        failed = [at for at in range(begin, len(loop.tap.calls)) if loop.tap.calls[at][0] == call]
        silent = not isinstance(ended, (ClientError, ReadTimeoutError)) and (call, fault) not in QUIET
        assert not (failed and silent), "silence"
        failures += failed
    return failures


def gives_up_a_revert(scenario: str, fails: Fault) -> None:
    """A revert that never succeeds is tried a few times, and then people are called; at once if refused."""
    loop = SCENARIOS[scenario]()
    tried: list[int] = []

    def fault(number: int, do: Do) -> Any:
        last = loop.last
        if last is not None and last.effect is Effect.REVERT and loop.tap.calls[number][0] in ACTS:
            tried.append(number)
            return fails(do)
        return do()

    loop.tap.fault = fault
    loop.run(LONG)
    assert len(tried) == (1 if fails is refuse else MAX_ATTEMPTS)
    escalated = [line.reason for line in loop.incident.history if line.to == Status.ESCALATED]
    assert escalated == [Reason.CHANGE_REFUSED if fails is refuse else Reason.ATTEMPTS_EXHAUSTED]
