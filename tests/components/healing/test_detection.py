"""What the alarms watch, and how many errors each needs.

What they make of data: tests/functions/test_alarm_arithmetic.py.
"""

from typing import Any

import pulumi
import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.healing.detection import Detection, DetectionArgs
from selfheal.components.healing.thresholds import SECONDS_PER_YEAR, tail, worst_requests
from selfheal.functions.shared.contract import Invocation
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ACTIONS = [f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}" for topic in ("healer", "people")]


def detect(preview: bool = False, **changes: Any) -> tuple[Deployment, Detection]:
    base: dict[str, Any] = {"function_name": "orders", "actions": ACTIONS}
    args: DetectionArgs = base | changes  # pyright: ignore[reportAssignmentType]
    made: list[Detection] = []

    def program() -> None:
        made.append(Detection("orders", args))

    return deploy(program, preview=preview), made[0]


def test_a_foreign_function_is_watched_by_lambdas_metrics_only() -> None:
    deployment, detection = detect()
    assert {alarm.name for alarm in deployment.of(ALARM)} == {"orders-backstop", "orders-slow"}
    assert [alarm["kind"] for alarm in detection.alarms] == ["backstop", "slow"]
    for alarm in deployment.of(ALARM):
        read = [query["metric"] for query in alarm.inputs["metricQueries"] if "metric" in query]
        assert {metric["namespace"] for metric in read} == {"AWS/Lambda"}


@pytest.mark.parametrize("preview", [True, False])
def test_an_instrumented_function_gets_a_fast_one_besides(preview: bool) -> None:
    deployment, detection = detect(preview, instrumented=True)
    names = ["orders-fast", "orders-backstop", "orders-slow"]
    assert {alarm.name for alarm in deployment.of(ALARM)} == set(names)
    component = deployment.named("orders")
    assert component.type == "selfheal:index:Detection"
    assert all(alarm.parent == component.urn for alarm in deployment.of(ALARM))
    rules = [(alarm["period"], alarm["periods"], alarm["error_rate"]) for alarm in detection.alarms]
    assert rules == [(10, 1, 0.05), (60, 3, 0.05), (3600, 1, 0.5)]
    [outputs] = [outputs for urn, outputs in deployment.outputs.items() if urn == component.urn]
    assert [alarm["name"] for alarm in outputs["alarms"]] == [f"{name}-1a2b3c4" for name in names]


