"""Every error of AWS at every call: no act without a record, no silence, no storm of mail."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from selfheal.functions.healer.decide import MAX_ATTEMPTS
from selfheal.functions.healer.states import TERMINAL, Effect, Reason, Status
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import SCENARIOS, UNDONE
from tests.functions.support.tap import ACTS, Do
from tests.functions.support.world import aws_error

pytestmark = pytest.mark.slow

LONG = 70
ERRORS: dict[str, Callable[[], Exception]] = {
    "ThrottlingException": lambda: aws_error("ThrottlingException"),
    "AccessDeniedException": lambda: aws_error("AccessDeniedException"),
    "InternalServiceError": lambda: aws_error("InternalServiceError"),
    "ReadTimeout": lambda: ReadTimeoutError(endpoint_url="https://example.invalid"),
}
DEFERRED = {("put_item", "ThrottlingException"), ("invoke", "ReadTimeout")}
"""Not raised: the ledger says that the act is deferred, and counts tries; and it counts probes that fail."""


def has_ended(loop: Loop) -> bool:
    return loop.last is not None and loop.last.status in TERMINAL and loop.last.effect is None


def notices(loop: Loop) -> Counter[str]:
    """How often each notice was tried, however that ended."""
    return Counter(arguments["Message"] for name, arguments in loop.tap.calls if name == "publish")


def run(loop: Loop, number: int, error: str) -> list[object]:
    """Run a scenario with one failing call; return how the run in which it failed has ended."""
    failed: list[object] = []

    def fault(call: int, do: Do) -> Any:
        if call == number:
            failed.append(None)
            failure = ERRORS[error]()
            raise failure
        return do()

    loop.tap.fault = fault
    for _ in range(LONG):
        loop.elapse()
        ended = loop.attempt()
        if failed == [None]:
            failed[0] = ended
        if has_ended(loop):
            break
    return failed


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_one_error_at_any_call_is_told_and_overcome(scenario: str, error: str) -> None:
    usual = SCENARIOS[scenario]()
    run(usual, -1, error)
    for number in usual.moments():
        name = usual.tap.calls[number][0]
        loop = SCENARIOS[scenario]()
        (ended,) = run(loop, number, error)
        where = f"{error} at call {number}, {name}"
        told = isinstance(ended, type(ERRORS[error]()))
        assert told or (name, error) in DEFERRED, f"{where}: silence, {ended}"
        assert loop.incident.status is usual.incident.status, where
        assert loop.live() == usual.live(), where
        assert [act.effect for act in loop.acts] == [act.effect for act in usual.acts], where
        # Once more where it was the record of a notice that could not be written.
        assert 0 <= len(loop.sns.sent) - len(usual.sns.sent) <= 1, where
        assert all(times <= 2 for times in notices(loop).values()), where


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_call_that_fails_for_ever_changes_nothing_more_and_is_not_mailed_for_ever(
    scenario: str, error: str
) -> None:
    usual = SCENARIOS[scenario]()
    run(usual, -1, error)
    for call in dict.fromkeys(name for name, _ in usual.tap.calls):
        loop = SCENARIOS[scenario]()
        failures = run_without(loop, call, error)
        where = f"{error} at every {call}"
        assert failures, where
        assert all(times <= MAX_ATTEMPTS for times in notices(loop).values()), where
        assert len(loop.sns.sent) <= len(usual.sns.sent) + 1, where
        assert len(loop.applies()) <= 1, where
        if call in ACTS:
            check_given_up(loop, failures, passes=SCENARIOS[scenario] in UNDONE)
        elif call not in AFTER_AN_ACT:
            assert loop.acts == [], where


AFTER_AN_ACT = ("publish", "invoke")
"""First called when the act was done; everything else must be there before one."""


def run_without(loop: Loop, call: str, error: str) -> list[int]:
    """Run on while every call of one kind fails, which is never kept silent; return those calls."""
    failures: list[int] = []

    def fault(number: int, do: Do) -> Any:
        if loop.tap.calls[number][0] == call:
            failures.append(number)
            failure = ERRORS[error]()
            raise failure
        return do()

    loop.tap.fault = fault
    for _ in range(LONG):
        loop.elapse()
        before = len(failures)
        ended = loop.attempt()
        failed = len(failures) > before
        assert not failed or isinstance(ended, Exception) or (call, error) in DEFERRED, "silence"
    return failures


def check_given_up(loop: Loop, failures: list[int], *, passes: bool) -> None:
    """An act that never succeeds is tried a few times: until the trouble passes, or people are called."""
    assert len(failures) <= MAX_ATTEMPTS
    reverting = loop.tap.calls[failures[0]][0] == "delete_function_concurrency"
    assert [act.effect for act in loop.acts] == ([Effect.APPLY] if reverting else [])
    reasons = [line.reason for line in loop.incident.history]
    assert (Reason.ALARM_CLEARED if passes else Reason.ATTEMPTS_EXHAUSTED) in reasons
    assert loop.sns.sent


@pytest.mark.parametrize("scenario", ["expired", "paused"])
def test_a_revert_that_never_succeeds_is_tried_a_few_times_and_people_are_called(scenario: str) -> None:
    loop = SCENARIOS[scenario]()
    tried: list[int] = []

    def fault(number: int, do: Do) -> Any:
        last = loop.last
        reverting = last is not None and last.effect is Effect.REVERT
        if reverting and loop.tap.calls[number][0] in ACTS:
            tried.append(number)
            failure = ERRORS["AccessDeniedException"]()
            raise failure
        return do()

    loop.tap.fault = fault
    loop.run(LONG)
    assert len(tried) == MAX_ATTEMPTS
    reasons = [line.reason for line in loop.incident.history if line.to == Status.ESCALATED]
    assert reasons == [Reason.ATTEMPTS_EXHAUSTED]
