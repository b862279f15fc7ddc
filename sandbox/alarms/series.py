"""Operations of metric math on time series. Pure.

Source: the CloudWatch user guide, "Using math expressions with CloudWatch metrics",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
If an operator combines two series, a value that is missing in one of them counts as 0. A scalar is combined
with every datapoint of a series. A datapoint whose calculation divides by zero is dropped.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from selfheal.sandbox.alarms.syntax import MathError

Series: TypeAlias = Mapping[int, float]
"""Timestamp in seconds since 1970, the start of its period -> value. A missing datapoint has no entry."""

Value: TypeAlias = "float | Series | tuple[Series, ...]"
"""A scalar (nan: no value, for example the maximum of no datapoints), a series, or an array of series."""

Binary: TypeAlias = Callable[[float, float], float]


def divide(left: float, right: float) -> float:
    """Return left / right; nan, a dropped datapoint, for a division by zero."""
    return left / right if right else math.nan


def power(left: float, right: float) -> float:
    """Return left ^ right; nan where that is no real number or too large for one."""
    try:
        return math.pow(left, right)
    except (ValueError, OverflowError):
        return math.nan


def truth(test: Callable[[float, float], bool]) -> Binary:
    """Turn a comparison into an operator that gives 1 or 0, and nan if one side has no value."""

    def compare(left: float, right: float) -> float:
        return math.nan if math.isnan(left) or math.isnan(right) else float(test(left, right))

    return compare


def lifted(function: Callable[[Series], Series], value: Series | tuple[Series, ...]) -> Value:
    """Apply a function to a series, or to each series of an array."""
    return tuple(map(function, value)) if isinstance(value, tuple) else function(value)


def _finite(points: Iterable[tuple[int, float]]) -> Series:
    return {at: value for at, value in points if math.isfinite(value)}


def _union(many: Sequence[Series]) -> list[int]:
    return sorted(set[int]().union(*many))


def combine(operator: Binary, left: Value, right: Value) -> Value:
    """Apply an operator to two values. Raises MathError for two arrays, which CloudWatch does not combine."""
    if isinstance(left, tuple):
        if isinstance(right, tuple):
            raise MathError(
                "an operator cannot join two arrays of time series: allowed are numbers, time series, and "
                "one array with a number or a time series. Reduce one of them first, for example with SUM"
            )
        return tuple(_pairwise(operator, series, right) for series in left)
    if isinstance(right, tuple):
        return tuple(_pairwise(operator, left, series) for series in right)
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        return _pairwise(operator, left, right)
    return operator(left, right)


def _pairwise(operator: Binary, left: float | Series, right: float | Series) -> Series:
    stamps = _union([side for side in (left, right) if isinstance(side, Mapping)])

    def at(side: float | Series, stamp: int) -> float:
        return side.get(stamp, 0.0) if isinstance(side, Mapping) else side

    return _finite((stamp, operator(at(left, stamp), at(right, stamp))) for stamp in stamps)


def choose(condition: float | Series, when_true: float | Series, when_false: float | Series | None) -> Series:
    """Return IF(condition, when_true, when_false), in the forms that CloudWatch documents.

    If the condition is true (not 0) and `when_true` has no datapoint, the result is 0. If it is false and
    `when_false` has none or is not given, or if the condition has no datapoint, neither has the result.
    Raises MathError if a scalar condition chooses between anything but series, which CloudWatch does not
    have.
    """
    if not isinstance(condition, Mapping):
        if not isinstance(when_true, Mapping) or not isinstance(when_false, Mapping | None):
            raise MathError(
                "IF with a number as condition chooses between time series: IF(number, series) or "
                "IF(number, series, series). Make the condition a time series, for example m1 > 5"
            )
        return when_true if condition and not math.isnan(condition) else (when_false or {})

    def pick(stamp: int, value: float) -> float:
        if value:
            return when_true.get(stamp, 0.0) if isinstance(when_true, Mapping) else when_true
        if isinstance(when_false, Mapping):
            return when_false.get(stamp, math.nan)
        return math.nan if when_false is None else when_false

    return _finite((stamp, pick(stamp, value)) for stamp, value in condition.items())


def fill(series: Series, filler: float | Series | str, stamps: Sequence[int]) -> Series:
    """Return FILL: a value for each missing stamp.

    `filler` is a number, a series, "REPEAT" (the latest value before the gap) or "LINEAR" (a line between
    the values on both sides of the gap). REPEAT leaves a gap at the start, LINEAR one at the start or end:
    there is nothing to take the value from. `stamps` is every period of the evaluation range, ascending.
    """
    known = sorted(series)

    def missing(stamp: int) -> float:
        if isinstance(filler, Mapping):
            return filler.get(stamp, math.nan)
        if not isinstance(filler, str):
            return filler
        before = max((at for at in known if at < stamp), default=None)
        after = min((at for at in known if at > stamp), default=None)
        if before is None or (filler == "LINEAR" and after is None):
            return math.nan
        if filler == "REPEAT" or after is None:
            return series[before]
        return series[before] + (series[after] - series[before]) * (stamp - before) / (after - before)

    return _finite((stamp, series[stamp] if stamp in series else missing(stamp)) for stamp in stamps)


def reduce(name: str, value: Series | tuple[Series, ...]) -> float | Series:
    """Return AVG, MAX, MIN or SUM: of one series a scalar (nan without datapoints), of an array a series.

    In the AVG of an array a missing value counts as 0, as documented; MAX and MIN take the values there are,
    on which the documentation is silent.
    """
    function = REDUCERS[name]
    if not isinstance(value, tuple):
        return function(list(value.values())) if value else math.nan

    def at(stamp: int) -> float:
        present = [series[stamp] for series in value if stamp in series]
        return sum(present) / len(value) if name == "AVG" else function(present)

    return _finite((stamp, at(stamp)) for stamp in _union(value))


REDUCERS: Mapping[str, Callable[[list[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "MAX": max,
    "MIN": min,
    "SUM": lambda values: float(sum(values)),
}
"""The functions that make one value of many."""
