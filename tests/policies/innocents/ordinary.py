"""Programs as ordinary teams deploy them, in the words of several SDKs: they tell, keep, serve and deploy."""

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
from tests.policies.innocents.tickets import bucket, table
from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Lost, Ref, Unknown
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")
HERE = f"{REGION}:{ACCOUNT}"
DEFAULTS = (
    "AWSLambda_FullAccess",
    "CloudWatchFullAccessV2",
    "CloudWatchEventsFullAccess",
    "AmazonS3FullAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonSQSFullAccess",
    "AmazonKinesisFullAccess",
    "AmazonCognitoPowerUser",
    "AWSXrayWriteOnlyAccess",
)
"""What a CallbackFunction's role has if the program gives no policies (lambdaMixins.ts of pulumi-aws)."""


def told(scene: Scene, name: str, *statements: dict[str, Any], **properties: Any) -> None:
    """Register orders, its alarm on a topic, and a function that the topic calls."""
    service(scene)
    topic(scene, "alerts")
    function(scene, name, *statements, **properties)
    subscribe(scene, "alerts", name)
    errors(scene, "orders-errors", "orders", ALERTS)


def callback_function(scene: Scene, name: str) -> None:
    """Register a function as `new aws.lambda.CallbackFunction` does, with its default policies."""
    scene.add("iam.Role", f"{name}-role", assumeRolePolicy=trust("lambda"))
    for policy in DEFAULTS:
        attach(scene, f"{name}-{policy}", f"{name}-role", f"{AWS}/{policy}")
    bare(scene, name, handler="__index.handler", runtime="nodejs22.x", timeout=180)


def callback_api(scene: Scene) -> None:
    """An API of callback functions with their default policies; alarms ring mail and a bounded notifier."""
    callback_function(scene, "hello")
    permit(scene, "api-hello", "hello", "apigateway", f"arn:aws:execute-api:{HERE}:abc123/*/*")
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "hello-errors", "hello", ALERTS)
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")


def callback_jobs(scene: Scene) -> None:
    """Callbacks on a queue, a bucket and a clock with default policies; alarms by mail."""
    topic(scene, "alerts", "oncall@example.com")
    queue(scene, "jobs")
    for name in ("work", "clock", "upload"):
        callback_function(scene, name)
        errors(scene, f"{name}-errors", name, ALERTS)
    consume(scene, "jobs", "work")
    hourly(scene, "tick", "clock")
    bucket(scene, "uploads")
    permit(scene, "bucket-may", "upload", "s3", Ref("uploads"))
    scene.add(
        "s3.BucketNotification",
        "uploaded",
        bucket=Ref("uploads", "id"),
        lambdaFunctions=[{"events": ["s3:ObjectCreated:*"], "lambdaFunctionArn": Ref("upload")}],
    )


def pager_beside_callback(scene: Scene) -> None:
    """A pager whose URL another stack gives, beside an API function of the default policies."""
    callback_api(scene)
    url = Lost("https://events.pagerduty.com/integration/abc/enqueue")
    scene.add("sns.TopicSubscription", "pager", topic=ALERTS, protocol="https", endpoint=url)


def platform_topic_beside_deployer(scene: Scene) -> None:
    """Alarms ring the platform's topic by StackReference; a function deploys code that is uploaded."""
    service(scene)
    scene.add("pulumi:pulumi:StackReference", "platform", name="acme/platform/prod")
    errors(scene, "orders-errors", "orders", Unknown(("platform",)), okActions=[Unknown(("platform",))])
    deployer(scene)


def deployer(scene: Scene) -> None:
    """A function that deploys what is uploaded."""
    bucket(scene, "code")
    may = {"Action": "lambda:UpdateFunctionCode", "Resource": text("orders")}
    function(scene, "deploy", may, {"Action": "s3:GetObject", "Resource": text("code", "/*")})
    permit(scene, "code-may", "deploy", "s3", Ref("code"))
    scene.add(
        "s3.BucketNotification",
        "code-told",
        bucket=Ref("code", "id"),
        lambdaFunctions=[{"events": ["s3:ObjectCreated:*"], "lambdaFunctionArn": Ref("deploy")}],
    )


def http_task(scene: Scene) -> None:
    """A workflow that calls PagerDuty by an HTTP task: Step Functions' own connection, no function."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    scene.add(
        "cloudwatch.EventConnection",
        "pager",
        authorizationType="API_KEY",
        authParameters={"apiKey": {"key": "Authorization", "value": "Token token=abc"}},
    )
    role(scene, "page-role", "states")
    allows(
        scene,
        "page-policy",
        "page-role",
        {"Action": "states:InvokeHTTPEndpoint", "Resource": f"arn:aws:states:{HERE}:stateMachine:*"},
        {"Action": "events:RetrieveConnectionCredentials", "Resource": f"arn:aws:events:{HERE}:connection/*"},
        {
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            "Resource": "arn:aws:secretsmanager:*:*:secret:events!connection/*",
        },
    )
    post = {
        "Type": "Task",
        "Resource": "arn:aws:states:::http:invoke",
        "Parameters": {"ApiEndpoint": "https://events.pagerduty.com/v2/enqueue", "Method": "POST"},
        "End": True,
    }
    definition = Json({"StartAt": "Post", "States": {"Post": post}})
    scene.add("sfn.StateMachine", "page", roleArn=Ref("page-role"), definition=definition)
    role(scene, "rule-role", "events")
    allows(scene, "rule-policy", "rule-role", {"Action": "states:StartExecution", "Resource": text("page")})
    rule(scene, "alarms", Ref("page"), roleArn=Ref("rule-role"))


def nested_workflow(scene: Scene) -> None:
    """A workflow that waits for another one, with the rule that Step Functions makes for it."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    for name in ("tell", "outer"):
        role(scene, f"{name}-role", "states")
    tell = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"Message.$": "$"},
        "End": True,
    }
    topic(scene, "people", "oncall@example.com")
    allows(scene, "tell-policy", "tell-role", {"Action": "sns:Publish", "Resource": text("people")})
    scene.add(
        "sfn.StateMachine",
        "tell",
        roleArn=Ref("tell-role"),
        definition=Json({"StartAt": "Tell", "States": {"Tell": tell}}),
    )
    allows(
        scene,
        "outer-policy",
        "outer-role",
        {"Action": "states:StartExecution", "Resource": text("tell")},
        {"Action": ["states:DescribeExecution"], "Resource": f"arn:aws:states:{HERE}:execution:*"},
        {
            "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            "Resource": f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
        },
    )
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": text("tell")},
        "End": True,
    }
    scene.add(
        "sfn.StateMachine",
        "outer",
        roleArn=Ref("outer-role"),
        definition=Json({"StartAt": "Start", "States": {"Start": start}}),
    )
    role(scene, "rule-role", "events")
    allows(scene, "rule-policy", "rule-role", {"Action": "states:StartExecution", "Resource": text("outer")})
    rule(scene, "alarms", Ref("outer"), roleArn=Ref("rule-role"))


def internal_api(scene: Scene) -> None:
    """Calls the ticket system's API in another account, signed."""
    api = f"arn:aws:execute-api:{REGION}:111122223333:abc123/prod/POST/tickets"
    told(scene, "ticket", {"Action": "execute-api:Invoke", "Resource": api})


def appsync_events(scene: Scene) -> None:
    """Pushes alarms to browsers by AppSync Events."""
    api = f"arn:aws:appsync:{HERE}:apis/abc123"
    told(
        scene,
        "push",
        {"Action": ["appsync:EventConnect", "appsync:EventPublish"], "Resource": [api, f"{api}/*"]},
    )


