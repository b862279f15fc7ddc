"""What the alarms watch, and what their expressions say of real data."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from selfheal.components import metrics
from selfheal.components.detection import Detection, DetectionArgs
from selfheal.components.errors import ComponentError
from selfheal.sandbox.alarms.metric_math import Scope, evaluate
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


def value(plan: metrics.AlarmPlan, **series: float | None) -> float | None:
    """Return what an alarm with at least 5 errors sees in one period; None is no datapoint."""
    raw = {name.lower(): _series(series.get(name.lower())) for name in plan.metric_names}
    expressions = {key: text.format(k=5) for key, text in plan.expressions}
    return evaluate("rate", Scope(raw, expressions, [600], plan.period)).get(600)


def _series(number: float | None) -> Mapping[int, float]:
    return {} if number is None else {600: number}


def test_a_foreign_function_gets_the_backstop_only() -> None:
    deployment, detection = detect()
    assert [alarm.name for alarm in deployment.of(ALARM)] == ["orders-backstop"]
    assert [alarm["namespace"] for alarm in detection.alarms] == ["AWS/Lambda"]


@pytest.mark.parametrize("preview", [True, False])
def test_an_instrumented_function_gets_both(preview: bool) -> None:
    deployment, detection = detect(preview, instrumented=True)
    assert {alarm.name for alarm in deployment.of(ALARM)} == {"orders-fast", "orders-backstop"}
    component = deployment.named("orders")
    assert component.type == "selfheal:index:Detection"
    assert all(alarm.parent == component.urn for alarm in deployment.of(ALARM))
    assert [(alarm["period"], alarm["error_rate"]) for alarm in detection.alarms] == [(10, 0.05), (60, 0.05)]
    [outputs] = [outputs for urn, outputs in deployment.outputs.items() if urn == component.urn]
    assert [alarm["name"] for alarm in outputs["alarms"]] == [
        "orders-fast-1a2b3c4",
        "orders-backstop-1a2b3c4",
    ]


def test_every_alarm_tells_when_it_fires_and_clears_after_one_period_and_silence_is_no_failure() -> None:
    deployment, _ = detect(instrumented=True)
    for alarm in deployment.of(ALARM):
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == ACTIONS
        assert "https://" in alarm.inputs["alarmDescription"]
        assert "docs/operations.md" in alarm.inputs["alarmDescription"]
        assert alarm.inputs["evaluationPeriods"] == alarm.inputs["datapointsToAlarm"] == 1
        assert alarm.inputs["treatMissingData"] == "notBreaching"
        assert alarm.inputs["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm.inputs["threshold"] == 0.05


@pytest.mark.parametrize(("name", "period"), [("orders-fast", 10), ("orders-backstop", 60)])
def test_the_metrics_are_of_that_function_and_one_expression_is_watched(name: str, period: int) -> None:
    deployment, _ = detect(instrumented=True)
    queries = deployment.named(name).inputs["metricQueries"]
    raw = [query["metric"] for query in queries if "metric" in query]
    assert {(m["dimensions"]["FunctionName"], m["period"], m["stat"]) for m in raw} == {
        ("orders", period, "Sum")
    }
    assert all(set(m["dimensions"]) == {"FunctionName"} for m in raw)
    assert [query["id"] for query in queries if query["returnData"]] == ["rate"]
    assert len({query["id"] for query in queries}) == len(queries)


def test_the_accepted_false_alarms_are_shared_out() -> None:
    _, both = detect(instrumented=True)
    _, one = detect()
    assert [alarm["min_errors"] for alarm in both.alarms] == [5, 5]
    assert [alarm["min_errors"] for alarm in one.alarms] == [4]


def test_a_rate_out_of_range_registers_no_alarm() -> None:
    with pytest.raises(ComponentError, match="natural_error_rate must be"):
        detect(natural_error_rate=0.5)


def test_the_function_may_be_another_resource_of_the_stack() -> None:
    made: list[Detection] = []

    def program() -> None:
        name = pulumi.Output.from_input("late")
        made.append(Detection("orders", {"function_name": name, "actions": []}))

    deployment = deploy(program)
    query = deployment.named("orders-backstop").inputs["metricQueries"][0]
    assert query["metric"]["dimensions"] == {"FunctionName": "late"}


@pytest.mark.parametrize(
    ("requests", "errors", "expected"),
    [
        (100, 30, 0.3),
        (100, 5, 0.05),
        (100, 4, 0.0),  # too few to be more than chance
        (5, 4, 0.0),
        (5, 5, 1.0),
        (100, 0, 0.0),
        (None, None, None),  # no traffic: no datapoint, which is not a zero
    ],
)
def test_the_fast_alarm_sees(requests: float | None, errors: float | None, expected: float | None) -> None:
    assert value(metrics.FAST, requests=requests, errors=errors) == expected


@pytest.mark.parametrize(
    ("invocations", "errors", "throttles", "expected"),
    [
        (100, 30, 0, 0.3),
        (100, 30, None, 0.3),  # a series that is absent does not hide the others
        (100, 4, 0, 0.0),
        (90, 0, 10, 0.1),  # a throttled request is no invocation
        (90, 10, 10, 0.2),
        (None, None, 50, 1.0),  # everything throttled: nothing was invoked at all
        (None, None, None, None),
        (None, 30, 0, 0.0),  # Invocations come late: no false alarm
        (None, 30, None, 0.0),
        (None, 0, 10, 0.0),  # a few throttled among many whose count is late
        (20, 30, 0, 0.0),  # some of the invocations come late
        (100, None, 0, 0.0),  # Errors come late: seen when they are there
        (5, 5, 0, 1.0),
    ],
)
def test_the_backstop_sees(
    invocations: float | None, errors: float | None, throttles: float | None, expected: float | None
) -> None:
    seen = value(metrics.BACKSTOP, invocations=invocations, errors=errors, throttles=throttles)
    assert seen == expected
