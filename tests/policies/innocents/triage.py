"""Functions that look things up when an alarm fires, and change nothing of it."""

from typing import Any

from tests.policies.innocents.shapes import (
    AWS,
    BASIC,
    alarm,
    allows,
    attach,
    bare,
    errors,
    function,
    on_events,
    role,
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
from tests.policies.support.references import Ref
from tests.policies.support.scene import Scene

ALERTS = Ref("alerts")


def alarmed(scene: Scene, called: str) -> None:
    """Register orders, an alarm of it, and the topic that calls a function which is there already."""
    service(scene)
    topic(scene, "alerts")
    subscribe(scene, "alerts", called)
    errors(scene, "orders-errors", "orders", ALERTS)


def read_only(scene: Scene) -> None:
    """Looks everywhere, by AWS's own read-only policy, and posts what it found."""
    role(scene, "look-role")
    for name in ("ReadOnlyAccess", "service-role/AWSLambdaBasicExecutionRole"):
        attach(scene, f"look-{name[:8]}", "look-role", f"{AWS}/{name}")
    allows(scene, "look-policy", "look-role", secret(scene, "webhook"))
    bare(scene, "look", timeout=300)
    alarmed(scene, "look")


def of_cloudwatch(scene: Scene) -> None:
    """The same by the read-only policies of single services, in the role itself."""
    names = [
        "CloudWatchReadOnlyAccess",
        "CloudWatchLogsReadOnlyAccess",
        "AWSXrayReadOnlyAccess",
        "AWSLambda_ReadOnlyAccess",
        "AmazonDynamoDBReadOnlyAccess",
        "AmazonSQSReadOnlyAccess",
        "AWSStepFunctionsReadOnlyAccess",
    ]
    arns = [BASIC, *(f"{AWS}/{name}" for name in names)]
    role(scene, "look-role", managedPolicyArns=arns)
    bare(scene, "look", runtime="nodejs22.x")
    alarmed(scene, "look")


def view_only(scene: Scene) -> None:
    """An auditor's policies, attached by one exclusive list."""
    scene.add("iam.Role", "look-role", assumeRolePolicy=trust("lambda"))
    scene.add(
        "iam.RolePolicyAttachmentsExclusive",
        "look-attached",
        roleName=Ref("look-role", "name"),
        policyArns=[BASIC, f"{AWS}/job-function/ViewOnlyAccess", f"{AWS}/SecurityAudit"],
    )
    bare(scene, "look")
    alarmed(scene, "look")


def log_insights(scene: Scene) -> None:
    """Runs a query of Logs Insights for the minutes before the alarm, and posts the answer."""
    function(
        scene,
        "query",
        {
            "Action": ["logs:StartQuery", "logs:StopQuery", "logs:GetQueryResults", "logs:DescribeLogGroups"],
            "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*",
        },
        {"Action": ["cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics"], "Resource": "*"},
        secret(scene, "webhook"),
    )
    alarmed(scene, "query")


def stopped_tasks(scene: Scene) -> None:
    """Says why tasks of ECS stopped: by their events, and when the service's alarm fires."""
    describes = [f"ecs:{name}" for name in ("DescribeTasks", "DescribeServices", "ListTasks")]
    function(
        scene, "why", {"Action": describes, "Resource": "*"}, {"Action": "ecr:BatchGetImage", "Resource": "*"}
    )
    stopped: dict[str, Any] = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"lastStatus": ["STOPPED"]},
    }
    on_events(scene, "stopped", "why", stopped)
    topic(scene, "alerts", "oncall@example.com")
    subscribe(scene, "alerts", "why")
    of = {"ClusterName": "web", "ServiceName": "web"}
    alarm(scene, "cpu", "AWS/ECS:CPUUtilization", of, ALERTS, statistic="Average", threshold=90)


def slow_queries(scene: Scene) -> None:
    """Downloads a database's log and reads Performance Insights when its alarm fires."""
    scene.add("rds.Instance", "db", instanceClass="db.t4g.micro", engine="mysql", allocatedStorage=20)
    function(
        scene,
        "slow",
        {
            "Action": ["rds:DescribeDBLogFiles", "rds:DownloadDBLogFilePortion", "rds:DescribeDBInstances"],
            "Resource": "*",
        },
        {"Action": ["pi:GetResourceMetrics", "pi:DescribeDimensionKeys"], "Resource": "*"},
    )
    topic(scene, "alerts", "oncall@example.com")
    subscribe(scene, "alerts", "slow")
    of = {"DBInstanceIdentifier": Ref("db", "id")}
    alarm(scene, "cpu", "AWS/RDS:CPUUtilization", of, ALERTS, statistic="Average", threshold=90)