def lamp(scene: Scene) -> None:
    """Publishes to the topic of a lamp in the office, over MQTT."""
    told(
        scene,
        "lamp",
        {"Action": "iot:Connect", "Resource": f"arn:aws:iot:{HERE}:client/alerts-*"},
        {"Action": ["iot:Publish", "iot:RetainPublish"], "Resource": f"arn:aws:iot:{HERE}:topic/office/lamp"},
        {"Action": "iot:DescribeEndpoint", "Resource": "*"},
    )


def public_status(scene: Scene) -> None:
    """Writes a page into a public bucket, with the ACL of each object, as the Serverless Framework has it."""
    service(scene)
    topic(scene, "alerts")
    bucket(scene, "status")
    function(
        scene,
        "render",
        {"Action": ["s3:PutObject", "s3:PutObjectAcl"], "Resource": text("status", "/*")},
        {"Action": ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"], "Resource": "*"},
    )
    subscribe(scene, "alerts", "render")
    errors(scene, "orders-errors", "orders", ALERTS)


def exported_logs(scene: Scene) -> None:
    """Exports the last hour's logs of whatever alarms to a bucket."""
    told(
        scene,
        "export",
        {
            "Action": ["logs:CreateExportTask", "logs:DescribeExportTasks", "logs:DescribeLogGroups"],
            "Resource": "*",
        },
    )


def data_api(scene: Scene) -> None:
    """Incidents in Aurora by the Data API, with the service's wildcard."""
    cluster = f"arn:aws:rds:{HERE}:cluster:incidents"
    told(scene, "keep", {"Action": "rds-data:*", "Resource": cluster}, secret(scene, "db"))


def dsql(scene: Scene) -> None:
    """Incidents in Aurora DSQL."""
    told(scene, "keep", {"Action": "dsql:DbConnect", "Resource": f"arn:aws:dsql:{HERE}:cluster/abc"})


def kafka(scene: Scene) -> None:
    """Alarms into a topic of MSK with IAM, with the actions of the developer guide."""
    cluster = f"arn:aws:kafka:{HERE}:cluster/events/abc"
    topic_ = f"arn:aws:kafka:{HERE}:topic/events/abc/alarms"
    told(
        scene,
        "produce",
        {"Action": ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"], "Resource": cluster},
        {
            "Action": [
                *("kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"),
                *("kafka-cluster:WriteDataIdempotently", "kafka-cluster:ReadData"),
            ],
            "Resource": topic_,
        },
        {"Action": ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], "Resource": "*"},
    )


def partitions(scene: Scene) -> None:
    """Keeps alarms in a bucket and registers the day's partition for Athena."""
    service(scene)
    topic(scene, "alerts")
    bucket(scene, "lake")
    function(
        scene,
        "keep",
        {"Action": "s3:PutObject", "Resource": text("lake", "/*")},
        {
            "Action": [
                "glue:GetTable",
                "glue:GetPartition",
                "glue:CreatePartition",
                "glue:BatchCreatePartition",
            ],
            "Resource": "*",
        },
    )
    subscribe(scene, "alerts", "keep")
    errors(scene, "orders-errors", "orders", ALERTS)


def audit_lake(scene: Scene) -> None:
    """Alarms as audit events of CloudTrail Lake."""
    told(
        scene,
        "audit",
        {"Action": "cloudtrail-data:PutAuditEvents", "Resource": f"arn:aws:cloudtrail:{HERE}:channel/a"},
    )


def investigation(scene: Scene) -> None:
    """The alarm starts an investigation by itself, and tells people."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    group = f"arn:aws:aiops:{HERE}:investigation-group/all"
    errors(scene, "orders-errors", "orders", ALERTS, group)


def investigates(scene: Scene) -> None:
    """A function that opens an investigation and puts in what it found."""
    told(
        scene,
        "look",
        {
            "Action": [
                *("aiops:CreateInvestigation", "aiops:CreateInvestigationEvent", "aiops:GetInvestigation"),
                *("aiops:UpdateInvestigation", "aiops:GetInvestigationGroup"),
            ],
            "Resource": "*",
        },
    )


def converse(scene: Scene) -> None:
    """A model asked in the words of the API, and in those of IAM; Amazon Q Business beside it."""
    told(
        scene,
        "explain",
        {
            "Action": ["bedrock:InvokeModel", "bedrock:Converse", "bedrock:ConverseStream"],
            "Resource": f"arn:aws:bedrock:{REGION}::foundation-model/*",
        },
        {"Action": "qbusiness:ChatSync", "Resource": f"arn:aws:qbusiness:{HERE}:application/a"},
    )


def function_elsewhere(scene: Scene) -> None:
    """Hands alarms to the platform's notifier, a function of another stack."""
    told(
        scene,
        "pass",
        {"Action": "lambda:InvokeFunction", "Resource": f"arn:aws:lambda:{HERE}:function:platform-notify*"},
    )


def datadog(scene: Scene) -> None:
    """The Datadog forwarder: logs, SNS, a bucket of its own for what failed, tags of everything."""
    service(scene)
    topic(scene, "alerts")
    bucket(scene, "forwarder")
    function(
        scene,
        "forward",
        {
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": text("forwarder", "/*"),
        },
        {"Action": "s3:ListBucket", "Resource": text("forwarder")},
        {"Action": ["s3:GetObject"], "Resource": "*"},
        {"Action": ["kms:Decrypt"], "Resource": "*"},
        secret(scene, "key"),
        {
            "Action": ["tag:GetResources", "logs:ListTagsLogGroup", "logs:ListTagsForResource"],
            "Resource": "*",
        },
        memorySize=1024,
    )
    subscribe(scene, "alerts", "forward")
    errors(scene, "orders-errors", "orders", ALERTS)
    scene.add("cloudwatch.LogGroup", "orders-logs", name=f"/aws/lambda/{physical('orders')}")
    scene.add(
        "cloudwatch.LogSubscriptionFilter",
        "orders-forwarded",
        logGroup=Ref("orders-logs", "name"),
        destinationArn=Ref("forward"),
        filterPattern="",
    )
    permit(scene, "logs-may", "forward", "logs", Ref("orders-logs"))


def metric_stream(scene: Scene) -> None:
    """Metrics to New Relic by a stream and Firehose; alarms by mail."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "orders-errors", "orders", ALERTS)
    bucket(scene, "failed")
    role(scene, "hose-role", "firehose")
    allows(scene, "hose-policy", "hose-role", {"Action": "s3:PutObject", "Resource": text("failed", "/*")})
    scene.add(
        "kinesis.FirehoseDeliveryStream",
        "hose",
        destination="http_endpoint",
        httpEndpointConfiguration={
            "url": "https://aws-api.newrelic.com/cloudwatch-metrics/v1",
            "roleArn": Ref("hose-role"),
            "s3Configuration": {"bucketArn": Ref("failed"), "roleArn": Ref("hose-role")},
        },
    )
    role(scene, "stream-role", "streams.metrics.cloudwatch")
    allows(scene, "stream-policy", "stream-role", {"Action": "firehose:PutRecord*", "Resource": Ref("hose")})
    scene.add(
        "cloudwatch.MetricStream",
        "metrics",
        firehoseArn=Ref("hose"),
        roleArn=Ref("stream-role"),
        outputFormat="opentelemetry0.7",
    )


def central_bus(scene: Scene) -> None:
    """Forwards alarms to the bus of the monitoring account."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    role(scene, "forward-role", "events")
    bus = f"arn:aws:events:{REGION}:111122223333:event-bus/central"
    allows(scene, "forward-policy", "forward-role", {"Action": "events:PutEvents", "Resource": bus})
    rule(scene, "alarms", bus, roleArn=Ref("forward-role"))


def monitoring_account(scene: Scene) -> None:
    """The other end: a bus of the organization, a rule, a function that tells and keeps."""
    scene.add("cloudwatch.EventBus", "central")
    may = {
        "Action": "events:PutEvents",
        "Principal": "*",
        "Resource": Ref("central"),
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}},
    }
    scene.add(
        "cloudwatch.EventBusPolicy",
        "central-policy",
        eventBusName=Ref("central", "name"),
        policy=document(may),
    )
    table(scene, "incidents")
    function(
        scene,
        "keep",
        {"Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"], "Resource": text("incidents")},
        secret(scene, "webhook"),
    )
    on_events(scene, "alarms", "keep").put("eventBusName", to=Ref("central", "name"))
    scene.find("alarms-target").put("eventBusName", to=Ref("central", "name"))


def failed_executions(scene: Scene) -> None:
    """A rule on failed executions of a machine by its ARN, unknown at preview, to a topic with alarms."""
    topic(scene, "alerts")
    role(scene, "work-role", "states")
    done = Json({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    scene.add("sfn.StateMachine", "work", roleArn=Ref("work-role"), definition=done)
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["FAILED", "TIMED_OUT"], "stateMachineArn": [Ref("work")]},
    }
    rule(scene, "failed", ALERTS, pattern)
    alarm(scene, "work-failed", "AWS/States:ExecutionsFailed", {"StateMachineArn": Ref("work")}, ALERTS)
    function(
        scene,
        "slack",
        secret(scene, "webhook"),
        {"Action": ["states:DescribeExecution", "states:GetExecutionHistory"], "Resource": "*"},
    )
    subscribe(scene, "alerts", "slack")


def container_names(scene: Scene) -> None:
    """Registers tasks in DNS by ECS's events of one cluster, whose ARN is unknown at preview."""
    scene.add("ecs.Cluster", "apps")
    may = {
        "Action": "route53:ChangeResourceRecordSets",
        "Resource": "arn:aws:route53:::hostedzone/Z123",
    }
    function(scene, "register", may, {"Action": "ecs:DescribeTasks", "Resource": "*"})
    pattern = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"clusterArn": [Ref("apps")]},
    }
    on_events(scene, "tasks", "register", pattern)
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "register-errors", "register", ALERTS)


def recorder_of_data(scene: Scene) -> None:
    """TypeScript: a policy as an object with another stack's table, by StackReference."""
    service(scene)
    topic(scene, "alerts")
    role(scene, "keep-role")
    attach(scene, "keep-basic", "keep-role")
    scene.add(
        "iam.RolePolicy",
        "keep-policy",
        role=Ref("keep-role", "id"),
        policy={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["dynamodb:PutItem", "dynamodb:GetItem"],
                    "Resource": Lost(f"arn:aws:dynamodb:{HERE}:table/incidents"),
                },
            ],
        },
    )
    bare(scene, "keep")
    subscribe(scene, "alerts", "keep")
    errors(scene, "orders-errors", "orders", ALERTS)


def mixed_data(scene: Scene) -> None:
    """TypeScript: a policy as an object, with a queue, a key, a secret, a bucket and its objects."""
    service(scene)
    topic(scene, "alerts")
    topic(scene, "digest", "oncall@example.com")
    table(scene, "seen")
    bucket(scene, "reports")
    scene.add("kms.Key", "key", enableKeyRotation=True)
    scene.add("secretsmanager.Secret", "hook")
    queue(scene, "later")
    role(scene, "keep-role", managedPolicyArns=[BASIC])
    statements = [
        {"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:GetItem"], "Resource": [Ref("seen")]},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": Ref("reports", suffix="/*")},
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": Ref("key")},
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": Ref("hook")},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": Ref("later")},
        {"Effect": "Allow", "Action": "sns:Publish", "Resource": Ref("digest")},
    ]
    scene.add(
        "iam.RolePolicy",
        "keep-policy",
        role=Ref("keep-role", "name"),
        policy={"Version": "2012-10-17", "Statement": statements},
    )
    bare(scene, "keep")
    subscribe(scene, "alerts", "keep")
    errors(scene, "orders-errors", "orders", ALERTS)


def attached_policies(scene: Scene) -> None:
    """Go: the role's managedPolicyArns with a policy of the stack among AWS's."""
    service(scene)
    topic(scene, "alerts")
    table(scene, "seen")
    may = document({"Action": ["dynamodb:UpdateItem"], "Resource": text("seen")})
    scene.add("iam.Policy", "seen-policy", policy=may)
    role(
        scene,
        "keep-role",
        managedPolicyArns=[BASIC, Ref("seen-policy"), f"{AWS}/AWSXRayDaemonWriteAccess"],
    )
    bare(scene, "keep", runtime="provided.al2023", handler="bootstrap", architectures=["arm64"])
    subscribe(scene, "alerts", "keep")
    errors(scene, "orders-errors", "orders", ALERTS)


def notify_slack_module(scene: Scene) -> None:
    """The Terraform module notify-slack: feedback role of the topic, key, policy by its own resource."""
    service(scene)
    role(scene, "feedback-role", "sns")
    allows(
        scene,
        "feedback-policy",
        "feedback-role",
        {
            "Action": [
                *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
                *("logs:PutMetricFilter", "logs:PutRetentionPolicy"),
            ],
            "Resource": "*",
        },
    )
    topic(
        scene,
        "alerts",
        lambdaFailureFeedbackRoleArn=Ref("feedback-role"),
        lambdaSuccessFeedbackRoleArn=Ref("feedback-role"),
        lambdaSuccessFeedbackSampleRate=100,
    )
    scene.add("kms.Key", "key", enableKeyRotation=True)
    role(scene, "slack-role")
    scene.add(
        "iam.Policy",
        "slack-logs",
        policy=document(
            {
                "Sid": "AllowWriteToCloudwatchLogs",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{physical('slack')}:*",
            },
        ),
    )
    scene.add(
        "iam.PolicyAttachment",
        "slack-logs-of",
        roles=[Ref("slack-role", "name")],
        policyArn=Ref("slack-logs"),
    )
    bare(scene, "slack", kmsKeyArn=Ref("key"))
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def quota_monitor(scene: Scene) -> None:
    """AWS Solutions' Quota Monitor: a spoke bus, a queue, a table of reports, mail and chat."""
    scene.add("cloudwatch.EventBus", "quotas")
    topic(scene, "alerts", "oncall@example.com")
    queue(scene, "summaries")
    table(scene, "reports")
    function(
        scene,
        "report",
        reads("summaries"),
        {"Action": ["dynamodb:PutItem", "dynamodb:Query"], "Resource": text("reports")},
    )
    consume(scene, "summaries", "report")
    pattern = {
        "source": ["aws.trustedadvisor", "aws-solutions.quota-monitor"],
        "detail": {"status": ["WARN"]},
    }
    rule(scene, "warned", Ref("summaries"), pattern)
    function(
        scene,
        "check",
        {"Action": ["servicequotas:ListServices", "servicequotas:GetServiceQuota"], "Resource": "*"},
        {"Action": "events:PutEvents", "Resource": text("quotas")},
        {"Action": "cloudwatch:GetMetricData", "Resource": "*"},
        {"Action": "support:*", "Resource": "*"},
    )
    hourly(scene, "daily", "check", "rate(1 day)")
    errors(scene, "check-errors", "check", ALERTS)


def instance_scheduler(scene: Scene) -> None:
    """AWS Solutions' Instance Scheduler: stops and starts by the clock; its errors by chat."""
    topic(scene, "alerts", "oncall@example.com")
    table(scene, "schedules")
    function(
        scene,
        "schedule",
        {
            "Action": ["ec2:StartInstances", "ec2:StopInstances", "rds:StopDBInstance", "ec2:CreateTags"],
            "Resource": "*",
        },
        {"Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": text("schedules")},
        {"Action": "sns:Publish", "Resource": text("alerts")},
    )
    hourly(scene, "tick", "schedule", "rate(5 minutes)")
    errors(scene, "schedule-errors", "schedule", ALERTS)
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")


def websocket(scene: Scene) -> None:
    """Pushes alarms to whoever is connected, and forgets the connections that are gone."""
    service(scene)
    topic(scene, "alerts")
    table(scene, "connections")
    function(
        scene,
        "connect",
        {"Action": ["dynamodb:PutItem", "dynamodb:DeleteItem"], "Resource": text("connections")},
    )
    permit(scene, "api-connect", "connect", "apigateway", f"arn:aws:execute-api:{HERE}:abc123/*/$connect")
    function(
        scene,
        "push",
        {"Action": ["dynamodb:Scan", "dynamodb:DeleteItem"], "Resource": text("connections")},
        {
            "Action": "execute-api:*",
            "Resource": f"arn:aws:execute-api:{HERE}:abc123/live/POST/@connections/*",
        },
    )
    subscribe(scene, "alerts", "push")
    errors(scene, "orders-errors", "orders", ALERTS)
    errors(scene, "connect-errors", "connect", ALERTS)


def pipeline_told(scene: Scene) -> None:
    """A pipeline with a build that deploys; notification rules and alarms share the topic of a chat bot."""
    topic(scene, "alerts")
    function(scene, "slack", secret(scene, "webhook"), {"Action": "codepipeline:Get*", "Resource": "*"})
    subscribe(scene, "alerts", "slack")
    bucket(scene, "artifacts")
    role(scene, "build-role", "codebuild")
    attach(scene, "build-admin", "build-role", f"{AWS}/AdministratorAccess")
    scene.add(
        "codebuild.Project",
        "build",
        serviceRole=Ref("build-role"),
        artifacts={"type": "CODEPIPELINE"},
        environment={"computeType": "BUILD_GENERAL1_SMALL", "image": "a", "type": "LINUX_CONTAINER"},
        source={"type": "CODEPIPELINE"},
    )
    role(scene, "pipe-role", "codepipeline")
    allows(scene, "pipe-policy", "pipe-role", {"Action": "codebuild:StartBuild", "Resource": Ref("build")})
    scene.add(
        "codepipeline.Pipeline",
        "pipe",
        roleArn=Ref("pipe-role"),
        artifactStores=[{"location": Ref("artifacts", "name"), "type": "S3"}],
        stages=[],
    )
    scene.add(
        "codestarnotifications.NotificationRule",
        "pipe-told",
        detailType="BASIC",
        eventTypeIds=["codepipeline-pipeline-pipeline-execution-failed"],
        resource=Unknown(("pipe",)),
        targets=[{"address": ALERTS}],
    )
    alarm(scene, "builds-failed", "AWS/CodeBuild:FailedBuilds", {"ProjectName": Ref("build", "name")}, ALERTS)


def build_events(scene: Scene) -> None:
    """A rule on a build's state by its name and ARN, to a function that comments on the commit."""
    role(scene, "build-role", "codebuild")
    scene.add("codebuild.Project", "build", serviceRole=Ref("build-role"))
    function(
        scene, "comment", secret(scene, "github"), {"Action": "codebuild:BatchGetBuilds", "Resource": "*"}
    )
    on_events(
        scene,
        "builds",
        "comment",
        {"source": ["aws.codebuild"], "resources": [Ref("build")]},
    )


def iot_errors(scene: Scene) -> None:
    """IoT rule to a function that writes a table; its errors and the rule's failures by mail."""
    topic(scene, "alerts", "oncall@example.com")
    table(scene, "readings")
    function(scene, "ingest", {"Action": "dynamodb:PutItem", "Resource": text("readings")})
    scene.add(
        "iot.TopicRule",
        "readings-rule",
        enabled=True,
        sql="SELECT * FROM 'devices/+/readings'",
        sqlVersion="2016-03-23",
        lambdas=[{"functionArn": Ref("ingest")}],
    )
    permit(scene, "iot-may", "ingest", "iot", Unknown(("readings-rule",)))
    errors(scene, "ingest-errors", "ingest", ALERTS)
    alarm(scene, "rule-failed", "AWS/IoT:Failure", {"RuleName": Ref("readings-rule", "name")}, ALERTS)


def event_store(scene: Scene) -> None:
    """An event-sourced shop: commands write a table, its stream projects, alarms on lag to chat."""
    topic(scene, "alerts", "oncall@example.com")
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    table(scene, "events", streamEnabled=True, streamViewType="NEW_IMAGE")
    table(scene, "views")
    function(scene, "command", {"Action": "dynamodb:PutItem", "Resource": text("events")})
    permit(scene, "api-command", "command", "apigateway", f"arn:aws:execute-api:{HERE}:abc123/*/*")
    function(scene, "project", {"Action": ["dynamodb:UpdateItem"], "Resource": text("views")})
    attach(scene, "project-stream", "project-role", f"{AWS}/service-role/AWSLambdaDynamoDBExecutionRole")
    scene.add(
        "lambda.EventSourceMapping",
        "events-project",
        eventSourceArn=Unknown(("events",)),
        functionName=Ref("project"),
        startingPosition="LATEST",
        bisectBatchOnFunctionError=True,
    )
    for name in ("command", "project"):
        errors(scene, f"{name}-errors", name, ALERTS, okActions=[ALERTS])
    alarm(scene, "lag", "AWS/Lambda:IteratorAge", {"FunctionName": Ref("project", "name")}, ALERTS)


def order_workflow(scene: Scene) -> None:
    """A saga: reserve, pay, ship; failures start a refund; alarms on its failures to people and chat."""
    topic(scene, "alerts", "oncall@example.com")
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    table(scene, "bookings")
    steps: dict[str, Any] = {}
    names = ("reserve", "pay", "refund")
    for name in names:
        function(
            scene, name, {"Action": ["dynamodb:PutItem", "dynamodb:DeleteItem"], "Resource": text("bookings")}
        )
        steps[name] = {"Type": "Task", "Resource": Ref(name), "End": True}
    role(scene, "saga-role", "states")
    allows(
        scene,
        "saga-policy",
        "saga-role",
        {"Action": "lambda:InvokeFunction", "Resource": [Ref(name) for name in names]},
    )
    definition = Json({"StartAt": "reserve", "States": steps})
    scene.add("sfn.StateMachine", "saga", roleArn=Ref("saga-role"), definition=definition)
    alarm(scene, "saga-failed", "AWS/States:ExecutionsFailed", {"StateMachineArn": Ref("saga")}, ALERTS)
    for name in names:
        errors(scene, f"{name}-errors", name, ALERTS)


def container_workflow(scene: Scene) -> None:
    """A nightly workflow that runs a task and waits, with the rule that Step Functions keeps for it."""
    topic(scene, "alerts", "oncall@example.com")
    scene.add("ecs.Cluster", "apps")
    role(scene, "task-role", "ecs-tasks")
    scene.add(
        "ecs.TaskDefinition", "etl", family="etl", taskRoleArn=Ref("task-role"), containerDefinitions="[]"
    )
    role(scene, "night-role", "states")
    allows(
        scene,
        "night-policy",
        "night-role",
        {"Action": "ecs:RunTask", "Resource": Ref("etl")},
        {"Action": ["ecs:StopTask", "ecs:DescribeTasks"], "Resource": "*"},
        {"Action": "iam:PassRole", "Resource": Ref("task-role")},
        {
            "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            "Resource": f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForECSTaskRule",
        },
    )
    run = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": True}
    scene.add(
        "sfn.StateMachine",
        "night",
        roleArn=Ref("night-role"),
        definition=Json({"StartAt": "Run", "States": {"Run": run}}),
    )
    role(scene, "clock-role", "scheduler")
    allows(scene, "clock-policy", "clock-role", {"Action": "states:StartExecution", "Resource": Ref("night")})
    scene.add(
        "scheduler.Schedule",
        "nightly",
        scheduleExpression="cron(0 2 * * ? *)",
        flexibleTimeWindow={"mode": "OFF"},
        target={"arn": Ref("night"), "roleArn": Ref("clock-role")},
    )
    alarm(scene, "night-failed", "AWS/States:ExecutionsFailed", {"StateMachineArn": Ref("night")}, ALERTS)


def custom_resource(scene: Scene) -> None:
    """A custom resource's function by a CloudFormation-like invocation, and a nuker of test accounts."""
    topic(scene, "alerts", "oncall@example.com")
    function(scene, "provision", {"Action": ["rds:ModifyDBInstance", "iam:PassRole"], "Resource": "*"})
    scene.add("lambda.Invocation", "provisioned", functionName=Ref("provision", "name"), input="{}")
    errors(scene, "provision-errors", "provision", ALERTS)


def dms_tasks(scene: Scene) -> None:
    """Database migration: events of tasks and instances to the alarms' topic, with a function that tells."""
    topic(scene, "alerts")
    function(scene, "slack", secret(scene, "webhook"), {"Action": "dms:Describe*", "Resource": "*"})
    subscribe(scene, "alerts", "slack")
    scene.add(
        "dms.EventSubscription",
        "tasks",
        enabled=True,
        eventCategories=["failure"],
        snsTopicArn=ALERTS,
        sourceType="replication-task",
    )
    alarm(scene, "lag", "AWS/DMS:CDCLatencyTarget", {"ReplicationInstanceIdentifier": "a"}, ALERTS)


def elasticache(scene: Scene) -> None:
    """A cache that tells a topic, and alarms on evictions; autoscaling of a service beside it."""
    topic(scene, "alerts", "oncall@example.com")
    scene.add("elasticache.ReplicationGroup", "cache", description="a", notificationTopicArn=ALERTS)
    alarm(scene, "evictions", "AWS/ElastiCache:Evictions", {"CacheClusterId": "cache-001"}, ALERTS)
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")


def glue_jobs(scene: Scene) -> None:
    """Failed jobs of Glue and of Batch, to a function that tells with the log's last lines."""
    function(
        scene,
        "slack",
        secret(scene, "webhook"),
        {"Action": ["logs:GetLogEvents", "glue:GetJobRun", "batch:DescribeJobs"], "Resource": "*"},
    )
    on_events(scene, "glue", "slack", {"source": ["aws.glue"], "detail": {"state": ["FAILED"]}})
    on_events(scene, "batch", "slack", {"source": ["aws.batch"], "detail": {"status": ["FAILED"]}})
    on_events(scene, "alarms", "slack")


def everything_of_aws(scene: Scene) -> None:
    """A prefix of all of AWS's events to a log group and to a stream, for the auditors."""
    scene.add("cloudwatch.LogGroup", "audit", retentionInDays=365)
    rule(scene, "all", Ref("audit"), {"source": [{"prefix": "aws."}]})
    scene.add("kinesis.Stream", "audit-stream", shardCount=1)
    role(scene, "put-role", "events")
    allows(scene, "put-policy", "put-role", {"Action": "kinesis:PutRecord", "Resource": Ref("audit-stream")})
    rule(scene, "all-too", Ref("audit-stream"), {"source": [{"prefix": "aws."}]}, roleArn=Ref("put-role"))
    scene.add("cloudwatch.EventArchive", "kept", eventSourceArn=f"arn:aws:events:{HERE}:event-bus/default")


def tagger(scene: Scene) -> None:
    """Tags whatever is created, by CloudTrail's events: it changes tags, and no alarm gets there."""
    function(
        scene,
        "tag",
        {"Action": ["ec2:CreateTags", "tag:TagResources", "s3:PutBucketTagging"], "Resource": "*"},
    )
    pattern = {
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventName": [{"prefix": "Create"}]},
    }
    on_events(scene, "created", "tag", pattern)
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "tag-errors", "tag", ALERTS)


def two_accounts(scene: Scene) -> None:
    """A queue of the security account takes the alarms; its ARN comes from another stack."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    scene.add("pulumi:pulumi:StackReference", "platform", name="acme/platform/prod")
    there = Unknown(("platform",))
    scene.add("sns.TopicSubscription", "there", topic=ALERTS, protocol="sqs", endpoint=there)
    errors(scene, "orders-errors", "orders", ALERTS)


def two_accounts_beside_deployer(scene: Scene) -> None:
    """The same in a stack in which a function deploys."""
    two_accounts(scene)
    deployer(scene)


def notifier_elsewhere_beside_deployer(scene: Scene) -> None:
    """Alarms call the platform's function, by StackReference, in a stack in which a function deploys."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    scene.add("pulumi:pulumi:StackReference", "platform", name="acme/platform/prod")
    there = Unknown(("platform",))
    scene.add("sns.TopicSubscription", "there", topic=ALERTS, protocol="lambda", endpoint=there)
    errors(scene, "orders-errors", "orders", ALERTS)
    deployer(scene)


def certificate(scene: Scene) -> None:
    """Certificates that expire, to people and a board of Jira; one of its own in another region."""
    topic(scene, "alerts", "oncall@example.com")
    function(
        scene,
        "jira",
        secret(scene, "jira-key"),
        {"Action": ["acm:DescribeCertificate", "acm:ListCertificates"], "Resource": "*"},
    )
    subscribe(scene, "alerts", "jira")
    scene.add("acm.Certificate", "site", domainName="example.com", validationMethod="DNS")
    alarm(
        scene,
        "expires",
        "AWS/CertificateManager:DaysToExpiry",
        {"CertificateArn": Unknown(("site",))},
        ALERTS,
    )


def graphql(scene: Scene) -> None:
    """An AppSync API with tables behind it; alarms on its errors to people and a board."""
    topic(scene, "alerts", "oncall@example.com")
    scene.add("appsync.GraphQLApi", "api", authenticationType="API_KEY")
    table(scene, "posts")
    role(scene, "api-role", "appsync")
    allows(scene, "api-policy", "api-role", {"Action": "dynamodb:*", "Resource": Ref("posts")})
    scene.add(
        "appsync.DataSource",
        "posts-source",
        apiId=Ref("api", "id"),
        type="AMAZON_DYNAMODB",
        serviceRoleArn=Ref("api-role"),
        dynamodbConfig={"tableName": Ref("posts", "name")},
    )
    alarm(scene, "api-errors", "AWS/AppSync:5XXError", {"GraphQLAPIId": Ref("api", "id")}, ALERTS)
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")


def destined(scene: Scene) -> None:
    """cdk-patterns' destined Lambda: results and failures to a bus, rules on them, a topic in front."""
    topic(scene, "in")
    scene.add("cloudwatch.EventBus", "results")
    function(scene, "work", {"Action": "events:PutEvents", "Resource": text("results")})
    subscribe(scene, "in", "work")
    scene.add(
        "lambda.FunctionEventInvokeConfig",
        "work-events",
        functionName=Ref("work", "name"),
        destinationConfig={
            "onSuccess": {"destination": Ref("results")},
            "onFailure": {"destination": Ref("results")},
        },
    )
    for name in ("won", "lost"):
        function(scene, name)
        pattern = {"source": [{"prefix": ""}], "detail": {"requestContext": {"condition": [name]}}}
        on_events(scene, f"{name}-rule", name, pattern).put("eventBusName", to=Ref("results", "name"))
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "work-errors", "work", ALERTS)


def circuit_breaker_by_events(scene: Scene) -> None:
    """cdk-patterns' EventBridge circuit breaker: errors are events; a table of them is read before a call."""
    table(scene, "failures")
    function(
        scene,
        "shop",
        {"Action": "dynamodb:Query", "Resource": text("failures", "/index/*")},
        {"Action": "events:PutEvents", "Resource": f"arn:aws:events:{HERE}:event-bus/default"},
    )
    permit(scene, "api-shop", "shop", "apigateway", f"arn:aws:execute-api:{HERE}:abc123/*/*")
    function(scene, "note", {"Action": "dynamodb:PutItem", "Resource": text("failures")})
    pattern = {"source": ["cdkpatterns.circuitbreaker"], "detail": {"status": ["fail"]}}
    on_events(scene, "failed", "note", pattern)
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "shop-errors", "shop", ALERTS)


