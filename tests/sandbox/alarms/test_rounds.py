"""Rounds over many alarms: who is evaluated when, what is set, and how trouble stays where it is."""

import json
import logging
from typing import Any

import pytest

from selfheal.sandbox.alarms.rounds import ENDPOINT, Rounds

NOW = 1_800_000_000.0
FAST = {"Period": 10}


def rate_alarm(expression: str, period: int = 10) -> dict[str, Any]:
    def metric(name: str) -> dict[str, Any]:
        stat = {
            "Metric": {"Namespace": "n", "MetricName": name, "Dimensions": []},
            "Period": period,
            "Stat": "Sum",
        }
        return {"Id": name, "MetricStat": stat, "ReturnData": False}

    watched = {"Id": "e", "Expression": expression, "ReturnData": True}
    return {"MetricName": None, "Metrics": [metric("errors"), metric("requests"), watched]}


def test_a_round_sets_what_changed_and_says_why(cloudwatch: Any) -> None:
    cloudwatch.add("errors")
    cloudwatch.points["errors"] = [(NOW - 30, 1.0), (NOW - 5, 2.0)]

    done = Rounds(cloudwatch).run(NOW + 1)

    (change,) = done.changes
    assert (change.alarm, change.before, change.after) == ("errors", "INSUFFICIENT_DATA", "ALARM")
    (call,) = cloudwatch.set_calls
    assert call["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [3.0 (")
    assert json.loads(call["StateReasonData"])["recentDatapoints"] == [3.0]
    assert done.problems == {}


def test_nothing_is_set_while_the_state_stays(cloudwatch: Any) -> None:
    cloudwatch.add("errors", StateValue="OK")
    rounds = Rounds(cloudwatch)

    for minute in range(5):
        assert rounds.run(NOW + 60 * minute).changes == ()

    assert cloudwatch.set_calls == []


def test_alarms_are_evaluated_on_their_own_boundaries(cloudwatch: Any) -> None:
    cloudwatch.add("fast", Period=10)
    cloudwatch.add("half", Period=30)
    cloudwatch.add("slow", Period=60)
    cloudwatch.add("slower", Period=300)
    rounds = Rounds(cloudwatch)

    evaluated: list[str] = []
    for second in range(121):
        before = len(cloudwatch.reads)
        rounds.run(NOW + second)
        names = [
            read["MetricDataQueries"][0]["MetricStat"]["Metric"]["MetricName"]
            for read in cloudwatch.reads[before:]
        ]
        evaluated += [f"{second}:{name}" for name in names]

    expected = [f"{second}:{name}" for second in range(0, 121, 10) for name in ("fast", "half")]
    expected += [f"{second}:{name}" for second in (0, 60, 120) for name in ("slow", "slower")]
    assert sorted(evaluated) == sorted(expected)


def test_a_forced_state_lasts_until_the_next_evaluation(cloudwatch: Any) -> None:
    cloudwatch.add("errors", **FAST, StateValue="OK")
    rounds = Rounds(cloudwatch)
    rounds.run(NOW)
    cloudwatch.alarms["errors"]["StateValue"] = "ALARM"

    assert rounds.run(NOW + 9).changes == ()
    assert [change.after for change in rounds.run(NOW + 10).changes] == ["OK"]


def test_trouble_with_one_alarm_is_named_and_stops_no_other(
    cloudwatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("first", "broken", "last"):
        cloudwatch.add(name)
        cloudwatch.points[name] = [(NOW - 5, 5.0)]
    cloudwatch.failing["broken"] = OSError("connection reset")
    rounds = Rounds(cloudwatch)

    done = rounds.run(NOW)

    assert [change.alarm for change in done.changes] == ["first", "last"]
    assert "connection reset" in done.problems["broken"]
    assert cloudwatch.state("broken") == "INSUFFICIENT_DATA"
    assert [record.message for record in caplog.records if "broken" in record.message]

    del cloudwatch.failing["broken"]
    assert [change.alarm for change in rounds.run(NOW + 1).changes] == ["broken"]  # tried again, same period


def test_a_state_that_could_not_be_set_is_set_in_the_next_round(cloudwatch: Any) -> None:
    cloudwatch.add("errors")
    cloudwatch.failing["set_alarm_state"] = OSError("reset")
    rounds = Rounds(cloudwatch)
    assert rounds.run(NOW).changes == ()

    del cloudwatch.failing["set_alarm_state"]

    assert [change.after for change in rounds.run(NOW + 1).changes] == ["OK"]


def test_an_alarm_in_an_unknown_form_is_refused_once_and_aloud(
    cloudwatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cloudwatch.add("trend", StateValue="OK", **rate_alarm("RATE(errors)"))
    cloudwatch.add("band", StateValue="OK", ThresholdMetricId="ad1")
    cloudwatch.add("nothing", MetricName=None)
    rounds = Rounds(cloudwatch)

    problems = [rounds.run(NOW + second).problems for second in range(0, 60, 10)]

    assert {name: cloudwatch.state(name) for name in cloudwatch.alarms} == dict.fromkeys(
        ("trend", "band", "nothing"), "INSUFFICIENT_DATA"
    )
    assert all(set(found) == {"trend", "band", "nothing"} for found in problems)
    assert "RATE" in cloudwatch.alarms["trend"]["StateReason"]
    assert [call["AlarmName"] for call in cloudwatch.set_calls] == ["trend", "band", "nothing"]
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 3


def test_an_endpoint_that_is_away_is_reported_once_and_survived(
    cloudwatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="selfheal.sandbox.alarms")
    cloudwatch.add("errors")
    cloudwatch.failing["describe_alarms"] = OSError("refused")
    rounds = Rounds(cloudwatch)

    found = [rounds.run(NOW + second).problems for second in range(0, 30, 10)]
    del cloudwatch.failing["describe_alarms"]
    done = rounds.run(NOW + 30)

    assert all("refused" in problems[ENDPOINT] for problems in found)
    assert done.problems == {}
    assert cloudwatch.state("errors") == "OK"
    about = [record.message for record in caplog.records if ENDPOINT in record.message]
    assert len(about) == 2
    assert "again" in about[1]


def test_an_alarm_that_is_away_and_comes_back_under_its_name_is_evaluated(cloudwatch: Any) -> None:
    cloudwatch.add("errors")
    rounds = Rounds(cloudwatch)
    rounds.run(NOW)
    del cloudwatch.alarms["errors"]
    rounds.run(NOW + 1)
    cloudwatch.add("errors")

    assert [change.after for change in rounds.run(NOW + 2).changes] == ["OK"]


def test_at_a_common_boundary_the_finer_alarm_goes_first(cloudwatch: Any) -> None:
    cloudwatch.add("minute", Period=60)
    cloudwatch.add("ten seconds", **rate_alarm("errors / requests"))
    for name in ("minute", "errors", "requests"):
        cloudwatch.points[name] = [(NOW - 5, 2.0)]

    changes = Rounds(cloudwatch).run(NOW).changes

    assert [change.alarm for change in changes] == ["ten seconds", "minute"]
