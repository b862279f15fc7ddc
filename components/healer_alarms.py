"""Alarms on the healer itself. They notify people only: the healer's failure must not wake the healer."""

from typing import Any

import pulumi
import pulumi_aws as aws

_GUIDE = (
    "What to do: docs/operations.md. The function: https://console.aws.amazon.com/lambda/home#/functions/"
)


def healer_alarms(
    name: str,
    function_name: pulumi.Output[str],
    queue_name: pulumi.Output[str],
    people: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> list[aws.cloudwatch.MetricAlarm]:
    """Register the alarms on the healer's errors, on missing runs, and on failed events.

    Args:
        name: Prefix of the logical names.
        function_name: The healer's function.
        queue_name: The queue for failed events.
        people: ARN of the topic that notifies people.
        opts: Parent and dependencies.

    """
    link = pulumi.Output.concat(_GUIDE, function_name, "?tab=monitoring")

    def alarm(what: str, description: str, **condition: Any) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{name}-{what}",
            alarm_description=pulumi.Output.concat(description, link),
            period=60,
            threshold=1,
            alarm_actions=[people],
            ok_actions=[people],
            opts=opts,
            **condition,
        )

    errors = alarm(
        "errors",
        "The healer failed: it could not read or do something, so it did nothing. ",
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions={"FunctionName": function_name},
        statistic="Sum",
        evaluation_periods=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
    )
    silence = alarm(
        "silent",
        "The healer did not run for 5 minutes, although its schedule wakes it every minute: nothing "
        "is being healed. Right after a first deployment this alarm rings once and clears by itself. ",
        namespace="AWS/Lambda",
        metric_name="Invocations",
        dimensions={"FunctionName": function_name},
        statistic="Sum",
        evaluation_periods=5,
        datapoints_to_alarm=5,
        comparison_operator="LessThanThreshold",
        # A function that does not run publishes no datapoints, so missing data is the failure.
        treat_missing_data="breaching",
    )
    lost = alarm(
        "lost-events",
        "An event for the healer failed or was too old and lies in its queue. The schedule goes on "
        "without it; read the event, then purge the queue. ",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue_name},
        statistic="Maximum",
        evaluation_periods=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
    )
    return [errors, silence, lost]
