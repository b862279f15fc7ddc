"""The derived number of errors, against brute force and at its edges."""

from fractions import Fraction
from math import comb, exp, fsum, inf, log, nan

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from selfheal.components.errors import ComponentError
from selfheal.components.healing.thresholds import SECONDS_PER_YEAR, default_alarm_error_rate, derive, tail

ROUNDING = 1e-9


def exact_tail(requests: int, rate: float, errors: int) -> float:
    """Sum every term in rational arithmetic: no rounding before the end."""
    p = Fraction(rate)
    terms = (
        comb(requests, count) * p**count * (1 - p) ** (requests - count)
        for count in range(errors, requests + 1)
    )
    return float(sum(terms, Fraction(0)))


def worst_alarm_probability(up_to: int, natural: float, least: int, alarm_rate: float) -> float:
    """Return the greatest probability, over all traffic, that a period alarms by chance.

    Request by request: `chances[e]` is the probability of e errors so far. No formula of the code under test.
    """
    worst = 0.0
    chances = [1.0]
    for requests in range(1, up_to + 1):
        failed = [0.0, *(chance * natural for chance in chances)]
        passed = [*(chance * (1 - natural) for chance in chances), 0.0]
        chances = [a + b for a, b in zip(failed, passed, strict=True)]
        firing = (e for e in range(least, requests + 1) if e / requests >= alarm_rate)
        first = next(firing, requests + 1)
        worst = max(worst, fsum(chances[first:]))
    return worst


@pytest.mark.slow
@settings(deadline=None)
@given(requests=st.integers(1, 120), rate=st.floats(1e-6, 0.3), share=st.floats(0.0, 1.0))
def test_tail_is_the_sum_of_all_terms(requests: int, rate: float, share: float) -> None:
    least = int(requests * rate) + 1
    errors = min(requests, least + int(share * (requests - least)))
    assert tail(requests, rate, errors) == pytest.approx(exact_tail(requests, rate, errors), rel=1e-9)


def test_tail_survives_sizes_beyond_the_range_of_a_float() -> None:
    # Chernoff's bound is the yardstick: never above it, and not absurdly below.
    requests, rate, errors = 100_000, 0.05, 10_000
    divergence = 0.1 * log(0.1 / 0.05) + 0.9 * log(0.9 / 0.95)
    assert tail(1000, 0.05, 100) <= exp(-1000 * divergence)
    assert tail(1000, 0.05, 100) > exp(-1000 * divergence) / 1000
    assert tail(requests, rate, errors) == 0.0
    assert tail(3, 0.1, 4) == 0.0


@settings(max_examples=40, deadline=None)
@given(
    natural=st.floats(0.001, 0.2),
    factor=st.floats(1.8, 40),
    accepted=st.floats(0.5, 1000),
    period=st.sampled_from([10, 60, 300]),
)
@example(natural=0.001, factor=50, accepted=1.0, period=10)
@example(natural=0.2, factor=5, accepted=1000.0, period=300)
def test_no_traffic_alarms_by_chance_more_often_and_one_error_less_would(
    natural: float, factor: float, accepted: float, period: int
) -> None:
    rate = min(1.0, natural * factor)
    least = derive(natural, accepted, period, rate)
    assume(least / rate < 120)  # keeps the brute force small
    bound = accepted * period / SECONDS_PER_YEAR
    up_to = int(2 * (least + 1) / rate) + 1
    assert worst_alarm_probability(up_to, natural, least, rate) <= bound * (1 + ROUNDING)
    if least > 1:
        assert worst_alarm_probability(up_to, natural, least - 1, rate) > bound * (1 - ROUNDING)


def test_the_defaults_give_the_numbers_in_the_documentation() -> None:
    assert derive(0.001, 1.0, 10, 0.05) == 5
    assert derive(0.001, 1.0, 60, 0.05) == 4


@settings(deadline=None)
@given(period=st.sampled_from([10, 60, 3600]), rate=st.floats(0.02, 1.0))
def test_fewer_accepted_false_alarms_never_take_fewer_errors(period: int, rate: float) -> None:
    numbers = [derive(0.01, accepted, period, rate) for accepted in (1000.0, 10.0, 1.0, 0.01)]
    assert numbers == sorted(numbers)


def test_the_default_rate() -> None:
    assert default_alarm_error_rate(0.001) == 0.05
    assert default_alarm_error_rate(0.02) == 0.2
    assert default_alarm_error_rate(0.2) == 1.0


NATURAL = "natural_error_rate must be above 0 and at most 0.2, got"
ALARM = r"alarm_error_rate must be above natural_error_rate \(0.01\)"
ACCEPTED = "false_alarms_per_year must be above 0 and at most 1000"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        *[((natural, 1.0, 60, 0.5), NATURAL) for natural in (0.0, -0.1, 0.21, nan, inf)],
        *[((0.01, 1.0, 60, alarm), ALARM) for alarm in (0.01, 0.001, 0.0, 1.01, nan)],
        *[((0.01, accepted, 60, 0.1), ACCEPTED) for accepted in (0.0, -1.0, 1000.1, nan)],
        ((0.01, 1.0, 0, 0.1), "period must be at least 1 second, got 0"),
        # Refused, rather than searched for without an end.
        *[((0.2, 1.0, 60, alarm), "too close to natural") for alarm in (0.2 + 1e-12, 0.2001, 0.2005)],
    ],
)
def test_a_value_out_of_range_is_refused(arguments: tuple[float, float, int, float], text: str) -> None:
    with pytest.raises(ComponentError, match=text):
        derive(*arguments)


def test_an_accepted_alarm_in_every_period_takes_one_error() -> None:
    assert derive(0.2, 1000.0, 86_400, 0.5) == 1
