"""Derives the number of errors in a period that cannot be chance. Pure functions."""

from math import ceil, exp, floor, lgamma, log, log1p

from selfheal.components.errors import ComponentError

SECONDS_PER_YEAR = 365.25 * 24 * 3600

MAX_NATURAL_ERROR_RATE = 0.2
"""If one request in five fails when a service is healthy, an error rate cannot show a failure."""

MAX_FALSE_ALARMS_PER_YEAR = 1000.0
"""Nearly three a day. With more, an alarm is useless."""

MAX_MIN_ERRORS = 10_000
"""Limit of the search. Beyond it, the two rates are too close to be distinguished within one period."""

DEFAULT_ALARM_ERROR_RATE = 0.05
DEFAULT_ALARM_FACTOR = 10


def default_alarm_error_rate(natural_error_rate: float) -> float:
    """Return the default error rate at which to alarm: 5 %, or ten times the natural one if that is more."""
    return min(1.0, max(DEFAULT_ALARM_ERROR_RATE, DEFAULT_ALARM_FACTOR * natural_error_rate))


def derive(
    natural_error_rate: float, false_alarms_per_year: float, period: int, alarm_error_rate: float
) -> int:
    """Return k, the minimum number of errors in one period that may raise an alarm.

    With p the natural rate and r the alarm's, an alarm fires in a period of n requests when at least m(n) =
    max(k, ceil(r n)) of them fail. The returned k is the smallest of at least 1 for which, at every traffic
    n,

        P(Binomial(n, p) >= m(n)) <= false_alarms_per_year / periods in a year

    so a healthy service raises false alarms at most that often, whatever its traffic, even though one period
    is enough for an alarm.

    Only one n matters for each count m. The tail P(Binomial(n, p) >= m) grows with n, and an alarm at
    exactly m errors needs m >= r n, that is n <= m / r: the worst case is n = floor(m / r). So k is one more
    than the greatest m at which that tail is above the bound. The search ends, because the tail is at most
    exp(-n D), with D the Kullback-Leibler divergence of r from p (H. Chernoff, "A Measure of Asymptotic
    Efficiency for Tests of a Hypothesis Based on the sum of Observations", 1952; W. Hoeffding, "Probability
    Inequalities for Sums of Bounded Random Variables", 1963, theorem 1), and m / n >= r here. As n > m / r -
    1, no m above r (1 + ln(1 / bound) / D) can break the bound.

    Args:
        natural_error_rate: Share of requests that fail when the service is healthy; above 0, at most 0.2.
        false_alarms_per_year: Accepted number for this alarm; above 0, at most 1,000.
        period: Period of the alarm in seconds, at least 1.
        alarm_error_rate: Error rate at which to alarm; above the natural rate, at most 1.

    Raises:
        ComponentError: when a value is out of range, or the two rates are too close to be distinguished.

    """
    _check(natural_error_rate, false_alarms_per_year, period, alarm_error_rate)
    bound = false_alarms_per_year * period / SECONDS_PER_YEAR
    if bound >= 1:
        return 1
    divergence = _divergence(alarm_error_rate, natural_error_rate)
    # Compared as a product, because the divergence is 0 if the rates differ only by rounding.
    if alarm_error_rate * -log(bound) > (MAX_MIN_ERRORS - alarm_error_rate) * divergence:
        raise ComponentError(
            f"alarm_error_rate is too close to natural_error_rate: within {period} s they can be told "
            f"apart only by more than {MAX_MIN_ERRORS} errors. Got {alarm_error_rate} and "
            f"{natural_error_rate}. Raise alarm_error_rate, for example to "
            f"{min(1.0, 2 * natural_error_rate):g}, or leave it out."
        )
    count = ceil(alarm_error_rate * (1 - log(bound) / divergence))
    while count >= 1 and tail(worst_requests(count, alarm_error_rate), natural_error_rate, count) <= bound:
        count -= 1
    return count + 1


def tail(requests: int, rate: float, errors: int) -> float:
    """Return P(Binomial(requests, rate) >= errors), exact except for rounding, for `errors` above the mean.

    Args:
        requests: At least 0.
        rate: Above 0 and below 1.
        errors: Above requests x rate, so that the terms decrease and the sum can stop early.

    """
    if errors > requests:
        return 0.0
    # The first term in log space, because its factors exceed the range of a float before their product does.
    term = exp(
        lgamma(requests + 1)
        - lgamma(errors + 1)
        - lgamma(requests - errors + 1)
        + errors * log(rate)
        + (requests - errors) * log1p(-rate)
    )
    odds = rate / (1 - rate)
    total = term
    for count in range(errors, requests):
        term *= (requests - count) / (count + 1) * odds
        total += term
        if term < total * 1e-17:
            break
    return min(1.0, total)


def worst_requests(errors: int, rate: float) -> int:
    """Return the greatest n with errors / n >= rate, in floating point as in the alarm.

    Args:
        errors: At least 1.
        rate: Above 0, at most 1.

    """
    requests = floor(errors / rate)
    while errors / (requests + 1) >= rate:
        requests += 1
    while errors / requests < rate:
        requests -= 1
    return requests


def _divergence(alarm: float, natural: float) -> float:
    """Return the Kullback-Leibler divergence of Bernoulli(alarm) from Bernoulli(natural), in nats."""
    success = 0.0 if alarm == 1 else (1 - alarm) * (log1p(-alarm) - log1p(-natural))
    return max(0.0, alarm * log(alarm / natural) + success)


def _check(natural: float, false_alarms: float, period: int, alarm: float) -> None:
    """Raise unless every value is in range. The comparisons also refuse NaN."""
    if not 0 < natural <= MAX_NATURAL_ERROR_RATE:
        raise ComponentError(
            f"natural_error_rate must be above 0 and at most {MAX_NATURAL_ERROR_RATE}, got {natural}. It "
            "is the share of requests that fail when the service is well: read it off a quiet week, or "
            "keep the default 0.001."
        )
    if not natural < alarm <= 1:
        raise ComponentError(
            f"alarm_error_rate must be above natural_error_rate ({natural}) and at most 1, got {alarm}. "
            f"Leave it out for {default_alarm_error_rate(natural):g}."
        )
    if not 0 < false_alarms <= MAX_FALSE_ALARMS_PER_YEAR:
        raise ComponentError(
            f"false_alarms_per_year must be above 0 and at most {MAX_FALSE_ALARMS_PER_YEAR:g}, got "
            f"{false_alarms}. It is how many alarms without a cause the owner accepts in a year; the "
            "default is 1."
        )
    if period < 1:
        raise ComponentError(f"period must be at least 1 second, got {period}.")
