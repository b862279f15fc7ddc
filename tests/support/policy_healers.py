"""Healers as other teams write them by hand: they share no name, tag or component with ours.

Each is wired by another route and is complete and careful, so that a mutation makes it unsafe in one point.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.support.policy_recording import ACCOUNT, REGION, arn
from tests.support.policy_scene import Item, Scene

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    )


def function(scene: Scene, name: str, *statements: dict[str, Any]) -> Item:
    """Register a careful function of another team: bounded role, dead letters, no retries, one at a time."""
    queue = scene.add("sqs.Queue", f"{name}-dead")
    statements = (
        *statements,
        {"Action": ["sqs:SendMessage"], "Resource": [scene.text(queue)]},
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/{name}:*"],
        },
    )
    text = document(*statements)
    bound = scene.add("iam.Policy", f"{name}-limit", policy=text)
    role = scene.add(
        "iam.Role", f"{name}-identity", assumeRolePolicy=TRUST, permissionsBoundary=scene.ref(bound)
    )
    scene.add("iam.RolePolicy", f"{name}-grants", role=scene.ref(role, "name"), policy=text)
    made = scene.add(
        "lambda.Function",
        name,
        role=scene.ref(role),
        timeout=20,
        reservedConcurrentExecutions=1,
        runtime="python3.13",
        handler="main.run",
        environment={"variables": {}},
    )
    scene.add(
        "lambda.FunctionEventInvokeConfig",
        f"{name}-async",
        functionName=scene.ref(made, "name"),
        maximumRetryAttempts=0,
        maximumEventAgeInSeconds=60,
        destinationConfig={"onFailure": {"destination": scene.ref(queue)}},
    )
    return made


def topic(scene: Scene, name: str) -> Item:
    """Register a topic that only alarms of the account can publish to."""
    made = scene.add("sns.Topic", name)
    text = scene.text(made)
    allow = {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": text,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"},
        },
    }
    deny = {
        "Sid": "Nobody",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": text,
        "Condition": {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    scene.add("sns.TopicPolicy", f"{name}-closed", arn=scene.ref(made), policy=policy)
    return made


def victim(scene: Scene) -> Item:
    """Register the function of another team that the healers here look after."""
    return function(scene, "checkout")


def alarm(scene: Scene, watched: Item, *actions: Any, name: str = "checkout-errors") -> Item:
    """Register an alarm on a function, which tells people besides, and of recovery too."""
    people = scene.ref(scene.find("sns.Topic", "healer-escalation"))
    return scene.add(
        "cloudwatch.MetricAlarm",
        name,
        alarmDescription="See https://example.com/runbook",
        namespace="AWS/Lambda",
        metricName="Errors",
        dimensions={"FunctionName": scene.ref(watched, "name")},
        statistic="Sum",
        period=60,
        evaluationPeriods=1,
        threshold=5,
        comparisonOperator="GreaterThanOrEqualToThreshold",
        treatMissingData="notBreaching",
        actionsEnabled=True,
        alarmActions=[*actions, people],
        okActions=[*actions, people],
    )


def permit(scene: Scene, name: str, called: Item, service: str, source: Any) -> Item:
    """Let one source of a service invoke a function."""
    return scene.add(
        "lambda.Permission",
        name,
        action="lambda:InvokeFunction",
        function=scene.ref(called, "name"),
        principal=service,
        sourceArn=source,
    )


def subscribe(scene: Scene, name: str, source: Item, called: Item) -> Item:
    """Let a topic wake a function."""
    permit(scene, f"{name}-may", called, "sns.amazonaws.com", scene.ref(source))
    return scene.add(
        "sns.TopicSubscription",
        name,
        topic=scene.ref(source),
        protocol="lambda",
        endpoint=scene.ref(called),
    )


def acts_on(scene: Scene, *functions: Item) -> dict[str, Any]:
    """Return the statement that lets a healer change functions."""
    return {
        "Action": ["lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration"],
        "Resource": [scene.text(each) for each in functions],
    }


Grants = tuple[dict[str, Any], ...]
Route = Callable[[Scene, Item, Grants], Item]


def by_alarm_action(scene: Scene, target: Item, grants: Grants) -> Item:
    """Wire alarm -> function."""
    mender = function(scene, "mender", *grants)
    rings = alarm(scene, target, scene.ref(mender))
    permit(scene, "mender-may", mender, "lambda.alarms.cloudwatch.amazonaws.com", scene.ref(rings))
    return mender


def by_event_rule(scene: Scene, target: Item, grants: Grants) -> Item:
    """Wire alarm -> rule on state changes -> function."""
    mender = function(scene, "mender", *grants)
    rings = alarm(scene, target)
    rule = state_changes(scene, rings)
    scene.add(
        "cloudwatch.EventTarget", "mender-on-change", rule=scene.ref(rule, "name"), arn=scene.ref(mender)
    )
    permit(scene, "mender-may", mender, "events.amazonaws.com", scene.ref(rule))
    return mender


def state_changes(scene: Scene, rings: Item) -> Item:
    """Register a rule on what an alarm does."""
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": [scene.ref(rings)],
    }
    return scene.add("cloudwatch.EventRule", "alarm-changes", eventPattern=scene.json(pattern))


def by_queue(scene: Scene, target: Item, grants: Grants) -> Item:
    """Wire alarm -> topic -> queue -> mapping -> function."""
    source = topic(scene, "incidents")
    alarm(scene, target, scene.ref(source))
    dead = scene.add("sqs.Queue", "incidents-dead")
    redrive = {"deadLetterTargetArn": scene.text(dead), "maxReceiveCount": 1}
    queue = scene.add("sqs.Queue", "incidents-waiting", redrivePolicy=json.dumps(redrive))
    queue.put("visibilityTimeoutSeconds", to=120)
    scene.add(
        "sqs.QueuePolicy",
        "incidents-in",
        queueUrl=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue.name}",
        policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "sns.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": scene.text(queue),
                        "Condition": {"ArnEquals": {"aws:SourceArn": scene.text(source)}},
                    }
                ],
            }
        ),
    )
    scene.add(
        "sns.TopicSubscription",
        "incidents-waiting-in",
        topic=scene.ref(source),
        protocol="sqs",
        endpoint=scene.ref(queue),
    )
    takes = {
        "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        "Resource": [scene.text(queue)],
    }
    mender = function(scene, "mender", takes, *grants)
    scene.add(
        "lambda.EventSourceMapping",
        "mender-takes",
        eventSourceArn=scene.ref(queue),
        functionName=scene.ref(mender),
        enabled=True,
        batchSize=1,
    )
    return mender


def by_state_machine(scene: Scene, target: Item, grants: Grants) -> Item:
    """Wire alarm -> topic -> starter -> state machine -> function."""
    mender = function(scene, "mender", *grants)
    identity = scene.add(
        "iam.Role",
        "steps-identity",
        assumeRolePolicy=TRUST.replace("lambda.", "states."),
        permissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/steps-limit",
    )
    scene.add(
        "iam.RolePolicy",
        "steps-grants",
        role=scene.ref(identity, "name"),
        policy=document({"Action": ["lambda:InvokeFunction"], "Resource": [scene.text(mender)]}),
    )
    definition = {
        "StartAt": "Mend",
        "States": {"Mend": {"Type": "Task", "Resource": scene.ref(mender), "End": True}},
    }
    machine = scene.add(
        "sfn.StateMachine", "steps", roleArn=scene.ref(identity), definition=scene.json(definition)
    )
    starter = function(
        scene, "starter", {"Action": ["states:StartExecution"], "Resource": [scene.text(machine)]}
    )
    source = topic(scene, "incidents")
    alarm(scene, target, scene.ref(source))
    subscribe(scene, "starter-wakes", source, starter)
    return mender


def by_composite_alarm(scene: Scene, target: Item, grants: Grants) -> Item:
    """Wire alarm -> composite alarm -> topic -> function."""
    mender = function(scene, "mender", *grants)
    source = topic(scene, "incidents")
    rings = alarm(scene, target)
    people = scene.ref(scene.find("sns.Topic", "healer-escalation"))
    scene.add(
        "cloudwatch.CompositeAlarm",
        "checkout-bad",
        alarmName="checkout-bad",
        alarmRule=f"ALARM({rings.name})",
        alarmDescription="See https://example.com/runbook",
        actionsEnabled=True,
        alarmActions=[scene.ref(source), people],
        okActions=[scene.ref(source), people],
    )
    subscribe(scene, "mender-wakes", source, mender)
    return mender


def by_second_topic(scene: Scene, target: Item, grants: Grants) -> Item:
    """Wire alarm -> another topic -> function."""
    mender = function(scene, "mender", *grants)
    source = topic(scene, "incidents")
    alarm(scene, target, scene.ref(source))
    subscribe(scene, "mender-wakes", source, mender)
    return mender


ROUTES: dict[str, Route] = {
    "alarm action": by_alarm_action,
    "event rule": by_event_rule,
    "queue": by_queue,
    "state machine": by_state_machine,
    "composite alarm": by_composite_alarm,
    "second topic": by_second_topic,
}


def healer(scene: Scene, route: str, *grants: dict[str, Any]) -> Item:
    """Register another team's function, and a healer for it by one of the ROUTES; return the healer.

    It is careful: it may change that function only, unless `grants` say otherwise.
    """
    target = victim(scene)
    return ROUTES[route](scene, target, grants or (acts_on(scene, target),))


def lambda_arn(name: str) -> str:
    """Return the ARN of a function that is not in the stack."""
    return arn("aws:lambda/function:Function", name)