def scalable_webhook(scene: Scene) -> None:
    """cdk-patterns' scalable webhook, with throttled consumers and a function that tells of backlogs."""
    queue(scene, "hooks")
    function(scene, "take", {"Action": "sqs:SendMessage", "Resource": text("hooks")})
    permit(scene, "api-take", "take", "apigateway", f"arn:aws:execute-api:{HERE}:abc123/*/*")
    function(
        scene,
        "store",
        reads("hooks"),
        {"Action": "rds-db:connect", "Resource": "*"},
        reservedConcurrentExecutions=2,
    )
    consume(scene, "hooks", "store")
    topic(scene, "alerts")
    function(scene, "slack", secret(scene, "webhook"), {"Action": "sqs:GetQueueAttributes", "Resource": "*"})
    subscribe(scene, "alerts", "slack")
    for name in ("hooks", "hooks-dead"):
        alarm(
            scene,
            f"{name}-visible",
            "AWS/SQS:ApproximateNumberOfMessagesVisible",
            {"QueueName": Ref(name, "name")},
            ALERTS,
        )


def phonebook(scene: Scene) -> None:
    """Whom to call is in a bucket; calls by Connect, SMS by number, and a mail by SES with a template."""
    service(scene)
    topic(scene, "alerts")
    bucket(scene, "rota")
    function(
        scene,
        "call",
        {"Action": "s3:GetObject", "Resource": text("rota", "/oncall.json")},
        {"Action": "connect:StartOutboundVoiceContact", "Resource": "*"},
        {"Action": "ses:SendTemplatedEmail", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "sns:Publish",
            "Resource": "arn:aws:sns:*:*:*",
        },
        {"Action": "sns:Publish", "Resource": "*"},
    )
    subscribe(scene, "alerts", "call")
    errors(scene, "orders-errors", "orders", ALERTS)


