"""Alarms that become tickets and records, in tables, buckets and logs that control nothing."""

from typing import Any

from tests.policies.innocents.shapes import (
    AWS,
    BASIC,
    alarm,
    allows,
    attach,
    bare,
    consume,
    errors,
    function,
    hourly,
    on_events,
    permit,
    queue,
    reads,
    role,
    rule,
    secret,
    service,
    subscribe,
    topic,
    trust,
)
from tests.policies.innocents.table import Innocent
from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Ref
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")
TO_QUEUE: dict[str, Any] = {"Action": "sqs:SendMessage", "Principal": {"Service": "sns.amazonaws.com"}}
KEYS: dict[str, Any] = {
    "hashKey": "id",
    "attributes": [{"name": "id", "type": "S"}],
    "billingMode": "PAY_PER_REQUEST",
}
TTL = {"ttl": {"attributeName": "expires", "enabled": True}}


def table(scene: Scene, name: str, **more: Any) -> None:
    scene.add("dynamodb.Table", name, **KEYS, **more)


def bucket(scene: Scene, name: str) -> str:
    """Register a bucket with a name that the program gives, and return its ARN."""
    scene.add("s3.Bucket", name, bucket=physical(name))
    scene.add(
        "s3.BucketPublicAccessBlock",
        f"{name}-private",
        bucket=Ref(name, "id"),
        blockPublicAcls=True,
        blockPublicPolicy=True,
        ignorePublicAcls=True,
        restrictPublicBuckets=True,
    )
    return f"arn:aws:s3:::{physical(name)}"


def jira(scene: Scene) -> None:
    """Topic, queue, function: a ticket for each alarm, at most two at once."""
    service(scene)
    topic(scene, "alerts")
    queue(scene, "tickets")
    may = TO_QUEUE | {
        "Resource": Ref("tickets"),
        "Condition": {"ArnEquals": {"aws:SourceArn": ALERTS}},
    }
    scene.add("sqs.QueuePolicy", "tickets-policy", queueUrl=Ref("tickets", "id"), policy=document(may))
    scene.add(
        "sns.TopicSubscription",
        "to-tickets",
        topic=ALERTS,
        protocol="sqs",
        endpoint=Ref("tickets"),
        rawMessageDelivery=True,
    )
    function(scene, "jira", reads("tickets"), secret(scene, "token"), timeout=30)
    consume(
        scene,
        "tickets",
        "jira",
        functionResponseTypes=["ReportBatchItemFailures"],
        scalingConfig={"maximumConcurrency": 2},
    )
    errors(scene, "orders-errors", "orders", ALERTS)
    dead = {"QueueName": Ref("tickets-dead", "name")}
    alarm(scene, "tickets-lost", "AWS/SQS:ApproximateNumberOfMessagesVisible", dead, ALERTS)


def servicenow(scene: Scene) -> None:
    """The same by the managed policy for queues, as YAML programs attach it; FIFO, so that order is kept."""
    service(scene)
    topic(scene, "alerts", fifoTopic=False)
    scene.add("sqs.Queue", "tickets", sqsManagedSseEnabled=True, visibilityTimeoutSeconds=180)
    scene.add("sns.TopicSubscription", "to-tickets", topic=ALERTS, protocol="sqs", endpoint=Ref("tickets"))
    role(scene, "snow-role", managedPolicyArns=[f"{AWS}/service-role/AWSLambdaSQSQueueExecutionRole"])
    bare(scene, "snow", runtime="python3.12", environment={"variables": {"INSTANCE": "example"}})
    consume(scene, "tickets", "snow", batchSize=1)
    errors(scene, "orders-errors", "orders", ALERTS)


def deduplicated(scene: Scene) -> None:
    """Tells each alarm once an hour: a table with expiry, that nothing else reads."""
    service(scene)
    topic(scene, "alerts")
    table(scene, "told", **TTL)
    function(
        scene,
        "slack",
        secret(scene, "webhook"),
        {"Action": ["dynamodb:PutItem", "dynamodb:GetItem"], "Resource": text("told")},
        environment={"variables": {"TABLE": Ref("told", "name")}},
    )
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def idempotent(scene: Scene) -> None:
    """A ticket opener with the idempotency table of Powertools for AWS Lambda."""
    service(scene)
    topic(scene, "alerts")
    table(scene, "idempotency", **TTL)
    items = ["GetItem", "PutItem", "UpdateItem", "DeleteItem"]
    function(
        scene,
        "tickets",
        secret(scene, "token"),
        {"Action": [f"dynamodb:{each}" for each in items], "Resource": [text("idempotency")]},
        environment={"variables": {"IDEMPOTENCY_TABLE": Ref("idempotency", "name")}},
    )
    subscribe(scene, "alerts", "tickets")
    errors(scene, "orders-errors", "orders", ALERTS)


