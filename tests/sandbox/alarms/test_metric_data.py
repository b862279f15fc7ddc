"""Raw metrics put together into the windows of an evaluation, and the reasons that are told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from selfheal.sandbox.alarms.alarm import Alarm, Comparison, Metric, Missing
from selfheal.sandbox.alarms.metric_data import ReadingError, datapoints, request
from selfheal.sandbox.alarms.state import State, evaluate
from selfheal.sandbox.alarms.state_reason import reason_data, reason_text

NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC).timestamp()


def alarm(stat: str = "Sum", period: int = 60, **more: Any) -> Alarm:
    query = {"Namespace": "n", "MetricName": "errors", "Dimensions": []}
    base = Alarm(
        name="a",
        comparison=Comparison.GREATER_OR_EQUAL,
        threshold=5.0,
        period=period,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        missing=Missing.NOT_BREACHING,
        metrics=(Metric("m1", query, stat),),
        expressions={},
        watched="m1",
    )
    return replace(base, **more)


def result(query: str, points: Mapping[int, float], status: str = "Complete") -> dict[str, Any]:
    stamps = [datetime.fromtimestamp(NOW + at, UTC) for at in points]
    return {"Id": query, "Timestamps": stamps, "Values": list(points.values()), "StatusCode": status}


def test_the_whole_range_is_asked_for() -> None:
    asked = request(alarm("p99", metrics=(Metric("m1", {"Namespace": "n"}, "p99", "Seconds"),)), NOW + 30)

    assert (asked["StartTime"].timestamp(), asked["EndTime"].timestamp()) == (NOW - 180, NOW)
    (query,) = asked["MetricDataQueries"]
    assert query["MetricStat"] == {
        "Metric": {"Namespace": "n"},
        "Period": 60,
        "Stat": "p99",
        "Unit": "Seconds",
    }


@pytest.mark.parametrize(
    ("stat", "expected"),
    [("Sum", 11.0), ("SampleCount", 11.0), ("Minimum", 1.0), ("Maximum", 6.0)],
)
def test_a_long_period_is_put_together_from_minutes(stat: str, expected: float) -> None:
    """At the end of minute 6 an alarm of 300 s sees minutes 2 to 6."""
    subject = alarm(stat, 300)
    points = {0: 1000.0, 60: 1.0, 120: 4.0, 300: 6.0}

    found = datapoints(subject, NOW + 360, [result("q0_0", points)])

    assert found == {"m1": {NOW + 60: expected, NOW - 240: 1000.0}}
    assert [query["MetricStat"]["Period"] for query in request(subject, NOW)["MetricDataQueries"]] == [60]


def test_an_average_is_weighted_by_its_samples() -> None:
    subject = alarm("Average", 300)
    answers = [result("q0_0", {-60: 90.0, -120: 10.0}), result("q0_1", {-60: 9.0, -120: 1.0})]

    assert datapoints(subject, NOW, answers) == {"m1": {NOW - 300: 10.0}}


def test_results_on_several_pages_are_one_series() -> None:
    pages = [result("q0_0", {-60: 2.0}, "PartialData"), result("q0_0", {-120: 3.0})]

    assert datapoints(alarm(), NOW, pages) == {"m1": {NOW - 60: 2.0, NOW - 120: 3.0}}


def test_no_answer_is_not_the_same_as_no_data() -> None:
    assert datapoints(alarm(), NOW, [result("q0_0", {})]) == {"m1": {}}
    with pytest.raises(ReadingError, match="no result for n errors"):
        datapoints(alarm(), NOW, [])
    with pytest.raises(ReadingError, match="InternalError for q0_0: broken"):
        datapoints(alarm(), NOW, [{**result("q0_0", {}, "InternalError"), "Messages": [{"Value": "broken"}]}])


def told(
    subject: Alarm, points: Mapping[int, float], previous: State = State.OK
) -> tuple[str, dict[str, Any]]:
    verdict = evaluate(subject, {int(NOW + at): value for at, value in points.items()}, NOW, previous)
    return reason_text(subject, verdict), json.loads(reason_data(subject, verdict, NOW + 1.25))


def test_the_reason_of_an_alarm() -> None:
    text, data = told(alarm(), {-60: 6.0, -120: 0.0})

    assert text == (
        "Threshold Crossed: 1 out of the last 1 datapoints [6.0 (15/01/27 07:59:00)] was greater than or "
        "equal to the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert data == {
        "version": "1.0",
        "queryDate": "2027-01-15T08:00:01.250+0000",
        "startDate": "2027-01-15T07:59:00.000+0000",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [6.0],
        "threshold": 5.0,
        "evaluatedDatapoints": [{"timestamp": "2027-01-15T07:59:00.000+0000", "value": 6.0}],
    }


def test_the_reason_of_ok_counts_what_did_not_breach() -> None:
    text, data = told(alarm(evaluation_periods=3, datapoints_to_alarm=2), {-60: 6.0, -120: 1.0, -180: 2.0})

    assert text == (
        "Threshold Crossed: 2 out of the last 3 datapoints [1.0 (15/01/27 07:58:00), "
        "2.0 (15/01/27 07:57:00)] were not greater than or equal to the threshold (5.0) "
        "(minimum 2 datapoints for ALARM -> OK transition)."
    )
    assert data["recentDatapoints"] == [2.0, 1.0, 6.0]


@pytest.mark.parametrize(
    ("more", "points", "expected"),
    [
        (
            {},
            {},
            (
                "Threshold Crossed: no datapoints were received for 1 period"
                " and 1 missing datapoint was treated as [NonBreaching]."
            ),
        ),
        (
            {"evaluation_periods": 3, "datapoints_to_alarm": 3, "missing": Missing.BREACHING},
            {-60: 9.0},
            (
                "Threshold Crossed: 1 datapoint [9.0 (15/01/27 07:59:00)] was received for 3 periods"
                " and 2 missing datapoints were treated as [Breaching]."
            ),
        ),
        ({"missing": Missing.MISSING}, {}, "Insufficient Data: 1 datapoint was unknown."),
        (
            {"evaluation_periods": 2, "datapoints_to_alarm": 2, "missing": Missing.MISSING},
            {},
            "Insufficient Data: 2 datapoints were unknown.",
        ),
    ],
)
def test_the_reason_with_missing_data(more: dict[str, Any], points: dict[int, float], expected: str) -> None:
    text, data = told(alarm(**more), points)

    assert text == expected
    assert len(data["evaluatedDatapoints"]) == (len(points) or 2 + more.get("evaluation_periods", 1))


def test_reasons_stay_within_the_limits_of_set_alarm_state() -> None:
    subject = alarm(evaluation_periods=1440, datapoints_to_alarm=1440)

    text, data = told(subject, {-60 * back: 1e300 / 3 + back for back in range(1, 1441)})

    assert len(text) <= 1023
    assert len(json.dumps(data)) <= 4000


def test_a_math_alarm_has_no_single_statistic() -> None:
    _, data = told(alarm(expressions={"rate": "m1 / m1"}), {-60: 6.0})

    assert "statistic" not in data
