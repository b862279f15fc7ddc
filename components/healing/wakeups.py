"""Wake-ups of a function: a topic and a schedule, each with a permission to invoke it."""

import json

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.functions.shared.contract import SCHEDULE_EVENT

SCHEDULE = "rate(1 minute)"
"""EventBridge's minimum."""


def wake_by_topic(
    name: str, function: aws.lambda_.Function, topic_arn: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> aws.sns.TopicSubscription:
    """Subscribe the function to the topic, and allow only that topic to invoke it."""
    permission = aws.lambda_.Permission(
        f"{name}-invoke-topic",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="sns.amazonaws.com",
        source_arn=topic_arn,
        opts=opts,
    )
    return aws.sns.TopicSubscription(
        f"{name}-subscription",
        topic=topic_arn,
        protocol="lambda",
        endpoint=function.arn,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[permission])),
    )


def wake_by_schedule(
    name: str,
    function: aws.lambda_.Function,
    arns: Arns,
    opts: pulumi.ResourceOptions,
    description: str = "Wakes the healer, so that no lost notification is ever missed",
) -> aws.cloudwatch.EventTarget:
    """Invoke the function every minute, and allow only that rule to invoke it."""
    rule = aws.cloudwatch.EventRule(
        f"{name}-schedule",
        description=description,
        schedule_expression=SCHEDULE,
        opts=opts,
    )
    permission = aws.lambda_.Permission(
        f"{name}-invoke-schedule",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="events.amazonaws.com",
        source_arn=arns.rule(rule.name),
        opts=opts,
    )
    return aws.cloudwatch.EventTarget(
        f"{name}-schedule-target",
        rule=rule.name,
        arn=function.arn,
        input=json.dumps(dict(SCHEDULE_EVENT)),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[permission])),
    )
