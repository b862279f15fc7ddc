"""Every resilience pattern once, of raw AWS resources, as another team would write them.

api -> work -> consumer <- breaker <- circuits        bus -> work, news -> work
clicks -> counter -> lost                             steps -> consumer, else steps-dead
"""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

ACCOUNT = aws.get_caller_identity().account_id
REGION = "us-east-1"
DAY = 86_400


def arn(service: str, *name: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return an ARN, known at preview."""
    return pulumi.Output.concat(f"arn:aws:{service}:{REGION}:{ACCOUNT}:", *name)


def document(*statements: dict[str, Any]) -> pulumi.Output[str]:
    """Return an IAM document of statements that allow."""
    return pulumi.Output.json_dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    )


def role(name: str, service: str, *statements: dict[str, Any]) -> aws.iam.Role:
    """Make a role for a service that may do this."""
    trusted = {"Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    made = aws.iam.Role(f"{name}-role", assume_role_policy=document(trusted))
    aws.iam.RolePolicy(f"{name}-rights", role=made.name, policy=document(*statements))
    return made


def function(name: str, *statements: dict[str, Any]) -> aws.lambda_.Function:
    """Make a function that may do this, and logs."""
    logs = aws.cloudwatch.LogGroup(f"{name}-logs", retention_in_days=14)
    writes = {"Action": "logs:PutLogEvents", "Resource": arn("logs", "log-group:", logs.name, ":*")}
    return aws.lambda_.Function(
        name,
        role=role(name, "lambda", writes, *statements).arn,
        runtime="python3.13",
        handler="main.run",
        code=pulumi.AssetArchive({"main.py": pulumi.StringAsset("def run(event, context): pass")}),
        timeout=10,
        logging_config={"log_format": "JSON", "log_group": logs.name},
    )


people = aws.sns.Topic("people")
aws.sns.TopicSubscription("to-people", topic=people.arn, protocol="email", endpoint="oncall@example.com")


def dead_letters(name: str) -> aws.sqs.Queue:
    """Make a queue that keeps letters for as long as can be, and tells people of each."""
    queue = aws.sqs.Queue(name, message_retention_seconds=14 * DAY)
    aws.cloudwatch.MetricAlarm(
        f"{name}-depth",
        alarm_description="Letters wait. See https://example.com/letters",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue.name},
        statistic="Maximum",
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=1,
        period=60,
        evaluation_periods=1,
        alarm_actions=[people.arn],
        ok_actions=[people.arn],
    )
    return queue


# A levelled queue, whose consumer puts aside what waited too long.
work_dead, aside, undelivered, steps_dead = map(
    dead_letters, ("work-dead", "aside", "undelivered", "steps-dead")
)
work = aws.sqs.Queue(
    "work",
    visibility_timeout_seconds=65,
    message_retention_seconds=4 * DAY,
    redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": work_dead.arn, "maxReceiveCount": 5}),
)
consumer = function(
    "consumer",
    {"Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": arn("sqs", work.name)},
    {"Action": "sqs:SendMessage", "Resource": arn("sqs", aside.name)},
)
aws.lambda_.EventSourceMapping(
    "from-work",
    event_source_arn=work.arn,
    function_name=consumer.name,
    batch_size=10,
    maximum_batching_window_in_seconds=5,
    scaling_config={"maximum_concurrency": 5},
    function_response_types=["ReportBatchItemFailures"],
    enabled=True,
    opts=pulumi.ResourceOptions(ignore_changes=["enabled", "scaling_config"]),
)

# A circuit breaker, which pauses that consumer and is woken by the stream of its table.
circuits = aws.dynamodb.Table(
    "circuits",
    hash_key="pk",
    attributes=[{"name": "pk", "type": "S"}],
    billing_mode="PAY_PER_REQUEST",
    stream_enabled=True,
    stream_view_type="NEW_IMAGE",
)
breaker = function(
    "breaker",
    {
        "Action": ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
        "Resource": arn("lambda", "event-source-mapping:*"),
        "Condition": {"ArnEquals": {"lambda:FunctionArn": arn("lambda", "function:", consumer.name)}},
    },
)
aws.lambda_.FunctionEventInvokeConfig(
    "breaker-events",
    function_name=breaker.name,
    maximum_retry_attempts=1,
    destination_config={"on_failure": {"destination": undelivered.arn}},
)

# Streams, whose poison is kept with its data.
lost = aws.s3.Bucket("lost")
aws.s3.BucketPublicAccessBlock(
    "lost-private",
    bucket=lost.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "lost-encryption",
    bucket=lost.id,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
)
clicks = aws.kinesis.Stream("clicks", shard_count=1)
counter = function("counter")
for source, stream, called in (("clicks", clicks.arn, counter), ("circuits", circuits.stream_arn, breaker)):
    aws.lambda_.EventSourceMapping(
        f"from-{source}",
        event_source_arn=stream,
        function_name=called.name,
        starting_position="LATEST",
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=5,
        maximum_record_age_in_seconds=3600,
        function_response_types=["ReportBatchItemFailures"],
        destination_config={"on_failure": {"destination_arn": lost.arn}},
    )

# Fan-out: a bus and a topic, both of which lead to the queue.
bus = aws.cloudwatch.EventBus("bus", dead_letter_config={"arn": undelivered.arn})
orders = aws.cloudwatch.EventRule(
    "orders", event_bus_name=bus.name, event_pattern=json.dumps({"source": ["orders"]})
)
aws.cloudwatch.EventTarget(
    "orders-to-work",
    event_bus_name=bus.name,
    rule=orders.name,
    arn=work.arn,
    dead_letter_config={"arn": undelivered.arn},
    retry_policy={"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 10},
)
minute = aws.cloudwatch.EventRule("minute", schedule_expression="rate(1 minute)")
aws.cloudwatch.EventTarget("minute-to-breaker", rule=minute.name, arn=breaker.arn)
news = aws.sns.Topic("news")
aws.sns.TopicSubscription(
    "news-to-work",
    topic=news.arn,
    protocol="sqs",
    endpoint=work.arn,
    redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": undelivered.arn}),
)

# A workflow that tries again, and puts what fails for good aside.
RETRY = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxAttempts": 3,
    "MaxDelaySeconds": 20,
    "JitterStrategy": "FULL",
}
definition = {
    "StartAt": "Charge",
    "States": {
        "Charge": {
            "Type": "Task",
            "Resource": arn("lambda", "function:", consumer.name),
            "Retry": [{"ErrorEquals": ["CircuitOpen"], "MaxAttempts": 0}, RETRY],
            "Catch": [
                {"ErrorEquals": ["CircuitOpen"], "Next": "GiveBack"},
                {"ErrorEquals": ["States.ALL"], "Next": "PutAside"},
            ],
            "End": True,
        },
        "PutAside": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {
                "QueueUrl": pulumi.Output.concat(
                    f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/", steps_dead.name
                ),
                "MessageBody.$": "$",
            },
            "Retry": [RETRY],
            "End": True,
        },
        "GiveBack": {"Type": "Fail", "Error": "CircuitOpen"},
    },
}
step_logs, access_logs = (
    aws.cloudwatch.LogGroup(name, retention_in_days=14) for name in ("steps-logs", "access-logs")
)
aws.sfn.StateMachine(
    "steps",
    type="EXPRESS",
    definition=pulumi.Output.json_dumps(definition),
    role_arn=role(
        "steps",
        "states",
        {"Action": "lambda:InvokeFunction", "Resource": arn("lambda", "function:", consumer.name)},
        {"Action": "sqs:SendMessage", "Resource": arn("sqs", steps_dead.name)},
    ).arn,
    logging_configuration={
        "level": "ERROR",
        "log_destination": pulumi.Output.concat(step_logs.arn, ":*"),
    },
)

# Storage first: the API puts orders straight into the queue.
api = aws.apigateway.RestApi("api")
path = aws.apigateway.Resource("path", rest_api=api.id, parent_id=api.root_resource_id, path_part="orders")
authorizer = aws.apigateway.Authorizer(
    "callers",
    rest_api=api.id,
    authorizer_uri=pulumi.Output.concat(
        f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/", counter.arn, "/invocations"
    ),
)
method = aws.apigateway.Method(
    "put",
    rest_api=api.id,
    resource_id=path.id,
    http_method="PUT",
    authorization="CUSTOM",
    authorizer_id=authorizer.id,
)
integration = aws.apigateway.Integration(
    "put-into-work",
    rest_api=api.id,
    resource_id=path.id,
    http_method=method.http_method,
    integration_http_method="POST",
    type="AWS",
    uri=pulumi.Output.concat(f"arn:aws:apigateway:{REGION}:sqs:path/{ACCOUNT}/", work.name),
    credentials=role(
        "api", "apigateway", {"Action": "sqs:SendMessage", "Resource": arn("sqs", work.name)}
    ).arn,
)
deployment = aws.apigateway.Deployment(
    "now", rest_api=api.id, opts=pulumi.ResourceOptions(depends_on=[integration])
)
aws.apigateway.Stage(
    "stage",
    rest_api=api.id,
    deployment=deployment.id,
    stage_name="v1",
    access_log_settings={"destination_arn": access_logs.arn, "format": "$context.requestId"},
)

# A page in front of it, in a bucket of another stack, for a shop that has a name of its own.
access = aws.cloudfront.OriginAccessControl(
    "pages-access",
    origin_access_control_origin_type="s3",
    signing_behavior="always",
    signing_protocol="sigv4",
)
READS = ["GET", "HEAD"]
CACHE = "658327ea-f89d-4fab-a63d-7e88639e58f6"
aws.cloudfront.Distribution(
    "shop",
    enabled=True,
    origins=[
        {
            "origin_id": "pages",
            "domain_name": f"pages.s3.{REGION}.amazonaws.com",
            "origin_access_control_id": access.id,
        },
        {
            "origin_id": "api",
            "domain_name": pulumi.Output.concat(api.id, f".execute-api.{REGION}.amazonaws.com"),
            "custom_origin_config": {
                "http_port": 80,
                "https_port": 443,
                "origin_protocol_policy": "https-only",
                "origin_ssl_protocols": ["TLSv1.2"],
            },
        },
    ],
    default_cache_behavior={
        "allowed_methods": READS,
        "cached_methods": READS,
        "cache_policy_id": CACHE,
        "target_origin_id": "pages",
        "viewer_protocol_policy": "redirect-to-https",
    },
    ordered_cache_behaviors=[
        {
            "allowed_methods": READS,
            "cached_methods": READS,
            "cache_policy_id": CACHE,
            "path_pattern": "/orders/*",
            "target_origin_id": "api",
            "viewer_protocol_policy": "https-only",
        }
    ],
    restrictions={"geo_restriction": {"restriction_type": "none"}},
    viewer_certificate={
        "acm_certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/c",
        "ssl_support_method": "sni-only",
        "minimum_protocol_version": "TLSv1.2_2021",
    },
)
