"""Healers as other teams write them by hand: they share no name, tag or component with ours.

Each is woken by another route and is complete and careful, so that a change makes it unsafe in one point.
"""

from collections.abc import Callable
from typing import Any

from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Item, Scene, physical

TRUST: dict[str, Any] = {"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
CHANGE = "lambda:UpdateFunctionConfiguration"
STATE_CHANGE = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
ONLY_ALARMS: dict[str, Any] = {
    "Action": "sns:Publish",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
}
NOBODY_ELSE: dict[str, Any] = {
    "Effect": "Deny",
    "Action": "sns:Publish",
    "Principal": "*",
    "Condition": {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
}


def acts_on(*functions: str) -> dict[str, Any]:
    """Return the statement that lets a healer change functions."""
    return {
        "Action": ["lambda:GetFunctionConfiguration", CHANGE],
        "Resource": [text(each) for each in functions],
    }


def function(scene: Scene, name: str, *grants: dict[str, Any], **properties: Any) -> Item:
    """Register a careful function: bounded role, traced, dead letters, no retries, one run at a time.

    Where the scene has a topic for people already, they are told of its errors.
    """
    scene.add("sqs.Queue", f"{name}-dead", messageRetentionSeconds=1_209_600)
    scene.add("cloudwatch.LogGroup", f"{name}-logs", name=f"/aws/lambda/{physical(name)}", retentionInDays=14)
    may = document(
        *grants,
        {"Action": "sqs:SendMessage", "Resource": text(f"{name}-dead")},
        {"Action": "logs:PutLogEvents", "Resource": text(f"{name}-logs", ":*")},
    )
    scene.add("iam.Policy", f"{name}-limit", policy=may)
    scene.add(
        "iam.Role",
        f"{name}-role",
        assumeRolePolicy=document(TRUST),
        permissionsBoundary=Ref(f"{name}-limit"),
    )
    scene.add("iam.RolePolicy", f"{name}-rights", role=Ref(f"{name}-role", "name"), policy=may)
    made = scene.add(
        "lambda.Function",
        name,
        role=Ref(f"{name}-role"),
        timeout=20,
        reservedConcurrentExecutions=1,
        tracingConfig={"mode": "Active"},
        environment={"variables": {}},
        **properties,
    )
    scene.add(
        "lambda.FunctionEventInvokeConfig",
        f"{name}-events",
        functionName=Ref(name, "name"),
        maximumRetryAttempts=0,
        maximumEventAgeInSeconds=60,
        destinationConfig={"onFailure": {"destination": Ref(f"{name}-dead")}},
    )
    people = next((each for each in ("people", "healer-escalation") if each in scene), "")
    if people:
        alarm(scene, f"{name}-down", name, people)
    return made


def topic(scene: Scene, name: str) -> None:
    """Register a topic to which only alarms of the account can publish."""
    scene.add("sns.Topic", name)
    resource = {"Resource": text(name)}
    policy = document(ONLY_ALARMS | resource, NOBODY_ELSE | resource)
    scene.add("sns.TopicPolicy", f"{name}-policy", arn=Ref(name), policy=policy)


def alarm(scene: Scene, name: str, watched: str, *actions: str) -> None:
    """Register an alarm on a function, with the same actions when it fires and when it recovers."""
    scene.add(
        "cloudwatch.MetricAlarm",
        name,
        alarmDescription="See https://example.com/runbook",
        dimensions={"FunctionName": Ref(watched, "name")},
        actionsEnabled=True,
        alarmActions=[Ref(each) for each in actions],
        okActions=[Ref(each) for each in actions],
    )


def _dead_alarm(scene: Scene, name: str) -> None:
    """Tell people of events that a function failed on."""
    alarm(scene, f"{name}-lost", name, "people")
    lost = scene.find(f"{name}-lost").put("dimensions", to={"QueueName": Ref(f"{name}-dead", "name")})
    lost.put("metricName", to="ApproximateNumberOfMessagesVisible")


def permit(scene: Scene, called: str, service: str, source: str, name: str = "") -> None:
    """Let one source of a service invoke a function."""
    scene.add(
        "lambda.Permission",
        name or f"may-wake-{called}",
        function=Ref(called, "name"),
        principal=f"{service}.amazonaws.com",
        sourceArn=Ref(source),
    )


def subscribe(scene: Scene, topic_: str, called: str, name: str = "") -> None:
    """Let a topic wake a function."""
    permit(scene, called, "sns", topic_, f"may-{name}" if name else "")
    scene.add(
        "sns.TopicSubscription",
        name or f"wake-{called}",
        topic=Ref(topic_),
        protocol="lambda",
        endpoint=Ref(called),
    )


def by_topic(scene: Scene) -> None:
    """Wire alarm -> topic -> function."""
    topic(scene, "wake")
    alarm(scene, "errors", "orders", "wake", "people")
    subscribe(scene, "wake", "medic")


def by_two_topics(scene: Scene) -> None:
    """Wire two alarms, the second with metric queries, each by a topic of its own."""
    by_topic(scene)
    topic(scene, "wake2")
    alarm(scene, "slow", "orders", "wake2", "people")
    query = {"id": "m", "metric": {"dimensions": {"FunctionName": Ref("orders", "name")}}}
    scene.find("slow").put("metricQueries", to=[query]).drop("dimensions")
    subscribe(scene, "wake2", "medic", "wake2-medic")


def by_alias(scene: Scene) -> None:
    """Wire alarm -> topic -> alias of the function."""
    by_topic(scene)
    scene.add("lambda.Alias", "live", functionName=Ref("medic", "name"), functionVersion="1", name="live")
    scene.find("wake-medic").put("endpoint", to=Ref("live"))
    for name in ("may-wake-medic", "medic-events"):
        scene.find(name).put("qualifier", to=Ref("live", "name"))


def by_alarm_action(scene: Scene) -> None:
    """Wire alarm -> function."""
    alarm(scene, "errors", "orders", "medic", "people")
    permit(scene, "medic", "lambda.alarms.cloudwatch", "errors")


def by_event_rule(scene: Scene) -> None:
    """Wire alarm -> rule on its state changes, by its ARN -> function."""
    alarm(scene, "errors", "orders", "people")
    scene.add(
        "cloudwatch.EventRule", "changes", eventPattern=Json(STATE_CHANGE | {"resources": [Ref("errors")]})
    )
    target(scene, "medic")
    permit(scene, "medic", "events", "changes")


def target(scene: Scene, called: str) -> None:
    """Let the rule start something."""
    scene.add(
        "cloudwatch.EventTarget",
        f"to-{called}",
        rule=Ref("changes", "name"),
        arn=Ref(called),
        deadLetterConfig={"arn": Ref("medic-dead")},
        retryPolicy={"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 2},
    )


def by_queue(scene: Scene) -> None:
    """Wire alarm -> topic -> queue -> mapping -> function."""
    topic(scene, "wake")
    alarm(scene, "errors", "orders", "wake", "people")
    redrive = Json({"deadLetterTargetArn": text("medic-dead"), "maxReceiveCount": 3})
    scene.add("sqs.Queue", "inbox", redrivePolicy=redrive, visibilityTimeoutSeconds=120)
    scene.add("sns.TopicSubscription", "wake-inbox", topic=Ref("wake"), protocol="sqs", endpoint=Ref("inbox"))
    scene.add(
        "lambda.EventSourceMapping",
        "from-inbox",
        eventSourceArn=Ref("inbox"),
        functionName=Ref("medic", "name"),
        scalingConfig={"maximumConcurrency": 2},
        functionResponseTypes=["ReportBatchItemFailures"],
        enabled=True,
    )


def machine(scene: Scene) -> None:
    """Register a state machine that runs the function."""
    trust = TRUST | {"Principal": {"Service": "states.amazonaws.com"}}
    may = document({"Action": ["lambda:InvokeFunction"], "Resource": text("medic")})
    scene.add("iam.Role", "steps-role", assumeRolePolicy=document(trust))
    scene.add("iam.RolePolicy", "steps-rights", role=Ref("steps-role", "name"), policy=may)
    retry = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "MaxDelaySeconds": 9, "JitterStrategy": "FULL"}
    mend = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": Ref("medic", "name")},
        "Retry": [retry],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "GiveUp"}],
        "End": True,
    }
    definition = {"StartAt": "Mend", "States": {"Mend": mend, "GiveUp": {"Type": "Fail"}}}
    scene.add("sfn.StateMachine", "steps", roleArn=Ref("steps-role"), definition=Json(definition))


