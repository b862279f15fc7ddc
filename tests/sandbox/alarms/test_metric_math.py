"""Metric math: the examples of CloudWatch's documentation, the project's own forms, and what is refused.

Page: CloudWatch user guide, "Using math expressions with CloudWatch metrics",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
read in AWS's repository awsdocs/amazon-cloudwatch-user-guide, doc_source/using-metric-math.md,
commit 20a560c1.
"""

import string
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.sandbox.alarms.metric_math import Scope, evaluate
from selfheal.sandbox.alarms.series import Series
from selfheal.sandbox.alarms.syntax import MathError

STAMPS = (0, 60, 120, 180, 240)


def series(*values: float | None) -> Series:
    return {at: float(value) for at, value in zip(STAMPS, values, strict=False) if value is not None}


def calculate(expression: str, **metrics: Series) -> Series:
    return evaluate("e", Scope(metrics, {"e": expression}, STAMPS, 60))


# The examples of "Comparison and logical operators", and the tables of "Using IF expressions".
METRICS = {"metric1": series(30, 20, 0, 0), "metric2": series(20, None, 20, None)}
THEN, ELSE = series(30, None, 0, 0, 30), series(0, 0, 20, None, 20)
CHOICE = {"metric1": series(1, 1, 0, 0, None), "metric2": THEN, "metric3": ELSE}


@pytest.mark.parametrize(
    ("expression", "metrics", "expected"),
    [
        ("(metric1 < metric2)", METRICS, series(0, 0, 1, 0)),
        ("(metric1 >= 30)", METRICS, series(1, 0, 0, 0)),
        ("(metric1 > 15 AND metric2 > 15)", METRICS, series(1, 0, 0, 0)),
        ("(metric1 > 15 && metric2 > 15)", METRICS, series(1, 0, 0, 0)),
        ("metric1 > 15 OR metric2 > 15", METRICS, series(1, 1, 1, 0)),
        ("metric1 > 15 || metric2 > 15", METRICS, series(1, 1, 1, 0)),
        ("metric1 == 20", METRICS, series(0, 1, 0, 0)),
        ("metric1 != 20", METRICS, series(1, 0, 1, 1)),
        ("metric1 <= 20", METRICS, series(0, 1, 1, 1)),
        ("IF(metric1, metric2, metric3)", CHOICE, series(30, 0, 20, None, None)),
        ("IF(metric1, 5, metric3)", CHOICE, series(5, 5, 20, None, None)),
        ("IF(metric1, metric2, 5)", CHOICE, series(30, 0, 5, 5, None)),
        ("IF(metric1, metric2)", CHOICE, series(30, 0, None, None, None)),
        ("IF(metric1, 5)", CHOICE, series(5, 5, None, None, None)),
        ("IF(metric1, 5, 6)", CHOICE, series(5, 5, 6, 6, None)),
        ("IF(1, metric2, metric3)", CHOICE, THEN),
        ("IF(0, metric2, metric3)", CHOICE, ELSE),
        ("IF(0, metric2)", CHOICE, {}),
        ("IF(metric3 > 10, metric3, 0)", CHOICE, series(0, 0, 20, None, 20)),
        ("IF(-metric1, 5, 6)", CHOICE, series(5, 5, 6, 6, None)),  # any value but 0 is true
    ],
)
def test_the_examples_of_the_documentation(
    expression: str, metrics: dict[str, Series], expected: Series
) -> None:
    assert calculate(expression, **metrics) == expected


