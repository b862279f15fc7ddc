import random
from datetime import timedelta

import pytest

from selfheal.functions.healer.evidence import Bucket, Count, Verdict, breaches, judge, verdict
from tests.functions.support.world import BACKSTOP, FAST, START

LATE = timedelta(seconds=30)


def bucket(seconds: int, requests: int, errors: int) -> Bucket:
    return Bucket(START + timedelta(seconds=seconds), requests, errors)


@pytest.mark.parametrize(
    ("requests", "errors", "expected"),
    [
        (100, 30, True),
        (6, 6, True),
        (5, 5, False),  # a rate of 1, but fewer errors than the rule asks for
        (1000, 6, False),  # errors enough, but a rate under the rule's
        (0, 0, False),
    ],
)
def test_an_alarm_is_borne_out_by_errors_enough_at_a_rate_high_enough(
    requests: int, errors: int, expected: bool
) -> None:
    now = START + timedelta(seconds=12)
    assert bool(breaches(FAST, [bucket(0, requests, errors)], START, now, LATE)) is expected


def test_only_recent_periods_after_the_last_incident_bear_an_alarm_out() -> None:
    old = [bucket(0, 100, 30)]
    assert not breaches(FAST, old, START, START + timedelta(seconds=120), LATE)
    assert not breaches(FAST, old, START + timedelta(seconds=1), START + timedelta(seconds=12), LATE)


@pytest.mark.parametrize(
    ("requests", "errors", "expected"),
    [
        (0, 0, Verdict.UNDECIDED),
        (137, 0, Verdict.UNDECIDED),
        (138, 0, Verdict.HEALTHY),
        (138, 1, Verdict.UNDECIDED),
        (220, 1, Verdict.HEALTHY),
        (2, 2, Verdict.BROKEN),
    ],
)
def test_the_verdict_needs_enough_requests(requests: int, errors: int, expected: Verdict) -> None:
    assert verdict(Count(requests, errors), 0.001, 0.05) is expected


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "wrong"), [(0.001, Verdict.BROKEN), (0.05, Verdict.HEALTHY)])
def test_looking_after_every_request_errs_no_more_often_than_stated(rate: float, wrong: Verdict) -> None:
    """Wald's bound, by simulation: 4,000 services, of which about 4 may be misjudged; 16 would be 6 sigma."""
    chance = random.Random(20261121)
    misjudged = 0
    for _ in range(4000):
        requests = errors = 0
        judged = Verdict.UNDECIDED
        while judged is Verdict.UNDECIDED:
            requests += 1
            errors += chance.random() < rate
            judged = verdict(Count(requests, errors), 0.001, 0.05)
        misjudged += judged is wrong
    assert misjudged < 16


WELL, ILL, FEW, NONE = Count(200, 0), Count(200, 40), Count(20, 0), Count(0, 0)


@pytest.mark.parametrize(
    ("own", "lambdas", "probes", "expected"),
    [
        (WELL, WELL, NONE, Verdict.HEALTHY),
        (WELL, FEW, NONE, Verdict.UNDECIDED),  # what hangs is not known yet
        (FEW, WELL, NONE, Verdict.UNDECIDED),  # whether the answers are right is not
        (WELL, ILL, NONE, Verdict.BROKEN),
        (ILL, WELL, NONE, Verdict.BROKEN),
        (NONE, NONE, WELL, Verdict.HEALTHY),
        (NONE, NONE, ILL, Verdict.BROKEN),
        (WELL, WELL, ILL, Verdict.BROKEN),
        (ILL, WELL, WELL, Verdict.BROKEN),
        (NONE, NONE, NONE, Verdict.UNDECIDED),
    ],
)
def test_healthy_needs_all_metrics_or_the_probes_and_broken_any(
    own: Count, lambdas: Count, probes: Count, expected: Verdict
) -> None:
    assert judge({FAST: own, BACKSTOP: lambdas}, probes, 0.001, probed=True) is expected


def test_each_further_way_to_a_verdict_asks_for_more() -> None:
    one = {FAST: Count(138, 0)}
    assert judge(one, NONE, 0.001, probed=False) is Verdict.HEALTHY
    assert judge(one, NONE, 0.001, probed=True) is Verdict.UNDECIDED
    assert judge({FAST: Count(152, 0)}, NONE, 0.001, probed=True) is Verdict.HEALTHY
