"""Functions that change infrastructure by design and that no alarm wakes: deployers, jobs, resources."""

from typing import Any

from tests.policies.innocents.shapes import (
    AWS,
    BASIC,
    attach,
    bare,
    errors,
    function,
    hourly,
    on_events,
    permit,
    role,
    secret,
    service,
    subscribe,
    topic,
)
from tests.policies.innocents.table import Innocent
from tests.policies.innocents.tickets import bucket
from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")
TRAIL = "AWS API Call via CloudTrail"


def watched(scene: Scene, name: str) -> None:
    """Tell people of the errors of a function."""
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, f"{name}-errors", name, ALERTS)


def deployer(scene: Scene) -> None:
    """An upload of code to a bucket runs a function that deploys it; people hear when that fails."""
    service(scene)
    arn = bucket(scene, "code")
    function(
        scene,
        "deploy",
        {"Action": ["lambda:UpdateFunctionCode", "lambda:PublishVersion"], "Resource": text("orders")},
        {"Action": "s3:GetObject", "Resource": f"{arn}/*"},
    )
    permit(scene, "code-may-call", "deploy", "s3", Ref("code"))
    scene.add(
        "s3.BucketNotification",
        "code-uploaded",
        bucket=Ref("code", "id"),
        lambdaFunctions=[{"lambdaFunctionArn": Ref("deploy"), "events": ["s3:ObjectCreated:*"]}],
    )
    watched(scene, "deploy")


def pipeline_step(scene: Scene) -> None:
    """A step of CodePipeline that shifts an alias, called by the pipeline alone."""
    service(scene)
    function(
        scene,
        "shift",
        {
            "Action": ["lambda:UpdateAlias", "lambda:GetAlias"],
            "Resource": [text("orders"), text("orders", ":*")],
        },
        {
            "Action": ["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"],
            "Resource": "*",
        },
    )
    pipeline = f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:shop"
    permit(scene, "pipeline-may-call", "shift", "codepipeline", pipeline)
    watched(scene, "shift")