def by_state_machine(scene: Scene) -> None:
    """Wire alarm -> rule on its state changes, by its name -> state machine -> function."""
    machine(scene)
    alarm(scene, "errors", "orders", "people")
    scene.add("cloudwatch.EventRule", "changes", eventPattern=pattern())
    target(scene, "steps")


def by_started_machine(scene: Scene) -> None:
    """Wire alarm -> topic -> starter -> state machine -> function."""
    machine(scene)
    function(scene, "starter", {"Action": ["states:StartExecution"], "Resource": text("steps")})
    topic(scene, "wake")
    alarm(scene, "errors", "orders", "wake", "people")
    subscribe(scene, "wake", "starter")
    _dead_alarm(scene, "starter")


def by_composite_alarm(scene: Scene) -> None:
    """Wire alarm -> composite alarm -> topic -> function."""
    topic(scene, "wake")
    alarm(scene, "errors", "orders", "people")
    scene.add(
        "cloudwatch.CompositeAlarm",
        "either",
        alarmName="either",
        alarmRule=f'ALARM("{physical("errors")}") OR ALARM("other")',
        alarmDescription="See https://example.com/runbook",
        alarmActions=[Ref("wake"), Ref("people")],
        okActions=[Ref("wake"), Ref("people")],
    )
    subscribe(scene, "wake", "medic")


