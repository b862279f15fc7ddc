"""Ordinary services with ordinary monitoring: their functions change data, and alarms reach only people."""

from typing import Any

from tests.policies.innocents.shapes import (
    AWS,
    alarm,
    allows,
    attach,
    bare,
    consume,
    errors,
    function,
    permit,
    queue,
    reads,
    role,
    rule,
    secret,
    topic,
)
from tests.policies.innocents.table import Innocent
from tests.policies.innocents.tickets import bucket, firehose, table
from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")
VISIBLE = "AWS/SQS:ApproximateNumberOfMessagesVisible"


def people(scene: Scene) -> None:
    topic(scene, "alerts", "oncall@example.com")


def queued_api(scene: Scene) -> None:
    """An API into a queue, a consumer that writes a table, alarms on errors, dead letters and age."""
    people(scene)
    queue(scene, "work")
    table(scene, "orders")
    role(scene, "api-role", "apigateway")
    allows(scene, "api-policy", "api-role", {"Action": "sqs:SendMessage", "Resource": text("work")})
    scene.add("apigatewayv2.Api", "api", protocolType="HTTP")
    scene.add(
        "apigatewayv2.Integration",
        "api-to-work",
        apiId=Ref("api", "id"),
        integrationType="AWS_PROXY",
        integrationSubtype="SQS-SendMessage",
        credentialsArn=Ref("api-role"),
        requestParameters={"QueueUrl": Ref("work", "id"), "MessageBody": "$request.body"},
        payloadFormatVersion="1.0",
    )
    function(
        scene,
        "worker",
        reads("work"),
        {"Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"], "Resource": text("orders")},
    )
    consume(scene, "work", "worker", functionResponseTypes=["ReportBatchItemFailures"])
    errors(scene, "worker-errors", "worker", ALERTS, okActions=[ALERTS])
    alarm(scene, "work-lost", VISIBLE, {"QueueName": Ref("work-dead", "name")}, ALERTS)
    late = "AWS/SQS:ApproximateAgeOfOldestMessage"
    alarm(scene, "work-late", late, {"QueueName": Ref("work", "name")}, ALERTS, statistic="Maximum")


