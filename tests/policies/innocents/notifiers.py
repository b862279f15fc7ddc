"""Functions and services that tell people of alarms."""

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
    hourly,
    on_events,
    permit,
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
from tests.policies.support.references import Json, Lost, Ref
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")
LOGS = {
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:*:*:*",
}
ELSEWHERE = f"arn:aws:sns:{REGION}:111122223333:central-alerts"


def slack(scene: Scene) -> None:
    service(scene)
    topic(scene, "alerts")
    function(scene, "slack", secret(scene, "webhook"), environment={"variables": {"CHANNEL": "#alerts"}})
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS, okActions=[ALERTS])


def slack_with_encrypted_webhook(scene: Scene) -> None:
    """Decrypts its webhook with a key of its own; the topic is encrypted by the same key."""
    service(scene)
    may = document(
        {
            "Action": "kms:*",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Resource": "*",
        },
        {
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Resource": "*",
        },
    )
    scene.add("kms.Key", "key", policy=may, enableKeyRotation=True)
    scene.add("kms.Alias", "key-alias", name="alias/alerts", targetKeyId=Ref("key"))
    topic(scene, "alerts", kmsMasterKeyId=Ref("key"))
    decrypts = {
        "Action": ["kms:Decrypt", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/alerts"}},
    }
    function(scene, "slack", decrypts, kmsKeyArn=Ref("key"))
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def teams(scene: Scene) -> None:
    """As Node.js programs write it: the role's own inline policy, and a parameter."""
    service(scene)
    topic(scene, "alerts")
    scene.add(
        "ssm.Parameter", "webhook", name="/alerts/teams", type="SecureString", value="https://example.com"
    )
    reads = {"Action": "ssm:GetParameter", "Resource": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/alerts/*"}
    inline = {"name": "teams", "policy": document(reads, {"Action": "kms:Decrypt", "Resource": "*"})}
    role(scene, "teams-role", inlinePolicies=[inline], managedPolicyArns=[BASIC])
    bare(scene, "teams", runtime="nodejs22.x", tracingConfig={"mode": "Active"})
    subscribe(scene, "alerts", "teams", filterPolicy=Json({"severity": ["high"]}))
    errors(scene, "orders-errors", "orders", ALERTS)


def pagerduty(scene: Scene) -> None:
    """Two services of people, one by webhook and one by its integration with CloudWatch; no function."""
    service(scene)
    topic(scene, "alerts")
    for name, url in (
        ("pagerduty", "https://events.pagerduty.com/integration/abc/enqueue"),
        ("opsgenie", "https://api.opsgenie.com/v1/json/amazonsns?apiKey=abc"),
    ):
        scene.add(
            "sns.TopicSubscription",
            name,
            topic=ALERTS,
            protocol="https",
            endpoint=url,
            endpointAutoConfirms=True,
        )
    errors(scene, "orders-errors", "orders", ALERTS, okActions=[ALERTS])


def pagerduty_by_secret(scene: Scene) -> None:
    """The URL comes from configuration as a secret of another stack: nobody knows it at preview."""
    service(scene)
    topic(scene, "alerts")
    url = Lost("https://events.eu.pagerduty.com/integration/abc/enqueue")
    scene.add("sns.TopicSubscription", "pagerduty", topic=ALERTS, protocol="https", endpoint=url)
    errors(scene, "orders-errors", "orders", ALERTS)


def chatbot(scene: Scene) -> None:
    """Amazon Q Developer in chat applications, with guardrails that only read."""
    service(scene)
    topic(scene, "alerts")
    role(scene, "chat-role", "chatbot")
    attach(scene, "chat-reads", "chat-role", f"{AWS}/CloudWatchReadOnlyAccess")
    scene.add(
        "chatbot.SlackChannelConfiguration",
        "chat",
        configurationName="alerts",
        iamRoleArn=Ref("chat-role"),
        guardrailPolicyArns=[f"{AWS}/ReadOnlyAccess"],
        slackChannelId="C0123456789",
        slackTeamId="T0123456789",
        snsTopicArns=[ALERTS],
    )
    errors(scene, "orders-errors", "orders", ALERTS)


def chatbot_for_teams(scene: Scene) -> None:
    service(scene)
    topic(scene, "alerts")
    role(scene, "chat-role", "chatbot", managedPolicyArns=[f"{AWS}/CloudWatchReadOnlyAccess"])
    scene.add(
        "chatbot.TeamsChannelConfiguration",
        "chat",
        channelId="19%3ab6ef35dc342d56ba5654e6fc6a25@thread.tacv2",
        configurationName="alerts",
        iamRoleArn=Ref("chat-role"),
        snsTopicArns=[ALERTS],
        teamId="74361522-1288-4d3c-9a1c-8d7a3b0d8f11",
        tenantId="2f84b1d4-9d2a-4d73-8e16-6a4e1f0e8b2c",
    )
    errors(scene, "orders-errors", "orders", ALERTS)


def callback(scene: Scene) -> None:
    """`topic.onEvent` of the Node.js SDK with `policies` given.

    Without them a CallbackFunction attaches nine broad policies, AWSLambda_FullAccess first (lambdaMixins.ts
    of pulumi-aws): it may change any function, and is no innocent.
    """
    service(scene)
    topic(scene, "alerts")
    scene.add("iam.Role", "told-role", assumeRolePolicy=trust("lambda"))
    scene.add("iam.RolePolicyAttachment", "told-4aaabb8e", role=Ref("told-role", "id"), policyArn=BASIC)
    bare(scene, "told", handler="__index.handler", runtime="nodejs22.x", timeout=180)
    scene.add(
        "lambda.Permission",
        "told-permission",
        action="lambda:InvokeFunction",
        function=Ref("told", "id"),
        principal="sns.amazonaws.com",
        sourceArn=ALERTS,
    )
    scene.add("sns.TopicSubscription", "told-topic", topic=ALERTS, protocol="lambda", endpoint=Ref("told"))
    errors(scene, "orders-errors", "orders", ALERTS)


def alarm_calls_function(scene: Scene) -> None:
    """The function is the alarm's action: no topic in between."""
    service(scene)
    function(scene, "slack", secret(scene, "webhook"))
    errors(scene, "orders-errors", "orders", Ref("slack"), okActions=[Ref("slack")])
    permit(scene, "alarm-may-call", "slack", "lambda.alarms.cloudwatch", Ref("orders-errors"))


def by_event_rule(scene: Scene) -> None:
    service(scene)
    errors(scene, "orders-errors", "orders")
    function(scene, "slack", secret(scene, "webhook"))
    on_events(scene, "alarms", "slack")


def rule_of_alarms_elsewhere(scene: Scene) -> None:
    """A stack of its own that tells of every alarm of the account; it holds no alarm."""
    function(scene, "slack", secret(scene, "webhook"))
    on_events(
        scene,
        "alarms",
        "slack",
        {
            "source": ["aws.cloudwatch"],
            "detail-type": [{"prefix": "CloudWatch Alarm"}],
            "detail": {"state": {"value": ["ALARM", "INSUFFICIENT_DATA"]}},
        },
    )


def rule_to_topic(scene: Scene) -> None:
    """A rule with a transformed message to a topic that people read."""
    topic(scene, "alerts", "oncall@example.com")
    rule(
        scene,
        "alarms",
        ALERTS,
        inputTransformer={
            "inputPaths": {"name": "$.detail.alarmName", "state": "$.detail.state.value"},
            "inputTemplate": '"<name> is <state>"',
        },
    )
    may = document(
        {
            "Action": "sns:Publish",
            "Principal": {"Service": "events.amazonaws.com"},
            "Resource": ALERTS,
            "Condition": {"ArnEquals": {"aws:SourceArn": Ref("alarms")}},
        }
    )
    scene.add("sns.TopicPolicy", "alerts-policy", arn=ALERTS, policy=may)


def topic_of_another_stack(scene: Scene) -> None:
    """The platform team's topic, by StackReference: unknown at preview."""
    function(scene, "slack", secret(scene, "webhook"))
    shared = Lost(f"arn:aws:sns:{REGION}:{ACCOUNT}:platform-alerts")
    scene.add("sns.TopicSubscription", "slack-sub", topic=shared, protocol="lambda", endpoint=Ref("slack"))
    permit(scene, "may-call", "slack", "sns", shared)


def topic_of_another_account(scene: Scene) -> None:
    """Alarms ring a topic of the security account, whose ARN is written out."""
    service(scene)
    errors(scene, "orders-errors", "orders", ELSEWHERE, okActions=[ELSEWHERE])


def central_topic(scene: Scene) -> None:
    """The other end: a topic to which the alarms of the organization publish, and a function that tells."""
    topic(scene, "alerts", "oncall@example.com")
    statement = {
        "Action": "sns:Publish",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Resource": ALERTS,
        "Condition": {"StringEquals": {"aws:SourceOrgID": "o-abc123"}},
    }
    scene.add("sns.TopicPolicy", "alerts-policy", arn=ALERTS, policy=document(statement))
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")


def two_regions(scene: Scene) -> None:
    """The same notifier in two regions, of one role, by explicit providers."""
    role(scene, "slack-role", managedPolicyArns=[BASIC])
    for region in ("us-east-1", "eu-west-1"):
        service(scene, f"orders-{region}")
        topic(scene, f"alerts-{region}", region=region)
        bare(scene, f"slack-{region}", role=Ref("slack-role"), region=region)
        subscribe(scene, f"alerts-{region}", f"slack-{region}", region=region)
        errors(scene, f"errors-{region}", f"orders-{region}", Ref(f"alerts-{region}"), region=region)


def sms_and_mail(scene: Scene) -> None:
    service(scene)
    topic(scene, "alerts", "oncall@example.com", "manager@example.com")
    scene.add("sns.TopicSubscription", "phone", topic=ALERTS, protocol="sms", endpoint="+41790000000")
    errors(scene, "orders-errors", "orders", ALERTS, insufficientDataActions=[ALERTS])


def composite(scene: Scene) -> None:
    """Two alarms that ring nobody, one composite that rings people and a function."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders")
    alarm(scene, "orders-slow", "AWS/Lambda:Duration", {"FunctionName": Ref("orders", "name")})
    scene.add(
        "cloudwatch.CompositeAlarm",
        "orders-unwell",
        alarmName="orders-unwell",
        alarmRule=f"ALARM({physical('orders-errors')}) AND NOT ALARM({physical('orders-slow')})",
        alarmActions=[ALERTS],
        okActions=[ALERTS],
        actionsSuppressor={"alarm": "deploying", "extensionPeriod": 60, "waitPeriod": 60},
    )


def api_destination(scene: Scene) -> None:
    """EventBridge posts alarms to a pager by an API destination: no function at all."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    scene.add(
        "cloudwatch.EventConnection",
        "pager-key",
        authorizationType="API_KEY",
        authParameters={"apiKey": {"key": "Authorization", "value": "Token token=abc"}},
    )
    scene.add(
        "cloudwatch.EventApiDestination",
        "pager",
        connectionArn=Ref("pager-key"),
        httpMethod="POST",
        invocationEndpoint="https://events.pagerduty.com/v2/enqueue",
        invocationRateLimitPerSecond=10,
    )
    role(scene, "pager-role", "events")
    allows(
        scene,
        "pager-policy",
        "pager-role",
        {"Action": "events:InvokeApiDestination", "Resource": text("pager")},
    )
    rule(scene, "alarms", Ref("pager"), roleArn=Ref("pager-role"))


def mail_with_ses(scene: Scene) -> None:
    """A function that mails a formatted report, by a managed policy of the stack."""
    service(scene)
    topic(scene, "alerts")
    role(scene, "mailer-role")
    may = document(LOGS, {"Action": ["ses:SendEmail", "ses:SendRawEmail"], "Resource": "*"})
    scene.add("iam.Policy", "mailer-policy", policy=may, description="Send mails")
    attach(scene, "mailer-attached", "mailer-role", Ref("mailer-policy"))
    bare(scene, "mailer")
    subscribe(scene, "alerts", "mailer")
    errors(scene, "orders-errors", "orders", ALERTS)


def in_vpc(scene: Scene) -> None:
    """A notifier that reaches a chat server in the company's network, with dead letters and traces."""
    service(scene)
    topic(scene, "alerts")
    role(scene, "mattermost-role")
    for name in ("AWSLambdaVPCAccessExecutionRole", "AWSLambdaBasicExecutionRole"):
        attach(scene, f"mattermost-{name}", "mattermost-role", f"{AWS}/service-role/{name}")
    attach(scene, "mattermost-xray", "mattermost-role", f"{AWS}/AWSXRayDaemonWriteAccess")
    insights = f"{AWS}/CloudWatchLambdaInsightsExecutionRolePolicy"
    attach(scene, "mattermost-insights", "mattermost-role", insights)
    scene.add("sqs.Queue", "mattermost-dead")
    allows(
        scene,
        "mattermost-policy",
        "mattermost-role",
        {"Action": "sqs:SendMessage", "Resource": text("mattermost-dead")},
    )
    bare(
        scene,
        "mattermost",
        vpcConfig={"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]},
        deadLetterConfig={"targetArn": Ref("mattermost-dead")},
        layers=[f"arn:aws:lambda:{REGION}:580247275435:layer:LambdaInsightsExtension:53"],
    )
    subscribe(scene, "alerts", "mattermost")
    errors(scene, "orders-errors", "orders", ALERTS)
    alarm(
        scene,
        "mattermost-lost",
        "AWS/SQS:ApproximateNumberOfMessagesVisible",
        {"QueueName": Ref("mattermost-dead", "name")},
        ALERTS,
    )


def health_and_budget(scene: Scene) -> None:
    """What is no alarm: AWS Health, a budget and cost anomalies, to a topic with a function."""
    topic(scene, "alerts", "finance@example.com")
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    rule(scene, "health", ALERTS, {"source": ["aws.health"]})
    scene.add(
        "budgets.Budget",
        "monthly",
        budgetType="COST",
        limitAmount="1000",
        limitUnit="USD",
        timeUnit="MONTHLY",
        notifications=[
            {
                "comparisonOperator": "GREATER_THAN",
                "notificationType": "FORECASTED",
                "threshold": 100,
                "thresholdType": "PERCENTAGE",
                "subscriberSnsTopicArns": [ALERTS],
                "subscriberEmailAddresses": ["finance@example.com"],
            }
        ],
    )
    scene.add("costexplorer.AnomalyMonitor", "costs", monitorType="DIMENSIONAL", monitorDimension="SERVICE")
    scene.add(
        "costexplorer.AnomalySubscription",
        "costs-told",
        frequency="IMMEDIATE",
        monitorArnLists=[Ref("costs")],
        subscribers=[{"type": "SNS", "address": ALERTS}],
    )


def security_findings(scene: Scene) -> None:
    """GuardDuty, Security Hub and Config to people, by rules and a function that formats."""
    scene.add("guardduty.Detector", "detector", enable=True)
    topic(scene, "security", "security@example.com")
    function(scene, "format", {"Action": "sns:Publish", "Resource": text("security")})
    findings: dict[str, Any] = {
        "source": ["aws.guardduty"],
        "detail-type": ["GuardDuty Finding"],
        "detail": {"severity": [{"numeric": [">=", 7]}]},
    }
    on_events(scene, "guardduty", "format", findings)
    compliance = {"source": ["aws.config"], "detail-type": ["Config Rules Compliance Change"]}
    on_events(scene, "config", "format", compliance)


def digest(scene: Scene) -> None:
    """Collects alarms by schedule and mails a digest."""
    topic(scene, "digests", "team@example.com")
    function(
        scene,
        "digest",
        {"Action": ["cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory"], "Resource": "*"},
        {"Action": "sns:Publish", "Resource": Ref("digests")},
    )
    hourly(scene, "daily", "digest", "cron(0 8 * * ? *)")


def mobile_push(scene: Scene) -> None:
    """Push notifications to the phones of on-call engineers."""
    service(scene)
    topic(scene, "alerts")
    scene.add("sns.PlatformApplication", "app", platform="GCM", platformCredential="abc")
    endpoint = f"arn:aws:sns:{REGION}:{ACCOUNT}:endpoint/GCM/app/abc"
    scene.add("sns.TopicSubscription", "phone", topic=ALERTS, protocol="application", endpoint=endpoint)
    topic(scene, "mails", "oncall@example.com")
    errors(scene, "orders-errors", "orders", ALERTS, Ref("mails"))


INNOCENTS = [
    Innocent("slack webhook", slack, "notify-slack modules: topic, function, webhook in a secret"),
    Innocent(
        "slack with an encrypted webhook",
        slack_with_encrypted_webhook,
        "the cloudwatch-alarm-to-slack blueprint of Lambda, with the key of topic and variable",
    ),
    Innocent("teams webhook", teams, "alarm to Teams samples: parameter store, a filtered subscription"),
    Innocent(
        "pagerduty and opsgenie", pagerduty, "vendors' guides: https subscriptions of their integrations"
    ),
    Innocent("pagerduty by a secret url", pagerduty_by_secret, "the same with the URL in configuration"),
    Innocent("amazon q in slack", chatbot, "Amazon Q Developer in chat applications: read-only guardrails"),
    Innocent("amazon q in teams", chatbot_for_teams, "the same for Microsoft Teams"),
    Innocent("a node callback", callback, "topic.onEvent of @pulumi/aws with policies given"),
    Innocent(
        "an alarm that calls a notifier", alarm_calls_function, "Lambda as alarm action, CloudWatch guide"
    ),
    Innocent(
        "a notifier by event rule", by_event_rule, "EventBridge guide: alarm state change to a function"
    ),
    Innocent("a notifier of alarms elsewhere", rule_of_alarms_elsewhere, "account-wide alarm notifiers"),
    Innocent("a rule to a topic", rule_to_topic, "alarm events with an input transformer to a topic"),
    Innocent("a notifier on a topic of another stack", topic_of_another_stack, "shared alerts topic"),
    Innocent("a topic of another account", topic_of_another_account, "central alerting account, member side"),
    Innocent("a central topic", central_topic, "central alerting account, topic open to an organization"),
    Innocent("a notifier in two regions", two_regions, "multi-region monitoring, one role for both"),
    Innocent("sms and mail", sms_and_mail, "the first example of every alarm tutorial"),
    Innocent("a composite alarm to people", composite, "CloudWatch guide: reduce alarm noise"),
    Innocent("an api destination", api_destination, "EventBridge API destinations: PagerDuty partner guide"),
    Innocent("mail with ses", mail_with_ses, "formatted alarm mails by a function"),
    Innocent("a notifier in a vpc", in_vpc, "notify functions that reach a chat server in a network"),
    Innocent("health, budget and costs", health_and_budget, "aws-health-aware and cost anomaly notifiers"),
    Innocent("security findings", security_findings, "GuardDuty and Config findings to people"),
    Innocent("a digest of alarms", digest, "scheduled alarm summaries"),
    Innocent("push to phones", mobile_push, "SNS mobile push beside mail"),
]