def many_regions(scene: Scene) -> None:
    """A notifier in Frankfurt of alarms in Virginia: the subscription crosses regions."""
    service(scene)
    topic(scene, "alerts", region="us-east-1")
    function(scene, "slack", secret(scene, "webhook"), region="eu-central-1")
    scene.add(
        "sns.TopicSubscription",
        "there",
        topic=ALERTS,
        protocol="lambda",
        endpoint=Ref("slack"),
        region="us-east-1",
    )
    permit(scene, "there-may", "slack", "sns", ALERTS, region="eu-central-1")
    alarm(
        scene,
        "bill",
        "AWS/Billing:EstimatedCharges",
        {"Currency": "USD"},
        ALERTS,
        region="us-east-1",
    )


def shared_role(scene: Scene) -> None:
    """One role for all functions of a service, as small teams have it; only the notifier is woken."""
    table(scene, "orders-table")
    topic(scene, "alerts")
    role(scene, "all-role", managedPolicyArns=[BASIC])
    allows(
        scene,
        "all-policy",
        "all-role",
        {"Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": text("orders-table")},
        secret(scene, "webhook"),
        {"Action": "cloudwatch:PutMetricData", "Resource": "*"},
    )
    for name in ("list", "slack"):
        bare(scene, name, role=Ref("all-role"))
    subscribe(scene, "alerts", "slack")
    errors(scene, "list-errors", "list", ALERTS)


