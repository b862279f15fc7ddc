"""The CloudWatch documentation's own tables on missing data, all columns.

Page: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
The first two tables and the examples of "Avoiding premature transitions to alarm state" were read in two
copies that agree: AWS's repository awsdocs/amazon-cloudwatch-user-guide, doc_source/AlarmThatSendsEmail.md,
commit b3554970, and a later copy of the page named above. An earlier edition (same file, commit 05fd32f6)
has three rows that the later one replaced; they are here as well. Its second column counts what is missing
in the whole range, ours (as in the later edition) the datapoints that must be filled.

The alarm looks at 5 periods for Evaluation Periods 3. 0 is not breaching, X breaching, - missing.
"""

import pytest

from selfheal.sandbox.alarms.alarm import Alarm, Comparison, Metric, Missing
from selfheal.sandbox.alarms.state import State, evaluate

NOW = 1_800_000_000  # a multiple of 300
COLUMNS = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)
RETAIN = "retain"
INSUFFICIENT = "INSUFFICIENT_DATA"

THREE_OF_THREE = {
    "0 - X - X": (0, "OK", "OK", "OK", "OK"),
    "0 - - - -": (2, "OK", "OK", "OK", "OK"),
    "- - - - -": (3, INSUFFICIENT, RETAIN, "ALARM", "OK"),
    "0 X X - X": (0, "ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": (2, "ALARM", RETAIN, "ALARM", "OK"),
}

TWO_OF_THREE = {
    "0 - X - X": (0, "ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": (0, "ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": (1, "OK", "OK", "ALARM", "OK"),
    "- - - - 0": (2, "OK", "OK", "ALARM", "OK"),
    "- - - X -": (2, "ALARM", RETAIN, "ALARM", "OK"),
}

EARLIER_THREE_OF_THREE = {
    "- - - - X": (2, INSUFFICIENT, RETAIN, "ALARM", "OK"),
    "X - - - -": (2, "ALARM", RETAIN, "ALARM", "OK"),
}

EARLIER_TWO_OF_THREE = {
    "- - - - X": (2, INSUFFICIENT, RETAIN, "ALARM", "OK"),
}

ROWS = [
    (needed, points, missing, row[0], row[column])
    for needed, table in (
        (3, THREE_OF_THREE),
        (2, TWO_OF_THREE),
        (3, EARLIER_THREE_OF_THREE),
        (2, EARLIER_TWO_OF_THREE),
    )
    for points, row in table.items()
    for column, missing in enumerate(COLUMNS, start=1)
]


def alarm(needed: int, missing: Missing, *, of: int = 3, period: int = 300) -> Alarm:
    metric = Metric("m1", {"Namespace": "n", "MetricName": "m", "Dimensions": []}, "Sum")
    return Alarm("a", Comparison.GREATER, 0.0, period, of, needed, missing, (metric,), {}, "m1")


def series(subject: Alarm, points: str, now: float = NOW) -> dict[int, float]:
    values = {"0": 0.0, "X": 1.0}
    windows = subject.windows(now)
    marks = points.split()
    assert len(marks) == len(windows)
    return {start: values[mark] for start, mark in zip(windows, marks, strict=True) if mark != "-"}


@pytest.mark.parametrize("previous", list(State))
@pytest.mark.parametrize(("needed", "points", "missing", "filled", "expected"), ROWS)
def test_row_of_the_documentation(  # noqa: PLR0917
    needed: int, points: str, missing: Missing, filled: int, expected: str, previous: State
) -> None:
    subject = alarm(needed, missing)

    verdict = evaluate(subject, series(subject, points), NOW, previous)

    assert verdict.state == (previous if expected == RETAIN else expected)
    assert verdict.filled == filled


def test_every_row_and_column_is_there() -> None:
    assert len(ROWS) == (5 + 5 + 2 + 1) * 4


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ("- - - - X", False),
        ("- - - X -", False),
        ("- - - X 0", False),
        ("- - X - 0", False),
        ("- - X - -", True),
    ],
)
def test_premature_alarm_examples(points: str, expected: bool) -> None:  # 3 of 3, missing treated as missing
    subject = alarm(3, Missing.MISSING)

    verdict = evaluate(subject, series(subject, points), NOW, State.OK)

    assert (verdict.state is State.ALARM) == expected


def test_the_second_row_goes_to_alarm_when_its_datapoint_leaves_the_range() -> None:
    """The text under the first table: next time, with data still missing and treated as breaching."""
    subject = alarm(3, Missing.BREACHING)
    points = series(subject, "0 - - - -")

    assert evaluate(subject, points, NOW, State.OK).state is State.OK
    assert evaluate(subject, points, NOW + 300, State.OK).state is State.ALARM
