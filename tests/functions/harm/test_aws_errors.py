"""Every error of AWS at every call: no act without a record, no silence, no storm of mail."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.healer.core import MAX_ATTEMPTS
from functions.healer.model import Effect, Reason, Status
from functions.healer.states import TERMINAL
from tests.support.closed_loop import ACTS, Do, Loop
from tests.support.harm_scenarios import SCENARIOS
from tests.support.healer_world import aws_error

LONG = 70
ERRORS: dict[str, Callable[[], Exception]] = {
    "ThrottlingException": lambda: aws_error("ThrottlingException"),
    "AccessDeniedException": lambda: aws_error("AccessDeniedException"),
    "InternalServiceError": lambda: aws_error("InternalServiceError"),
    "ReadTimeout": lambda: ReadTimeoutError(endpoint_url="https://example.invalid"),
}
DEFERRED = {("put_item", "ThrottlingException")}
"""Not raised: the ledger says that the act is deferred, and tries are counted."""


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
    for number, (name, _) in enumerate(usual.tap.calls):
        loop = SCENARIOS[scenario]()
        (ended,) = run(loop, number, error)
        where = f"{error} at call {number}, {name}"
        told = isinstance(ended, type(ERRORS[error]()))
        assert told or (name, error) in DEFERRED, f"{where}: silence, {ended}"
        assert loop.incident.status is usual.incident.status, where
        assert loop.live() == usual.live(), where
        assert len(loop.applies()) == 1, where
        # Once more where it was the record of a notice that could not be written.
        assert 0 <= len(loop.sns.sent) - len(usual.sns.sent) <= 1, where
        assert all(times <= 2 for times in notices(loop).values()), where


CALLS = (
    "describe_alarms",
    "get_metric_data",
    "get_function_configuration",
    "get_item",
    "transact_write_items",
    "publish",
    *ACTS,
)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("scenario", ["helped", "helped_by_override", "undone_then_escalated"])
def test_a_call_that_fails_for_ever_changes_nothing_more_and_is_not_mailed_for_ever(
    scenario: str, call: str, error: str
) -> None:
    loop = SCENARIOS[scenario]()
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
    assert all(times <= MAX_ATTEMPTS for times in notices(loop).values())
    assert len(loop.sns.sent) <= 2
    assert len(loop.applies()) <= 1
    if call not in ("publish", *ACTS):
        assert loop.acts == []
    if call in ACTS and failures:
        check_called(loop, failures)


def check_called(loop: Loop, failures: list[int]) -> None:
    """An act that never succeeds is tried a few times, and people are called."""
    assert len(failures) <= MAX_ATTEMPTS
    assert loop.acts == []
    reasons = [line.reason for line in loop.incident.history if line.to == Status.ESCALATED]
    assert Reason.ATTEMPTS_EXHAUSTED in reasons
    assert len(loop.sns.sent) == 1


def test_a_revert_that_never_succeeds_is_tried_a_few_times_and_people_are_called() -> None:
    loop = SCENARIOS["expired"]()
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
