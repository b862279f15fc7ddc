"""One life of a resource of every type, to be run against the emulator: the inputs, a change, a drift.

A case's inputs may name what it needs first: `needs` are created before and deleted after, and `{queue.arn}`
in an input stands for an output of the need called `queue`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.assets import Archive, make_zip

FUNCTION = "aws:lambda/function:Function"
ROLE = "aws:iam/role:Role"
TOPIC = "aws:sns/topic:Topic"
QUEUE = "aws:sqs/queue:Queue"
STREAM = "aws:kinesis/stream:Stream"
API = "aws:apigatewayv2/api:Api"
RULE = "aws:cloudwatch/eventRule:EventRule"
ALIAS = "aws:lambda/alias:Alias"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
PERMISSION = "aws:lambda/permission:Permission"
POLICY = "aws:iam/policy:Policy"
STAGE = "aws:apigatewayv2/stage:Stage"
TABLE_TYPE = "aws:dynamodb/table:Table"
ITEM_TYPE = "aws:dynamodb/tableItem:TableItem"


KMS_KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LOGS = "arn:aws:logs:us-east-1:000000000000:log-group:access"


Need = tuple[str, dict[str, Any]]
"""Type and inputs of a resource that another one needs."""


@dataclass(frozen=True)
class Case:
    type: str
    inputs: dict[str, Any]
    change: dict[str, Any]
    """Inputs that replace some of the first ones, by an update in place; empty where a type has none."""
    drift: Callable[[Clients, str, dict[str, Any]], Any]
    """Changes the resource behind the provider's back."""
    drifted: str | None
    """The one input that then differs; None if it is then gone."""
    needs: dict[str, Need] = field(default_factory=dict[str, Need])
    stays: bool = False
    """It cannot be seen to be gone, because AWS puts a default in its place."""
    many: bool = False
    """Creating it again makes another one, with an id of its own."""
    taken: str | None = None
    """How AWS refuses a second one of that name; None where it replaces it, or makes another."""
    import_id: str | None = "{id}"
    """What `pulumi import` is given, of the id and inputs; None where the AWS provider cannot import it."""


def code(text: str = "def handle(event, context):\n    return event\n") -> Archive:
    return Archive(f"hash of {text}", make_zip({"index.py": text.encode()}))