A, B = series(6, 4, None, 2, 0), series(3, 0, 5, None, 0)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", series(9, 4, 5, 2, 0)),  # a missing value counts as 0
        ("a - b", series(3, 4, -5, 2, 0)),
        ("a * b", series(18, 0, 0, 0, 0)),
        ("a / b", series(2, None, 0, None, None)),  # no datapoint for a division by 0 or a missing value
        ("100 * a", series(600, 400, None, 200, 0)),  # a number applies where the series has a datapoint
        ("12 / a", series(2, 3, None, 6, None)),
        ("-a", series(-6, -4, None, -2, 0)),
        ("a ^ 2", series(36, 16, None, 4, 0)),
        ("2 ^ 3 ^ 2 + 0 * a", series(512, 512, None, 512, 512)),
        ("-2 ^ 2 + 0 * a", series(-4, -4, None, -4, -4)),
        ("2 + 3 * a - 1", series(19, 13, None, 7, 1)),
        ("(a - 10) ^ 0.5", {}),  # no real number
        ("10 ^ (400 + 0 * a)", {}),  # no float holds it
        ("ABS(a - b)", series(3, 4, 5, 2, 0)),
        ("CEIL(a / 4)", series(2, 1, None, 1, 0)),
        ("FLOOR(a / 4)", series(1, 1, None, 0, 0)),
        ("SUM([a, b])", series(9, 4, 5, 2, 0)),
        ("AVG([a, b])", series(4.5, 2, 2.5, 1, 0)),
        ("MAX([a, b])", series(6, 4, 5, 2, 0)),
        ("MIN([a, b])", series(3, 0, 5, 2, 0)),
        ("a - AVG(a)", series(3, 1, None, -1, -3)),
        ("a / MAX(a)", series(1, 4 / 6, None, 2 / 6, 0)),
        ("a - MIN(b)", series(6, 4, None, 2, 0)),
        ("a / SUM(a)", series(0.5, 4 / 12, None, 2 / 12, 0)),
        ("SUM(12 / [a, b])", series(6, 3, 2.4, 6, None)),
        ("SUM([a, b] / a)", series(1.5, 1, None, 1, None)),
        ("SUM(-[a, b])", series(-9, -4, -5, -2, 0)),
        ("MAX(ABS([a, -b]))", series(6, 4, 5, 2, 0)),
        ("SUM(METRICS())", series(9, 4, 5, 2, 0)),
        ('SUM(METRICS("b"))', series(3, 0, 5, None, 0)),
        ("SUM([METRICS('a'), METRICS('b')])", series(9, 4, 5, 2, 0)),
        ("a / PERIOD(a) * 60", A),
        ("FILL(a, 7)", series(6, 4, 7, 2, 0)),
        ("FILL(a, MIN(a))", series(6, 4, 0, 2, 0)),
        ("FILL(a, REPEAT)", series(6, 4, 4, 2, 0)),
        ("FILL(a, LINEAR)", series(6, 4, 3, 2, 0)),
        ("SUM(FILL([a, b], 1))", series(9, 4, 6, 3, 0)),
        ("SUM(FILL(METRICS(), a))", series(9, 4, 5, 4, 0)),
        (" a\n+  b ", series(9, 4, 5, 2, 0)),
        ("a*.5+007-7", series(3, 2, None, 1, 0)),
    ],
)
def test_calculation(expression: str, expected: Series) -> None:
    assert calculate(expression, a=A, b=B) == pytest.approx(expected)


GAPS = {"m": series(None, 4, None, 8, None)}
COUNTS = {"errors": series(6, 6, 5, 0, None), "requests": series(10, 200, 10, 10, None)}
PYTHON = ("in", "for", "lambda", "is", "not", "iF", "e1")
REDUCERS = ("AVG", "MAX", "MIN", "SUM")


@pytest.mark.parametrize(
    ("expression", "metrics", "expected"),
    [
        ("FILL(m, REPEAT)", GAPS, series(None, 4, 4, 8, 8)),
        ("FILL(m, LINEAR)", GAPS, series(None, 4, 6, 8, None)),
        ("FILL(m, 0)", {"m": {}}, series(0, 0, 0, 0, 0)),
        # A number made of no datapoints gives none.
        *((f"m - {name}(n)", {"m": A, "n": {}}, {}) for name in REDUCERS),
        *((f"IF(m > {name}(n), 1, 0)", {"m": A, "n": {}}, {}) for name in REDUCERS),
        *((f"{name}([m, n])", {"m": {}, "n": {}}, {}) for name in REDUCERS),
        # An id may be a word of Python.
        *(
            (f"{name} + 1", {name: series(1)}, series(2))
            for name in ("in", "for", "lambda", "is", "iF", "e1")
        ),
        # The form of the project's own alarms: enough errors, and enough of them among the requests.
        ("IF(errors >= 6 AND errors / requests >= 0.05, 1, 0)", COUNTS, series(1, 0, 0, 0, None)),
    ],
)
def test_gaps_empty_series_and_names(expression: str, metrics: dict[str, Series], expected: Series) -> None:
    assert calculate(expression, **metrics) == expected


def test_an_expression_uses_the_result_of_another_and_a_circle_is_named() -> None:
    expressions = {"requests": "invocations + throttles", "rate": "errors / requests"}
    metrics = {"invocations": series(8), "throttles": series(2), "errors": series(5)}
    assert evaluate("rate", Scope(metrics, expressions, STAMPS, 60)) == series(0.5)
    with pytest.raises(MathError, match="a -> b -> a"):
        evaluate("a", Scope({}, {"a": "b + 1", "b": "a + 1"}, STAMPS, 60))


