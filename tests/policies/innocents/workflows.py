"""Workflows, buses, pipes and schedules that tell people of alarms and keep records of them."""

from typing import Any

from tests.policies.innocents.shapes import (
    STATE_CHANGE,
    allows,
    errors,
    function,
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
)
from tests.policies.innocents.table import Innocent
from tests.policies.innocents.tickets import table
from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")
DELIVERY = {
    "Action": [
        "logs:CreateLogDelivery",
        "logs:CreateLogStream",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutLogEvents",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
    ],
    "Resource": "*",
}
"""What Step Functions asks for to write logs: its guide, "Logging using CloudWatch Logs"."""
TRACES = {
    "Action": [
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    ],
    "Resource": "*",
}
RETRY = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 2,
    "MaxAttempts": 3,
    "BackoffRate": 2,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}


def machine(
    scene: Scene, name: str, states: dict[str, Any], *statements: dict[str, Any], **more: Any
) -> None:
    """Register a state machine that logs and traces; the first of its states is where it starts."""
    scene.add(
        "cloudwatch.LogGroup", f"{name}-logs", name=f"/aws/vendedlogs/states/{name}", retentionInDays=30
    )
    role(scene, f"{name}-role", "states")
    allows(scene, f"{name}-policy", f"{name}-role", *statements, DELIVERY, TRACES)
    definition = {"StartAt": next(iter(states)), "States": states}
    scene.add(
        "sfn.StateMachine",
        name,
        roleArn=Ref(f"{name}-role"),
        definition=Json(definition),
        loggingConfiguration={
            "level": "ERROR",
            "includeExecutionData": True,
            "logDestination": Ref(f"{name}-logs", suffix=":*"),
        },
        tracingConfiguration={"enabled": True},
        **more,
    )


def on_rule(scene: Scene, name: str, pattern: dict[str, Any] | None = None) -> None:
    """Let a rule start a state machine, by a role of the rule."""
    role(scene, f"{name}-starter", "events")
    starts = {"Action": "states:StartExecution", "Resource": text(name)}
    allows(scene, f"{name}-starts", f"{name}-starter", starts)
    rule(scene, f"{name}-rule", Ref(name), pattern, roleArn=Ref(f"{name}-starter"))


def invoke(called: str, next_: str = "") -> dict[str, Any]:
    """Return the state that calls a function."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": Ref(called, "name"), "Payload.$": "$"},
        "Retry": [RETRY],
        **({"Next": next_} if next_ else {"End": True}),
    }


def publish(topic_: str, **more: Any) -> dict[str, Any]:
    """Return the state that publishes to a topic."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": text(topic_), "Message.$": "States.JsonToString($)"},
        "Retry": [RETRY],
        **(more or {"End": True}),
    }


def notify_with_retries(scene: Scene) -> None:
    """Waits a little, looks whether the alarm still holds, and tells people by a function, with retries."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    function(scene, "slack", secret(scene, "webhook"))
    states = {
        "Wait": {"Type": "Wait", "Seconds": 120, "Next": "Look"},
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:cloudwatch:describeAlarms",
            "Parameters": {"AlarmNames.$": "States.Array($.detail.alarmName)"},
            "ResultPath": "$.now",
            "Next": "Still",
        },
        "Still": {
            "Type": "Choice",
            "Choices": [
                {
                    "Variable": "$.now.MetricAlarms[0].StateValue",
                    "StringEquals": "ALARM",
                    "Next": "Tell",
                }
            ],
            "Default": "Done",
        },
        "Tell": invoke("slack", "Done") | {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]},
        "Done": {"Type": "Succeed"},
    }
    machine(
        scene,
        "notify",
        states,
        {"Action": "lambda:InvokeFunction", "Resource": [text("slack"), text("slack", ":*")]},
        {"Action": "cloudwatch:DescribeAlarms", "Resource": "*"},
    )
    on_rule(scene, "notify")


def escalation(scene: Scene) -> None:
    """Tells the engineer, waits a quarter of an hour, tells the manager: topics only, no function."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    topic(scene, "engineer", "oncall@example.com")
    topic(scene, "manager", "manager@example.com")
    states = {
        "First": publish("engineer", Next="Wait"),
        "Wait": {"Type": "Wait", "Seconds": 900, "Next": "Second"},
        "Second": publish("manager"),
    }
    topics = [text("engineer"), text("manager")]
    machine(scene, "escalate", states, {"Action": "sns:Publish", "Resource": topics})
    on_rule(scene, "escalate")