def pattern(**detail: Any) -> Json:
    """Return the pattern of a rule on the alarm's state changes."""
    return Json(STATE_CHANGE | {"detail": {"alarmName": [Ref("errors", "name")], **detail}})


ROUTES: dict[str, Callable[[Scene], None]] = {
    "topic": by_topic,
    "two topics": by_two_topics,
    "alias": by_alias,
    "alarm action": by_alarm_action,
    "event rule": by_event_rule,
    "queue": by_queue,
    "state machine": by_state_machine,
    "started machine": by_started_machine,
    "composite alarm": by_composite_alarm,
}


def healer(scene: Scene, route: str = "topic") -> Scene:
    """Register a function `orders`, and a healer `medic` for it that is woken by one of the ROUTES."""
    function(scene, "orders")
    scene.find("orders").put("environment", "variables", "FAILURE_RATE", to="0")
    scene.add("sns.Topic", "people")
    scene.add(
        "sns.TopicSubscription",
        "to-people",
        topic=Ref("people"),
        protocol="email",
        endpoint="oncall@example.com",
    )
    scene.add("dynamodb.Table", "memory", pointInTimeRecovery={"enabled": True})
    own_items = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["target#*"]}}
    medic = function(
        scene,
        "medic",
        acts_on("orders"),
        {"Action": ["dynamodb:GetItem"], "Resource": text("memory")},
        {"Action": ["dynamodb:PutItem"], "Resource": text("memory"), "Condition": own_items},
        {"Action": "sns:Publish", "Resource": text("people")},
        {"Action": "cloudwatch:GetMetricData", "Resource": "*"},
    )
    medic.put("environment", "variables", "LEDGER_TABLE", to=Ref("memory", "name"))
    medic.put("environment", "variables", "BUDGET", to="3")
    medic.put("environment", "variables", "ESCALATION_TOPIC_ARN", to=text("people"))
    if route == "queue":
        reads = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        for name in ("medic-rights", "medic-limit"):
            medic_reads = {"Effect": "Allow", "Action": reads, "Resource": text("inbox")}
            scene.find(name).document(lambda held, more=medic_reads: held.append(more))
    scene.add("cloudwatch.Dashboard", "board", dashboardBody=Json({"widgets": [Ref("medic", "name")]}))
    for name in ("orders", "medic"):
        _dead_alarm(scene, name)
    ROUTES[route](scene)
    return scene
