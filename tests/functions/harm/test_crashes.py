"""The healer is stopped before and after every call in turn, and answers are lost: the end is the same."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from selfheal.functions.healer.states import TERMINAL, Effect, Reason, Status
from tests.functions.support.events import hook
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import FAILED, SCENARIOS, UNDONE
from tests.functions.support.tap import CONDITIONAL, UNCONDITIONAL, Do
from tests.functions.support.world import DiedError, FakeLambda, aws_error

pytestmark = pytest.mark.slow

LONG = 70
"""Ticks of ten seconds in which every scenario comes to its end, lost leases included."""

AFTERWARDS = 5
"""Ticks in which nothing more may happen."""


def die_before(_do: Do) -> Any:
    raise DiedError


def die_after(do: Do) -> Any:
    do()
    raise DiedError


def time_out_after(do: Do) -> Any:
    do()
    raise ReadTimeoutError(endpoint_url="https://example.invalid")


def fail_after(do: Do) -> Any:
    do()
    raise aws_error("InternalServerError")


FAULTS = (die_before, die_after, time_out_after, fail_after)


def end_of(loop: Loop) -> tuple[Any, ...]:
    """What must be the same however the healer was stopped; what time it took is not part of it."""
    incident = loop.incident
    fleet = loop.book.read_fleet()
    return (
        incident.status,
        incident.reason,
        incident.effect,
        incident.lease_until,
        incident.acts,
        len(incident.recent_acts),
        [str(each.plan.key) for each in incident.standing],
        loop.live(),
        loop.function.variables,
        len(fleet.acts),
        fleet.acting,
        fleet.blocking,
    )


def run(scenario: str, number: int | None = None, fault: Callable[[Do], Any] | None = None) -> Loop:
    loop = SCENARIOS[scenario]()
    if fault is not None:
        loop.tap.fault = lambda call, do: fault(do) if call == number else do()
    for _ in range(LONG):
        loop.run(1)
        last = loop.last
        if last is not None and last.status in TERMINAL and last.effect is None:
            loop.run(AFTERWARDS)
            return loop
    raise AssertionError(f"{scenario}: no end, {loop.last}")


@cache
def undisturbed(scenario: str) -> tuple[tuple[Any, ...], int, list[Effect], list[tuple[int, str]]]:
    """Run a scenario; return its end, its notices, its acts and the calls that are worth a fault."""
    loop = run(scenario)
    calls = [(number, loop.tap.calls[number][0]) for number in loop.moments()]
    return end_of(loop), len(loop.sns.sent), [act.effect for act in loop.acts], calls


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_scenario_is_what_it_says(scenario: str) -> None:
    loop, made_by = run(scenario), SCENARIOS[scenario]
    assert loop.incident.status is (Status.ESCALATED if made_by in FAILED else Status.RECOVERED)
    undone = made_by in UNDONE or any(remedy.revert_safe for remedy in loop.target.remedies)
    assert [act.effect for act in loop.acts] == [Effect.APPLY, *([Effect.REVERT] if undone else [])]
    assert any(name == "invoke" for name, _ in loop.tap.calls) is (loop.target.probe is not None)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_stopped_at_any_call_it_ends_the_same_with_one_act(scenario: str, fault: Callable[[Do], Any]) -> None:
    """Where AWS has no revision too: an answer that was lost shows in what is read before the next try."""
    end, notices, acts, calls = undisturbed(scenario)
    for number, name in calls:
        loop = run(scenario, number, fault)
        where = f"{fault.__name__} at call {number}, {name}"
        assert end_of(loop) == end, where
        assert [act.effect for act in loop.acts] == acts, where
        assert notices <= len(loop.sns.sent) <= notices + 1, where
        assert loop.incident.reason is not Reason.NOTICE_OWED, where


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_write_that_boto_repeats_by_itself_ends_the_same(scenario: str) -> None:
    """The answer of the first try was lost.

    The second is refused where AWS has a revision, because the world is no longer as read: one act. Where it
    has none, the same value is written twice: one intent, one count, and nothing but that value.
    """
    end, notices, acts, calls = undisturbed(scenario)
    for number, name in calls:
        if name not in (*CONDITIONAL, *UNCONDITIONAL):
            continue
        loop = run(scenario, number, lambda do: (do(), do())[1])
        assert end_of(loop) == end, f"call {number}, {name}"
        assert len(loop.acts) - len(acts) == (name in UNCONDITIONAL)
        assert list(dict.fromkeys(act.effect for act in loop.acts)) == acts
        assert len({act.intent for act in loop.acts}) == len(acts)
        assert len(loop.sns.sent) == notices


def taken_back(scenario: str, take_back: Callable[[FakeLambda], None]) -> Loop:
    """The healer dies after its act, and a person undoes the act before the next run."""
    loop = SCENARIOS[scenario]()
    hook(loop, "dies after")
    loop.run(1)
    hook(loop, None)
    take_back(loop.function)
    loop.run(20)
    return loop


@pytest.mark.parametrize(
    ("scenario", "take_back"),
    [
        ("helped", lambda function: function.change(FAILURE_RATE="0.3")),
        ("helped_by_rollback", lambda function: function.point_alias("4")),
    ],
)
def test_what_was_taken_back_before_it_was_known_is_left_to_people(
    scenario: str, take_back: Callable[[FakeLambda], None]
) -> None:
    loop = taken_back(scenario, take_back)
    assert len(loop.acts) == 1
    assert loop.incident.status is Status.ESCALATED
    assert Reason.VALUE_CHANGED in [line.reason for line in loop.incident.history]


def test_without_a_revision_what_was_taken_back_before_it_was_known_is_done_once_more() -> None:
    """It looks like an act that was not done. It is one intent and one count, and nothing but that value."""
    loop = taken_back("limited_in_vain", lambda function: setattr(function, "reserved", None))
    assert [(act.effect, act.was) for act in loop.acts] == [
        (Effect.APPLY, None),
        (Effect.APPLY, None),
        (Effect.REVERT, "5"),
    ]
    assert len({act.intent for act in loop.applies()}) == len(loop.book.read_fleet().acts) == 1
