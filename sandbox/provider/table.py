"""The provider's table: every resource type it knows."""

from collections.abc import Mapping

from selfheal.sandbox.provider import (
    apigatewayv2,
    cloudwatch,
    dynamodb,
    dynamodb_item,
    events,
    iam,
    kinesis,
    lambda_,
    lambda_function,
    lambda_mapping,
    sns,
    sqs,
)
from selfheal.sandbox.provider.spec import Spec

TABLE: Mapping[str, Spec] = {
    "aws:apigatewayv2/api:Api": apigatewayv2.API,
    "aws:apigatewayv2/integration:Integration": apigatewayv2.INTEGRATION,
    "aws:apigatewayv2/route:Route": apigatewayv2.ROUTE,
    "aws:apigatewayv2/stage:Stage": apigatewayv2.STAGE,
    "aws:cloudwatch/dashboard:Dashboard": cloudwatch.DASHBOARD,
    "aws:cloudwatch/eventRule:EventRule": events.EVENT_RULE,
    "aws:cloudwatch/eventTarget:EventTarget": events.EVENT_TARGET,
    "aws:cloudwatch/logGroup:LogGroup": cloudwatch.LOG_GROUP,
    "aws:cloudwatch/metricAlarm:MetricAlarm": cloudwatch.METRIC_ALARM,
    "aws:dynamodb/table:Table": dynamodb.TABLE,
    "aws:dynamodb/tableItem:TableItem": dynamodb_item.ITEM,
    "aws:iam/policy:Policy": iam.POLICY,
    "aws:iam/role:Role": iam.ROLE,
    "aws:iam/rolePolicy:RolePolicy": iam.ROLE_POLICY,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": iam.ATTACHMENT,
    "aws:kinesis/stream:Stream": kinesis.STREAM,
    "aws:lambda/alias:Alias": lambda_.ALIAS,
    "aws:lambda/eventSourceMapping:EventSourceMapping": lambda_mapping.MAPPING,
    "aws:lambda/function:Function": lambda_function.FUNCTION,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": lambda_.INVOKE_CONFIG,
    "aws:lambda/permission:Permission": lambda_.PERMISSION,
    "aws:sns/topic:Topic": sns.TOPIC,
    "aws:sns/topicPolicy:TopicPolicy": sns.TOPIC_POLICY,
    "aws:sns/topicSubscription:TopicSubscription": sns.SUBSCRIPTION,
    "aws:sqs/queue:Queue": sqs.QUEUE,
    "aws:sqs/queuePolicy:QueuePolicy": sqs.QUEUE_POLICY,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": sqs.REDRIVE_ALLOW_POLICY,
}
"""Resource types of the Pulumi SDK, with their implementation."""
