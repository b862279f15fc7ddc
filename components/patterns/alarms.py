"""Alarms of the patterns: on one metric, and for people."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws
from pulumi import Input


def alarm(
    name: str,
    what: str,
    *,
    description: Input[str],
    namespace: str,
    metric: str,
    dimensions: Mapping[str, Input[str]],
    statistic: str,
    threshold: float,
    comparison: str = "GreaterThanOrEqualToThreshold",
    period: int = 60,
    periods: int = 1,
    people: Input[str],
    parent: pulumi.Resource,
) -> aws.cloudwatch.MetricAlarm:
    """Register an alarm that tells people when it fires and when it clears. Silence is well.

    Args:
        name: Of the component.
        what: What it watches; with the name it is the logical name.
        description: What happened, and what to do. People read it first.
        namespace: Of the metric.
        metric: Its name.
        dimensions: All of its dimensions.
        statistic: Over a period, for example Maximum.
        threshold: The value to compare with.
        comparison: The comparison by which it fires.
        period: Seconds.
        periods: Periods in a row for which the comparison must hold.
        people: ARN of the topic to notify.
        parent: The component.

    """
    return aws.cloudwatch.MetricAlarm(
        f"{name}-{what}",
        alarm_description=description,
        namespace=namespace,
        metric_name=metric,
        dimensions=dimensions,
        statistic=statistic,
        threshold=threshold,
        comparison_operator=comparison,
        period=period,
        evaluation_periods=periods,
        datapoints_to_alarm=periods,
        # Queues that nobody used for hours, and functions that do not run, publish nothing.
        treat_missing_data="notBreaching",
        alarm_actions=[people],
        ok_actions=[people],
        opts=pulumi.ResourceOptions(parent=parent),
    )
