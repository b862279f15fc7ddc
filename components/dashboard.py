"""The dashboard that answers whether the healer heals or hurts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components import metrics
from components.arns import Arns
from components.detection import AlarmRecord
from components.remedies import TargetArgs

_WIDTH = 24
"""Columns of a CloudWatch dashboard."""


def dashboard(
    name: str,
    function_name: pulumi.Output[str],
    targets: Sequence[tuple[TargetArgs, Sequence[AlarmRecord]]],
    own_alarms: Sequence[aws.cloudwatch.MetricAlarm],
    arns: Arns,
    *,
    parent: pulumi.Resource,
) -> aws.cloudwatch.Dashboard:
    """Register the dashboard: alarm states, the error rate of each target, and what the healer does.

    An error rate that falls after the healer ran says healing; one that rises, or a healer that errs, says
    hurting.

    Args:
        name: Logical name's prefix.
        function_name: The healer's function; the dashboard has the same name.
        targets: Each target and its alarms.
        own_alarms: On the healer's own health.
        arns: Of this account.
        parent: The component it belongs to.

    """
    alarms = [alarm["name"] for _, records in targets for alarm in records] + [
        alarm.name for alarm in own_alarms
    ]
    widgets: list[Mapping[str, Any]] = [
        _widget("alarm", 0, 0, _WIDTH, {"title": "Alarms", "alarms": [arns.alarm(alarm) for alarm in alarms]})
    ]
    row = 1
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


def _error_rate(target: TargetArgs, record: AlarmRecord, arns: Arns) -> Mapping[str, Any]:
    """Graph what the alarm watches, with its threshold as a line."""
    plan = next(plan for plan in (metrics.FAST, metrics.BACKSTOP) if plan.namespace == record["namespace"])
    last = plan.expressions[-1][0]
    series: list[list[Any]] = [
        [{"id": key, "expression": text.format(k=record["min_errors"]), "label": key, "visible": key == last}]
        for key, text in plan.expressions
    ]
    for metric in plan.metric_names:
        options = {"id": metric.lower(), "visible": False}
        series.append([plan.namespace, metric, "FunctionName", target["function_name"], options])
    return {
        "title": f"{target['name']}: error rate, {plan.kind} ({plan.period} s)",
        "region": arns.region,
        "period": plan.period,
        "stat": "Sum",
        "metrics": series,
        "yAxis": {"left": {"min": 0, "max": 1}},
        "annotations": {"horizontal": [{"label": "alarm", "value": record["error_rate"]}]},
    }


def _activity(function_name: pulumi.Output[str], arns: Arns) -> Mapping[str, Any]:
    series = [
        ["AWS/Lambda", metric, "FunctionName", function_name]
        for metric in ("Invocations", "Errors", "Throttles")
    ]
    return {"title": "The healer", "region": arns.region, "period": 60, "stat": "Sum", "metrics": series}
