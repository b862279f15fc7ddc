"""Programs that write down what happened, in the shapes of several SDKs: what they write controls nothing."""

from typing import Any

from tests.policies.innocents.shapes import (
    AWS,
    BASIC,
    allows,
    attach,
    bare,
    errors,
    function,
    on_events,
    role,
    rule,
    service,
    subscribe,
    topic,
    trust,
)
from tests.policies.innocents.table import Innocent
from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene

ALERTS = Ref("alerts")
LOG_DELIVERY = [
    f"logs:{each}"
    for each in (
        *("CreateLogDelivery", "CreateLogStream", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery"),
        *("ListLogDeliveries", "PutLogEvents", "PutResourcePolicy", "DescribeResourcePolicies"),
        "DescribeLogGroups",
    )
]


def told(scene: Scene, name: str, *statements: dict[str, Any], **properties: Any) -> None:
    """Register a service, its alarm, and a function that hears of it and may do this."""
    service(scene)
    topic(scene, "alerts")
    function(scene, name, *statements, **properties)
    subscribe(scene, "alerts", name)
    errors(scene, "orders-errors", "orders", ALERTS, okActions=[ALERTS])


def told_as_data(scene: Scene, name: str, *statements: dict[str, Any], **properties: Any) -> None:
    """Register the same with a document that is data: known but for the ARNs in it."""
    told(scene, name, **properties)
    scene.add(
        "iam.RolePolicy",
        f"{name}-policy",
        role=Ref(f"{name}-role", "id"),
        policy=document(*statements).content,
    )


def two_tables(scene: Scene) -> None:
    for name in ("incidents", "seen"):
        scene.add("dynamodb.Table", name)
    topic(scene, "digest", "oncall@example.com")
    told_as_data(
        scene,
        "recorder",
        {"Action": ["dynamodb:PutItem"], "Resource": [Ref("incidents"), Ref("seen")]},
        {"Action": "dynamodb:Query", "Resource": Ref("incidents", suffix="/index/*")},
        {"Action": "sns:Publish", "Resource": Ref("digest")},
    )


def bucket_and_logs(scene: Scene) -> None:
    """An inline document as data: an object's ARN, a log group's streams, a key."""
    service(scene)
    topic(scene, "alerts")
    scene.add("s3.Bucket", "reports", bucket="reports-of-incidents")
    scene.add("cloudwatch.LogGroup", "reporter-logs", name="/aws/lambda/reporter")
    scene.add("kms.Key", "key")
    may = document(
        {"Action": "s3:PutObject", "Resource": Ref("reports", suffix="/*")},
        {"Action": "logs:PutLogEvents", "Resource": Ref("reporter-logs", suffix=":*")},
        {"Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": Ref("key")},
    )
    inline = [{"name": "reports", "policy": may.content}]
    scene.add("iam.Role", "reporter-role", assumeRolePolicy=trust("lambda"), inlinePolicies=inline)
    bare(scene, "reporter")
    subscribe(scene, "alerts", "reporter")
    errors(scene, "orders-errors", "orders", ALERTS)


def granted_by_cdk(scene: Scene) -> None:
    """What grantReadWriteData of a table, grantReadWrite of a bucket and those of a key emit."""
    scene.add("dynamodb.Table", "incidents")
    scene.add("s3.Bucket", "reports", bucket="reports-of-incidents")
    items = ("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeTable", "GetItem")
    more = ("GetRecords", "GetShardIterator", "PutItem", "Query", "Scan", "UpdateItem")
    objects = ("Abort*", "DeleteObject*", "GetBucket*", "GetObject*", "List*", "PutObject")
    marks = ("PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging", "PutObjectVersionTagging")
    keys = ("Decrypt", "Encrypt", "GenerateDataKey*", "ReEncrypt*")
    told(
        scene,
        "recorder",
        {"Action": [f"dynamodb:{each}" for each in (*items, *more)], "Resource": [text("incidents")]},
        {
            "Action": [f"s3:{each}" for each in (*objects, *marks)],
            "Resource": ["arn:aws:s3:::reports-of-incidents", "arn:aws:s3:::reports-of-incidents/*"],
        },
        {"Action": [f"kms:{each}" for each in keys], "Resource": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/abc"},
    )


def workflow_with_logs(scene: Scene) -> None:
    """A workflow whose own execution is logged and traced, as the guide of Step Functions says."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    scene.add("dynamodb.Table", "incidents")
    scene.add("cloudwatch.LogGroup", "steps-logs", name="/aws/vendedlogs/states/steps")
    role(scene, "steps-role", "states")
    traces = ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
    allows(
        scene,
        "steps-policy",
        "steps-role",
        {"Action": LOG_DELIVERY, "Resource": "*"},
        {"Action": [f"xray:{each}" for each in traces], "Resource": "*"},
        {"Action": "dynamodb:PutItem", "Resource": text("incidents")},
    )
    record = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Parameters": {"TableName": Ref("incidents", "name"), "Item": {"id": {"S.$": "$.id"}}},
        "End": True,
    }
    scene.add(
        "sfn.StateMachine",
        "steps",
        roleArn=Ref("steps-role"),
        definition=Json({"StartAt": "Record", "States": {"Record": record}}),
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": True,
            "logDestination": Ref("steps-logs", suffix=":*"),
        },
        tracingConfiguration={"enabled": True},
    )
    role(scene, "start-role", "events")
    starts = {"Action": "states:StartExecution", "Resource": text("steps")}
    allows(scene, "start-policy", "start-role", starts)
    rule(scene, "alarms", Ref("steps"), roleArn=Ref("start-role"))


def careless_mailer(scene: Scene) -> None:
    """Rights that are wide, in services that only tell and record."""
    told(
        scene,
        "mailer",
        {"Action": "logs:*", "Resource": "arn:aws:logs:*:*:*"},
        {"Action": ["ses:*", "xray:*"], "Resource": "*"},
    )
    attach(scene, "mailer-ses", "mailer-role", f"{AWS}/AmazonSESFullAccess")


def sms(scene: Scene) -> None:
    """Messages to phone numbers, which have no ARN: every topic is left out instead."""
    told(scene, "caller", {"Action": "sns:Publish", "NotResource": "arn:aws:sns:*:*:*"})


def calls_and_cases(scene: Scene) -> None:
    """Calls whoever is on duty, pages by Incident Manager, and opens a case with AWS Support."""
    contacts = f"arn:aws:ssm-contacts:{REGION}:{ACCOUNT}:contact/*"
    told(
        scene,
        "caller",
        {"Action": ["support:CreateCase", "support:AddCommunicationToCase"], "Resource": "*"},
        {"Action": "connect:StartOutboundVoiceContact", "Resource": "*"},
        {"Action": ["ssm-contacts:StartEngagement", "ssm-contacts:ListContacts"], "Resource": contacts},
    )


def timeline(scene: Scene) -> None:
    """Adds what it reads of an incident to its timeline in Incident Manager."""
    told(
        scene,
        "historian",
        {
            "Action": [
                "ssm-incidents:GetIncidentRecord",
                "ssm-incidents:ListIncidentRecords",
                "ssm-incidents:CreateTimelineEvent",
                "ssm-incidents:UpdateRelatedItems",
            ],
            "Resource": "*",
        },
    )


def live_page(scene: Scene) -> None:
    """Pushes alarms to the browsers that are connected to a WebSocket API; forgets those that are gone."""
    scene.add("dynamodb.Table", "connections")
    told(
        scene,
        "pusher",
        {"Action": "execute-api:ManageConnections", "Resource": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*"},
        {"Action": ["dynamodb:Scan", "dynamodb:DeleteItem"], "Resource": text("connections")},
    )


def rows(scene: Scene) -> None:
    """An incident as a row of a database, by the Data API."""
    told(
        scene,
        "recorder",
        {
            "Action": ["rds-data:ExecuteStatement", "rds-data:BatchExecuteStatement"],
            "Resource": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:incidents",
        },
        {
            "Action": "secretsmanager:GetSecretValue",
            "Resource": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:incidents-*",
        },
    )


def of_another_role(scene: Scene) -> None:
    """Reads metrics by a role that it assumes, and that only reads."""
    told(scene, "lookup", {"Action": "sts:AssumeRole", "Resource": text("reader-role")})
    scene.add(
        "iam.Role",
        "reader-role",
        assumeRolePolicy=document({"Action": "sts:AssumeRole", "Principal": {"AWS": text("lookup-role")}}),
        managedPolicyArns=[f"{AWS}/CloudWatchReadOnlyAccess"],
    )


def documents_of_search(scene: Scene) -> None:
    domain = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/incidents/*"
    told(scene, "indexer", {"Action": ["es:ESHttpPost", "es:ESHttpPut", "es:ESHttpGet"], "Resource": domain})


def series(scene: Scene) -> None:
    """Alarms as time series, in Timestream and in Prometheus."""
    told(
        scene,
        "recorder",
        {
            "Action": "timestream:WriteRecords",
            "Resource": f"arn:aws:timestream:{REGION}:{ACCOUNT}:database/ops/table/alarms",
        },
        {"Action": "timestream:DescribeEndpoints", "Resource": "*"},
        {"Action": "aps:RemoteWrite", "Resource": f"arn:aws:aps:{REGION}:{ACCOUNT}:workspace/ws-1"},
    )


def one_table_for_all_stages(scene: Scene) -> None:
    """The table is of another stack, and its name begins with the stage's."""
    told(
        scene,
        "recorder",
        {"Action": "dynamodb:PutItem", "Resource": arn("dynamodb.Table", "incidents-*")},
        {"Action": "dynamodb:PutItem", "Resource": arn("dynamodb.Table", "seen")},
    )


def beside_a_wide_service(scene: Scene) -> None:
    """The service that the alarm watches has full access to tables, and is told its own."""
    told(scene, "recorder", {"Action": "dynamodb:PutItem", "Resource": text("incidents")})
    scene.add("dynamodb.Table", "incidents")
    scene.add("dynamodb.Table", "stock")
    scene.find("orders").put("environment", to={"variables": {"TABLE": Ref("stock", "name")}})
    attach(scene, "orders-tables", "orders-role", f"{AWS}/AmazonDynamoDBFullAccess")


def partition_of_the_government(scene: Scene) -> None:
    """Policies of AWS in another partition, attached exclusively; and the inline policies kept by name."""
    service(scene)
    topic(scene, "alerts")
    role(scene, "slack-role")
    allows(scene, "slack-policy", "slack-role", {"Action": "sqs:SendMessage", "Resource": text("outbox")})
    scene.add("sqs.Queue", "outbox")
    scene.add(
        "iam.RolePolicyAttachmentsExclusive",
        "slack-attached",
        roleName=Ref("slack-role", "name"),
        policyArns=[each.replace("arn:aws:", "arn:aws-us-gov:") for each in (BASIC, f"{AWS}/ReadOnlyAccess")],
    )
    scene.add(
        "iam.RolePoliciesExclusive",
        "slack-inline",
        roleName=Ref("slack-role", "name"),
        policyNames=[Ref("slack-policy", "name")],
    )
    bare(scene, "slack")
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def assistant(scene: Scene) -> None:
    """Asks a model, reads logs and metrics, and writes its answer as an OpsItem."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    function(
        scene,
        "assistant",
        {"Action": ["bedrock:InvokeModel*", "bedrock:ApplyGuardrail"], "Resource": "*"},
        {"Action": ["logs:StartQuery", "logs:Get*", "cloudwatch:Get*", "xray:Get*"], "Resource": "*"},
        {"Action": ["ssm:CreateOpsItem", "ssm:UpdateOpsItem"], "Resource": "*"},
    )
    on_events(scene, "alarms", "assistant")


INNOCENTS = [
    Innocent("two tables by a document of data", two_tables, "policies as objects in TypeScript"),
    Innocent("a bucket, logs and a key by inline data", bucket_and_logs, "inlinePolicies as objects"),
    Innocent("a recorder as cdk grants", granted_by_cdk, "grantReadWrite of the AWS CDK, by cdk-adapter"),
    Innocent("a workflow that is logged", workflow_with_logs, "Step Functions guide: logging to CloudWatch"),
    Innocent("a careless mailer", careless_mailer, "alarm mailers with ses:* and logs:*"),
    Innocent("texts to phone numbers", sms, "SNS guide: policies that allow SMS only"),
    Innocent("calls and cases", calls_and_cases, "Amazon Connect and AWS Support alerting"),
    Innocent("a timeline of incidents", timeline, "Incident Manager enrichment samples"),
    Innocent("a live page of alarms", live_page, "WebSocket dashboards of alarms"),
    Innocent("incidents in a database", rows, "RDS Data API incident recorder"),
    Innocent("metrics read by a role", of_another_role, "central monitoring by roles that only read"),
    Innocent("incidents in a search index", documents_of_search, "alarm history in OpenSearch"),
    Innocent("alarms as time series", series, "alarm history in Timestream and Prometheus"),
    Innocent("a shared table of incidents", one_table_for_all_stages, "one incident table for many stacks"),
    Innocent(
        "a recorder beside a wide service", beside_a_wide_service, "tutorials with full access to tables"
    ),
    Innocent("a notifier of the government", partition_of_the_government, "GovCloud, exclusive attachments"),
    Innocent("an assistant that writes ops items", assistant, "Bedrock triage with OpsCenter"),
]