def trust(service: str = "lambda.amazonaws.com") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(action: str, resource: str = "arn:aws:sqs:us-east-1:000000000000:q") -> str:
    statement = {"Effect": "Allow", "Action": [action], "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def topic_policy(sid: str) -> str:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def item(**attributes: str) -> str:
    values = {"pk": "deployment", "sk": "healer"} | attributes
    return json.dumps({name: {"S": value} for name, value in values.items()})


ROLE_NEED = (ROLE, {"assumeRolePolicy": trust()})
FUNCTION_INPUTS: dict[str, Any] = {
    "role": "{role.arn}",
    "code": code(),
    "handler": "index.handle",
    "runtime": "python3.13",
    "architectures": ["arm64"],
    "timeout": 5,
    "environment": {"variables": {"FAILURE_RATE": "0.3", "lower_case": "kept"}},
}
FUNCTION_NEEDS = {"role": ROLE_NEED, "fn": (FUNCTION, FUNCTION_INPUTS)}
TABLE_INPUTS: dict[str, Any] = {
    "hashKey": "pk",
    "rangeKey": "sk",
    "attributes": [{"name": "sk", "type": "S"}, {"name": "pk", "type": "S"}],
    "billingMode": "PAY_PER_REQUEST",
}
API_NEEDS = {"api": (API, {"protocolType": "HTTP"})}


def _environment(clients: Clients, id_: str, _: dict[str, Any]) -> None:
    variables = {"FAILURE_RATE": "0", "lower_case": "kept"}
    clients.get("lambda").update_function_configuration(
        FunctionName=id_, Environment={"Variables": variables}
    )


def _alarm_off(clients: Clients, id_: str, _: dict[str, Any]) -> None:
    clients.get("cloudwatch").disable_alarm_actions(AlarmNames=[id_])


METRIC = {
    "metricName": "Errors",
    "namespace": "selfheal",
    "dimensions": {"FunctionName": "f"},
    "period": 10,
    "stat": "Sum",
}

CASES = [
    Case(
        FUNCTION,
        FUNCTION_INPUTS | {"reservedConcurrentExecutions": 1, "loggingConfig": {"logFormat": "JSON"}},
        {
            "code": code("def handle(event, context):\n    return 2\n"),
            "timeout": 7,
            "reservedConcurrentExecutions": -1,
            "environment": {"variables": {"FAILURE_RATE": "0.5"}},
            "tracingConfig": {"mode": "Active"},
            "kmsKeyArn": KMS_KEY,
            "layers": [f"arn:aws:lambda:us-east-1:211125607513:layer:{name}:1" for name in ("b", "a")],
        },
        _environment,
        "environment",
        {"role": ROLE_NEED},
        taken="ResourceConflictException: Function already exist",
    ),
    Case(
        ALIAS,
        {"functionName": "{fn.name}", "functionVersion": "$LATEST", "description": "live"},
        {"description": "still live"},
        lambda c, _, i: c.get("lambda").update_alias(
            FunctionName=i["functionName"], Name=i["name"], Description="x"
        ),
        "description",
        FUNCTION_NEEDS,
        taken="ResourceConflictException",
        import_id="{functionName}/{name}",
    ),
    Case(
        MAPPING,
        {
            "eventSourceArn": "{queue.arn}",
            "functionName": "{fn.name}",
            "batchSize": 5,
            "functionResponseTypes": ["ReportBatchItemFailures"],
            "scalingConfig": {"maximumConcurrency": 2},
        },
        {"enabled": False, "functionName": "{fn.arn}", "batchSize": 1, "scalingConfig": None},
        lambda c, id_, _: c.get("lambda").update_event_source_mapping(UUID=id_, Enabled=True),
        "enabled",
        {**FUNCTION_NEEDS, "queue": (QUEUE, {})},
        taken="ResourceConflictException: An event source mapping with SQS arn",
    ),
    Case(
        MAPPING,
        {
            "eventSourceArn": "{stream.arn}",
            "functionName": "{fn.name}",
            "startingPosition": "TRIM_HORIZON",
            "batchSize": 50,
            "bisectBatchOnFunctionError": True,
            "maximumRetryAttempts": 3,
            "maximumRecordAgeInSeconds": 600,
            "parallelizationFactor": 2,
            "functionResponseTypes": ["ReportBatchItemFailures"],
            "destinationConfig": {"onFailure": {"destinationArn": "{queue.arn}"}},
        },
        {
            "bisectBatchOnFunctionError": False,
            "maximumRetryAttempts": 5,
            "parallelizationFactor": None,
            "destinationConfig": None,
        },
        lambda c, id_, _: c.get("lambda").update_event_source_mapping(UUID=id_, MaximumRecordAgeInSeconds=60),
        "maximumRecordAgeInSeconds",
        {**FUNCTION_NEEDS, "queue": (QUEUE, {}), "stream": (STREAM, {"shardCount": 1})},
        taken="ResourceConflictException: An event source mapping with event source arn",
    ),
    Case(
        STREAM,
        {"shardCount": 2, "retentionPeriod": 48, "encryptionType": "KMS", "kmsKeyId": "alias/aws/kinesis"},
        {"shardCount": 1, "retentionPeriod": 24, "encryptionType": "NONE", "kmsKeyId": None},
        lambda c, id_, _: c.get("kinesis").increase_stream_retention_period(
            StreamARN=id_, RetentionPeriodHours=72
        ),
        "retentionPeriod",
        taken="ResourceInUseException",
        import_id="{name}",
    ),
    Case(
        STREAM,
        {"streamModeDetails": {"streamMode": "ON_DEMAND"}},
        {"retentionPeriod": 30},
        lambda c, id_, _: c.get("kinesis").delete_stream(StreamARN=id_),
        None,
        taken="ResourceInUseException",
        import_id="{name}",
    ),
    Case(
        PERMISSION,
        {
            "function": "{fn.name}",
            "action": "lambda:InvokeFunction",
            "principal": "sns.amazonaws.com",
            "sourceArn": "arn:aws:sns:us-east-1:000000000000:t",
        },
        {},
        lambda c, id_, i: (
            c.get("lambda").remove_permission(FunctionName=i["function"], StatementId=id_),
            c.get("lambda").add_permission(
                FunctionName=i["function"],
                StatementId=id_,
                Action="lambda:InvokeFunction",
                Principal="sns.amazonaws.com",
                SourceArn="arn:aws:sns:us-east-1:000000000000:other",
            ),
        ),
        "sourceArn",
        FUNCTION_NEEDS,
        taken="ResourceConflictException",
        import_id="{function}/{statementId}",
    ),
    Case(
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        {
            "functionName": "{fn.name}",
            "maximumRetryAttempts": 0,
            "maximumEventAgeInSeconds": 60,
            "destinationConfig": {"onFailure": {"destination": "{queue.arn}"}},
        },
        {"maximumEventAgeInSeconds": 120},
        lambda c, _, i: c.get("lambda").put_function_event_invoke_config(
            FunctionName=i["functionName"],
            MaximumRetryAttempts=2,
            MaximumEventAgeInSeconds=i["maximumEventAgeInSeconds"],
            DestinationConfig={
                "OnFailure": {"Destination": i["destinationConfig"]["onFailure"]["destination"]}
            },
        ),
        "maximumRetryAttempts",
        {**FUNCTION_NEEDS, "queue": (QUEUE, {})},
    ),
    Case(
        ROLE,
        {
            "assumeRolePolicy": trust(),
            "description": "a role",
            "permissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess",
        },
        {
            "assumeRolePolicy": trust("states.amazonaws.com"),
            "description": "another",
            "permissionsBoundary": None,
        },
        lambda c, id_, _: c.get("iam").update_assume_role_policy(
            RoleName=id_, PolicyDocument=trust("ec2.amazonaws.com")
        ),
        "assumeRolePolicy",
        taken="EntityAlreadyExists",
    ),
    Case(
        "aws:iam/rolePolicy:RolePolicy",
        {"role": "{role.name}", "policy": policy("sqs:SendMessage")},
        {"policy": policy("sqs:ReceiveMessage")},
        lambda c, _, i: c.get("iam").put_role_policy(
            RoleName=i["role"], PolicyName=i["name"], PolicyDocument=policy("sqs:*")
        ),
        "policy",
        {"role": ROLE_NEED},
    ),
    Case(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {
            "role": "{role.name}",
            "policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        },
        {},
        lambda c, _, i: c.get("iam").detach_role_policy(RoleName=i["role"], PolicyArn=i["policyArn"]),
        None,
        {"role": ROLE_NEED},
    ),
    Case(
        POLICY,
        {"policy": policy("sqs:SendMessage"), "description": "p"},
        {"policy": policy("sqs:ReceiveMessage")},
        lambda c, id_, _: c.get("iam").create_policy_version(
            PolicyArn=id_, PolicyDocument=policy("sqs:*"), SetAsDefault=True
        ),
        "policy",
        taken="EntityAlreadyExists",
    ),
    Case(
        "aws:cloudwatch/logGroup:LogGroup",
        {"name": "/aws/lambda/f", "retentionInDays": 14},
        {"retentionInDays": 30},
        lambda c, id_, _: c.get("logs").put_retention_policy(logGroupName=id_, retentionInDays=1),
        "retentionInDays",
        taken="ResourceAlreadyExistsException",
    ),
    Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "comparisonOperator": "GreaterThanOrEqualToThreshold",
            "evaluationPeriods": 1,
            "datapointsToAlarm": 1,
            "threshold": 0.05,
            "treatMissingData": "notBreaching",
            "alarmActions": ["{topic.arn}"],
            "okActions": ["{topic.arn}"],
            "metricQueries": [
                {"id": "rate", "expression": "IF(e >= 6, e / r, 0)", "label": "rate", "returnData": True},
                {"id": "e", "metric": METRIC},
                {"id": "r", "metric": METRIC | {"metricName": "Requests"}, "returnData": False},
            ],
        },
        {"threshold": 1, "okActions": []},
        _alarm_off,
        "actionsEnabled",
        {"topic": (TOPIC, {})},
    ),
    Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "threshold": 0,
            "namespace": "AWS/Lambda",
            "metricName": "Errors",
            "dimensions": {"FunctionName": "f"},
            "statistic": "Sum",
            "period": 60,
            "alarmDescription": "plain",
        },
        {"dimensions": {"FunctionName": "g"}, "alarmDescription": None},
        _alarm_off,
        "actionsEnabled",
    ),
    Case(
        "aws:cloudwatch/dashboard:Dashboard",
        {"dashboardName": "board", "dashboardBody": json.dumps({"widgets": []}, indent=1)},
        {"dashboardBody": json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "hi"}}]})},
        lambda c, id_, _: c.get("cloudwatch").put_dashboard(
            DashboardName=id_, DashboardBody='{"widgets":[],"start":"-PT1H"}'
        ),
        "dashboardBody",
    ),
    Case(
        RULE,
        {"scheduleExpression": "rate(1 minute)", "description": "tick"},
        {"scheduleExpression": "rate(5 minutes)"},
        lambda c, id_, _: c.get("events").put_rule(
            Name=id_, ScheduleExpression="rate(9 minutes)", Description="tick"
        ),
        "scheduleExpression",
    ),
    Case(
        "aws:cloudwatch/eventTarget:EventTarget",
        {"rule": "{rule.name}", "arn": "{fn.arn}", "input": '{"wake": "schedule"}'},
        {"input": '{"wake":"other"}'},
        lambda c, _, i: c.get("events").put_targets(
            Rule=i["rule"], Targets=[{"Id": i["targetId"], "Arn": i["arn"], "Input": "{}"}]
        ),
        "input",
        {**FUNCTION_NEEDS, "rule": (RULE, {"scheduleExpression": "rate(1 minute)"})},
        import_id="{rule}/{targetId}",
    ),
    Case(
        API,
        {
            "protocolType": "HTTP",
            "description": "d",
            "corsConfiguration": {"allowOrigins": ["*"], "maxAge": 60},
        },
        {"description": "e", "corsConfiguration": None},
        lambda c, id_, _: c.get("apigatewayv2").update_api(ApiId=id_, Description="x"),
        "description",
        many=True,
    ),
    Case(
        "aws:apigatewayv2/integration:Integration",
        {
            "apiId": "{api.id}",
            "integrationType": "AWS_PROXY",
            "integrationUri": "{fn.invokeArn}",
            "payloadFormatVersion": "2.0",
        },
        {"timeoutMilliseconds": 5000},
        lambda c, id_, i: c.get("apigatewayv2").update_integration(
            ApiId=i["apiId"], IntegrationId=id_, PayloadFormatVersion="1.0"
        ),
        "payloadFormatVersion",
        {**FUNCTION_NEEDS, **API_NEEDS},
        many=True,
        import_id="{apiId}/{id}",
    ),
    Case(
        "aws:apigatewayv2/route:Route",
        {"apiId": "{api.id}", "routeKey": "ANY /{proxy+}", "target": "integrations/abc"},
        {"target": "integrations/def"},
        lambda c, id_, i: c.get("apigatewayv2").update_route(ApiId=i["apiId"], RouteId=id_, Target="x"),
        "target",
        API_NEEDS,
        taken="ConflictException",
        import_id="{apiId}/{id}",
    ),
    Case(
        STAGE,
        {"apiId": "{api.id}", "name": "$default", "autoDeploy": True},
        {
            "description": "changed",
            "accessLogSettings": {"destinationArn": LOGS, "format": '{"id": "$context.requestId"}'},
            "defaultRouteSettings": {"throttlingBurstLimit": 5, "throttlingRateLimit": 5},
        },
        lambda c, id_, i: c.get("apigatewayv2").update_stage(
            ApiId=i["apiId"], StageName=id_, AutoDeploy=False
        ),
        "autoDeploy",
        API_NEEDS,
        taken="ConflictException",
        import_id="{apiId}/{name}",
    ),
    Case(
        TOPIC,
        {"displayName": "Alarms"},
        {"displayName": "People", "kmsMasterKeyId": KMS_KEY},
        lambda c, id_, _: c.get("sns").set_topic_attributes(
            TopicArn=id_, AttributeName="DisplayName", AttributeValue="x"
        ),
        "displayName",
    ),
    Case(
        "aws:sns/topicPolicy:TopicPolicy",
        {"arn": "{topic.arn}", "policy": topic_policy("one")},
        {"policy": topic_policy("two")},
        lambda c, id_, _: c.get("sns").set_topic_attributes(
            TopicArn=id_, AttributeName="Policy", AttributeValue=topic_policy("other")
        ),
        "policy",
        {"topic": (TOPIC, {})},
        stays=True,
    ),
    Case(
        "aws:sns/topicSubscription:TopicSubscription",
        {"topic": "{topic.arn}", "protocol": "lambda", "endpoint": "{fn.arn}"},
        {"filterPolicy": '{"kind": ["a"]}'},
        lambda c, id_, _: c.get("sns").set_subscription_attributes(
            SubscriptionArn=id_, AttributeName="RawMessageDelivery", AttributeValue="true"
        ),
        "rawMessageDelivery",
        {**FUNCTION_NEEDS, "topic": (TOPIC, {})},
    ),
    Case(
        QUEUE,
        {"messageRetentionSeconds": 1209600, "sqsManagedSseEnabled": True},
        {
            "visibilityTimeoutSeconds": 90,
            "sqsManagedSseEnabled": False,
            "kmsMasterKeyId": KMS_KEY,
            "redrivePolicy": json.dumps(
                {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 3}
            ),
        },
        lambda c, id_, _: c.get("sqs").set_queue_attributes(
            QueueUrl=id_, Attributes={"MessageRetentionPeriod": "60"}
        ),
        "messageRetentionSeconds",
        {"dead": (QUEUE, {"name": "dead"})},
    ),
    Case(
        QUEUE,
        {
            "fifoQueue": True,
            "contentBasedDeduplication": True,
            "deduplicationScope": "messageGroup",
            "fifoThroughputLimit": "perMessageGroupId",
            "maxMessageSize": 262144,
        },
        {"contentBasedDeduplication": False, "delaySeconds": 5},
        lambda c, id_, _: c.get("sqs").set_queue_attributes(
            QueueUrl=id_, Attributes={"MaximumMessageSize": "1024"}
        ),
        "maxMessageSize",
    ),
    Case(
        "aws:sqs/queuePolicy:QueuePolicy",
        {"queueUrl": "{queue.url}", "policy": policy("sqs:SendMessage")},
        {"policy": policy("sqs:ReceiveMessage")},
        lambda c, id_, _: c.get("sqs").set_queue_attributes(
            QueueUrl=id_, Attributes={"Policy": policy("sqs:*")}
        ),
        "policy",
        {"queue": (QUEUE, {})},
    ),
    Case(
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
        {"queueUrl": "{queue.url}", "redriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})},
        {"redriveAllowPolicy": json.dumps({"redrivePermission": "allowAll"})},
        lambda c, id_, _: c.get("sqs").set_queue_attributes(
            QueueUrl=id_, Attributes={"RedriveAllowPolicy": ""}
        ),
        None,
        {"queue": (QUEUE, {})},
    ),
    Case(
        TABLE_TYPE,
        {
            **TABLE_INPUTS,
            "ttl": {"attributeName": "expires_at", "enabled": True},
            "pointInTimeRecovery": {"enabled": True},
            "serverSideEncryption": {"enabled": True},
            "deletionProtectionEnabled": False,
        },
        {"ttl": None, "pointInTimeRecovery": {"enabled": False}, "serverSideEncryption": None},
        lambda c, id_, _: c.get("dynamodb").update_table(TableName=id_, DeletionProtectionEnabled=True),
        "deletionProtectionEnabled",
        taken="ResourceInUseException: Table already exists",
    ),
    Case(
        ITEM_TYPE,
        {
            "tableName": "{table.name}",
            "hashKey": "pk",
            "rangeKey": "sk",
            "item": item(mode="act", healer="h"),
        },
        {"item": item(mode="observe")},
        lambda c, _, i: c.get("dynamodb").update_item(
            TableName=i["tableName"],
            Key={"pk": {"S": "deployment"}, "sk": {"S": "healer"}},
            AttributeUpdates={"mode": {"Value": {"S": "act"}}, "other": {"Value": {"S": "not ours"}}},
        ),
        "item",
        {"table": (TABLE_TYPE, TABLE_INPUTS)},
        taken="ConditionalCheckFailedException",
        import_id=None,
    ),
]
