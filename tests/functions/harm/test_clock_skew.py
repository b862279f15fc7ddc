"""The ledger's clock, which the healer goes by, is off CloudWatch's: it may be late or call people, no harm.

One that is five minutes fast does nothing but call people: to it no breach is fresh. One that is five
minutes slow acts when its clock has come to the breach, and leaves alone what is over by then. As errors from
before the act seem to it to follow the act, it may call people although the remedy helped.
"""

from datetime import datetime, timedelta

import pytest

from selfheal.functions.healer.incident import LEASE
from selfheal.functions.healer.states import Reason, Status
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import FAILED, SCENARIOS, UNDONE
from tests.functions.support.tap import ACTS, Do
from tests.functions.support.world import FAST, DiedError

pytestmark = pytest.mark.slow

FIVE, HALF = timedelta(minutes=5), timedelta(minutes=0.5)
SKEWS = {
    "fast": (FIVE,),
    "slow": (-FIVE,),
    "a little fast": (HALF,),
    "a little slow": (-HALF,),
    "one of two is fast": (timedelta(0), FIVE),
    "one of two is slow": (timedelta(0), -FIVE),
    "one fast, one slow": (FIVE, -FIVE),
}
"""Healers with these clocks take turns."""

ACTING = [skew for skew in SKEWS if skew != "fast"]
LATE = ("slow", "one fast, one slow")

ENOUGH = 138
ENOUGH_PROBES = 27
"""Requests without an error that show health, against 5 % and 25 %: see `evidence.verdict`."""


def run(loop: Loop, skew: str, ticks: int = 150) -> None:
    """Run on; whenever an incident closes, look for the evidence in what has really happened."""
    was_open = False
    for _ in range(ticks):
        loop.skew = SKEWS[skew][len(loop.runs) % len(SKEWS[skew])]
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
    if loop.target.probe:
        assert sum(name == "invoke" for name, _ in loop.tap.calls) >= ENOUGH_PROBES
        return
    requests, errors = total(loop, "Requests", acted), total(loop, "Errors", acted)
    assert requests >= ENOUGH, f"closed on {requests} requests"
    assert errors <= 0.01 * requests, f"closed on {errors} errors in {requests} requests"


def total(loop: Loop, metric: str, since: datetime) -> float:
    points = loop.cloudwatch.metrics[FAST.namespace, metric]
    return sum(value for at, value in points.items() if at >= since)


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_acts_once_or_not_at_all_and_closes_on_evidence_only(scenario: str, skew: str) -> None:
    loop = SCENARIOS[scenario]()
    run(loop, skew)
    over = SCENARIOS[scenario] in UNDONE and skew in LATE
    if skew not in ACTING or over:
        assert loop.acts == []
        if loop.last is not None:
            assert (loop.last.reason, len(loop.sns.sent)) == (Reason.ALARM_STUCK, 1)
        return
    assert len(loop.applies()) == 1
    assert 1 <= len(loop.sns.sent) <= 4
    if SCENARIOS[scenario] in FAILED:
        assert loop.incident.status is not Status.RECOVERED


@pytest.mark.parametrize("skew", ACTING)
def test_a_forced_alarm_with_healthy_metrics_is_not_acted_upon(skew: str) -> None:
    loop = Loop()
    loop.forced = "ALARM"
    run(loop, skew)
    assert loop.acts == []
    assert loop.incident.reason is Reason.ALARM_STUCK
    assert len(loop.sns.sent) == 1


@pytest.mark.parametrize("skew", ACTING)
def test_no_traffic_is_never_called_recovered(skew: str) -> None:
    loop = SCENARIOS["helped"]()
    for _ in range(60):
        run(loop, skew, ticks=1)
        if loop.acts:
            break
    assert loop.incident.is_open
    loop.requests = 0
    run(loop, skew)
    assert loop.incident.status is not Status.RECOVERED
    assert len(loop.applies()) == 1


@pytest.mark.parametrize("skew", ACTING)
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
    assert died
    assert len(loop.acts) == 1


@pytest.mark.parametrize("scenario", ["helped", "helped_by_override", "helped_by_rollback"])
def test_a_healer_that_is_overtaken_by_one_whose_clock_is_fast_does_not_act_twice(scenario: str) -> None:
    """The lease means nothing to the second one; the revision does.

    Where AWS has none, only the lease keeps them apart; beyond it both write the same value.
    """
    loop = SCENARIOS[scenario]()
    loop.elapse()

    def overtake(number: int, do: Do) -> object:
        if loop.tap.calls[number][0] in ACTS:
            loop.tap.fault = lambda _number, do: do()
            actual, loop.now = loop.now, loop.now + LEASE
            loop.attempt()
            loop.now = actual
        return do()

    loop.tap.fault = overtake
    loop.attempt()
    run(loop, "one of two is fast")
    assert len(loop.acts) == 1