def acknowledged(scene: Scene) -> None:
    """Waits for a person's acknowledgement by a task token: a function sends the link, another takes it."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    function(scene, "ask", secret(scene, "webhook"))
    asked = invoke("ask") | {"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"}
    asked["Parameters"] = {
        "FunctionName": Ref("ask", "name"),
        "Payload": {"token.$": "$$.Task.Token", "alarm.$": "$.detail"},
    }
    states = {"Ask": asked | {"TimeoutSeconds": 1800}}
    machine(scene, "ack", states, {"Action": ["lambda:InvokeFunction"], "Resource": text("ask")})
    on_rule(scene, "ack")
    function(
        scene,
        "answer",
        {"Action": ["states:SendTaskSuccess", "states:SendTaskFailure"], "Resource": text("ack")},
    )
    scene.add(
        "lambda.FunctionUrl", "answer-url", functionName=Ref("answer", "name"), authorizationType="AWS_IAM"
    )


def recorded_by_workflow(scene: Scene) -> None:
    """An express workflow that puts each alarm into a table and a queue by itself."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "orders-errors", "orders", ALERTS)
    table(scene, "incidents")
    scene.add("sqs.Queue", "review")
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{physical('review')}"
    states = {
        "Record": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:putItem",
            "Parameters": {
                "TableName": Ref("incidents", "name"),
                "Item": {"id": {"S.$": "$.id"}, "alarm": {"S.$": "$.detail.alarmName"}},
            },
            "Retry": [RETRY],
            "Next": "Review",
        },
        "Review": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": url, "MessageBody.$": "$"},
            "Retry": [RETRY],
            "End": True,
        },
    }
    machine(
        scene,
        "record",
        states,
        {"Action": "dynamodb:PutItem", "Resource": text("incidents")},
        {"Action": "sqs:SendMessage", "Resource": text("review")},
        type="EXPRESS",
    )
    on_rule(scene, "record")


def own_bus(scene: Scene) -> None:
    """An application's own bus: an archive, a catch-all rule that logs, a consumer that writes data."""
    scene.add("cloudwatch.EventBus", "shop")
    scene.add("cloudwatch.EventArchive", "shop-archive", eventSourceArn=Ref("shop"), retentionDays=30)
    scene.add("cloudwatch.LogGroup", "shop-log", name="/aws/events/shop", retentionInDays=14)
    everything: dict[str, Any] = {"source": [{"prefix": ""}]}
    for name, pattern, called in (
        ("all", everything, "shop-log"),
        ("placed", {"detail-type": ["OrderPlaced"]}, "ship"),
    ):
        if called == "ship":
            table(scene, "shipments")
            function(scene, "ship", {"Action": "dynamodb:PutItem", "Resource": text("shipments")})
        rule(scene, name, Ref(called), pattern, eventBusName=Ref("shop", "name"))
        scene.find(name).put("eventBusName", to=Ref("shop", "name"))
    permit(scene, "placed-may-call", "ship", "events", Ref("placed"))
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "ship-errors", "ship", ALERTS)


def own_bus_auditor(scene: Scene) -> None:
    """A function that a catch-all rule of an application's own bus runs, and that changes what it must."""
    scene.add("cloudwatch.EventBus", "platform")
    function(
        scene,
        "provision",
        {"Action": ["dynamodb:UpdateItem", "s3:PutBucketTagging"], "Resource": "*"},
    )
    made = rule(scene, "all", Ref("provision"), {"account": [ACCOUNT]}, eventBusName=Ref("platform", "name"))
    made.put("eventBusName", to=Ref("platform", "name"))
    permit(scene, "all-may-call", "provision", "events", Ref("all"))
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "provision-errors", "provision", ALERTS)