def crud_api(scene: Scene) -> None:
    """An HTTP API in front of a function with a table, in the shape of Node.js templates."""
    people(scene)
    table(scene, "items")
    inline = {
        "name": "table",
        "policy": document(
            {
                "Action": ["dynamodb:*Item", "dynamodb:Query", "dynamodb:Scan"],
                "Resource": [text("items"), text("items", "/index/*")],
            }
        ),
    }
    role(scene, "handler-role", inlinePolicies=[inline])
    attach(scene, "handler-basic", "handler-role")
    bare(scene, "handler", runtime="nodejs22.x")
    scene.add("apigatewayv2.Api", "api", protocolType="HTTP", target=Ref("handler"))
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc123/*/*"
    permit(scene, "api-may-call", "handler", "apigateway", source)
    errors(scene, "handler-errors", "handler", ALERTS)
    alarm(scene, "api-5xx", "AWS/ApiGateway:5xx", {"ApiId": Ref("api", "id")}, ALERTS)
    alarm(
        scene,
        "items-throttled",
        "AWS/DynamoDB:ThrottledRequests",
        {"TableName": Ref("items", "name")},
        ALERTS,
    )


def clicks(scene: Scene) -> None:
    """A stream of clicks, a consumer with bisect and a failure queue, alarms on its lag to people."""
    people(scene)
    scene.add("kinesis.Stream", "clicks", shardCount=2)
    scene.add("sqs.Queue", "clicks-lost")
    table(scene, "counts")
    role(scene, "counter-role")
    attach(scene, "counter-reads", "counter-role", f"{AWS}/service-role/AWSLambdaKinesisExecutionRole")
    allows(
        scene,
        "counter-policy",
        "counter-role",
        {"Action": "dynamodb:UpdateItem", "Resource": text("counts")},
        {"Action": "sqs:SendMessage", "Resource": text("clicks-lost")},
    )
    bare(scene, "counter")
    consume(
        scene,
        "clicks",
        "counter",
        startingPosition="LATEST",
        bisectBatchOnFunctionError=True,
        maximumRetryAttempts=3,
        destinationConfig={"onFailure": {"destinationArn": Ref("clicks-lost")}},
    )
    lag = {"FunctionName": Ref("counter", "name")}
    alarm(scene, "counter-lag", "AWS/Lambda:IteratorAge", lag, ALERTS, statistic="Maximum", threshold=60000)
    alarm(scene, "clicks-failed", VISIBLE, {"QueueName": Ref("clicks-lost", "name")}, ALERTS)


def thumbnails(scene: Scene) -> None:
    """S3 upload to a function that writes another bucket; errors to people."""
    people(scene)
    uploads, thumbs = bucket(scene, "uploads"), bucket(scene, "thumbs")
    function(
        scene,
        "resize",
        {"Action": "s3:GetObject", "Resource": f"{uploads}/*"},
        {"Action": "s3:PutObject", "Resource": f"{thumbs}/*"},
        memorySize=1024,
    )
    permit(scene, "uploads-may-call", "resize", "s3", Ref("uploads"))
    scene.add(
        "s3.BucketNotification",
        "uploads-notify",
        bucket=Ref("uploads", "id"),
        lambdaFunctions=[{"lambdaFunctionArn": Ref("resize"), "events": ["s3:ObjectCreated:*"]}],
    )
    errors(scene, "resize-errors", "resize", ALERTS)


def stream_of_orders(scene: Scene) -> None:
    """A table whose stream feeds a search index; the index's function is watched and tells people."""
    people(scene)
    table(scene, "orders", streamEnabled=True, streamViewType="NEW_AND_OLD_IMAGES")
    role(scene, "index-role")
    attach(scene, "index-reads", "index-role", f"{AWS}/service-role/AWSLambdaDynamoDBExecutionRole")
    domain = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/search/*"
    allows(
        scene, "index-policy", "index-role", {"Action": ["es:ESHttpPost", "es:ESHttpPut"], "Resource": domain}
    )
    bare(scene, "index")
    scene.add(
        "lambda.EventSourceMapping",
        "orders-to-index",
        eventSourceArn=Ref("orders", suffix="/stream/2026-11-01T00:00:00.000"),
        functionName=Ref("index"),
        startingPosition="LATEST",
    )
    errors(scene, "index-errors", "index", ALERTS)


def firewall_logs(scene: Scene) -> None:
    """WAF to Firehose to a bucket, an alarm on blocked requests to people."""
    people(scene)
    firehose(scene, bucket(scene, "lake"))
    scene.add(
        "wafv2.WebAcl",
        "acl",
        scope="REGIONAL",
        defaultAction={"allow": {}},
        visibilityConfig={
            "cloudwatchMetricsEnabled": True,
            "metricName": "acl",
            "sampledRequestsEnabled": True,
        },
    )
    scene.add(
        "wafv2.WebAclLoggingConfiguration",
        "acl-logs",
        logDestinationConfigs=[Ref("lake-stream")],
        resourceArn=Ref("acl"),
    )
    alarm(
        scene,
        "blocked",
        "AWS/WAFV2:BlockedRequests",
        {"WebACL": "acl", "Rule": "ALL"},
        ALERTS,
        threshold=1000,
    )


def error_logs(scene: Scene) -> None:
    """A log group whose errors a subscription filter sends to a function that posts them."""
    people(scene)
    function(scene, "orders")
    scene.add(
        "cloudwatch.LogGroup", "orders-logs", name=f"/aws/lambda/{physical('orders')}", retentionInDays=14
    )
    function(scene, "post", secret(scene, "webhook"))
    permit(scene, "logs-may-call", "post", "logs", Ref("orders-logs", suffix=":*"))
    scene.add(
        "cloudwatch.LogSubscriptionFilter",
        "orders-to-post",
        logGroup=Ref("orders-logs", "name"),
        filterPattern="?ERROR ?Exception",
        destinationArn=Ref("post"),
    )
    errors(scene, "orders-errors", "orders", ALERTS)


def log_metrics(scene: Scene) -> None:
    """CIS benchmark alarms: metric filters over the trail's log group, mail to the security team."""
    people(scene)
    scene.add("cloudwatch.LogGroup", "trail", name="/aws/cloudtrail/all", retentionInDays=365)
    for name, pattern in (
        ("root", '{ $.userIdentity.type = "Root" }'),
        ("unauthorized", '{ $.errorCode = "*UnauthorizedOperation" }'),
        ("no-mfa", '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }'),
    ):
        scene.add(
            "cloudwatch.LogMetricFilter",
            name,
            logGroupName=Ref("trail", "name"),
            pattern=pattern,
            metricTransformation={"name": name, "namespace": "CIS", "value": "1"},
        )
        alarm(scene, f"{name}-alarm", f"CIS:{name}", {}, ALERTS)


def containers(scene: Scene) -> None:
    """An ECS service behind a load balancer, a database, alarms on all of them by mail."""
    people(scene)
    scene.add("ecs.Cluster", "cluster", settings=[{"name": "containerInsights", "value": "enabled"}])
    scene.add("lb.LoadBalancer", "web", loadBalancerType="application", subnets=["subnet-1", "subnet-2"])
    scene.add("rds.Instance", "db", instanceClass="db.t4g.micro", engine="postgres", allocatedStorage=20)
    service = {"ClusterName": Ref("cluster", "name"), "ServiceName": "web"}
    alarm(scene, "cpu", "AWS/ECS:CPUUtilization", service, ALERTS, statistic="Average", threshold=80)
    alarm(scene, "memory", "AWS/ECS:MemoryUtilization", service, ALERTS, statistic="Average", threshold=80)
    balancer = {"LoadBalancer": Ref("web", "id")}
    alarm(scene, "5xx", "AWS/ApplicationELB:HTTPCode_Target_5XX_Count", balancer, ALERTS, threshold=10)
    alarm(scene, "unhealthy", "AWS/ApplicationELB:UnHealthyHostCount", balancer, ALERTS)
    database = {"DBInstanceIdentifier": Ref("db", "id")}
    alarm(scene, "disk", "AWS/RDS:FreeStorageSpace", database, ALERTS, comparisonOperator="LessThanThreshold")
    scene.add(
        "rds.EventSubscription",
        "db-events",
        snsTopic=ALERTS,
        sourceType="db-instance",
        eventCategories=["failure"],
    )


def health_check(scene: Scene) -> None:
    """A Route 53 health check of a site, its alarm in us-east-1, mail; and a canary beside it."""
    people(scene)
    scene.add(
        "route53.HealthCheck",
        "site",
        fqdn="www.example.com",
        type="HTTPS",
        port=443,
        requestInterval=30,
        failureThreshold=3,
    )
    less = "LessThanThreshold"
    site = {"HealthCheckId": Ref("site", "id")}
    alarm(
        scene,
        "site-down",
        "AWS/Route53:HealthCheckStatus",
        site,
        ALERTS,
        statistic="Minimum",
        threshold=1,
        comparisonOperator=less,
        treatMissingData="breaching",
    )
    artifacts = bucket(scene, "artifacts")
    role(scene, "canary-role")
    metrics = {"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}}
    allows(
        scene,
        "canary-policy",
        "canary-role",
        {"Action": "s3:PutObject", "Resource": f"{artifacts}/*"},
        {"Action": "s3:ListAllMyBuckets", "Resource": "*"},
        {"Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": metrics},
    )
    scene.add(
        "synthetics.Canary",
        "checkout",
        artifactS3Location=f"s3://{physical('artifacts')}/",
        executionRoleArn=Ref("canary-role"),
        handler="index.handler",
        runtimeVersion="syn-nodejs-puppeteer-9.1",
        schedule={"expression": "rate(5 minutes)"},
        zipFile="canary.zip",
    )
    canary = {"CanaryName": Ref("checkout", "name")}
    alarm(scene, "checkout-broken", "CloudWatchSynthetics:SuccessPercent", canary, ALERTS, threshold=90)


def cron(scene: Scene) -> None:
    """A nightly job that writes and deletes data, with a dead-man alarm to people."""
    people(scene)
    table(scene, "carts")
    function(
        scene, "expire", {"Action": ["dynamodb:Scan", "dynamodb:BatchWriteItem"], "Resource": text("carts")}
    )
    rule(scene, "unused", ALERTS, {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]})
    scene.add("cloudwatch.EventRule", "nightly", scheduleExpression="cron(0 2 * * ? *)")
    scene.add("cloudwatch.EventTarget", "nightly-target", rule=Ref("nightly", "name"), arn=Ref("expire"))
    permit(scene, "nightly-may-call", "expire", "events", Ref("nightly"))
    errors(scene, "expire-errors", "expire", ALERTS)
    runs = {"FunctionName": Ref("expire", "name")}
    quiet: dict[str, Any] = {"comparisonOperator": "LessThanThreshold", "threshold": 1, "period": 86400}
    alarm(
        scene, "expire-silent", "AWS/Lambda:Invocations", runs, ALERTS, **quiet, treatMissingData="breaching"
    )


def sign_up(scene: Scene) -> None:
    """User pool triggers that write a profile; throttles and errors to people, by metric math."""
    people(scene)
    table(scene, "profiles")
    function(scene, "confirm", {"Action": "dynamodb:PutItem", "Resource": text("profiles")})
    scene.add("cognito.UserPool", "users", lambdaConfig={"postConfirmation": Ref("confirm")})
    source = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/*"
    permit(scene, "users-may-call", "confirm", "cognito-idp", source)
    names = {"FunctionName": Ref("confirm", "name")}
    metric = {"namespace": "AWS/Lambda", "period": 60, "stat": "Sum", "dimensions": names}
    scene.add(
        "cloudwatch.MetricAlarm",
        "confirm-rate",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=5,
        datapointsToAlarm=3,
        threshold=5,
        metricQueries=[
            {"id": "rate", "expression": "100 * e / n", "returnData": True},
            {"id": "e", "metric": {**metric, "metricName": "Errors"}},
            {"id": "n", "metric": {**metric, "metricName": "Invocations"}},
        ],
        alarmActions=[ALERTS],
    )


def anomaly(scene: Scene) -> None:
    """An anomaly band around the requests of a load balancer, and a Metrics Insights query, to people."""
    people(scene)
    scene.add("lb.LoadBalancer", "web", loadBalancerType="application", subnets=["subnet-1", "subnet-2"])
    requests = {
        "namespace": "AWS/ApplicationELB",
        "metricName": "RequestCount",
        "period": 300,
        "stat": "Sum",
        "dimensions": {"LoadBalancer": Ref("web", "id")},
    }
    scene.add(
        "cloudwatch.MetricAlarm",
        "odd",
        comparisonOperator="LessThanLowerOrGreaterThanUpperThreshold",
        evaluationPeriods=2,
        thresholdMetricId="band",
        metricQueries=[
            {"id": "m", "metric": requests, "returnData": True},
            {"id": "band", "expression": "ANOMALY_DETECTION_BAND(m, 3)", "returnData": True},
        ],
        alarmActions=[ALERTS],
    )
    query = 'SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)'
    scene.add(
        "cloudwatch.MetricAlarm",
        "any-function",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=1,
        threshold=50,
        metricQueries=[{"id": "q", "expression": query, "period": 60, "returnData": True}],
        alarmActions=[ALERTS],
    )


def fan_out(scene: Scene) -> None:
    """Fan-out of orders to three consumers, each with its queue and its alarms to people."""
    people(scene)
    topic(scene, "placed")
    for name in ("bill", "ship", "mail"):
        queue(scene, f"{name}-work")
        may = {
            "Action": "sqs:SendMessage",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Resource": text(f"{name}-work"),
            "Condition": {"ArnEquals": {"aws:SourceArn": Ref("placed")}},
        }
        queue_url = Ref(f"{name}-work", "id")
        scene.add("sqs.QueuePolicy", f"{name}-may", queueUrl=queue_url, policy=document(may))
        scene.add(
            "sns.TopicSubscription",
            f"placed-to-{name}",
            topic=Ref("placed"),
            protocol="sqs",
            endpoint=Ref(f"{name}-work"),
            filterPolicy=Json({"country": ["CH", "FR"]}),
        )
        table(scene, f"{name}-table")
        writes = {"Action": "dynamodb:PutItem", "Resource": text(f"{name}-table")}
        function(scene, name, reads(f"{name}-work"), writes)
        consume(scene, f"{name}-work", name)
        alarm(scene, f"{name}-lost", VISIBLE, {"QueueName": Ref(f"{name}-work-dead", "name")}, ALERTS)


INNOCENTS = [
    Innocent("an api with a queue", queued_api, "storage-first API, serverless patterns collection"),
    Innocent("an api with a table", crud_api, "Pulumi's serverless templates, CRUD"),
    Innocent("a stream of clicks", clicks, "Kinesis consumer with bisect and failure queue"),
    Innocent("thumbnails", thumbnails, "the S3 thumbnail tutorial of Lambda"),
    Innocent("a search index of a table", stream_of_orders, "DynamoDB streams to OpenSearch"),
    Innocent("logs of a firewall", firewall_logs, "WAF logging to Firehose, alarm on blocked requests"),
    Innocent("error logs to people", error_logs, "subscription filter to a Slack function"),
    Innocent("alarms of the cis benchmark", log_metrics, "CIS AWS Foundations: metric filters and alarms"),
    Innocent("containers and a database", containers, "ECS, ALB and RDS monitoring modules"),
    Innocent("a health check and a canary", health_check, "Route 53 health check alarm, Synthetics canary"),
    Innocent("a nightly job", cron, "scheduled job with a dead-man alarm"),
    Innocent("sign-up triggers", sign_up, "Cognito post-confirmation samples, error rate by metric math"),
    Innocent("anomaly and insights alarms", anomaly, "anomaly detection and Metrics Insights alarms"),
    Innocent("a fan-out of orders", fan_out, "SNS to SQS fan-out with filter policies"),
]