REFUSED = {
    "RATE(m)": "RATE",
    "ANOMALY_DETECTION_BAND(m, 2)": "ANOMALY_DETECTION_BAND",
    "SEARCH('x', 'Sum', 60)": "SEARCH",
    "sum([m])": "uses sum, .*capitals",
    "Sum([m])": "character 1",
    "m & n": "character 3",
    "m % n": "character 3",
    "m ** n": "brackets and operators",
    "m // n": "brackets and operators",
    "m n": "brackets and operators",
    "(m": "brackets and operators",
    "": "brackets and operators",
    "m = n": "character 3",
    "+m": "allowed are",
    "(m, n)": "allowed are",
    "SUM(*m)": "allowed are",
    "m(1)": "uses m,",
    "m < n < 3": "m < 3|a < b AND b < c",
    "unknown + 1": "'unknown'.*Its ids are: e, m, n",
    "e + 1": "circle: e -> e",
    "5": "gives a number",
    "MAX(m)": "gives a number",
    "[m, n]": "array of 2 time series",
    "METRICS()": "array of 2 time series",
    "[m] + [n]": "two arrays",
    "[m] > 1": "array of time series",
    "IF([m], 1, 0)": "array of time series",
    "IF(1, 2, 3)": "chooses between time series",
    "IF(1, m, 3)": "chooses between time series",
    "IF(m)": "2 to 3 arguments, not 1",
    "IF(m, 1, 2, 3)": "2 to 3 arguments, not 4",
    "FILL(m)": "2 arguments, not 1",
    "FILL(5, m)": "given a number",
    "FILL(m, NEAREST)": "NEAREST has no value",
    "ABS(5)": "given a number",
    "SUM(5)": "given a number",
    "SUM([5])": "given a number",
    "SUM(m, n)": "1 arguments, not 2",
    "METRICS(m)": "in quotes",
    "PERIOD(m + n)": "id of a metric",
    "'text'": "has no value",
    "m" * 2049: "2048 characters",
    "(" * 500 + "m" + ")" * 500: "brackets",
    "-" * 2000 + "m": "200 operators deep",
    "SELECT AVG(m) FROM x": "brackets and operators",
}


@pytest.mark.parametrize("expression", REFUSED)
@pytest.mark.parametrize("data", [series(1, 2), {}], ids=["data", "no data"])
def test_refusal_says_what_is_wrong_whatever_the_data(expression: str, data: Series) -> None:
    with pytest.raises(MathError, match=REFUSED[expression]):
        calculate(expression, m=data, n=data)


anything = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=5).map(lambda values: series(*values))


@given(anything, anything)
def test_addition_commutes_and_subtraction_is_its_inverse(m: Series, n: Series) -> None:
    assert calculate("m + n", m=m, n=n) == calculate("n + m", m=m, n=n)
    assert calculate("m - n", m=m, n=n) == calculate("-(n - m)", m=m, n=n)
    assert set(calculate("m + n", m=m, n=n)) == {*m, *n}


@given(anything, anything)
def test_a_condition_is_0_or_1_where_there_is_data(m: Series, n: Series) -> None:
    found = calculate("IF(m > 3 AND n / m >= 0.5, 1, 0)", m=m, n=n)

    assert set(found.values()) <= {0.0, 1.0}
    assert set(found) <= {*m, *n}


@given(anything, st.floats(-10, 10))
def test_fill_keeps_every_datapoint_and_leaves_no_gap(m: Series, filler: float) -> None:
    found = calculate(f"FILL(m, {filler:f})", m=m)

    assert list(found) == list(STAMPS)
    assert {at: found[at] for at in m} == m


@given(anything, anything)
def test_a_fraction_never_exceeds_its_whole(part: Series, rest: Series) -> None:
    part, rest = ({at: abs(value) for at, value in side.items()} for side in (part, rest))

    assert all(0 <= value <= 1 for value in calculate("part / (part + rest)", part=part, rest=rest).values())


WORDS = [
    "m",
    "n",
    "IF",
    "FILL",
    "SUM",
    "REPEAT",
    "AND",
    "(",
    ")",
    "[",
    "]",
    ",",
    "1",
    ".5",
    "-",
    "^",
    "/",
    "<",
    '"',
]


@given(st.lists(st.sampled_from(WORDS), max_size=12) | st.text(string.printable, max_size=20))
def test_whatever_the_text_it_is_calculated_or_refused(words: Sequence[str]) -> None:
    try:
        found = calculate(" ".join(words), m=A, n=B)
    except MathError:
        return
    assert set(found) <= set(STAMPS)
