"""Alarms on the healer itself. They notify people only: the healer's failure must not wake the healer."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns

_GUIDE = "What to do: docs/operations.md. The function: "


def healer_alarms(
    name: str,
    function_name: pulumi.Output[str],
    queue_name: pulumi.Output[str],
    people: pulumi.Input[str],
    arns: Arns,
    *,
    opts: pulumi.ResourceOptions,
) -> list[aws.cloudwatch.MetricAlarm]:
    """Register the alarms on the healer's errors, on missing runs, on failed and on dropped events.

    Args:
        name: Prefix of the logical names.
        function_name: The healer's function.
        queue_name: The queue for failed events.
        people: ARN of the topic that notifies people.
        arns: Knows the console.
        opts: Parent and dependencies.

    """
    link = pulumi.Output.concat(_GUIDE, arns.function_page(function_name))

    own: tuple[str, Mapping[str, pulumi.Input[str]]] = "AWS/Lambda", {"FunctionName": function_name}
    queue: tuple[str, Mapping[str, pulumi.Input[str]]] = "AWS/SQS", {"QueueName": queue_name}

    def alarm(
        what: str,
        description: str,
        source: tuple[str, Mapping[str, pulumi.Input[str]]],
        metric: str,
        *,
        statistic: str = "Sum",
        silent_minutes: int | None = None,
    ) -> aws.cloudwatch.MetricAlarm:
        """Alarm on any value above 0 within a minute; with `silent_minutes`, on none for so long."""
        return aws.cloudwatch.MetricAlarm(
            f"{name}-{what}",
            alarm_description=pulumi.Output.concat(description, link),
            namespace=source[0],
            metric_name=metric,
            dimensions=source[1],
            statistic=statistic,
            period=60,
            evaluation_periods=silent_minutes or 1,
            datapoints_to_alarm=silent_minutes,
            threshold=1,
            comparison_operator=f"{'LessThan' if silent_minutes else 'GreaterThanOrEqualTo'}Threshold",
            # A function that does not run publishes no zeros: there silence is the failure.
            treat_missing_data="breaching" if silent_minutes else "notBreaching",
            alarm_actions=[people],
            ok_actions=[people],
            opts=opts,
        )

    return [
        alarm(
            "errors",
            "The healer failed: it could not read or do something, so it did nothing. ",
            own,
            "Errors",
        ),
        alarm(
            "silent",
            "The healer did not run for 5 minutes, although its schedule wakes it every minute: nothing "
            "is being healed. Right after a first deployment this alarm rings once and clears by itself. ",
            own,
            "Invocations",
            silent_minutes=5,
        ),
        alarm(
            "lost-events",
            "An event for the healer failed or was too old and lies in its queue. The schedule goes on "
            "without it; read the event, then purge the queue. ",
            queue,
            "ApproximateNumberOfMessagesVisible",
            statistic="Maximum",
        ),
        # Also where the queue does not get them: its key, or the healer's right to send, is gone. Source:
        # Lambda developer guide, "Types of metrics for Lambda functions".
        alarm(
            "dropped-events",
            "Lambda dropped an event for the healer without running it to its end. If the queue of failed "
            "events does not hold it, the healer may not send there. The schedule goes on without it. ",
            own,
            "AsyncEventsDropped",
        ),
    ]