def forwarded(scene: Scene) -> None:
    """Alarm events to the bus of the monitoring account, by a role that may put events there."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    central = f"arn:aws:events:{REGION}:111122223333:event-bus/monitoring"
    role(scene, "forward-role", "events")
    allows(scene, "forward-policy", "forward-role", {"Action": "events:PutEvents", "Resource": central})
    rule(scene, "alarms", central, roleArn=Ref("forward-role"))


def monitoring_account(scene: Scene) -> None:
    """The other end: a bus that the organization may feed, and a function that tells."""
    scene.add("cloudwatch.EventBus", "monitoring")
    may = document(
        {
            "Action": "events:PutEvents",
            "Principal": "*",
            "Resource": text("monitoring"),
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}},
        }
    )
    scene.add("cloudwatch.EventBusPolicy", "members", eventBusName=Ref("monitoring", "name"), policy=may)
    function(scene, "slack", secret(scene, "webhook"))
    on_events(scene, "alarms", "slack").put("eventBusName", to=Ref("monitoring", "name"))
    scene.find("alarms-target").put("eventBusName", to=Ref("monitoring", "name"))


def pipe(scene: Scene) -> None:
    """A pipe reads the queue of alarms, has a function enrich them, and writes them to a log group."""
    service(scene)
    topic(scene, "alerts")
    queue(scene, "inbox")
    scene.add("sns.TopicSubscription", "to-inbox", topic=ALERTS, protocol="sqs", endpoint=Ref("inbox"))
    errors(scene, "orders-errors", "orders", ALERTS)
    function(scene, "enrich", {"Action": "tag:GetResources", "Resource": "*"})
    scene.add("cloudwatch.LogGroup", "told", name="/alarms/told", retentionInDays=30)
    role(scene, "pipe-role", "pipes")
    allows(
        scene,
        "pipe-policy",
        "pipe-role",
        reads("inbox"),
        {"Action": "lambda:InvokeFunction", "Resource": text("enrich")},
        {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": text("told", ":*")},
    )
    scene.add(
        "pipes.Pipe",
        "pipe",
        roleArn=Ref("pipe-role"),
        source=Ref("inbox"),
        enrichment=Ref("enrich"),
        target=Ref("told"),
    )


def reminders(scene: Scene) -> None:
    """Schedules a reminder for each alarm, with EventBridge Scheduler, to a topic that people read."""
    service(scene)
    topic(scene, "alerts")
    topic(scene, "reminders", "oncall@example.com")
    scene.add("scheduler.ScheduleGroup", "later")
    role(scene, "later-role", "scheduler")
    allows(scene, "later-policy", "later-role", {"Action": "sns:Publish", "Resource": text("reminders")})
    scene.add(
        "scheduler.Schedule",
        "daily",
        groupName=Ref("later", "name"),
        flexibleTimeWindow={"mode": "OFF"},
        scheduleExpression="cron(0 9 ? * MON-FRI *)",
        target={"arn": Ref("reminders"), "roleArn": Ref("later-role"), "input": "Look at open alarms"},
    )
    function(scene, "slack", secret(scene, "webhook"))
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", ALERTS)


def fan_out(scene: Scene) -> None:
    """One rule, four targets: people, a log group, a stream into the lake, the audit queue."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    topic(scene, "alerts", "oncall@example.com")
    scene.add("cloudwatch.LogGroup", "log", name="/aws/events/alarms", retentionInDays=30)
    scene.add("sqs.Queue", "audit", messageRetentionSeconds=1_209_600)
    scene.add("sqs.Queue", "undelivered")
    scene.add("cloudwatch.EventRule", "alarms", eventPattern=Json(STATE_CHANGE | {"account": [ACCOUNT]}))
    for name in ("alerts", "log", "audit"):
        scene.add(
            "cloudwatch.EventTarget",
            f"alarms-to-{name}",
            rule=Ref("alarms", "id"),
            arn=Ref(name),
            deadLetterConfig={"arn": Ref("undelivered")},
            retryPolicy={"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 10},
        )


def order_saga(scene: Scene) -> None:
    """A workflow that changes a lot, started by orders; alarms watch it and only people hear of them."""
    table(scene, "orders")
    function(scene, "charge", {"Action": ["dynamodb:UpdateItem"], "Resource": text("orders")})
    states = {"Charge": invoke("charge") | {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Undo"}]}}
    states["Undo"] = {"Type": "Fail"}
    machine(scene, "saga", states, {"Action": "lambda:InvokeFunction", "Resource": text("charge")})
    on_rule(scene, "saga", {"source": ["shop.orders"], "detail-type": ["OrderPlaced"]})
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "charge-errors", "charge", ALERTS)
    alarm_of = {"StateMachineArn": Ref("saga")}
    errors(scene, "saga-failed", "charge", ALERTS).put("dimensions", to=alarm_of)
    scene.find("saga-failed").put("namespace", to="AWS/States").put("metricName", to="ExecutionsFailed")


INNOCENTS = [
    Innocent("a workflow that notifies", notify_with_retries, "Step Functions: wait, look again, notify"),
    Innocent("an escalation to the manager", escalation, "escalation ladders in Step Functions"),
    Innocent("an alarm to be acknowledged", acknowledged, "human approval by task token"),
    Innocent("incidents by an express workflow", recorded_by_workflow, "direct integrations, no function"),
    Innocent("a bus of its own with an archive", own_bus, "EventBridge shop samples: archive, log, consumer"),
    Innocent(
        "a catch-all rule on its own bus", own_bus_auditor, "platform buses with a provisioning function"
    ),
    Innocent("alarms forwarded to another account", forwarded, "cross-account event buses, member side"),
    Innocent(
        "a bus for the organization's alarms", monitoring_account, "cross-account buses, monitoring side"
    ),
    Innocent("a pipe that enriches alarms", pipe, "EventBridge Pipes with enrichment, to CloudWatch Logs"),
    Innocent("scheduled reminders", reminders, "EventBridge Scheduler to a topic"),
    Innocent("a fan-out of alarm events", fan_out, "rule with several targets and dead letters"),
    Innocent("an order workflow with alarms", order_saga, "saga pattern samples with ordinary alarms"),
]
