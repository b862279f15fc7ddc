"""Healers that are woken from other stacks, or by what somebody else who was woken does next.

Each is one of another team, wired anew. That it is found shows in a rule that judges healers only: it is wide
open, or changes what no alarm of its own stack watches.
"""

from typing import Any

from tests.policies.mutations.handwritten import wide_open
from tests.policies.mutations.table import Foreign, foreign
from tests.policies.support import healers
from tests.policies.support.changes import (
    Change,
    add,
    allow,
    put,
    remove,
    several,
    text,
)
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Json, Ref, Unknown
from tests.policies.support.scene import Scene, physical

MEDIC, WAKE, PEOPLE = Ref("medic"), Ref("wake"), Ref("people")
CLOUDWATCH, STATE_CHANGE = "aws.cloudwatch", "CloudWatch Alarm State Change"
TOPIC_ELSEWHERE = arn("sns.Topic", "alarms-of-the-platform")
HERE = f"{REGION}:{ACCOUNT}"


def without_alarm(scene: Scene) -> None:
    """Take its alarms out: what is left is woken by alarms of other stacks, if by any."""
    scene.remove("errors", "orders-lost")


def rule(pattern: dict[str, Any], **more: Any) -> Change:
    """Have the healer woken by a rule, in a stack without alarms."""
    return several(without_alarm, put("changes", eventPattern=Json(pattern), **more))


def on_own_bus(pattern: dict[str, Any], *feeders: Change) -> Change:
    """Have it woken by a rule on a bus of its own."""
    bus = add("cloudwatch.EventBus", "bus")
    return several(bus, rule(pattern, eventBusName=Ref("bus", "name")), *feeders)


def passed_on(pattern: dict[str, Any]) -> Change:
    """Pass on events of the default bus to the own one."""
    return several(
        add("cloudwatch.EventRule", "passing", eventPattern=Json(pattern)),
        add("cloudwatch.EventTarget", "to-bus", rule=Ref("passing", "name"), arn=Ref("bus")),
    )


def by_topic_elsewhere(scene: Scene) -> None:
    without_alarm(scene)
    scene.remove("wake", "wake-policy")
    scene.find("wake-medic").put("topic", to=TOPIC_ELSEWHERE)
    scene.find("may-wake-medic").put("sourceArn", to=TOPIC_ELSEWHERE)


def by_queue_of_topic_elsewhere(scene: Scene) -> None:
    without_alarm(scene)
    scene.remove("wake", "wake-policy")
    scene.find("wake-inbox").put("topic", to=TOPIC_ELSEWHERE)


def by_alarm_elsewhere(scene: Scene) -> None:
    scene.find("may-wake-medic").put("sourceArn", to=f"arn:aws:cloudwatch:{HERE}:alarm:elsewhere")
    without_alarm(scene)


BY_PATTERN: dict[str, dict[str, Any]] = {
    "source and type": {"source": [CLOUDWATCH], "detail-type": [STATE_CHANGE]},
    "the beginning of the source": {"source": [{"prefix": "aws.cloud"}]},
    "the end of the type": {"detail-type": [{"suffix": "State Change"}]},
    "the type alone": {"detail-type": [STATE_CHANGE]},
    "the source in any case": {"source": [{"equals-ignore-case": "AWS.CloudWatch"}]},
    "the beginning in any case": {"source": [{"prefix": {"equals-ignore-case": "AWS."}}]},
    "a wildcard": {"source": ["aws.ec2", {"wildcard": "aws.*watch"}]},
    "all but another source": {"source": [{"anything-but": ["aws.ec2", "aws.s3"]}]},
    "all but a beginning": {"source": [{"anything-but": {"prefix": "aws.e"}}]},
    "all but beginnings": {"source": [{"anything-but": {"prefix": ["aws.e", "aws.s"]}}]},
    "all but an end": {"detail-type": [{"anything-but": {"suffix": "Notification"}}]},
    "all but a wildcard": {"source": [{"anything-but": {"wildcard": "aws.*2"}}]},
    "a field that is there": {"detail": {"alarmName": [{"exists": True}]}},
    "a field that is missing": {"source": [CLOUDWATCH], "detail": {"severity": [{"exists": False}]}},
    "one of two": {"$or": [{"source": ["aws.ec2"]}, {"source": [CLOUDWATCH]}]},
    "the state without data": {
        "source": [CLOUDWATCH],
        "detail": {"state": {"value": ["INSUFFICIENT_DATA"]}},
    },
    "the state before": {"source": [CLOUDWATCH], "detail": {"previousState": {"value": ["OK"]}}},
    "contributors": {"source": [CLOUDWATCH], "detail-type": ["CloudWatch Alarm Contributor State Change"]},
    "an account": {"source": [CLOUDWATCH], "account": [ACCOUNT]},
    "a matcher of next year": {"source": [{"sounds-like": "cloud watch"}]},
}
BY_NAME: dict[str, dict[str, Any]] = {
    "names of another stack": {"source": [CLOUDWATCH], "detail": {"alarmName": [{"prefix": "shop-"}]}},
    "the name of one alarm elsewhere": {"source": [CLOUDWATCH], "detail": {"alarmName": ["shop-errors"]}},
    "the alarms of another region": {
        "source": [CLOUDWATCH],
        "resources": [{"prefix": f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:shop"}],
    },
}
CATCH_ALL: dict[str, Any] = {"source": [{"prefix": ""}]}
ERRORS_OR_OWN = Json({"$or": [{"detail": {"alarmName": [Ref("errors", "name")]}}, {"source": ["medic"]}]})
MAY_PUT = Json(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
                "Action": "events:PutEvents",
                "Resource": "*",
            }
        ]
    }
)


