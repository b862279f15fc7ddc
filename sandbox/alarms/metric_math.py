"""Calculates metric math, as far as alarms use it; other functions are refused.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from selfheal.sandbox.alarms import series as ts
from selfheal.sandbox.alarms.series import Binary, Series, Value
from selfheal.sandbox.alarms.syntax import ID_PREFIX, MathError, parse

FUNCTIONS = ("ABS", "AVG", "CEIL", "FILL", "FLOOR", "IF", "MAX", "METRICS", "MIN", "PERIOD", "SUM")
"""The functions that are supported."""

_EACH: Mapping[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": lambda value: float(math.ceil(value)),
    "FLOOR": lambda value: float(math.floor(value)),
}

_ARITHMETIC: Mapping[type[ast.operator], Binary] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: ts.divide,
    ast.Pow: ts.power,
}

_COMPARISON: Mapping[type[ast.cmpop], Binary] = {
    ast.Lt: ts.truth(operator.lt),
    ast.LtE: ts.truth(operator.le),
    ast.Gt: ts.truth(operator.gt),
    ast.GtE: ts.truth(operator.ge),
    ast.Eq: ts.truth(operator.eq),
    ast.NotEq: ts.truth(operator.ne),
}

_LOGIC: Mapping[type[ast.boolop], Binary] = {
    ast.And: ts.truth(lambda left, right: bool(left and right)),
    ast.Or: ts.truth(lambda left, right: bool(left or right)),
}


@dataclass(frozen=True)
class Scope:
    """What an expression can refer to."""

    metrics: Mapping[str, Series]
    """Raw metrics by id."""

    expressions: Mapping[str, str]
    """Other expressions by id: one may use the result of another."""

    stamps: Sequence[int]
    """The start of every period in the evaluation range, in epoch seconds, ascending; FILL fills these."""

    period: int
    """Seconds of a period, the same for all metrics."""


def evaluate(target: str, scope: Scope) -> Series:
    """Return the series of the metric or expression whose id is `target`.

    Raises MathError if the id or a function is unknown, expressions use each other in a circle, or the result
    is not a single time series. This depends only on the expressions, not on the data.
    """
    value = _Calculation(scope, ()).resolve(target)
    if isinstance(value, Mapping):
        return value
    found = f"an array of {len(value)} time series" if isinstance(value, tuple) else "a number"
    raise MathError(
        f"an alarm watches a single time series; {target} ({scope.expressions.get(target)!r}) gives {found}. "
        "AVG, MAX, MIN and SUM make one series of an array, and a number of a series"
    )


class _Calculation:
    """The calculation of one expression. `trail` holds the ids being resolved, to detect cycles."""

    def __init__(self, scope: Scope, trail: tuple[str, ...]) -> None:
        self.scope = scope
        self.trail = trail

    def resolve(self, name: str) -> Value:
        if name in self.scope.metrics:
            return self.scope.metrics[name]
        if name in self.trail:
            raise MathError(f"metric math goes round in a circle: {' -> '.join((*self.trail, name))}")
        if name not in self.scope.expressions:
            known = ", ".join(sorted({*self.scope.metrics, *self.scope.expressions}))
            raise MathError(
                f"metric math uses {name!r}, which is no id of this alarm. Its ids are: {known}. "
                "Functions are written in capitals"
            )
        return _Calculation(self.scope, (*self.trail, name)).value(parse(self.scope.expressions[name]))

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=float(number)):
                return number
            case ast.Name(id=name) if name.startswith(ID_PREFIX):
                return self.resolve(name.removeprefix(ID_PREFIX))
            case ast.List(elts=items):
                return tuple(series for item in items for series in self.array_item(item))
            case ast.UnaryOp(operand=operand):
                return ts.combine(operator.mul, -1.0, self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return ts.combine(_ARITHMETIC[type(op)], self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return ts.combine(_COMPARISON[type(op)], self.single(left), self.single(right))
            case ast.BoolOp(op=op, values=[first, *rest]):
                result: Value = self.single(first)
                for item in rest:
                    result = ts.combine(_LOGIC[type(op)], result, self.single(item))
                return result
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, arguments)
            case _:
                raise MathError(f"{ast.unparse(node).replace(ID_PREFIX, '')} has no value in metric math")

    def single(self, node: ast.expr) -> float | Series:
        value = self.value(node)
        if isinstance(value, tuple):
            raise MathError(
                f"{self.source} compares, or chooses by, an array of time series: allowed are a number and a "
                "time series. Reduce the array first, for example with MAX"
            )
        return value

    def many(self, name: str, node: ast.expr) -> Series | tuple[Series, ...]:
        value = self.value(node)
        if isinstance(value, Mapping | tuple):
            return value
        raise MathError(
            f"{name} in {self.source} is given a number: allowed are time series and arrays of them"
        )

    def array_item(self, node: ast.expr) -> tuple[Series, ...]:
        value = self.many("[ ]", node)
        return value if isinstance(value, tuple) else (value,)

    @property
    def source(self) -> str:
        return repr(self.scope.expressions[self.trail[-1]])

    def call(self, name: str, arguments: list[ast.expr]) -> Value:
        counts = {"FILL": (2, 2), "IF": (2, 3), "METRICS": (0, 1)}
        if name not in FUNCTIONS:
            raise MathError(
                f"{self.source} uses {name.removeprefix(ID_PREFIX)}, which this sandbox does not calculate. "
                f"It calculates {', '.join(FUNCTIONS)}, written in capitals"
            )
        least, most = counts.get(name, (1, 1))
        if not least <= len(arguments) <= most:
            allowed = str(least) if least == most else f"{least} to {most}"
            raise MathError(f"{name} in {self.source} takes {allowed} arguments, not {len(arguments)}")
        if name == "IF":
            return ts.choose(
                *(self.single(argument) for argument in arguments), *((None,) * (3 - len(arguments)))
            )
        if name == "METRICS":
            return self.metrics(arguments)
        if name == "PERIOD":
            return self.period(arguments[0])
        if name == "FILL":
            return self.fill(*arguments)
        value = self.many(name, arguments[0])
        if name in _EACH:
            return ts.lifted(lambda series: {at: _EACH[name](x) for at, x in series.items()}, value)
        return ts.reduce(name, value)

    def fill(self, subject: ast.expr, filler: ast.expr) -> Value:
        value = self.many("FILL", subject)
        by = (
            filler.id
            if isinstance(filler, ast.Name) and filler.id in {"REPEAT", "LINEAR"}
            else self.single(filler)
        )
        return ts.lifted(lambda series: ts.fill(series, by, self.scope.stamps), value)

    def metrics(self, arguments: list[ast.expr]) -> Value:
        match arguments:
            case []:
                part = ""
            case [ast.Constant(value=str(text))]:
                part = text
            case _:
                raise MathError(
                    f'METRICS in {self.source} takes nothing, or part of an id in quotes: METRICS("errors")'
                )
        return tuple(series for name, series in self.scope.metrics.items() if part in name)

    def period(self, argument: ast.expr) -> float:
        name = argument.id.removeprefix(ID_PREFIX) if isinstance(argument, ast.Name) else ""
        if name not in self.scope.metrics:
            raise MathError(
                f"PERIOD in {self.source} takes the id of a metric, not the result of an expression"
            )
        return float(self.scope.period)
