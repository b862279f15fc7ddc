"""The times that docs and preview tell are those of the alarms."""

from itertools import pairwise
from math import exp, factorial

import pytest

from selfheal.components.healing.detection_floor import LATE, SOON, floor_text, least_traffic
from selfheal.components.healing.detection_times import CONFIDENCE, LONGEST, Rule, seconds
from selfheal.functions.healer.evidence import Count, breaching
from selfheal.functions.healer.target import AlarmRule
from selfheal.functions.shared.contract import AlarmKind
from tests.components.support.deployments import healer, target

FAST = Rule(AlarmKind.FAST, 10, 5, 0.05)
BACKSTOP = Rule(AlarmKind.BACKSTOP, 60, 5, 0.05)
SLOW = Rule(AlarmKind.SLOW, 3600, 5, 0.5)
RULES = (FAST, BACKSTOP, SLOW)


@pytest.mark.parametrize(
    ("rule", "failed", "answered"),
    [(BACKSTOP, 5.0, 0.0), (BACKSTOP, 4.0, 60.0), (BACKSTOP, 0.5, 2.0), (SLOW, 7.0, 6.0), (FAST, 2.0, 5.0)],
)
def test_the_probability_is_that_of_the_healers_own_rule(rule: Rule, failed: float, answered: float) -> None:
    """Summed over every period that can be, judged by the function that the healer judges by."""
    judged = AlarmRule("alarm", rule.kind, rule.period, 1, rule.min_errors, rule.error_rate)
    expected = sum(
        poisson(errors, failed) * poisson(well, answered)
        for errors in range(40)
        for well in range(160)
        if breaching(judged, Count(errors + well, errors))
    )
    assert rule.rings(failed, answered) == pytest.approx(expected, rel=1e-9)


def poisson(count: int, mean: float) -> float:
    return mean**count * exp(-mean) / factorial(count)


def test_certain_failures_ring_with_the_first_whole_period() -> None:
    assert seconds(RULES, 600, 1.0) == 10 + 10 + 30
    assert seconds((BACKSTOP, SLOW), 600, 1.0) == 60 + 60 + 60


def test_a_period_that_rings_with_less_than_certainty_needs_as_many_as_make_it_sure() -> None:
    whole = BACKSTOP.rings(3.0, 27.0)
    periods = next(count for count in range(1, 1000) if (1 - whole) ** count <= 1 - CONFIDENCE)
    assert seconds((BACKSTOP,), 30, 0.1) == 60 + 60 + 60 * periods


def test_an_outage_in_steady_traffic_rings_when_it_is_half_of_the_hour() -> None:
    found = seconds((SLOW,), 4, 1.0)
    assert found is not None
    assert 30 * 60 <= found <= 40 * 60


def test_more_traffic_and_more_failures_never_take_longer() -> None:
    traffic, shares = (0.2, 1, 5, 20, 100, 600), (1.0, 0.75, 0.3, 0.1)
    table = [[seconds(RULES, each, share) or LONGEST + 1 for share in shares] for each in traffic]
    assert all(first <= second for row in table for first, second in pairwise(row))
    # With a share below that of the slow alarm, more traffic makes what it sees by chance rarer.
    for column in (0, 1):
        assert all(first[column] >= second[column] for first, second in pairwise(table))


def test_what_takes_longer_than_a_day_is_not_called_detected() -> None:
    assert seconds(RULES, 1 / 60, 1.0) is None
    assert seconds(RULES, 1, 0.01) is None


def test_the_floor_is_where_the_times_are_kept() -> None:
    for within in (SOON, LATE):
        least = least_traffic(RULES, within)
        assert (seconds(RULES, least, 1.0) or LONGEST) <= within
        assert (seconds(RULES, least * 0.95, 1.0) or LONGEST) > within


@pytest.mark.slow
def test_preview_says_below_which_traffic_an_outage_is_seen_late() -> None:
    targets = [
        target(),
        target(name="users", function_name="users-fn", natural_error_rate=0.2),
        target(name="carts", function_name="carts-fn"),
    ]
    deployment = healer(preview=True, targets=targets)
    [line] = [text for text in deployment.infos if "detection" in text]
    assert floor_text((BACKSTOP, SLOW)) in line
    assert "orders, carts: " in line
    assert "from 6 requests a minute on, within 65 minutes from 10 an hour on, and below 5 an hour" in line
    assert "users: an outage of all requests rings within 5 minutes from 10 requests a minute on" in line
    assert not [text for text in healer(targets=targets).infos if "detection" in text]  # `up` says nothing