def starter(*grants: dict[str, Any]) -> Change:
    """Have the topic wake a function that changes nothing, and the healer by what that does next."""

    def change(scene: Scene) -> None:
        scene.remove("wake-medic", "may-wake-medic")
        healers.function(scene, "starter", *grants)
        scene.find("starter-role").drop("permissionsBoundary")
        healers.subscribe(scene, "wake", "starter")
        wide_open(scene)

    return change


def may(action: str, resource: Any) -> dict[str, Any]:
    return {"Action": action, "Resource": resource}


def second_topic(scene: Scene) -> None:
    healers.topic(scene, "news")
    healers.subscribe(scene, "news", "medic", "news-medic")


def mapped(type_: str, name: str, **properties: Any) -> Change:
    """Have a queue, stream or table wake the healer."""

    def change(scene: Scene) -> None:
        if name not in scene:
            scene.add(type_, name, **properties)
        source = Ref(name)
        scene.add(
            "lambda.EventSourceMapping",
            f"from-{name}",
            eventSourceArn=source,
            functionName=Ref("medic", "name"),
            functionResponseTypes=["ReportBatchItemFailures"],
            maximumRetryAttempts=2,
            maximumRecordAgeInSeconds=60,
            bisectBatchOnFunctionError=True,
            parallelizationFactor=1,
            destinationConfig={"onFailure": {"destinationArn": Ref("medic-dead")}},
            scalingConfig={"maximumConcurrency": 2},
            enabled=True,
        )

    return change


REDRIVE = Json({"deadLetterTargetArn": text("medic-dead"), "maxReceiveCount": 3})
JOBS = mapped(
    "sqs.Queue",
    "jobs",
    redrivePolicy=REDRIVE,
    visibilityTimeoutSeconds=120,
)
CLICKS = mapped("kinesis.Stream", "clicks")
ITEMS = mapped("dynamodb.Table", "items", streamEnabled=True, pointInTimeRecovery={"enabled": True})


def bus_of(pattern: dict[str, Any], bus: str = "bus") -> Change:
    """Have a rule on a bus wake the healer."""

    def change(scene: Scene) -> None:
        scene.add("cloudwatch.EventBus", "bus")
        held = {} if bus == "default" else {"eventBusName": Ref("bus", "name")}
        scene.add("cloudwatch.EventRule", "changes", eventPattern=Json(pattern), **held)
        healers.target(scene, "medic")
        healers.permit(scene, "medic", "events", "changes", "may-change-medic")

    return change


def uploads(scene: Scene) -> None:
    """Have a bucket wake the healer."""
    scene.add("s3.Bucket", "shelf", bucket=physical("shelf"))
    scene.add(
        "s3.BucketNotification",
        "uploaded",
        bucket=Ref("shelf", "name"),
        lambdaFunctions=[{"lambdaFunctionArn": MEDIC, "events": ["s3:ObjectCreated:*"]}],
    )
    healers.permit(scene, "medic", "s3", "shelf", "shelf-may-call")


def logs_of(name: str) -> Change:
    """Have lines of a function's log wake the healer."""

    def change(scene: Scene) -> None:
        scene.add(
            "cloudwatch.LogSubscriptionFilter",
            "lines",
            logGroup=Ref(f"{name}-logs", "name"),
            filterPattern="ERROR",
            destinationArn=MEDIC,
        )
        healers.permit(scene, "medic", "logs", f"{name}-logs", "logs-may-call")

    return change


