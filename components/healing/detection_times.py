"""How long a failure lasts before an alarm rings: by traffic and share that fails. Pure functions.

Requests come at random (Poisson), and each fails with the same probability. Failed and answered requests of a
period are then independent Poisson counts, and an alarm rings when both fulfil its rule: the same minimum of
errors and the same division as in the alarm's own expression.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, lgamma, log, log1p, sqrt

from selfheal.components.healing.detection import AlarmRecord
from selfheal.components.healing.metrics import HOUR, MINUTE
from selfheal.components.healing.thresholds import worst_requests
from selfheal.functions.shared.contract import SERIES, AlarmKind

CONFIDENCE = 0.95
"""Of so many failures of a kind, the alarm has rung by the time that is told."""

LONGEST = 24 * HOUR
"""Whatever takes longer is not called detected."""

_SIGMAS = 8
"""How far from its mean a count is followed: beyond that it is impossible, as far as a float goes."""


@dataclass(frozen=True)
class Rule:
    """The rule of an alarm."""

    kind: AlarmKind
    period: int
    min_errors: int
    error_rate: float

    @classmethod
    def of(cls, alarm: AlarmRecord) -> "Rule":
        """Return the rule of an alarm that was registered."""
        return cls(AlarmKind(alarm["kind"]), alarm["period"], alarm["min_errors"], alarm["error_rate"])

    @property
    def step(self) -> int:
        """Seconds between two evaluations: by so much the windows of a longer period slide."""
        return min(self.period, MINUTE)

    @property
    def published(self) -> int:
        """Seconds from a begin within one step until the first whole step, and from its end to its data."""
        return self.step + SERIES[self.kind].late_seconds

    @property
    def soonest(self) -> int:
        """Seconds in which it can ring at best."""
        return self.published + self.step

    def rings(self, failed: float, answered: float) -> float:
        """Return the probability that one datapoint rings.

        Args:
            failed: Requests that fail in its period, on average.
            answered: Requests that are answered in its period, on average.

        """
        first, last = _range(failed)
        total = cumulative = 0.0
        known = _range(answered)[0] - 1
        for errors in range(max(first, self.min_errors), last + 1):
            most = worst_requests(errors, self.error_rate) - errors
            for count in range(known + 1, min(most, _range(answered)[1]) + 1):
                cumulative += _poisson(count, answered)
                known = count
            total += _poisson(errors, failed) * cumulative
        return min(1.0, total)


def seconds(rules: Sequence[Rule], per_minute: float, failing: float) -> int | None:
    """Return how long after its begin a failure has rung one of the alarms; None: not within a day.

    Not counted is how long the calls last that fail: Lambda counts a call when it ends.

    Args:
        rules: The alarms.
        per_minute: Requests in a minute, above 0.
        failing: Share of them that fails, above 0, at most 1.

    """
    best = LONGEST + 1.0
    for rule in rules:
        if rule.soonest < best:
            best = min(best, _seconds(rule, per_minute / MINUTE, failing))
    return int(best) if best <= LONGEST else None


def _seconds(rule: Rule, per_second: float, failing: float) -> float:
    """Return by when one alarm has rung: whole periods after the one that the failure begins in."""

    def rings(lasting: int) -> float:
        """Return the probability that a datapoint rings when so many of its seconds are in the failure."""
        well = per_second * (rule.period - lasting)
        return rule.rings(per_second * lasting * failing, per_second * lasting * (1 - failing) + well)

    whole = rings(rule.period)
    if whole >= CONFIDENCE:
        steps = range(rule.step, rule.period + 1, rule.step)
        return rule.published + steps[_first(len(steps), lambda index: rings(steps[index]) >= CONFIDENCE)]
    if whole <= 0:
        return float("inf")
    # Periods that do not overlap are independent. A period longer than its step slides, and may ring sooner.
    return rule.published + rule.period * ceil(log(1 - CONFIDENCE) / log1p(-whole))


def _first(count: int, holds: Callable[[int], bool]) -> int:
    """Return the first index that holds; all later ones do, and the last one at least."""
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _range(mean: float) -> tuple[int, int]:
    """Return the first and last count that a Poisson variable can take, as far as a float goes."""
    reach = _SIGMAS * sqrt(mean) + _SIGMAS**2 / 3
    return max(0, floor(mean - reach)), ceil(mean + reach)


def _poisson(count: int, mean: float) -> float:
    if mean <= 0:
        return 1.0 if count == 0 else 0.0
    return exp(count * log(mean) - mean - lgamma(count + 1))