def evidence(scene: Scene) -> None:
    """Keeps logs, traces and configuration at the time of an alarm in a bucket with an own key."""
    arn = bucket(scene, "evidence")
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    scene.add("kms.Key", "key", policy=document({"Action": "kms:*", "Principal": root, "Resource": "*"}))
    scene.add(
        "s3.BucketServerSideEncryptionConfiguration",
        "evidence-sealed",
        bucket=Ref("evidence", "id"),
        rules=[
            {
                "applyServerSideEncryptionByDefault": {
                    "sseAlgorithm": "aws:kms",
                    "kmsMasterKeyId": Ref("key"),
                }
            }
        ],
    )
    function(
        scene,
        "keep",
        {
            "Action": ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload"],
            "Resource": f"{arn}/*",
        },
        {
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*",
        },
        {
            "Action": [
                "logs:FilterLogEvents",
                "xray:GetTraceSummaries",
                "xray:BatchGetTraces",
                "lambda:GetFunctionConfiguration",
                "lambda:ListVersionsByFunction",
                "cloudtrail:LookupEvents",
                "config:SelectResourceConfig",
            ],
            "Resource": "*",
        },
    )
    alarmed(scene, "keep")


def last_deployments(scene: Scene) -> None:
    """Says what was deployed last, from CodePipeline and CodeDeploy, with policies as separate resources."""
    scene.add("iam.Role", "who-role", assumeRolePolicy=trust("lambda"))
    reads = [
        "codepipeline:List*",
        "codepipeline:Get*",
        "codedeploy:List*",
        "codedeploy:Get*",
        "codedeploy:BatchGet*",
    ]
    scene.add("iam.Policy", "who-reads", policy=document({"Action": reads, "Resource": ["*"]}))
    scene.add(
        "iam.PolicyAttachment", "who-attached", policyArn=Ref("who-reads"), roles=[Ref("who-role", "name")]
    )
    scene.add("iam.RolePolicyAttachment", "who-basic", role=Ref("who-role", "name"), policyArn=BASIC)
    bare(scene, "who")
    alarmed(scene, "who")


def bounded(scene: Scene) -> None:
    """A notifier in a company with a permissions boundary for all roles, given by its ARN."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/company-boundary"
    role(scene, "slack-role", permissionsBoundary=boundary, path="/service/")
    attach(scene, "slack-basic", "slack-role")
    allows(scene, "slack-policy", "slack-role", secret(scene, "webhook"))
    bare(scene, "slack")
    alarmed(scene, "slack")


def cross_account(scene: Scene) -> None:
    """Lambda of an operations account that lists alarms of the member accounts through a sink of OAM."""
    scene.add("oam.Sink", "monitoring")
    function(
        scene,
        "overview",
        {
            "Action": ["oam:ListAttachedLinks", "cloudwatch:DescribeAlarms", "cloudwatch:ListMetrics"],
            "Resource": "*",
        },
        {"Action": ["organizations:ListAccounts", "organizations:DescribeAccount"], "Resource": "*"},
    )
    alarmed(scene, "overview")


def cached_lookup(scene: Scene) -> None:
    """Looks up who owns a resource, from tags and an inventory table that another job fills."""
    table(scene, "owners")
    function(
        scene,
        "owner",
        {"Action": ["dynamodb:GetItem", "dynamodb:BatchGetItem"], "Resource": text("owners")},
        {"Action": ["tag:GetResources", "resource-groups:SearchResources"], "Resource": "*"},
        secret(scene, "webhook"),
    )
    alarmed(scene, "owner")
    function(scene, "inventory", {"Action": "dynamodb:BatchWriteItem", "Resource": text("owners")})
    scene.add("cloudwatch.EventRule", "daily", scheduleExpression="rate(1 day)")
    scene.add("cloudwatch.EventTarget", "daily-target", rule=Ref("daily", "name"), arn=Ref("inventory"))


INNOCENTS = [
    Innocent("a look around by ReadOnlyAccess", read_only, "triage functions with AWS's read-only policy"),
    Innocent("a look at one's services", of_cloudwatch, "the same by the services' read-only policies"),
    Innocent("an auditor's look", view_only, "ViewOnlyAccess and SecurityAudit, exclusive attachments"),
    Innocent("logs queried", log_insights, "Logs Insights on alarm, AWS blog designs"),
    Innocent("why tasks stopped", stopped_tasks, "ECS stopped-task notifiers"),
    Innocent("slow queries", slow_queries, "RDS log and Performance Insights on alarm"),
    Innocent("evidence kept", evidence, "incident evidence collectors"),
    Innocent(
        "what was deployed last", last_deployments, "change correlation from CodePipeline and CodeDeploy"
    ),
    Innocent("a notifier with a company's boundary", bounded, "landing zones with a boundary for all roles"),
    Innocent("alarms of member accounts", cross_account, "CloudWatch cross-account observability"),
    Innocent("whose resource it is", cached_lookup, "owner look-up from an inventory table"),
]