def test_every_alarm_tells_when_it_fires_and_clears_and_silence_is_no_failure() -> None:
    deployment, detection = detect(instrumented=True)
    rules = {alarm["kind"]: alarm for alarm in detection.alarms}
    for alarm in deployment.of(ALARM):
        rule = rules[alarm.name.removeprefix("orders-")]
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == ACTIONS
        assert "https://" in alarm.inputs["alarmDescription"]
        assert "docs/operations.md" in alarm.inputs["alarmDescription"]
        assert f"within {rule['period']} s" in alarm.inputs["alarmDescription"]
        assert (alarm.inputs["datapointsToAlarm"], alarm.inputs["evaluationPeriods"]) == (1, rule["periods"])
        assert alarm.inputs["treatMissingData"] == "notBreaching"
        assert alarm.inputs["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm.inputs["threshold"] == rule["error_rate"]
        assert "evaluationWindow" not in alarm.inputs  # the default: a window that slides


@pytest.mark.parametrize(("timeout", "minutes"), [(1, 3), (3, 3), (60, 3), (61, 4), (300, 7), (900, 17)])
def test_the_backstop_looks_back_as_far_as_an_error_may_come_late(timeout: int, minutes: int) -> None:
    """A call that hangs for its timeout is counted in the minute in which it began."""
    deployment, _ = detect(timeout_seconds=timeout)
    backstop = deployment.named("orders-backstop").inputs
    assert (backstop["evaluationPeriods"], backstop["datapointsToAlarm"]) == (minutes, 1)
    assert 60 * minutes >= timeout + 60 + 60  # the minute itself, its call, its publication


@pytest.mark.parametrize(
    ("name", "period"), [("orders-fast", 10), ("orders-backstop", 60), ("orders-slow", 3600)]
)
def test_the_metrics_are_of_that_function_and_one_expression_is_watched(name: str, period: int) -> None:
    deployment, _ = detect(instrumented=True)
    queries = deployment.named(name).inputs["metricQueries"]
    raw = [query["metric"] for query in queries if "metric" in query]
    assert {(m["dimensions"]["FunctionName"], m["period"], m["stat"]) for m in raw} == {
        ("orders", period, "Sum")
    }
    assert all(set(m["dimensions"]) == {"FunctionName"} for m in raw)
    assert [query["id"] for query in queries if query["returnData"]] == ["rate"]
    assert len({query["id"] for query in queries}) == len(queries) <= 20  # what the provider allows


@pytest.mark.parametrize(("invocation", "read"), [(each, each == "synchronous") for each in Invocation])
def test_throttles_are_read_only_where_a_caller_waits(invocation: Invocation, read: bool) -> None:
    deployment, _ = detect(invocation=invocation)
    for alarm in deployment.of(ALARM):
        text = str(alarm.inputs["metricQueries"])
        assert ("hrottles" in text) is read


def test_the_accepted_false_alarms_are_shared_out() -> None:
    _, three = detect(instrumented=True)
    _, two = detect()
    _, rare = detect(false_alarms_per_year=0.01)
    assert [alarm["min_errors"] for alarm in three.alarms] == [5, 5, 5]
    assert [alarm["min_errors"] for alarm in two.alarms] == [5, 5]
    assert [alarm["min_errors"] for alarm in rare.alarms] == [6, 5]


@pytest.mark.parametrize(
    "rates",
    [
        {},
        {"natural_error_rate": 0.01},
        {"natural_error_rate": 0.05, "false_alarms_per_year": 100.0},
        {"natural_error_rate": 0.2, "alarm_error_rate": 0.3},
        {"natural_error_rate": 0.2, "alarm_error_rate": 0.6, "false_alarms_per_year": 0.1},
    ],
)
def test_all_alarms_together_raise_no_more_false_ones_than_accepted(rates: dict[str, Any]) -> None:
    """The exact binomial tail at the worst traffic, for each datapoint that is looked at in a year.

    The hours of the slow alarm are looked at each minute. The sum of their probabilities is an upper bound,
    however much they overlap.
    """
    _, detection = detect(instrumented=True, **rates)
    natural, accepted = rates.get("natural_error_rate", 0.001), rates.get("false_alarms_per_year", 1.0)
    expected = 0.0
    for alarm in detection.alarms:
        datapoints = SECONDS_PER_YEAR / min(alarm["period"], 60)
        worst = max(
            tail(worst_requests(errors, alarm["error_rate"]), natural, errors)
            for errors in range(alarm["min_errors"], alarm["min_errors"] + 200)
        )
        expected += datapoints * worst
    assert expected <= accepted


def test_the_slow_alarm_takes_the_rate_of_the_others_if_that_is_more() -> None:
    _, detection = detect(natural_error_rate=0.1, alarm_error_rate=0.8)
    assert [alarm["error_rate"] for alarm in detection.alarms] == [0.8, 0.8]


def test_a_rate_out_of_range_registers_no_alarm() -> None:
    with pytest.raises(ComponentError, match="natural_error_rate must be"):
        detect(natural_error_rate=0.5)


@pytest.mark.parametrize("seconds", [0, 901, 2.5, True])
def test_a_timeout_that_lambda_does_not_have_is_refused(seconds: float) -> None:
    with pytest.raises(ComponentError, match=f"timeout_seconds must be 1 to 900 .* got {seconds}"):
        detect(timeout_seconds=seconds)


def test_a_way_of_invocation_that_is_none_is_refused() -> None:
    with pytest.raises(
        ComponentError, match="invocation must be synchronous, asynchronous or queued, got 'sqs'"
    ):
        detect(invocation="sqs")


def test_the_function_may_be_another_resource_of_the_stack() -> None:
    made: list[Detection] = []

    def program() -> None:
        name = pulumi.Output.from_input("late")
        made.append(Detection("orders", {"function_name": name, "actions": []}))

    deployment = deploy(program)
    query = deployment.named("orders-backstop").inputs["metricQueries"][0]
    assert query["metric"]["dimensions"] == {"FunctionName": "late"}
