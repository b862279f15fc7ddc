"""Alarms on the healer's own health, to people only: its own failure must never wake it."""

import pulumi
import pulumi_aws as aws

_GUIDE = (
    "What to do: docs/operations.md. The function: https://console.aws.amazon.com/lambda/home#/functions/"
)


def watch(
    name: str,
    function_name: pulumi.Output[str],
    queue_name: pulumi.Output[str],
    people: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> list[aws.cloudwatch.MetricAlarm]:
    """Register the alarms on the healer's errors, its silence, and the events that it never took.

    Args:
        name: Prefix of the logical names.
        function_name: The healer's function.
        queue_name: The queue that its failed events end in.
        people: ARN of the topic that reaches people.
        opts: Parent and dependencies.

    """
    link = pulumi.Output.concat(_GUIDE, function_name, "?tab=monitoring")
    errors = aws.cloudwatch.MetricAlarm(
        f"{name}-errors",
        alarm_description=pulumi.Output.concat(
            "The healer failed: it could not read or do something, so it did nothing. ", link
        ),
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions={"FunctionName": function_name},
        statistic="Sum",
        period=60,
        evaluation_periods=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=1,
        treat_missing_data="notBreaching",
        alarm_actions=[people],
        ok_actions=[people],
        opts=opts,
    )
    silence = aws.cloudwatch.MetricAlarm(
        f"{name}-silent",
        alarm_description=pulumi.Output.concat(
            "The healer did not run for 5 minutes, although its schedule wakes it every minute: nothing "
            "is being healed. Right after a first deployment this alarm rings once and clears by itself. ",
            link,
        ),
        namespace="AWS/Lambda",
        metric_name="Invocations",
        dimensions={"FunctionName": function_name},
        statistic="Sum",
        period=60,
        evaluation_periods=5,
        datapoints_to_alarm=5,
        comparison_operator="LessThanThreshold",
        threshold=1,
        # A function that does not run publishes no zeros: here silence is the failure.
        treat_missing_data="breaching",
        alarm_actions=[people],
        ok_actions=[people],
        opts=opts,
    )
    lost = aws.cloudwatch.MetricAlarm(
        f"{name}-lost-events",
        alarm_description=pulumi.Output.concat(
            "An event for the healer failed or was too old and lies in its queue. The schedule goes on "
            "without it; read the event, then purge the queue. ",
            link,
        ),
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue_name},
        statistic="Maximum",
        period=60,
        evaluation_periods=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=1,
        treat_missing_data="notBreaching",
        alarm_actions=[people],
        ok_actions=[people],
        opts=opts,
    )
    return [errors, silence, lost]
