"""What vendors of monitoring have their customers install, and stacks inside stacks."""

from tests.policies.innocents.shapes import (
    AWS,
    alarm,
    allows,
    attach,
    bare,
    errors,
    function,
    role,
    service,
    subscribe,
    topic,
)
from tests.policies.innocents.table import Innocent
from tests.policies.innocents.tickets import bucket, firehose
from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene

ALERTS = Ref("alerts")


def forwarder(scene: Scene) -> None:
    """A vendor's forwarder: reads every bucket and the tags, keeps a cache in its own, tags nothing."""
    service(scene)
    topic(scene, "alerts")
    cache = bucket(scene, "cache")
    function(
        scene,
        "forward",
        {"Action": "s3:GetObject", "Resource": "*"},
        {"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": f"{cache}/*"},
        {"Action": "s3:ListBucket", "Resource": cache},
        {"Action": ["tag:GetResources", "lambda:ListTags", "logs:ListTagsForResource"], "Resource": "*"},
        {"Action": "secretsmanager:GetSecretValue", "Resource": "*"},
        memorySize=1024,
        timeout=120,
        reservedConcurrentExecutions=100,
    )
    subscribe(scene, "alerts", "forward")
    errors(scene, "orders-errors", "orders", ALERTS)


def metric_stream(scene: Scene) -> None:
    """Metrics to a vendor by Firehose, its own errors to people."""
    firehose(scene, bucket(scene, "lake"))
    role(scene, "metrics-role", "streams.metrics.cloudwatch")
    puts = {"Action": ["firehose:PutRecord", "firehose:PutRecordBatch"], "Resource": text("lake-stream")}
    allows(scene, "metrics-policy", "metrics-role", puts)
    scene.add(
        "cloudwatch.MetricStream",
        "metrics",
        firehoseArn=Ref("lake-stream"),
        roleArn=Ref("metrics-role"),
        outputFormat="opentelemetry1.0",
    )
    topic(scene, "alerts", "oncall@example.com")
    late = {"DeliveryStreamName": Ref("lake-stream", "name")}
    alarm(scene, "late", "AWS/Firehose:DeliveryToS3.DataFreshness", late, ALERTS, threshold=900)


def third_party_role(scene: Scene) -> None:
    """A role that a vendor's account assumes with an external id to look around."""
    service(scene)
    statement = {
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::464622532012:root"},
        "Condition": {"StringEquals": {"sts:ExternalId": "abc"}},
    }
    scene.add("iam.Role", "vendor-role", assumeRolePolicy=document(statement))
    attach(scene, "vendor-audit", "vendor-role", f"{AWS}/SecurityAudit")
    topic(scene, "alerts")
    scene.add(
        "sns.TopicSubscription",
        "vendor",
        topic=ALERTS,
        protocol="https",
        endpoint="https://app.example.com/intake/webhook/sns?api_key=abc",
        deliveryPolicy=Json({"healthyRetryPolicy": {"numRetries": 20, "maxDelayTarget": 20}}),
    )
    errors(scene, "orders-errors", "orders", ALERTS)


def from_a_template(scene: Scene) -> None:
    """The vendor's CloudFormation stack, and an application of the Serverless Application Repository."""
    service(scene)
    scene.add(
        "cloudformation.Stack",
        "vendor",
        capabilities=["CAPABILITY_IAM"],
        parameters={"ApiKeySecret": "abc"},
        templateUrl="https://vendor-templates.s3.amazonaws.com/forwarder/latest.yaml",
    )
    scene.add(
        "serverlessrepository.CloudFormationStack",
        "slack",
        applicationId="arn:aws:serverlessrepo:us-east-1:289559741701:applications/cloudwatch-alarm-to-slack",
        capabilities=["CAPABILITY_IAM"],
        parameters={"Channel": "#alerts"},
    )
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "orders-errors", "orders", ALERTS)


def native(scene: Scene) -> None:
    """A notifier of the Cloud Control provider beside an alarm of the classic one."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    scene.add("aws-native:lambda:Function", "slack", role=f"arn:aws:iam::{ACCOUNT}:role/slack", code={})
    endpoint = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:slack"
    scene.add("sns.TopicSubscription", "to-slack", topic=ALERTS, protocol="lambda", endpoint=endpoint)
    errors(scene, "orders-errors", "orders", ALERTS)


def prometheus(scene: Scene) -> None:
    """Alarms counted in a managed Prometheus, which a managed Grafana shows."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    scene.add("amp.Workspace", "metrics", alias="metrics")
    role(scene, "grafana-role", "grafana")
    attach(scene, "grafana-reads", "grafana-role", f"{AWS}/service-role/AmazonGrafanaCloudWatchAccess")
    scene.add(
        "grafana.Workspace",
        "boards",
        accountAccessType="CURRENT_ACCOUNT",
        authenticationProviders=["AWS_SSO"],
        permissionType="SERVICE_MANAGED",
        roleArn=Ref("grafana-role"),
        dataSources=["CLOUDWATCH", "PROMETHEUS"],
        notificationDestinations=["SNS"],
    )
    role(scene, "count-role")
    attach(scene, "count-basic", "count-role")
    writes = {"Action": "aps:RemoteWrite", "Resource": f"arn:aws:aps:{REGION}:{ACCOUNT}:workspace/*"}
    allows(scene, "count-policy", "count-role", writes)
    bare(scene, "count")
    subscribe(scene, "alerts", "count")
    errors(scene, "orders-errors", "orders", ALERTS)


def findings(scene: Scene) -> None:
    """Turns alarms into findings of Security Hub, and evaluations of a custom rule of Config."""
    service(scene)
    topic(scene, "alerts")
    function(
        scene,
        "import",
        {"Action": "securityhub:BatchImportFindings", "Resource": "*"},
        {"Action": "config:PutEvaluations", "Resource": "*"},
        {
            "Action": "sagemaker:InvokeEndpoint",
            "Resource": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/triage",
        },
    )
    subscribe(scene, "alerts", "import")
    errors(scene, "orders-errors", "orders", ALERTS)


INNOCENTS = [
    Innocent("a vendor's forwarder", forwarder, "log and alarm forwarders of monitoring vendors"),
    Innocent("a metric stream", metric_stream, "CloudWatch metric streams to a vendor"),
    Innocent("a vendor's role and webhook", third_party_role, "cross-account read-only integrations"),
    Innocent("a vendor's template", from_a_template, "CloudFormation and SAR installs beside a program"),
    Innocent("a notifier of cloud control", native, "aws-native beside aws"),
    Innocent("alarms in prometheus", prometheus, "Amazon Managed Prometheus and Grafana"),
    Innocent("alarms as findings", findings, "Security Hub imports"),
]