def board(scene: Scene) -> None:
    """Writes annotations to dashboards and counts alarms as an embedded metric, with a filter on its log."""
    service(scene)
    topic(scene, "alerts")
    function(
        scene, "mark", {"Action": ["cloudwatch:GetDashboard", "cloudwatch:PutDashboard"], "Resource": "*"}
    )
    subscribe(scene, "alerts", "mark")
    errors(scene, "orders-errors", "orders", ALERTS)
    scene.add("cloudwatch.Dashboard", "board", dashboardName="orders", dashboardBody=Json({"widgets": []}))


def workflow_of_tickets(scene: Scene) -> None:
    """A workflow by a rule: enrich, keep in a table, publish, wait for a person's answer by token."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    table(scene, "incidents")
    topic(scene, "people", "oncall@example.com")
    function(scene, "enrich", {"Action": ["logs:StartQuery", "logs:GetQueryResults"], "Resource": "*"})
    role(scene, "flow-role", "states")
    allows(
        scene,
        "flow-policy",
        "flow-role",
        {"Action": "lambda:InvokeFunction", "Resource": [text("enrich"), text("enrich", ":*")]},
        {"Action": "dynamodb:PutItem", "Resource": text("incidents")},
        {"Action": "sns:Publish", "Resource": text("people")},
        {"Action": ["xray:PutTraceSegments", "xray:GetSamplingRules"], "Resource": "*"},
        {
            "Action": ["logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:DescribeLogGroups"],
            "Resource": "*",
        },
    )
    states = {
        "Enrich": {"Type": "Task", "Resource": Ref("enrich"), "Next": "Keep"},
        "Keep": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:putItem",
            "Parameters": {"TableName": Ref("incidents", "name"), "Item": {}},
            "Next": "Tell",
        },
        "Tell": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish.waitForTaskToken",
            "Parameters": {"TopicArn": Ref("people"), "Message.$": "$$.Task.Token"},
            "End": True,
        },
    }
    scene.add(
        "sfn.StateMachine",
        "flow",
        roleArn=Ref("flow-role"),
        definition=Json({"StartAt": "Enrich", "States": states}),
    )
    role(scene, "rule-role", "events")
    allows(scene, "rule-policy", "rule-role", {"Action": "states:StartExecution", "Resource": Ref("flow")})
    rule(scene, "alarms", Ref("flow"), roleArn=Ref("rule-role"))
    function(scene, "answer", {"Action": "states:SendTaskSuccess", "Resource": "*"})
    permit(scene, "api-answer", "answer", "apigateway", f"arn:aws:execute-api:{HERE}:abc123/*/*")


def enriched_pipe(scene: Scene) -> None:
    """A pipe from the alarms' queue, enriched by a function, to a log group."""
    service(scene)
    topic(scene, "alerts")
    queue(scene, "inbox")
    scene.add("sns.TopicSubscription", "in", topic=ALERTS, protocol="sqs", endpoint=Ref("inbox"))
    errors(scene, "orders-errors", "orders", ALERTS)
    function(scene, "enrich", {"Action": "tag:GetResources", "Resource": "*"})
    scene.add("cloudwatch.LogGroup", "kept", retentionInDays=90)
    role(scene, "pipe-role", "pipes")
    allows(
        scene,
        "pipe-policy",
        "pipe-role",
        reads("inbox"),
        {"Action": "lambda:InvokeFunction", "Resource": text("enrich")},
        {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": text("kept", ":*")},
    )
    scene.add(
        "pipes.Pipe",
        "pipe",
        roleArn=Ref("pipe-role"),
        source=Ref("inbox"),
        enrichment=Ref("enrich"),
        target=Ref("kept"),
    )


def sentry(scene: Scene) -> None:
    """An extension layer of a vendor, AWS's policies as a list, an image, and a dead-letter topic."""
    service(scene)
    topic(scene, "alerts")
    topic(scene, "failed", "oncall@example.com")
    role(
        scene,
        "sentry-role",
        managedPolicyArns=[
            f"{AWS}/service-role/AWSLambdaVPCAccessExecutionRole",
            f"{AWS}/AmazonSSMReadOnlyAccess",
            f"{AWS}/AmazonElasticFileSystemClientReadWriteAccess",
            f"{AWS}/AWSXRayDaemonWriteAccess",
            f"{AWS}/AmazonEC2ContainerRegistryReadOnly",
        ],
        inlinePolicies=[
            {"name": "fail", "policy": document({"Action": "sns:Publish", "Resource": text("failed")})}
        ],
    )
    scene.add(
        "lambda.Function",
        "sentry",
        role=Ref("sentry-role"),
        packageType="Image",
        imageUri=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sentry:1",
        deadLetterConfig={"targetArn": Ref("failed")},
    )
    subscribe(scene, "alerts", "sentry")
    errors(scene, "orders-errors", "orders", ALERTS)


def forwarded_mail(scene: Scene) -> None:
    """Alarms to a FIFO queue through a FIFO topic; the consumer tells, with wildcards for reads."""
    service(scene)
    topic(scene, "alerts", fifoTopic=True)
    queue(scene, "inbox", fifoQueue=True)
    scene.add(
        "sns.TopicSubscription",
        "in",
        topic=ALERTS,
        protocol="sqs",
        endpoint=Ref("inbox"),
        rawMessageDelivery=True,
    )
    errors(scene, "orders-errors", "orders", ALERTS)
    function(
        scene,
        "tell",
        reads("inbox"),
        {
            "Action": ["ec2:Describe*", "ecs:List*", "cloudwatch:Get*", "logs:Filter*", "ce:Get*"],
            "Resource": "*",
        },
        {"Action": "ses:*", "Resource": "*"},
        {
            "Action": ["sts:GetCallerIdentity", "iam:ListAccountAliases", "organizations:Describe*"],
            "Resource": "*",
        },
    )
    consume(scene, "inbox", "tell")


def simple_store(scene: Scene) -> None:
    """Keeps what was told in caches, by IAM."""
    told(scene, "keep", {"Action": ["elasticache:Connect", "memorydb:Connect"], "Resource": "*"})


def flags_read(scene: Scene) -> None:
    """Reads from AppConfig and Evidently whom to tell, and reports what it evaluated."""
    told(
        scene,
        "tell",
        {
            "Action": ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"],
            "Resource": "*",
        },
        {"Action": ["evidently:EvaluateFeature", "evidently:PutProjectEvents"], "Resource": "*"},
    )


def heartbeat(scene: Scene) -> None:
    """Tells a healthchecks service by a schedule; missing data and errors to people; metrics of its own."""
    topic(scene, "alerts", "oncall@example.com")
    function(
        scene,
        "beat",
        {
            "Action": "cloudwatch:PutMetricData",
            "Resource": "*",
            "Condition": {"StringEquals": {"cloudwatch:namespace": "beats"}},
        },
    )
    hourly(scene, "minutely", "beat", "rate(1 minute)")
    alarm(
        scene,
        "no-beat",
        "beats:Count",
        {},
        ALERTS,
        treatMissingData="breaching",
        insufficientDataActions=[ALERTS],
    )


def approvals(scene: Scene) -> None:
    """Approves deployments from chat: a function behind an API may approve; alarms are told beside it."""
    topic(scene, "alerts")
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    function(scene, "approve", {"Action": "codepipeline:PutApprovalResult", "Resource": "*"})
    permit(scene, "api-approve", "approve", "apigateway", f"arn:aws:execute-api:{HERE}:abc123/*/*")
    topic(scene, "asked")
    function(scene, "ask", secret(scene, "token"))
    subscribe(scene, "asked", "ask")
    errors(scene, "approve-errors", "approve", ALERTS)


def lifecycle(scene: Scene) -> None:
    """Lifecycle hooks of a group call a function by a topic of theirs; alarms have another topic."""
    topic(scene, "hooks")
    topic(scene, "alerts", "oncall@example.com")
    function(scene, "drain", {"Action": "autoscaling:CompleteLifecycleAction", "Resource": "*"})
    subscribe(scene, "hooks", "drain")
    role(scene, "hook-role", "autoscaling")
    allows(scene, "hook-policy", "hook-role", {"Action": "sns:Publish", "Resource": Ref("hooks")})
    scene.add(
        "autoscaling.LifecycleHook",
        "hook",
        autoscalingGroupName="web",
        lifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        notificationTargetArn=Ref("hooks"),
        roleArn=Ref("hook-role"),
    )
    errors(scene, "drain-errors", "drain", ALERTS)


def warmer(scene: Scene) -> None:
    """Warms functions before the morning and tags them by night, by the clock."""
    service(scene)
    keeps = ["lambda:PutProvisionedConcurrencyConfig", "lambda:DeleteProvisionedConcurrencyConfig"]
    function(scene, "warm", {"Action": [*keeps, "lambda:TagResource"], "Resource": "*"})
    hourly(scene, "morning", "warm", "cron(0 6 * * ? *)")
    topic(scene, "alerts", "oncall@example.com")
    for name in ("orders", "warm"):
        errors(scene, f"{name}-errors", name, ALERTS)


def transcripts(scene: Scene) -> None:
    """Has calls about incidents written down, read and translated, and comments on the change."""
    told(
        scene,
        "write",
        {
            "Action": [
                *("transcribe:StartTranscriptionJob", "transcribe:GetTranscriptionJob"),
                *("textract:StartDocumentAnalysis", "comprehend:DetectSentiment", "translate:TranslateText"),
                "codecommit:PostCommentForPullRequest",
            ],
            "Resource": "*",
        },
    )


def shell(scene: Scene) -> None:
    """The channels of ECS Exec in a role that a task and a function share."""
    channels = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    told(scene, "tell", {"Action": [f"ssmmessages:{each}" for each in channels], "Resource": "*"})


def releases(scene: Scene) -> None:
    """Deploys by events of the organization's build accounts, on the default bus and on one of its own."""
    scene.add("cloudwatch.EventBus", "ci")
    for name, bus in (("default", "default"), ("own", Ref("ci", "name"))):
        may = {
            "Action": "events:PutEvents",
            "Principal": "*",
            "Resource": f"arn:aws:events:{HERE}:event-bus/*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}},
        }
        scene.add("cloudwatch.EventBusPolicy", f"{name}-bus", eventBusName=bus, policy=document(may))
    function(scene, "deploy", {"Action": "ecs:UpdateService", "Resource": "*"})
    pattern = {"source": ["com.acme.ci"], "detail-type": ["release"]}
    on_events(scene, "released", "deploy", pattern)
    on_events(scene, "released-too", "deploy", pattern).put("eventBusName", to=Ref("ci", "name"))
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "deploy-errors", "deploy", ALERTS)


