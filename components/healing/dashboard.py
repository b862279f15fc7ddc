"""The dashboard, which shows whether the healer heals or hurts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.healing import metrics
from selfheal.components.healing.detection import AlarmRecord
from selfheal.components.healing.targets import TargetArgs
from selfheal.functions.shared.contract import (
    DEFAULT_INVOCATION,
    METRICS_NAMESPACE,
    AlarmKind,
    Invocation,
    series_of,
)

_WIDTH = 24
"""Columns of a CloudWatch dashboard."""

_OUTCOMES = (
    ("Recovered", "healing: recovered", "#2ca02c"),
    ("Ineffective", "hurting: did not help", "#d62728"),
    ("Escalated", "people called", "#ff7f0e"),
    ("Acts", "acts", "#1f77b4"),
    ("Reverted", "taken back", "#7f7f7f"),
)
"""Metric of the healer, label and colour."""

_TIMES = (("TimeToDetect", "detect"), ("TimeToAct", "act"), ("TimeToRecover", "recover"))
"""Metric, in seconds per incident, and label."""


def dashboard(
    name: str,
    function_name: pulumi.Output[str],
    targets: Sequence[tuple[TargetArgs, Sequence[AlarmRecord]]],
    own_alarms: Sequence[aws.cloudwatch.MetricAlarm],
    arns: Arns,
    *,
    parent: pulumi.Resource,
) -> aws.cloudwatch.Dashboard:
    """Register the dashboard: outcomes and times, alarm states, each target's error rate, the healer itself.

    The first row gives the overview: the healer heals if more incidents recovered than were ineffective or
    escalated. Below it, each target's error rate shows whether it fell after a remediation.

    Args:
        name: Prefix of the logical name.
        function_name: Name of the healer's function, which is also the name of the dashboard.
        targets: Each target and its alarms.
        own_alarms: The alarms on the healer itself.
        arns: Builds ARNs.
        parent: The component it belongs to.

    """
    alarms = [alarm["name"] for _, records in targets for alarm in records] + [
        alarm.name for alarm in own_alarms
    ]
    states = {"title": "Alarms", "alarms": [arns.alarm(alarm) for alarm in alarms]}
    widgets: list[Mapping[str, Any]] = [
        _widget("metric", 0, 0, _WIDTH // 2, _outcomes(function_name, arns)),
        _widget("metric", _WIDTH // 2, 0, _WIDTH // 2, _times(function_name, arns)),
        _widget("alarm", 0, 6, _WIDTH, states),
    ]
    row = 2
    for target, records in targets:
        width = _WIDTH // len(records)
        for index, record in enumerate(records):
            properties = _error_rate(target, record, arns)
            widgets.append(_widget("metric", index * width, row * 6, width, properties))
        row += 1
    widgets.append(_widget("metric", 0, row * 6, _WIDTH, _activity(function_name, arns)))
    return aws.cloudwatch.Dashboard(
        f"{name}-dashboard",
        dashboard_name=function_name,
        dashboard_body=pulumi.Output.json_dumps({"widgets": widgets}),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _widget(kind: str, x: int, y: int, width: int, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": kind, "x": x, "y": y, "width": width, "height": 6, "properties": properties}


def _outcomes(function_name: pulumi.Output[str], arns: Arns) -> Mapping[str, Any]:
    """Show the outcomes of incidents over the time range of the dashboard."""
    series = [
        _own(metric, function_name, {"label": label, "color": color}) for metric, label, color in _OUTCOMES
    ]
    return {
        "title": "Healing or hurting",
        "region": arns.region,
        "view": "singleValue",
        # One number for the whole time range, instead of the last period's.
        "setPeriodToTimeRange": True,
        "stat": "Sum",
        "metrics": series,
    }


def _times(function_name: pulumi.Output[str], arns: Arns) -> Mapping[str, Any]:
    """Graph the times of the slowest incident in each five minutes."""
    return {
        "title": "Slowest incident: seconds to detect, act and recover",
        "region": arns.region,
        "period": 300,
        "stat": "Maximum",
        "metrics": [_own(metric, function_name, {"label": label}) for metric, label in _TIMES],
        "yAxis": {"left": {"min": 0, "label": "s", "showUnits": False}},
    }


def _own(metric: str, function_name: pulumi.Output[str], options: Mapping[str, str]) -> list[Any]:
    """Return the widget entry of a metric that the healer emits."""
    return [METRICS_NAMESPACE, metric, "FunctionName", function_name, options]


def _error_rate(target: TargetArgs, record: AlarmRecord, arns: Arns) -> Mapping[str, Any]:
    """Graph the error rate that the alarm watches, with its threshold as a line."""
    kind = AlarmKind(record["kind"])
    series = series_of(kind, Invocation(target.get("invocation", DEFAULT_INVOCATION)))
    texts = metrics.AlarmPlan(kind, series, record["period"]).expressions(record["min_errors"])
    lines: list[list[Any]] = [
        [{"id": key, "expression": text, "label": key, "visible": key == texts[-1][0]}] for key, text in texts
    ]
    for metric in series.metrics:
        options = {"id": metric.lower(), "visible": False}
        lines.append([series.namespace, metric, "FunctionName", target["function_name"], options])
    return {
        "title": f"{target['name']}: error rate, {kind} ({record['period']} s)",
        "region": arns.region,
        "period": record["period"],
        "stat": "Sum",
        "metrics": lines,
        "yAxis": {"left": {"min": 0, "max": 1}},
        "annotations": {"horizontal": [{"label": "alarm", "value": record["error_rate"]}]},
    }


def _activity(function_name: pulumi.Output[str], arns: Arns) -> Mapping[str, Any]:
    series = [
        ["AWS/Lambda", metric, "FunctionName", function_name]
        for metric in ("Invocations", "Errors", "Throttles")
    ]
    return {"title": "The healer", "region": arns.region, "period": 60, "stat": "Sum", "metrics": series}
