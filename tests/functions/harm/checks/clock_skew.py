"""The ledger's clock, which the healer uses, differs from CloudWatch's.

With a clock five minutes fast, no breach is recent enough to act on, so the healer only calls people. With
a clock five minutes slow, it acts once its clock has reached the breach, and does nothing if the failure is
over by then. Errors from before the act then seem to follow it, so it may call people although the remedy
helped.
"""

from datetime import datetime, timedelta

from selfheal.functions.healer.incident import LEASE
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.shared.contract import METRICS_NAMESPACE
from tests.functions.support.faults import Do, Fault
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import FAILED, SCENARIOS, UNDONE
from tests.functions.support.tap import ACTS

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
"""How far the clocks of the healers that take turns are off."""

ACTING = [skew for skew in SKEWS if skew != "fast"]
LATE = ("slow", "one fast, one slow")

ENOUGH = 138
ENOUGH_PROBES = 27
"""Requests without an error that show health, against 5 % and 25 %: see `evidence.verdict`."""


def run(loop: Loop, skew: str, ticks: int = 150) -> None:
    """Run on; whenever an incident closes, check the evidence against what has really happened."""
    was_open = False
    for _ in range(ticks):
        loop.skew = SKEWS[skew][len(loop.runs) % len(SKEWS[skew])]
        loop.tick()
        last = loop.last
        if last is not None and was_open and last.status is Status.RECOVERED:
            check_evidence(loop)
        was_open = last is not None and last.is_open


def check_evidence(loop: Loop) -> None:
    """Check that there were enough requests since the last act, or lately, and that hardly any failed."""
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
    points = loop.cloudwatch.metrics[METRICS_NAMESPACE, metric]
    return sum(value for at, value in points.items() if at >= since)


def act_once_or_not_at_all_and_close_on_evidence(scenario: str, skew: str) -> None:
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


def ignore_a_forced_alarm(skew: str) -> None:
    loop = Loop()
    loop.forced = "ALARM"
    run(loop, skew)
    assert loop.acts == []
    assert loop.incident.reason is Reason.ALARM_STUCK
    assert len(loop.sns.sent) == 1


def wait_for_traffic(skew: str) -> None:
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


def act_once_when_a_clock_is_ahead_of_the_lease(fault: Fault, skew: str) -> None:
    """The healer dies at its act, and one whose clock is past the lease goes on at once."""
    loop = SCENARIOS["helped"]()
    died: list[int] = []

    def once(number: int, do: Do) -> object:
        if died or loop.tap.calls[number][0] not in ACTS:
            return do()
        died.append(number)
        return fault(do)

    loop.tap.fault = once
    run(loop, skew)
    assert died
    assert len(loop.acts) == 1


def act_once_when_overtaken_by_a_fast_clock(scenario: str) -> None:
    """The lease means nothing to the second one; the revision does.

    Where AWS has none, only the lease keeps them apart; beyond it both write the same value.
    """
    loop = SCENARIOS[scenario]()
    loop.elapse()

    def overtake(number: int, do: Do) -> object:
        if loop.tap.calls[number][0] in ACTS:
            loop.tap.mend()
            actual, loop.now = loop.now, loop.now + LEASE
            loop.attempt()
            loop.now = actual
        return do()

    loop.tap.fault = overtake
    loop.attempt()
    run(loop, "one of two is fast")
    assert len(loop.acts) == 1