def uploads(scene: Scene) -> None:
    """Deploys what is uploaded, by EventBridge: a pattern of the bucket's id, unknown at preview."""
    bucket(scene, "code")
    function(scene, "deploy", {"Action": "ecs:UpdateService", "Resource": "*"})
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [Ref("code", "id")]}},
    }
    on_events(scene, "uploaded", "deploy", pattern)
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "deploy-errors", "deploy", ALERTS)


INNOCENTS = [
    Innocent("functions warmed by the clock", warmer, "scheduled provisioned concurrency"),
    Innocent("calls written down", transcripts, "Transcribe, Textract and Translate in incident reviews"),
    Innocent("the channels of a shell", shell, "ECS Exec in a shared role"),
    Innocent("releases of the organization", releases, "cross-account deployments by EventBridge"),
    Innocent("a deployer by a bucket's events", uploads, "S3 events by EventBridge"),
    Innocent(
        "an api of callbacks beside a notifier",
        callback_api,
        "aws.lambda.CallbackFunction with its default policies, behind an API",
    ),
    Innocent(
        "callbacks on a queue, a bucket and a clock",
        callback_jobs,
        "queue.onEvent, bucket.onObjectCreated, cloudwatch.onSchedule of the Node.js SDK",
    ),
    Innocent(
        "a pager of another stack beside callbacks",
        pager_beside_callback,
        "PagerDuty by a URL of another stack",
    ),
    Innocent(
        "the platform's topic beside a deployer",
        platform_topic_beside_deployer,
        "shared alarm topics by StackReference",
    ),
    Innocent("a workflow that calls a pager", http_task, "Step Functions HTTP tasks: third-party APIs"),
    Innocent(
        "a workflow that waits for another",
        nested_workflow,
        "Step Functions guide: startExecution.sync and its managed rule",
    ),
    Innocent(
        "a ticket by a signed api", internal_api, "ticket systems behind API Gateway with IAM authorization"
    ),
    Innocent("alarms to browsers by events", appsync_events, "AppSync Events samples"),
    Innocent("a lamp in the office", lamp, "AWS IoT build lights"),
    Innocent(
        "a page with acls", public_status, "Serverless Framework: static status pages in a public bucket"
    ),
    Innocent("logs exported when an alarm fires", exported_logs, "CloudWatch Logs export tasks"),
    Innocent("incidents by the data api", data_api, "Aurora Data API with the service's wildcard"),
    Innocent("incidents in a distributed database", dsql, "Aurora DSQL samples"),
    Innocent("alarms to kafka", kafka, "MSK developer guide: IAM actions of producers"),
    Innocent("a partition a day", partitions, "Athena data lakes fed by functions"),
    Innocent("alarms as audit events", audit_lake, "CloudTrail Lake integrations"),
    Innocent(
        "an investigation by the alarm itself", investigation, "CloudWatch investigations: alarm actions"
    ),
    Innocent("an investigation by a function", investigates, "CloudWatch investigations: its API"),
    Innocent("a model asked in the words of its api", converse, "Bedrock Converse samples"),
    Innocent(
        "the platform's notifier called", function_elsewhere, "shared notifier functions of a platform team"
    ),
    Innocent("a forwarder of logs and alarms", datadog, "the Datadog forwarder's template"),
    Innocent("metrics to a vendor", metric_stream, "New Relic metric streams"),
    Innocent("alarms to a central bus", central_bus, "cross-account EventBridge: the sender"),
    Innocent(
        "a central bus that keeps and tells", monitoring_account, "cross-account EventBridge: the receiver"
    ),
    Innocent(
        "failed executions to chat", failed_executions, "Step Functions failure notifications by EventBridge"
    ),
    Innocent("containers registered in dns", container_names, "ECS public DNS by task events"),
    Innocent(
        "a policy of objects as typescript gives it", mixed_data, "Node.js SDK: PolicyDocument with outputs"
    ),
    Innocent("managed policies as go gives them", attached_policies, "Go SDK: ManagedPolicyArns"),
    Innocent("the notify-slack module", notify_slack_module, "terraform-aws-modules/notify-slack"),
    Innocent("a monitor of quotas", quota_monitor, "AWS Solutions: Quota Monitor"),
    Innocent("a scheduler of instances", instance_scheduler, "AWS Solutions: Instance Scheduler"),
    Innocent("alarms to whoever is connected", websocket, "API Gateway WebSocket chat sample"),
    Innocent("a pipeline that tells", pipeline_told, "CodePipeline with notification rules"),
    Innocent("builds that comment", build_events, "CodeBuild state changes to GitHub"),
    Innocent("readings of devices", iot_errors, "IoT rules to functions"),
    Innocent("an event-sourced shop", event_store, "event sourcing on DynamoDB streams"),
    Innocent("a saga", order_workflow, "cdk-patterns: the saga step function"),
    Innocent(
        "a nightly container workflow",
        container_workflow,
        "Step Functions guide: ecs:runTask.sync and its managed rule",
    ),
    Innocent("a provisioner that is invoked once", custom_resource, "custom resources by lambda.Invocation"),
    Innocent("migration tasks", dms_tasks, "DMS event subscriptions"),
    Innocent("a cache that tells", elasticache, "ElastiCache notifications"),
    Innocent("failed jobs", glue_jobs, "Glue and Batch failure notifications"),
    Innocent(
        "all events of aws for auditors", everything_of_aws, "audit by EventBridge: prefix of all sources"
    ),
    Innocent("a tagger of what is created", tagger, "auto-tagging by CloudTrail events"),
    Innocent("a queue of another account", two_accounts, "security account's alarm queue"),
    Innocent(
        "a queue of another account beside a deployer",
        two_accounts_beside_deployer,
        "the same in a stack that deploys",
    ),
    Innocent(
        "a notifier of another stack beside a deployer",
        notifier_elsewhere_beside_deployer,
        "platform notifiers by StackReference",
    ),
    Innocent("certificates that expire", certificate, "ACM expiry alarms"),
    Innocent("a graphql api", graphql, "AppSync with DynamoDB resolvers"),
    Innocent("results to a bus", destined, "cdk-patterns: the destined lambda"),
    Innocent(
        "a breaker by events", circuit_breaker_by_events, "cdk-patterns: the EventBridge circuit breaker"
    ),
    Innocent("a webhook that scales", scalable_webhook, "cdk-patterns: the scalable webhook"),
    Innocent("whom to call from a bucket", phonebook, "on-call rota with Connect and SMS"),
    Innocent(
        "a bill in virginia told in frankfurt",
        many_regions,
        "billing alarms in us-east-1 with a subscriber elsewhere",
    ),
    Innocent("one role for all functions", shared_role, "Serverless Framework: one role of a service"),
    Innocent("annotations on a dashboard", board, "annotated dashboards"),
    Innocent("a workflow that waits for an answer", workflow_of_tickets, "callback with task token samples"),
    Innocent("a pipe to a log group", enriched_pipe, "EventBridge Pipes with enrichment"),
    Innocent("a vendor's image in a vpc", sentry, "container-image notifiers"),
    Innocent("alarms in order", forwarded_mail, "FIFO topics and queues"),
    Innocent("what was told in a cache", simple_store, "ElastiCache and MemoryDB with IAM"),
    Innocent("whom to tell by flags", flags_read, "AppConfig and Evidently"),
    Innocent("a heartbeat by metrics", heartbeat, "dead-man alarms"),
    Innocent("approvals from chat", approvals, "CodePipeline approvals in Slack, beside a notifier"),
    Innocent("lifecycle hooks", lifecycle, "Auto Scaling lifecycle hooks by SNS"),
]
SUSPECTS = [
    Innocent(
        "a table of another stack in a policy of objects",
        recorder_of_data,
        "Node.js SDK: PolicyDocument with a StackReference's output",
    ),
]