def invoked_by_input(scene: Scene) -> None:
    """Have the state machine call whatever function its input names."""
    definition = scene.find("steps").get("definition").content
    definition["States"]["Mend"]["Parameters"] = {"FunctionName.$": "$.healer"}
    scene.find("steps").put("definition", to=Json(definition))
    wide_open(scene)


def echo(scene: Scene) -> None:
    """Have what the healer publishes come back to its topic."""
    healers.topic(scene, "news")
    healers.function(scene, "parrot", may("sns:Publish", text("wake")))
    scene.find("parrot-role").drop("permissionsBoundary")
    healers.subscribe(scene, "news", "parrot")
    allow("sns:Publish", text("news"))(scene)


def succeeds_to(name: str, target: Any) -> Change:
    failing = {"onFailure": {"destination": text(f"{name}-dead")}}
    return put(f"{name}-events", destinationConfig=failing | {"onSuccess": {"destination": target}})


WIDE, TARGETS, CYCLE = "iam-policy-action-wildcard", "iam-policy-writes-on-targets", "lambda-healer-cycle"

TABLE: list[Foreign] = [
    *foreign(
        TARGETS,
        *((f"a rule on {name}", "event rule", rule(pattern)) for name, pattern in BY_PATTERN.items()),
        ("a catch-all rule on the default bus", "event rule", rule(CATCH_ALL)),
        (
            "a bus that another account may feed",
            "event rule",
            on_own_bus(
                CATCH_ALL,
                add("cloudwatch.EventBusPolicy", "open", eventBusName=Ref("bus", "name"), policy=MAY_PUT),
            ),
        ),
        (
            "a bus that an account is permitted to feed",
            "event rule",
            on_own_bus(
                CATCH_ALL,
                add(
                    "cloudwatch.EventPermission",
                    "open",
                    eventBusName=Ref("bus", "name"),
                    principal="210987654321",
                    statementId="platform",
                ),
            ),
        ),
        (
            "a bus to which alarms are passed on",
            "event rule",
            on_own_bus(CATCH_ALL, passed_on({"source": [CLOUDWATCH]})),
        ),
        (
            "a bus to which everything is passed on",
            "event rule",
            on_own_bus({"detail-type": [STATE_CHANGE]}, passed_on(CATCH_ALL)),
        ),
        ("a rule on alarms on a bus of its own", "event rule", on_own_bus({"source": [CLOUDWATCH]})),
        # It hears of its own dead letters as well.
        besides="cloudwatch-alarm-healer-health",
    ),
    *foreign(
        TARGETS,
        *((f"a rule on {name}", "event rule", rule(pattern)) for name, pattern in BY_NAME.items()),
        ("a topic of another stack", "topic", by_topic_elsewhere),
        ("a topic to which alarms of other stacks may publish", "topic", without_alarm),
        ("a queue of a topic of another stack", "queue", by_queue_of_topic_elsewhere),
    ),
    *foreign(
        TARGETS,
        ("an alarm of another stack", "alarm action", by_alarm_elsewhere),
        # Nothing of its own stack wires that alarm to it.
        besides="lambda-permission-scoped",
    ),
    *foreign(
        TARGETS,
        (
            "a rule whose pattern cannot be read",
            "event rule",
            several(without_alarm, put("changes", eventPattern=Unknown())),
        ),
        besides="selfheal-reference-resolved cloudwatch-alarm-healer-health",
    ),
    *foreign(
        "cloudwatch-alarm-wakes-healer",
        (
            "an alarm that wakes it for want of data only",
            "topic",
            put("errors", alarmActions=[PEOPLE], okActions=[PEOPLE], insufficientDataActions=[WAKE]),
        ),
        besides="cloudwatch-alarm-reports-recovery",
    ),
    *foreign(
        WIDE,
        (
            "the enrichment of a pipe",
            "queue",
            several(
                remove("from-inbox"),
                add("pipes.Pipe", "pipe", source=Ref("inbox"), enrichment=MEDIC, target=Ref("medic-logs")),
                wide_open,
            ),
        ),
        (
            "the URL of a function",
            "topic",
            several(
                remove("wake-medic", "may-wake-medic"),
                add(
                    "lambda.FunctionUrl",
                    "url",
                    functionName=Ref("medic", "name"),
                    authorizationType="AWS_IAM",
                ),
                add(
                    "sns.TopicSubscription",
                    "call",
                    topic=WAKE,
                    protocol="https",
                    endpoint=Unknown(("url",)),
                ),
                wide_open,
            ),
        ),
        (
            "an API before a function",
            "topic",
            several(
                remove("wake-medic", "may-wake-medic"),
                add("apigatewayv2.Api", "api", protocolType="HTTP"),
                add(
                    "apigatewayv2.Integration",
                    "calls",
                    apiId=Unknown(("api",)),
                    integrationUri=Unknown(("medic",)),
                ),
                add(
                    "sns.TopicSubscription",
                    "call",
                    topic=WAKE,
                    protocol="https",
                    endpoint=Unknown(("api",)),
                ),
                wide_open,
            ),
        ),
        (
            "a topic that a starter publishes to",
            "topic",
            several(starter(may("sns:Publish", text("news"))), second_topic),
        ),
        (
            "every topic that a starter may publish to",
            "topic",
            several(starter(may("sns:Publish", "*")), second_topic),
        ),
        (
            "topics by the beginning of their name",
            "topic",
            several(starter(may("sns:Publish", f"arn:aws:sns:{HERE}:ne*")), second_topic),
        ),
        (
            "a queue that a starter sends to",
            "topic",
            several(starter(may("sqs:SendMessage", text("jobs"))), JOBS),
        ),
        (
            "queues by a pattern",
            "topic",
            several(starter(may("sqs:SendMessage", "arn:aws:sqs:*:*:j?bs-*")), JOBS),
        ),
        (
            "a stream that a starter puts to",
            "topic",
            several(starter(may("kinesis:PutRecords", text("clicks"))), CLICKS),
        ),
        (
            "a table that a starter writes",
            "topic",
            several(starter(may("dynamodb:PutItem", text("items"))), ITEMS),
        ),
        (
            "a bucket that a starter writes",
            "topic",
            several(starter(may("s3:PutObject", text("shelf", "/*"))), uploads),
        ),
        (
            "a bus that a starter puts events on",
            "topic",
            several(starter(may("events:PutEvents", text("bus"))), bus_of({"source": ["shop"]})),
        ),
        (
            "the default bus",
            "topic",
            several(
                starter(may("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default")),
                bus_of({"detail-type": ["mend"]}, "default"),
            ),
        ),
        ("a function that a starter invokes", "topic", starter(may("lambda:InvokeFunction", text("medic")))),
        ("any version of it", "topic", starter(may("lambda:InvokeFunction", text("medic", ":*")))),
        (
            "functions by the beginning of their name",
            "topic",
            starter(may("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:med*")),
        ),
        ("a starter of every function", "topic", starter(may("lambda:InvokeFunction", "*"))),
        ("every machine", "topic", several(starter(may("states:StartExecution", "*")), healers.machine)),
        ("what a starter returns", "topic", several(starter(), succeeds_to("starter", MEDIC))),
        (
            "what a starter returns to a topic",
            "topic",
            several(starter(), second_topic, succeeds_to("starter", Ref("news"))),
        ),
        (
            "what a starter fails on",
            "topic",
            several(
                starter(), put("starter-events", destinationConfig={"onFailure": {"destination": MEDIC}})
            ),
        ),
        (
            "the dead letters of a starter",
            "topic",
            several(
                starter(), mapped("sqs.Queue", "starter-dead"), put("starter-dead", redrivePolicy=REDRIVE)
            ),
        ),
        ("the log of a starter", "topic", several(starter(), logs_of("starter"))),
        ("a machine whose input names it", "state machine", invoked_by_input),
        (
            "a machine whose input names it, by a policy of AWS",
            "state machine",
            several(
                invoked_by_input,
                remove("steps-rights"),
                add(
                    "iam.RolePolicyAttachment",
                    "steps-invoke",
                    role=Ref("steps-role", "name"),
                    policyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaRole",
                ),
            ),
        ),
    ),
    *foreign(
        CYCLE,
        ("an echo of what it publishes", "topic", echo),
        ("what it returns goes to its topic", "topic", succeeds_to("medic", WAKE)),
        ("what it returns goes to itself", "topic", succeeds_to("medic", MEDIC)),
        ("lines of its own log", "topic", logs_of("medic")),
        ("items of its own table", "topic", mapped("dynamodb.Table", "memory")),
    ),
    *foreign(
        CYCLE,
        ("objects that it stores", "topic", several(uploads, allow("s3:PutObject", text("shelf", "/log")))),
        (
            "events that it puts on the bus of its rule",
            "event rule",
            several(
                put("changes", eventPattern=ERRORS_OR_OWN),
                allow("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"),
            ),
        ),
        besides="iam-policy-action-allowed",
    ),
]
