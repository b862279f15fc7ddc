"""The healer is stopped before and after every call in turn, and answers are lost: the end is the same."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.healer.model import Effect, Reason, Status
from functions.healer.states import TERMINAL
from tests.support.closed_loop import Do, Loop
from tests.support.harm_scenarios import SCENARIOS
from tests.support.healer_world import DiedError, aws_error

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
def undisturbed(scenario: str) -> tuple[tuple[Any, ...], int, int, list[str]]:
    """Run a scenario; return its end, its notices, its reverts and its calls until nothing more happens."""
    loop = run(scenario)
    assert len(loop.applies()) == 1
    names = [name for name, _ in loop.tap.calls]
    last = max(place for place, name in enumerate(names) if name in ("transact_write_items", "publish"))
    reverts = sum(act.effect is Effect.REVERT for act in loop.acts)
    return end_of(loop), len(loop.sns.sent), reverts, names[: last + 5]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_scenario_is_what_it_says(scenario: str) -> None:
    loop = run(scenario)
    failed = scenario in ("not_helped", "undone_then_escalated")
    assert loop.incident.status is (Status.ESCALATED if failed else Status.RECOVERED)
    undone = scenario in ("undone_then_escalated", "expired")
    assert [act.effect for act in loop.acts] == [Effect.APPLY, *([Effect.REVERT] if undone else [])]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_stopped_at_any_call_it_ends_the_same_with_one_act(scenario: str, fault: Callable[[Do], Any]) -> None:
    end, notices, reverts, calls = undisturbed(scenario)
    for number, name in enumerate(calls):
        loop = run(scenario, number, fault)
        where = f"{fault.__name__} at call {number}, {name}"
        assert end_of(loop) == end, where
        assert len(loop.applies()) == 1, where
        assert sum(act.effect is Effect.REVERT for act in loop.acts) == reverts, where
        assert notices <= len(loop.sns.sent) <= notices + 1, where
        assert loop.incident.reason is not Reason.NOTICE_ABANDONED, where


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_write_that_boto_repeats_by_itself_is_one_act(scenario: str) -> None:
    """The answer of the first try was lost; the second is refused, because the world is no longer as read."""
    end, notices, reverts, calls = undisturbed(scenario)
    for number, name in enumerate(calls):
        if name not in ("update_function_configuration", "put_item"):
            continue
        loop = run(scenario, number, lambda do: (do(), do())[1])
        assert end_of(loop) == end, f"call {number}, {name}"
        assert len(loop.applies()) == 1
        assert sum(act.effect is Effect.REVERT for act in loop.acts) == reverts
        assert len(loop.sns.sent) == notices
