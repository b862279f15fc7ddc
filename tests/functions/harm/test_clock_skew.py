"""The healer's clock is five minutes off CloudWatch's: it may be late or call people, and does no harm."""

from datetime import datetime, timedelta

import pytest

from functions.healer.model import Reason, Status
from functions.healer.transitions import LEASE
from tests.support.closed_loop import ACTS, Do, Loop
from tests.support.harm_scenarios import SCENARIOS
from tests.support.healer_world import FAST, DiedError

FIVE = timedelta(minutes=5)
SKEWS = {
    "fast": (FIVE,),
    "slow": (-FIVE,),
    "one of two is fast": (timedelta(0), FIVE),
    "one of two is slow": (timedelta(0), -FIVE),
    "one fast, one slow": (FIVE, -FIVE),
}
"""Healers with these clocks take turns."""

ENOUGH = 138
"""Requests without an error that show health: see `evidence.verdict`."""


def run(loop: Loop, skew: str, ticks: int = 150) -> None:
    """Run on; whenever an incident closes, look for the evidence in what has really happened."""
    was_open = False
    for tick in range(ticks):
        loop.skew = SKEWS[skew][tick % len(SKEWS[skew])]
        loop.elapse()
        loop.attempt()
        last = loop.last
        if last is not None and was_open and last.status is Status.RECOVERED:
            check_evidence(loop)
        was_open = last is not None and last.is_open


def check_evidence(loop: Loop) -> None:
    """Since the last act, or lately, there were enough requests, and hardly one of them failed."""
    lately = loop.now - timedelta(minutes=3)
    acted = max(loop.acts[-1].at, lately) if loop.acts else lately
    assert loop.cloudwatch.states["fast"] == "OK"
    requests, errors = total(loop, "Requests", acted), total(loop, "Errors", acted)
    assert requests >= ENOUGH, f"closed on {requests} requests"
    assert errors <= 0.01 * requests, f"closed on {errors} errors in {requests} requests"


def total(loop: Loop, metric: str, since: datetime) -> float:
    points = loop.cloudwatch.metrics[FAST.namespace, metric]
    return sum(value for at, value in points.items() if at >= since)


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_acts_at_most_once_and_closes_on_evidence_only(scenario: str, skew: str) -> None:
    loop = SCENARIOS[scenario]()
    run(loop, skew)
    assert len(loop.applies()) <= 1
    assert len(loop.sns.sent) <= 4
    if scenario in ("not_helped", "undone_then_escalated"):
        assert loop.last is None or loop.last.status is not Status.RECOVERED


@pytest.mark.parametrize("skew", SKEWS)
def test_a_forced_alarm_with_healthy_metrics_is_not_acted_upon(skew: str) -> None:
    loop = Loop()
    loop.forced = "ALARM"
    run(loop, skew)
    assert loop.acts == []
    assert loop.incident.reason is Reason.ALARM_STUCK
    assert len(loop.sns.sent) == 1


@pytest.mark.parametrize("skew", SKEWS)
def test_no_traffic_is_never_called_recovered(skew: str) -> None:
    loop = SCENARIOS["helped"]()
    for _ in range(60):
        run(loop, skew, ticks=1)
        if loop.acts:
            break
    loop.requests = 0
    closed_before = loop.last is not None and not loop.last.is_open
    run(loop, skew)
    assert closed_before or loop.last is None or loop.last.status is not Status.RECOVERED
    assert len(loop.applies()) <= 1


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_clock_that_runs_ahead_of_a_lease_makes_no_second_act(when: str, skew: str) -> None:
    """The healer dies at its act, and one whose clock is past the lease goes on at once."""
    loop = SCENARIOS["helped"]()
    died: list[int] = []

    def fault(number: int, do: Do) -> object:
        if died or loop.tap.calls[number][0] not in ACTS:
            return do()
        died.append(number)
        if when == "after":
            do()
        raise DiedError

    loop.tap.fault = fault
    run(loop, skew)
    assert len(loop.function.updates) <= 1


def test_a_healer_that_is_overtaken_by_one_whose_clock_is_fast_does_not_act_twice() -> None:
    """The lease means nothing to the second one; the revision does."""
    loop = SCENARIOS["helped"]()
    loop.elapse()
    update = loop.function.before_update

    def overtake() -> None:
        loop.function.before_update = update
        actual, loop.now = loop.now, loop.now + LEASE
        loop.attempt()
        loop.now = actual

    loop.function.before_update = overtake
    loop.attempt()
    run(loop, "one of two is fast")
    assert len(loop.function.updates) <= 1