def continuous_delivery(scene: Scene) -> None:
    """The role of a CI service by OIDC, with wide rights and no function, beside a notifier."""
    service(scene)
    federated = {
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {
            "Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
        },
        "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/shop:*"}},
    }
    scene.add("iam.Role", "ci-role", assumeRolePolicy=document(federated))
    scene.add(
        "iam.RolePolicyAttachment",
        "ci-power",
        role=Ref("ci-role", "name"),
        policyArn=f"{AWS}/PowerUserAccess",
    )
    topic(scene, "alerts")
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def custom_resource(scene: Scene) -> None:
    """A function that fills a bucket and invalidates a distribution while Pulumi deploys."""
    arn = bucket(scene, "site")
    function(
        scene,
        "publish",
        {"Action": ["s3:PutObject", "s3:DeleteObject", "s3:ListBucket"], "Resource": [arn, f"{arn}/*"]},
        {"Action": ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"], "Resource": "*"},
        timeout=600,
    )
    scene.add(
        "lambda.Invocation",
        "published",
        functionName=Ref("publish", "name"),
        input=Json({"version": "1.2.3"}),
        lifecycleScope="CRUD",
    )
    watched(scene, "publish")


def rotation(scene: Scene) -> None:
    """Rotates a secret, as Secrets Manager's templates do, and is watched."""
    scene.add("secretsmanager.Secret", "db")
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{physical('db')}-*"
    names = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
    function(
        scene,
        "rotate",
        {"Action": [f"secretsmanager:{name}" for name in names], "Resource": arn},
        {"Action": "secretsmanager:GetRandomPassword", "Resource": "*"},
    )
    permit(scene, "secrets-may-call", "rotate", "secretsmanager", Ref("db"))
    scene.add(
        "secretsmanager.SecretRotation",
        "db-rotation",
        secretId=Ref("db", "id"),
        rotationLambdaArn=Ref("rotate"),
        rotationRules={"automaticallyAfterDays": 30},
    )
    watched(scene, "rotate")


def log_retention(scene: Scene) -> None:
    """Sets the retention of each new log group, by CloudTrail's event of its creation."""
    sets = ["logs:PutRetentionPolicy", "logs:TagResource"]
    function(scene, "retain", {"Action": sets, "Resource": f"arn:aws:logs:*:{ACCOUNT}:log-group:*"})
    created: dict[str, Any] = {
        "source": ["aws.logs"],
        "detail-type": [TRAIL],
        "detail": {"eventName": ["CreateLogGroup"]},
    }
    on_events(scene, "created", "retain", created)
    watched(scene, "retain")


def tagger(scene: Scene) -> None:
    """Tags what people create with their name, and makes the alarms of new instances."""
    function(
        scene,
        "tag",
        {"Action": ["ec2:CreateTags", "tag:TagResources"], "Resource": "*"},
        {"Action": ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"], "Resource": "*"},
    )
    runs = {"source": ["aws.ec2"], "detail-type": [TRAIL], "detail": {"eventName": ["RunInstances"]}}
    on_events(scene, "created", "tag", runs)
    watched(scene, "tag")


def snapshots(scene: Scene) -> None:
    """Deletes old snapshots every night; people hear when it fails."""
    function(scene, "clean", {"Action": ["ec2:DescribeSnapshots", "ec2:DeleteSnapshot"], "Resource": "*"})
    hourly(scene, "nightly", "clean", "cron(0 3 * * ? *)")
    watched(scene, "clean")


def office_hours(scene: Scene) -> None:
    """Stops development instances in the evening and starts them in the morning, by two schedules."""
    machines = {"StringEquals": {"aws:ResourceTag/Schedule": "office"}}
    changes = ["ec2:StartInstances", "ec2:StopInstances"]
    function(scene, "office", {"Action": changes, "Resource": "*", "Condition": machines})
    role(scene, "clock-role", "scheduler")
    for name, hour in (("morning", 7), ("evening", 19)):
        scene.add(
            "scheduler.Schedule",
            name,
            flexibleTimeWindow={"mode": "OFF"},
            scheduleExpression=f"cron(0 {hour} ? * MON-FRI *)",
            target={"arn": Ref("office"), "roleArn": Ref("clock-role"), "input": Json({"what": name})},
        )
    scene.add(
        "iam.RolePolicy",
        "clock-policy",
        role=Ref("clock-role", "name"),
        policy=document({"Action": "lambda:InvokeFunction", "Resource": text("office")}),
    )
    watched(scene, "office")


def failed_backups(scene: Scene) -> None:
    """AWS Backup and image scans tell people, RDS events too: topics only."""
    topic(scene, "alerts", "oncall@example.com")
    scene.add("backup.Vault", "vault")
    scene.add(
        "backup.VaultNotifications",
        "vault-told",
        backupVaultName=Ref("vault", "name"),
        backupVaultEvents=["BACKUP_JOB_FAILED"],
        snsTopicArn=ALERTS,
    )
    scene.add(
        "cloudwatch.EventRule",
        "scanned",
        eventPattern=Json({"source": ["aws.ecr"], "detail-type": ["ECR Image Scan"]}),
    )
    scene.add("cloudwatch.EventTarget", "scanned-target", rule=Ref("scanned", "name"), arn=ALERTS)


def bot(scene: Scene) -> None:
    """A chat command of people deploys by a function behind an API; a notifier of alarms stands beside it."""
    service(scene)
    function(scene, "command", {"Action": "lambda:UpdateAlias", "Resource": text("orders")})
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc123/*/POST/command"
    permit(scene, "api-may-call", "command", "apigateway", source)
    role(scene, "slack-role")
    attach(scene, "slack-basic", "slack-role", BASIC)
    bare(scene, "slack")
    topic(scene, "alerts")
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


INNOCENTS = [
    Innocent("a deployer by upload", deployer, "S3-triggered Lambda deployment samples"),
    Innocent("a step of a pipeline", pipeline_step, "CodePipeline: invoke a Lambda function"),
    Innocent("a ci role beside a notifier", continuous_delivery, "GitHub Actions OIDC with PowerUserAccess"),
    Innocent("a custom resource", custom_resource, "aws.lambda.Invocation on deployment"),
    Innocent("a secret rotated", rotation, "Secrets Manager rotation templates"),
    Innocent("retention of new log groups", log_retention, "auto-set CloudWatch log retention"),
    Innocent("tags and alarms of new instances", tagger, "CloudWatchAutoAlarms, auto-tag by CloudTrail"),
    Innocent("old snapshots deleted", snapshots, "EBS snapshot clean-up by schedule"),
    Innocent("office hours", office_hours, "Instance Scheduler on AWS"),
    Innocent("failed backups", failed_backups, "AWS Backup and ECR notifications"),
    Innocent("a chat command beside a notifier", bot, "ChatOps deployments"),
]
