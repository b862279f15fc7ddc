"""Other ways to reach people, and what people look at: calls, pages, dashboards, webhooks of one's own."""

from typing import Any

from tests.policies.innocents.shapes import (
    BASIC,
    allows,
    attach,
    bare,
    errors,
    function,
    on_events,
    permit,
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
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")


def told_by(scene: Scene, name: str, *statements: dict[str, Any], **properties: Any) -> None:
    """Register orders, its alarm, and a function that the alarm's topic calls."""
    service(scene)
    topic(scene, "alerts")
    function(scene, name, *statements, **properties)
    subscribe(scene, "alerts", name)
    errors(scene, "orders-errors", "orders", ALERTS)


def voice_call(scene: Scene) -> None:
    """Calls the engineer by Amazon Connect, with a spoken text, and sends a text message as well."""
    instance = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/abc"
    told_by(
        scene,
        "call",
        {"Action": "connect:StartOutboundVoiceContact", "Resource": f"{instance}/contact/*"},
        {"Action": "polly:SynthesizeSpeech", "Resource": "*"},
        {
            "Action": "sms-voice:SendTextMessage",
            "Resource": f"arn:aws:sms-voice:{REGION}:{ACCOUNT}:phone-number/*",
        },
    )


def pages(scene: Scene) -> None:
    """Engages a contact of Incident Manager, and opens a support case for what is critical."""
    contact = f"arn:aws:ssm-contacts:{REGION}:{ACCOUNT}:contact/oncall"
    told_by(
        scene,
        "page",
        {"Action": ["ssm-contacts:StartEngagement", "ssm-contacts:GetContact"], "Resource": contact},
        {"Action": ["support:CreateCase", "support:AddCommunicationToCase"], "Resource": "*"},
    )


def live_dashboard(scene: Scene) -> None:
    """Pushes alarms to browsers by a WebSocket API; the table of connections is the API's own."""
    table(scene, "connections")
    scene.add(
        "apigatewayv2.Api",
        "live",
        protocolType="WEBSOCKET",
        routeSelectionExpression="$request.body.action",
    )
    told_by(
        scene,
        "push",
        {"Action": ["dynamodb:Scan", "dynamodb:DeleteItem"], "Resource": text("connections")},
        {
            "Action": "execute-api:ManageConnections",
            "Resource": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*/live/POST/@connections/*",
        },
        environment={"variables": {"TABLE": Ref("connections", "name")}},
    )
    for name in ("connect", "disconnect"):
        function(
            scene,
            name,
            {"Action": ["dynamodb:PutItem", "dynamodb:DeleteItem"], "Resource": text("connections")},
        )
        source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc123/*/${name}"
        permit(scene, f"live-may-call-{name}", name, "apigateway", source)


def static_status_page(scene: Scene) -> None:
    """Writes a status page as files of a website, which CloudFront shows to everybody."""
    arn = bucket(scene, "status")
    told_by(
        scene,
        "publish",
        {"Action": "s3:PutObject", "Resource": f"{arn}/*"},
        {"Action": "cloudwatch:DescribeAlarms", "Resource": "*"},
        environment={"variables": {"BUCKET": Ref("status", "name")}},
    )
    scene.add(
        "cloudfront.OriginAccessControl", "oac", originAccessControlOriginType="s3", signingBehavior="always"
    )
    scene.add(
        "cloudfront.Distribution",
        "site",
        enabled=True,
        origins=[{"domainName": f"{physical('status')}.s3.amazonaws.com", "originId": "status"}],
        defaultCacheBehavior={
            "targetOriginId": "status",
            "viewerProtocolPolicy": "redirect-to-https",
            "allowedMethods": ["GET", "HEAD"],
            "cachedMethods": ["GET", "HEAD"],
        },
        restrictions={"geoRestriction": {"restrictionType": "none"}},
        viewerCertificate={"cloudfrontDefaultCertificate": True},
    )
    may = document(
        {
            "Action": "s3:GetObject",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Resource": f"{arn}/*",
        }
    )
    scene.add("s3.BucketPolicy", "status-read", bucket=Ref("status", "id"), policy=may)


def function_url(scene: Scene) -> None:
    """The topic posts to a notifier's own URL by https; the URL asks for no authorization."""
    service(scene)
    topic(scene, "alerts")
    function(scene, "hook", secret(scene, "webhook"))
    scene.add("lambda.FunctionUrl", "hook-url", functionName=Ref("hook", "name"), authorizationType="NONE")
    scene.add(
        "sns.TopicSubscription", "to-hook", topic=ALERTS, protocol="https", endpoint=Ref("hook-url", "url")
    )
    errors(scene, "orders-errors", "orders", ALERTS)


def own_webhook(scene: Scene) -> None:
    """The topic posts to an HTTP API whose function only tells."""
    service(scene)
    topic(scene, "alerts")
    function(scene, "hook", secret(scene, "webhook"))
    scene.add("apigatewayv2.Api", "hooks", protocolType="HTTP", target=Ref("hook"))
    permit(scene, "hooks-may-call", "hook", "apigateway", Ref("hooks", suffix="/*/*"))
    endpoint = Ref("hooks", "url", "alarms")
    scene.add("sns.TopicSubscription", "to-hooks", topic=ALERTS, protocol="https", endpoint=endpoint)
    errors(scene, "orders-errors", "orders", ALERTS)


def slash_command(scene: Scene) -> None:
    """A notifier that also answers people's questions in Slack, by its URL: it looks things up."""
    told_by(
        scene,
        "bot",
        {"Action": ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"], "Resource": "*"},
        {"Action": ["cognito-idp:AdminGetUser", "cognito-idp:ListUsers"], "Resource": "*"},
        secret(scene, "signing"),
    )
    scene.add("lambda.FunctionUrl", "bot-url", functionName=Ref("bot", "name"), authorizationType="NONE")
    scene.add(
        "lambda.Permission",
        "bot-open",
        action="lambda:InvokeFunctionUrl",
        function=Ref("bot", "name"),
        principal="*",
        functionUrlAuthType="NONE",
    )


def own_alarm(scene: Scene) -> None:
    """A notifier whose own errors ring the topic that calls it, and people by mail."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)
    errors(scene, "slack-errors", "slack", ALERTS, okActions=[ALERTS])


def configured(scene: Scene) -> None:
    """Reads what to tell whom from AppConfig and the parameter store, as Powertools does."""
    told_by(
        scene,
        "route",
        {
            "Action": ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"],
            "Resource": f"arn:aws:appconfig:{REGION}:{ACCOUNT}:application/*",
        },
        {
            "Action": ["ssm:GetParameter", "ssm:GetParametersByPath"],
            "Resource": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/alerts/*",
        },
        {"Action": ["identitystore:ListUsers", "sts:GetCallerIdentity"], "Resource": "*"},
    )


def open_topic(scene: Scene) -> None:
    """A topic with the policy that the console gives it, which lets the whole account publish."""
    told_by(scene, "slack")
    may = document(
        {
            "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:SetTopicAttributes", "SNS:AddPermission"],
            "Principal": {"AWS": "*"},
            "Resource": ALERTS,
            "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
        }
    )
    scene.add("sns.TopicPolicy", "alerts-policy", arn=ALERTS, policy=may)


def in_the_topic(scene: Scene) -> None:
    """The topic's policy in the topic itself, and delivery status to logs by its feedback roles."""
    service(scene)
    role(scene, "feedback-role", "sns")
    logs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:PutRetentionPolicy"]
    allows(scene, "feedback-policy", "feedback-role", {"Action": logs, "Resource": "*"})
    everybody: dict[str, Any] = {"Action": "sns:Publish", "Principal": "*", "Resource": "*"}
    topic(
        scene,
        "alerts",
        policy=document(everybody | {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}),
        lambdaFailureFeedbackRoleArn=Ref("feedback-role"),
        lambdaSuccessFeedbackRoleArn=Ref("feedback-role"),
        lambdaSuccessFeedbackSampleRate=100,
    )
    function(scene, "slack")
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def exclusive(scene: Scene) -> None:
    """A role whose inline and attached policies are declared to be all that it has; denials besides."""
    service(scene)
    topic(scene, "alerts")
    scene.add("iam.Role", "slack-role", assumeRolePolicy=trust("lambda"), forceDetachPolicies=True)
    attach(scene, "slack-basic", "slack-role")
    held = scene.add(
        "iam.RolePolicy",
        "slack-policy",
        name="slack",
        role=Ref("slack-role", "id"),
        policy=document(
            secret(scene, "webhook"),
            {"Effect": "Deny", "NotAction": ["logs:*", "secretsmanager:*", "kms:Decrypt"], "Resource": "*"},
        ),
    )
    scene.add(
        "iam.RolePoliciesExclusive",
        "slack-inline",
        roleName=Ref("slack-role", "name"),
        policyNames=[held.physical],
    )
    scene.add(
        "iam.RolePolicyAttachmentsExclusive",
        "slack-all",
        roleName=Ref("slack-role", "name"),
        policyArns=[BASIC],
    )
    bare(scene, "slack")
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def helper(scene: Scene) -> None:
    """A notifier that has another function render the message, and a third one translate it."""
    service(scene)
    topic(scene, "alerts")
    function(scene, "render", {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::templates/*"})
    function(scene, "translate", {"Action": "translate:TranslateText", "Resource": "*"})
    function(
        scene,
        "slack",
        {"Action": "lambda:InvokeFunction", "Resource": [text("render"), text("translate")]},
        secret(scene, "webhook"),
    )
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def destinations(scene: Scene) -> None:
    """A notifier with destinations: what it told goes to an audit queue, what failed to people."""
    told_by(
        scene,
        "slack",
        {"Action": ["sqs:SendMessage", "sns:Publish"], "Resource": [text("audit"), text("failed")]},
    )
    scene.add("sqs.Queue", "audit")
    topic(scene, "failed", "oncall@example.com")
    scene.add(
        "lambda.FunctionEventInvokeConfig",
        "slack-events",
        functionName=Ref("slack", "name"),
        maximumRetryAttempts=2,
        destinationConfig={
            "onSuccess": {"destination": Ref("audit")},
            "onFailure": {"destination": Ref("failed")},
        },
    )


def aliased(scene: Scene) -> None:
    """A notifier with versions: the topic calls its alias."""
    service(scene)
    topic(scene, "alerts")
    function(scene, "slack", secret(scene, "webhook"), publish=True)
    scene.add("lambda.Alias", "live", name="live", functionName=Ref("slack", "name"), functionVersion="3")
    permit(scene, "alerts-may-call", "slack", "sns", ALERTS, qualifier=Ref("live", "name"))
    scene.add("sns.TopicSubscription", "to-live", topic=ALERTS, protocol="lambda", endpoint=Ref("live"))
    errors(scene, "orders-errors", "orders", ALERTS)


def maintenance(scene: Scene) -> None:
    """Alarms that are off in development, and a window in which those of the stack are muted."""
    told_by(scene, "slack")
    scene.find("orders-errors").put("actionsEnabled", to=False)
    scene.add(
        "cloudwatch.AlarmMuteRule",
        "weekly",
        muteTargets={"alarmNames": [Ref("orders-errors", "name")]},
        rule={"schedule": {"expression": "cron(0 2 * * SUN *)", "duration": "PT4H"}},
    )


def odd_names(scene: Scene) -> None:
    """Composite alarms of alarms whose names have brackets, apostrophes and spaces."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    for number, name in enumerate(("5xx (API)", "team's latency", "prod: orders OR stock")):
        errors(scene, f"part-{number}", "orders").put("name", to=name)
    scene.add(
        "cloudwatch.CompositeAlarm",
        "unwell",
        alarmName="Orders (all): it's bad",
        alarmRule='(ALARM("5xx (API)") AND NOT INSUFFICIENT_DATA("team\'s latency")) OR '
        'AT_LEAST(2, ALARM, ("5xx (API)", "team\'s latency", "prod: orders OR stock"))',
        alarmActions=[ALERTS],
    )
    scene.add(
        "cloudwatch.CompositeAlarm",
        "everything",
        alarmName="everything",
        alarmRule='ALARM("Orders (all): it\'s bad") OR TRUE',
        insufficientDataActions=[ALERTS],
    )


def every_event(scene: Scene) -> None:
    """All events of the account, alarms among them, to a function that keeps them in OpenSearch."""
    function(
        scene,
        "keep",
        {
            "Action": ["es:ESHttpPost", "es:ESHttpPut"],
            "Resource": f"arn:aws:es:{REGION}:{ACCOUNT}:domain/events/*",
        },
        {"Action": ["timestream:WriteRecords", "timestream:DescribeEndpoints"], "Resource": "*"},
    )
    on_events(scene, "all", "keep", {"account": [ACCOUNT]})


def shared_orders_bus(scene: Scene) -> None:
    """A bus that other accounts may feed, whose rule admits orders only and runs what changes data."""
    scene.add("cloudwatch.EventBus", "shop")
    may = {"Action": "events:PutEvents", "Principal": {"AWS": "111122223333"}, "Resource": text("shop")}
    scene.add("cloudwatch.EventBusPolicy", "shop-may", eventBusName=Ref("shop", "name"), policy=document(may))
    table(scene, "shipments")
    function(
        scene,
        "ship",
        {"Action": "dynamodb:PutItem", "Resource": text("shipments")},
        {"Action": "ecs:RunTask", "Resource": "*"},
    )
    pattern = {"source": ["shop.orders"], "detail-type": [{"prefix": "Order"}]}
    on_events(scene, "orders", "ship", pattern).put("eventBusName", to=Ref("shop", "name"))
    scene.find("orders-target").put("eventBusName", to=Ref("shop", "name"))
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "ship-errors", "ship", ALERTS)


def other_sources(scene: Scene) -> None:
    """A rule on everything but CloudWatch's own events, whose function changes tags of new things."""
    function(scene, "tag", {"Action": "tag:TagResources", "Resource": "*"})
    everything_else: dict[str, Any] = {"source": [{"anything-but": ["aws.cloudwatch"]}]}
    on_events(scene, "others", "tag", everything_else)
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "tag-errors", "tag", ALERTS)


def batch(scene: Scene) -> None:
    """A nightly workflow that runs a container and waits for it, with alarms to people."""
    scene.add("ecs.Cluster", "jobs")
    scene.add("ecs.TaskDefinition", "report", family="report", containerDefinitions="[]")
    role(scene, "night-role", "states")
    allows(
        scene,
        "night-policy",
        "night-role",
        {"Action": ["ecs:RunTask", "ecs:StopTask", "ecs:DescribeTasks"], "Resource": "*"},
        {"Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"], "Resource": "*"},
        {"Action": "iam:PassRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/report-task"},
    )
    run = {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.sync",
        "Parameters": {"Cluster": Ref("jobs", "name"), "TaskDefinition": "report", "LaunchType": "FARGATE"},
        "Retry": [
            {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}
        ],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
        "End": True,
    }
    definition = {"StartAt": "Run", "States": {"Run": run, "Failed": {"Type": "Fail"}}}
    scene.add("sfn.StateMachine", "night", roleArn=Ref("night-role"), definition=Json(definition))
    role(scene, "clock-role", "scheduler")
    starts = {"Action": "states:StartExecution", "Resource": text("night")}
    allows(scene, "clock-policy", "clock-role", starts)
    scene.add(
        "scheduler.Schedule",
        "nightly",
        flexibleTimeWindow={"mode": "FLEXIBLE", "maximumWindowInMinutes": 15},
        scheduleExpression="cron(0 1 * * ? *)",
        target={"arn": Ref("night"), "roleArn": Ref("clock-role")},
    )
    topic(scene, "alerts", "oncall@example.com")
    scene.add(
        "cloudwatch.MetricAlarm",
        "night-failed",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=1,
        threshold=0,
        namespace="AWS/States",
        metricName="ExecutionsFailed",
        period=300,
        statistic="Sum",
        dimensions={"StateMachineArn": Ref("night")},
        alarmActions=[ALERTS],
    )


INNOCENTS = [
    Innocent("a voice call", voice_call, "on-call phone calls with Amazon Connect"),
    Innocent("a page and a support case", pages, "Incident Manager contacts, AWS Support cases"),
    Innocent("a live dashboard", live_dashboard, "API Gateway WebSocket push, serverless-chat shape"),
    Innocent("a static status page", static_status_page, "S3 and CloudFront status pages"),
    Innocent("a function url behind a topic", function_url, "SNS https subscription to a function URL"),
    Innocent("a webhook of one's own", own_webhook, "SNS https subscription to an HTTP API"),
    Innocent("a bot with a slash command", slash_command, "Slack bots on function URLs"),
    Innocent("a notifier that tells of itself", own_alarm, "alarms on the notifier, to the same topic"),
    Innocent("a notifier with configuration", configured, "Powertools parameters and feature flags"),
    Innocent("a topic open to the account", open_topic, "the default policy of the console"),
    Innocent("a topic with feedback", in_the_topic, "SNS delivery status logging"),
    Innocent("exclusive policies", exclusive, "RolePoliciesExclusive and attachments exclusive"),
    Innocent("a notifier with helpers", helper, "render and translate functions of a notifier"),
    Innocent("a notifier with destinations", destinations, "Lambda destinations guide"),
    Innocent("a notifier by its alias", aliased, "versioned notifiers"),
    Innocent("muted for maintenance", maintenance, "CloudWatch alarm mute rules"),
    Innocent("alarms with odd names", odd_names, "composite alarms over hand-named alarms"),
    Innocent("every event kept", every_event, "account-wide event search in OpenSearch, Timestream"),
    Innocent("a bus for other accounts' orders", shared_orders_bus, "cross-account domain buses"),
    Innocent("everything but alarms", other_sources, "a rule with anything-but"),
    Innocent("a nightly container", batch, "Step Functions runs an ECS task by schedule"),
]
