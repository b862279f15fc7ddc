"""Reading alarms: what DescribeAlarms says, period boundaries, and the forms that are refused."""

from typing import Any

import pytest

from selfheal.sandbox.alarms.alarm import AlarmRefusedError, Missing, read_alarm
from selfheal.sandbox.alarms.syntax import MathError

MINUTE = 1_800_000_000  # a multiple of 300

PLAIN: dict[str, Any] = {
    "AlarmName": "plain",
    "Namespace": "AWS/Lambda",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "StateValue": "OK",
}


def stat(name: str, period: int = 60, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "n", "MetricName": name, "Dimensions": []}
    return {
        "Id": name,
        "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"},
        "ReturnData": False,
        **more,
    }


def math(*entries: dict[str, Any], expression: str = "errors / requests", **more: Any) -> dict[str, Any]:
    base = {
        key: value for key, value in PLAIN.items() if key not in {"Namespace", "MetricName", "Dimensions"}
    }
    watched = {"Id": "rate", "Expression": expression, "ReturnData": True}
    return {**base, "AlarmName": "math", "Metrics": [*entries, watched], **more}


def test_a_plain_alarm() -> None:
    alarm = read_alarm({**PLAIN, "EvaluationPeriods": 3})

    assert (alarm.period, alarm.evaluation_periods, alarm.datapoints_to_alarm) == (60, 3, 3)
    assert alarm.missing is Missing.MISSING
    assert alarm.metrics[0].stat == "Sum"
    assert dict(alarm.metrics[0].query) == {
        key: PLAIN[key] for key in ("Namespace", "MetricName", "Dimensions")
    }


def test_a_math_alarm_takes_its_period_from_its_metrics() -> None:
    alarm = read_alarm(math(stat("errors", 10), stat("requests", 10), Period=60))

    assert alarm.period == 10
    assert alarm.watched == "rate"
    assert [metric.id for metric in alarm.metrics] == ["errors", "requests"]


def test_a_percentile_wins_over_a_statistic_that_the_endpoint_filled_in() -> None:
    assert read_alarm({**PLAIN, "ExtendedStatistic": "p99", "Statistic": "Average"}).metrics[0].stat == "p99"


def test_dynamodb_ignores_missing_data_by_default_only() -> None:
    alarm = {**PLAIN, "Namespace": "AWS/DynamoDB"}

    assert read_alarm(alarm).missing is Missing.IGNORE
    assert read_alarm({**alarm, "TreatMissingData": "breaching"}).missing is Missing.BREACHING


@pytest.mark.parametrize(
    ("period", "after", "newest_ends"),
    [
        (60, 0, 0),
        (60, 59.9, 0),
        (60, 60, 60),
        (10, 9.999, 0),
        (10, 10, 10),
        (10, 25, 20),
        (30, 10, 10),  # a window of 30 s moves every 10 s
        (30, 19, 10),
        (300, 59, 0),
        (300, 60, 60),  # one of 5 minutes moves every minute: minutes 1 to 5, then 2 to 6
        (300, 120, 120),
        (3600, 60, 60),
    ],
)
def test_windows_end_at_the_latest_boundary(period: int, after: float, newest_ends: int) -> None:
    windows = read_alarm({**PLAIN, "Period": period}).windows(MINUTE + after)

    assert windows == [MINUTE + newest_ends - back * period for back in (3, 2, 1)]


def test_the_evaluation_range_is_two_periods_longer_than_asked() -> None:
    """5 datapoints are looked at for Evaluation Periods 3, in the tables of the documentation."""
    assert len(read_alarm({**PLAIN, "EvaluationPeriods": 3}).windows(MINUTE)) == 5


def test_a_percentile_of_a_long_period_moves_by_whole_periods() -> None:
    alarm = read_alarm({**PLAIN, "Period": 300, "ExtendedStatistic": "p90"})

    assert alarm.windows(MINUTE + 299) == [MINUTE - 900, MINUTE - 600, MINUTE - 300]
    assert alarm.windows(MINUTE + 300)[-1] == MINUTE


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ({**PLAIN, "Period": 45}, "45 s; allowed are 10, 20, 30 and multiples of 60"),
        ({**PLAIN, "Period": 0}, "0 s; allowed"),
        ({**PLAIN, "Period": 3600, "EvaluationPeriods": 25}, "one day"),
        ({**PLAIN, "ComparisonOperator": "GreaterThanUpperThreshold"}, "GreaterThanUpperThreshold"),
        ({**PLAIN, "ThresholdMetricId": "ad1"}, "anomaly detection"),
        ({**PLAIN, "EvaluationCriteria": {"PromQLCriteria": {}}}, "EvaluationCriteria"),
        ({**PLAIN, "EvaluationWindow": {"WallClockWindow": {}}}, "SlidingWindow"),
        ({**PLAIN, "EvaluateLowSampleCountPercentile": "ignore"}, "evaluate, the default"),
        ({**PLAIN, "MetricName": None}, "nor Metrics"),
        (math(stat("errors"), stat("requests", 300)), r"\[60, 300\]"),
        (math(stat("errors", ReturnData=True), stat("requests")), "they have 2 and 2"),
        (math(expression="SELECT SUM(x) FROM y"), "brackets and operators"),
        (math(), "they have 0 and 1"),
        (math(stat("errors", AccountId="111122223333"), stat("requests")), "account 111122223333"),
    ],
)
def test_what_is_not_evaluated_is_refused_with_a_reason(description: dict[str, Any], said: str) -> None:
    with pytest.raises((AlarmRefusedError, MathError), match=said):
        read_alarm(description)