def recorded_inline(scene: Scene) -> None:
    """An incident table, written by a role whose inline policy is given as data, as Node.js programs do."""
    service(scene)
    topic(scene, "alerts")
    table(scene, "incidents", pointInTimeRecovery={"enabled": True})
    held = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "dynamodb:PutItem",
            "Resource": Ref("incidents"),
        },
    }
    scene.add("iam.Role", "recorder-role", assumeRolePolicy=trust("lambda"))
    scene.add("iam.RolePolicyAttachment", "recorder-basic", role=Ref("recorder-role", "id"), policyArn=BASIC)
    scene.add("iam.RolePolicy", "recorder-policy", role=Ref("recorder-role", "id"), policy=held)
    bare(scene, "recorder", runtime="nodejs22.x")
    subscribe(scene, "alerts", "recorder")
    errors(scene, "orders-errors", "orders", ALERTS, okActions=[ALERTS])


def status_page(scene: Scene) -> None:
    """An incident table that a public status page reads, by a function behind an HTTP API."""
    recorded_for(scene, "recorder")
    function(
        scene,
        "page",
        {"Action": ["dynamodb:Scan", "dynamodb:GetItem"], "Resource": text("incidents")},
        environment={"variables": {"TABLE": Ref("incidents", "name")}},
    )
    scene.add("apigatewayv2.Api", "status", protocolType="HTTP")
    scene.add(
        "apigatewayv2.Integration",
        "status-page",
        apiId=Ref("status", "id"),
        integrationType="AWS_PROXY",
        integrationUri=Ref("page"),
        payloadFormatVersion="2.0",
    )
    scene.add("apigatewayv2.Route", "status-get", apiId=Ref("status", "id"), routeKey="GET /")
    scene.add(
        "apigatewayv2.Stage", "status-live", apiId=Ref("status", "id"), name="$default", autoDeploy=True
    )
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc123/*/*"
    permit(scene, "status-may-call", "page", "apigateway", source)


def recorded_for(scene: Scene, name: str) -> None:
    """Register orders, its alarm, and a function that writes the alarm's incidents into a table."""
    service(scene)
    topic(scene, "alerts")
    table(scene, "incidents")
    function(
        scene,
        name,
        {"Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"], "Resource": text("incidents")},
        environment={"variables": {"TABLE": Ref("incidents", "name")}},
    )
    subscribe(scene, "alerts", name)
    errors(scene, "orders-errors", "orders", ALERTS, okActions=[ALERTS])


def streamed_to_people(scene: Scene) -> None:
    """An incident table whose stream another function reads, to tell people of changes."""
    recorded_for(scene, "recorder")
    scene.find("incidents").put("streamEnabled", to=True).put("streamViewType", to="NEW_IMAGE")
    stream = {
        "Action": [
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:DescribeStream",
            "dynamodb:ListStreams",
        ],
        "Resource": text("incidents", "/stream/*"),
    }
    function(scene, "teller", stream, secret(scene, "webhook"))
    scene.add(
        "lambda.EventSourceMapping",
        "incidents-to-teller",
        eventSourceArn=Ref("incidents", suffix="/stream/2026-11-01T00:00:00.000"),
        functionName=Ref("teller", "name"),
        startingPosition="LATEST",
        bisectBatchOnFunctionError=True,
        maximumRetryAttempts=3,
        filterCriteria={"filters": [{"pattern": '{"eventName": ["INSERT"]}'}]},
    )


def report_to_bucket(scene: Scene) -> None:
    """Writes a report of each incident to a bucket: metrics, logs, and a picture of them."""
    service(scene)
    topic(scene, "alerts")
    arn = bucket(scene, "reports")
    function(
        scene,
        "reporter",
        {"Action": ["s3:PutObject"], "Resource": f"{arn}/*"},
        {
            "Action": ["cloudwatch:GetMetricData", "cloudwatch:GetMetricWidgetImage", "logs:FilterLogEvents"],
            "Resource": "*",
        },
        timeout=60,
    )
    subscribe(scene, "alerts", "reporter")
    errors(scene, "orders-errors", "orders", ALERTS)


def report_told(scene: Scene) -> None:
    """The same, and the bucket's own notification tells people of a new report."""
    report_to_bucket(scene)
    topic(scene, "reports-told", "team@example.com")
    scene.add(
        "s3.BucketNotification",
        "reports-notify",
        bucket=Ref("reports", "id"),
        topics=[{"topicArn": Ref("reports-told"), "events": ["s3:ObjectCreated:*"]}],
    )


def ops_item(scene: Scene) -> None:
    """Opens an OpsItem for each alarm, by a function on a rule."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    function(
        scene,
        "opener",
        {
            "Action": ["ssm:CreateOpsItem", "ssm:AddTagsToResource"],
            "Resource": f"arn:aws:ssm:*:{ACCOUNT}:opsitem/*",
        },
        {"Action": ["ssm:DescribeOpsItems", "ssm:GetOpsSummary"], "Resource": "*"},
    )
    on_events(scene, "alarms", "opener")


def metric_of_alarms(scene: Scene) -> None:
    """Counts alarms by team as a metric of its own, for the weekly review."""
    service(scene)
    topic(scene, "alerts")
    namespace = {"StringEquals": {"cloudwatch:namespace": "Alarms"}}
    function(
        scene,
        "counter",
        {"Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": namespace},
        {"Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"},
        {"Action": ["cloudwatch:ListTagsForResource", "tag:GetResources"], "Resource": "*"},
        tracingConfig={"mode": "Active"},
    )
    subscribe(scene, "alerts", "counter")
    errors(scene, "orders-errors", "orders", ALERTS)


def calendar(scene: Scene) -> None:
    """Reads who is on call from a table that people edit, and sends that person an SMS, but to no topic."""
    service(scene)
    topic(scene, "alerts")
    table(scene, "rota")
    function(
        scene,
        "oncall",
        {
            "Action": ["dynamodb:Query", "dynamodb:GetItem"],
            "Resource": [text("rota"), text("rota", "/index/*")],
        },
        {"Action": "sns:Publish", "Resource": "*"},
        {"Effect": "Deny", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:*"},
    )
    subscribe(scene, "alerts", "oncall")
    errors(scene, "orders-errors", "orders", ALERTS)


def summarized(scene: Scene) -> None:
    """Asks a model of Bedrock what an alarm means, and posts the answer."""
    service(scene)
    topic(scene, "alerts")
    function(
        scene,
        "explain",
        secret(scene, "webhook"),
        {
            "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
            "Resource": f"arn:aws:bedrock:{REGION}::foundation-model/anthropic.claude-*",
        },
        {"Action": ["logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery"], "Resource": "*"},
        timeout=120,
    )
    subscribe(scene, "alerts", "explain")
    errors(scene, "orders-errors", "orders", ALERTS)


def knowledge_base(scene: Scene) -> None:
    """The same with the company's runbooks: a knowledge base, guardrails, and a table of answers."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    table(scene, "answers", **TTL)
    kb = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/ABC"
    function(
        scene,
        "explain",
        {"Action": ["bedrock:Retrieve", "bedrock:RetrieveAndGenerate"], "Resource": kb},
        {"Action": ["bedrock:InvokeModel", "bedrock:ApplyGuardrail"], "Resource": "*"},
        {"Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": text("answers")},
        {"Action": "sns:Publish", "Resource": text("alerts")},
    )
    on_events(scene, "alarms", "explain")
    errors(scene, "orders-errors", "orders", ALERTS)


def archive(scene: Scene) -> None:
    """Alarm messages to a data lake: the topic delivers to Firehose by itself, which writes a bucket."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    arn = bucket(scene, "lake")
    firehose(scene, arn)
    role(scene, "deliver-role", "sns")
    allows(
        scene,
        "deliver-policy",
        "deliver-role",
        {
            "Action": ["firehose:DescribeDeliveryStream", "firehose:PutRecord", "firehose:PutRecordBatch"],
            "Resource": text("lake-stream"),
        },
    )
    scene.add(
        "sns.TopicSubscription",
        "to-lake",
        topic=ALERTS,
        protocol="firehose",
        endpoint=Ref("lake-stream"),
        subscriptionRoleArn=Ref("deliver-role"),
    )
    errors(scene, "orders-errors", "orders", ALERTS)


def firehose(scene: Scene, bucket_arn: str) -> None:
    role(scene, "lake-role", "firehose")
    allows(
        scene,
        "lake-policy",
        "lake-role",
        {
            "Action": ["s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:ListBucket", "s3:PutObject"],
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
        },
    )
    scene.add(
        "kinesis.FirehoseDeliveryStream",
        "lake-stream",
        destination="extended_s3",
        extendedS3Configuration={"bucketArn": Ref("lake"), "roleArn": Ref("lake-role")},
    )


def firehose_writer(scene: Scene) -> None:
    """A function that enriches alarms and puts them into Firehose."""
    service(scene)
    topic(scene, "alerts")
    firehose(scene, bucket(scene, "lake"))
    puts = {"Action": ["firehose:PutRecord", "firehose:PutRecordBatch"], "Resource": text("lake-stream")}
    function(scene, "enrich", puts, {"Action": "cloudwatch:GetMetricData", "Resource": "*"})
    subscribe(scene, "alerts", "enrich")
    errors(scene, "orders-errors", "orders", ALERTS)


def kinesis(scene: Scene) -> None:
    """Alarm events to a stream, by a rule; a consumer with bisect archives them in a bucket."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    scene.add("kinesis.Stream", "events", shardCount=1)
    role(scene, "put-role", "events")
    puts = {"Action": ["kinesis:PutRecord", "kinesis:PutRecords"], "Resource": text("events")}
    allows(scene, "put-policy", "put-role", puts)
    rule(scene, "alarms", Ref("events"), roleArn=Ref("put-role"), kinesisTarget={"partitionKeyPath": "$.id"})
    arn = bucket(scene, "archive")
    role(scene, "keeper-role")
    attach(scene, "keeper-reads", "keeper-role", f"{AWS}/service-role/AWSLambdaKinesisExecutionRole")
    allows(scene, "keeper-policy", "keeper-role", {"Action": "s3:PutObject", "Resource": f"{arn}/alarms/*"})
    bare(scene, "keeper")
    consume(
        scene,
        "events",
        "keeper",
        startingPosition="TRIM_HORIZON",
        bisectBatchOnFunctionError=True,
        maximumRetryAttempts=5,
        parallelizationFactor=2,
    )


def to_logs(scene: Scene) -> None:
    """All alarm events to a log group, as EventBridge's guide has it for a first rule."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    scene.add("cloudwatch.LogGroup", "alarms-log", name="/aws/events/alarms", retentionInDays=30)
    rule(scene, "alarms", Ref("alarms-log"))
    may = document(
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
            "Resource": text("alarms-log", ":*"),
        }
    )
    scene.add("cloudwatch.LogResourcePolicy", "alarms-may", policyName="events", policyDocument=may)


def weekly_report(scene: Scene) -> None:
    """Writes incidents by alarm, and reports them by schedule from the same table: one function for both."""
    recorded_for(scene, "recorder")
    more = {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": text("incidents")}
    scene.find("recorder-policy").document(lambda held: held.append(more))
    hourly(scene, "weekly", "recorder", "rate(7 days)")


def athena(scene: Scene) -> None:
    """Queries the access logs of a load balancer when an alarm fires: results in a bucket of its own."""
    service(scene)
    topic(scene, "alerts")
    arn = bucket(scene, "results")
    function(
        scene,
        "lookup",
        secret(scene, "webhook"),
        {
            "Action": ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"],
            "Resource": f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/triage",
        },
        {"Action": ["glue:GetTable", "glue:GetPartitions", "glue:GetDatabase"], "Resource": "*"},
        {"Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"], "Resource": [arn, f"{arn}/*"]},
    )
    subscribe(scene, "alerts", "lookup")
    errors(scene, "orders-errors", "orders", ALERTS)


INNOCENTS = [
    Innocent("jira tickets from a queue", jira, "fan-out by SNS to SQS to Lambda with DLQ, ticket openers"),
    Innocent("servicenow tickets", servicenow, "the same with the managed policy for queues"),
    Innocent("alarms told once an hour", deduplicated, "alert de-duplication with a TTL table"),
    Innocent("an idempotent ticket opener", idempotent, "Powertools for AWS Lambda: idempotency"),
    Innocent("incidents in a table", recorded_inline, "incident recorder in TypeScript"),
    Innocent("a status page of incidents", status_page, "serverless status pages"),
    Innocent("incidents streamed to people", streamed_to_people, "DynamoDB streams with event filtering"),
    Innocent(
        "reports to a bucket", report_to_bucket, "alarm with a snapshot of its graph, GetMetricWidgetImage"
    ),
    Innocent("reports that people are told of", report_told, "the same with notifications of S3"),
    Innocent("an ops item", ops_item, "OpsCenter samples by EventBridge and Lambda"),
    Innocent("a metric of alarms", metric_of_alarms, "alarm counters by tag for weekly reviews"),
    Innocent("whoever is on call", calendar, "on-call rota in DynamoDB, SMS by SNS"),
    Innocent("alarms explained by a model", summarized, "Bedrock alarm summarizers"),
    Innocent("runbooks asked", knowledge_base, "incident assistant with Bedrock knowledge bases"),
    Innocent("alarms in a data lake", archive, "SNS to Firehose subscription, archiving guide"),
    Innocent("enriched alarms in a data lake", firehose_writer, "the same by a function"),
    Innocent("alarm events in a stream", kinesis, "EventBridge to Kinesis, archive by a consumer"),
    Innocent("alarm events in a log group", to_logs, "EventBridge guide: log all events of a kind"),
    Innocent("a weekly report of incidents", weekly_report, "recorder and reporter in one function"),
    Innocent("access logs looked up", athena, "Athena triage of ALB logs on alarm"),
]
