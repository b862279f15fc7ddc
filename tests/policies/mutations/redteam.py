"""Ways around the rules that a sceptical engineer found: each a kind that no row of the other tables has."""

from typing import Any

from tests.policies.innocents import shapes
from tests.policies.mutations.table import Program, foreign
from tests.policies.support.changes import Change, add, allow, document, put, remove, several, text
from tests.policies.support.healers import function, healer, subscribe
from tests.policies.support.recording import arn
from tests.policies.support.references import Json, Ref, Unknown
from tests.policies.support.scene import Scene, physical

ANYBODY = {"Principal": {"AWS": "*"}}


def side_topic(*more: Change) -> Change:
    """Let another topic wake the healer, to which no alarm publishes."""
    return several(
        add("sns.Topic", "chat"), lambda scene: subscribe(scene, "chat", "medic", "chat-medic"), *more
    )


def side_queue(*more: Change) -> Change:
    """Let the healer read another queue, to which no alarm leads."""
    mapping = {
        "eventSourceArn": Ref("side"),
        "functionName": Ref("medic", "name"),
        "functionResponseTypes": ["ReportBatchItemFailures"],
    }
    return several(add("sqs.Queue", "side"), add("lambda.EventSourceMapping", "from-side", **mapping), *more)


SIDE_DOORS = [
    *foreign(
        "sns-topic-policy-closed",
        ("another topic without a policy", "topic", side_topic()),
        (
            "another topic that is open to everybody",
            "alarm action",
            side_topic(
                add(
                    "sns.TopicPolicy",
                    "chat-policy",
                    arn=Ref("chat"),
                    policy=document(ANYBODY | {"Action": "sns:Publish", "Resource": text("chat")}),
                )
            ),
        ),
    ),
    *foreign(
        "sqs-queue-policy-closed",
        (
            "another queue that is open to everybody",
            "topic",
            side_queue(
                add(
                    "sqs.QueuePolicy",
                    "side-policy",
                    queueUrl=Ref("side", "id"),
                    policy=document(ANYBODY | {"Action": "sqs:SendMessage", "Resource": text("side")}),
                )
            ),
        ),
    ),
]


def polled(scene: Scene) -> None:
    """Let the healer read the queue by itself, every minute: no mapping wakes it."""
    scene.remove("from-inbox")
    shapes.hourly(scene, "each-minute", "medic", "rate(1 minute)")


def reading_task(scene: Scene) -> None:
    """Register a task of ECS that reads the queue of an alarm, and may stop other tasks."""
    shapes.service(scene)
    shapes.topic(scene, "wake", "oncall@example.com")
    shapes.errors(scene, "errors", "orders", Ref("wake"))
    shapes.queue(scene, "inbox")
    scene.add("sns.TopicSubscription", "wake-inbox", topic=Ref("wake"), protocol="sqs", endpoint=Ref("inbox"))
    shapes.role(scene, "worker-role", "ecs-tasks")
    stops = {"Action": "ecs:StopTask", "Resource": "*"}
    shapes.allows(scene, "worker-policy", "worker-role", shapes.reads("inbox"), stops)
    scene.add(
        "ecs.TaskDefinition",
        "worker",
        family="worker",
        containerDefinitions="[]",
        taskRoleArn=Ref("worker-role"),
    )


PULLED = [
    *foreign(
        "iam-policy-action-allowed",
        (
            "a queue that it polls",
            "queue",
            several(polled, allow("lambda:UpdateFunctionCode", text("orders"))),
        ),
    ),
    Program("a task that reads the queue of an alarm", "selfheal-actuator-bounded", reading_task),
]

FILTERED = foreign(
    "cloudwatch-alarm-reaches-people",
    (
        "people who filter by an attribute that no alarm has",
        "topic",
        put("to-people", filterPolicy=Json({"severity": ["critical"]})),
    ),
    (
        "people who filter by a field that no alarm has",
        "event rule",
        put("to-people", filterPolicy=Json({"severity": ["critical"]}), filterPolicyScope="MessageBody"),
    ),
    besides="cloudwatch-alarm-healer-health",
)


def rewired(*changes: Change) -> Change:
    """Have the healer woken in another way than by its topic, and let it run for minutes."""
    return several(remove("wake-medic", "may-wake-medic"), *changes, put("medic", timeout=600))


def delivered(scene: Scene) -> None:
    """Archive what the topic says by Firehose in a bucket, whose objects wake the healer."""
    scene.add("s3.Bucket", "archive", bucket="archive-0a1b2c3")
    shapes.role(scene, "delivery", "firehose")
    into = {"bucketArn": Ref("archive"), "roleArn": Ref("delivery")}
    scene.add(
        "kinesis.FirehoseDeliveryStream", "stream", destination="extended_s3", extendedS3Configuration=into
    )
    scene.add(
        "sns.TopicSubscription", "wake-stream", topic=Ref("wake"), protocol="firehose", endpoint=Ref("stream")
    )
    called = [{"lambdaFunctionArn": Ref("medic"), "events": ["s3:ObjectCreated:*"]}]
    scene.add("s3.BucketNotification", "stored", bucket=Ref("archive", "id"), lambdaFunctions=called)
    shapes.permit(scene, "may-store", "medic", "s3", Ref("archive"))


def transformed(scene: Scene) -> None:
    """Have Firehose call the healer for what the topic says."""
    scene.add("s3.Bucket", "archive", bucket="archive-0a1b2c3")
    shapes.role(scene, "delivery", "firehose")
    given = [{"parameterName": "LambdaArn", "parameterValue": Ref("medic")}]
    into = {
        "bucketArn": Ref("archive"),
        "roleArn": Ref("delivery"),
        "processingConfiguration": {"enabled": True, "processors": [{"type": "Lambda", "parameters": given}]},
    }
    scene.add(
        "kinesis.FirehoseDeliveryStream", "stream", destination="extended_s3", extendedS3Configuration=into
    )
    scene.add(
        "sns.TopicSubscription", "wake-stream", topic=Ref("wake"), protocol="firehose", endpoint=Ref("stream")
    )


def logged(scene: Scene) -> None:
    """Have a rule write alarms to a log group, whose lines wake the healer."""
    scene.add("cloudwatch.LogGroup", "alarms", name="/aws/events/alarms")
    named = {"detail": {"alarmName": [Ref("errors", "name")]}}
    shapes.rule(scene, "logged", Ref("alarms"), shapes.STATE_CHANGE | named)
    scene.add(
        "cloudwatch.LogSubscriptionFilter",
        "lines",
        logGroup="/aws/events/alarms",
        filterPattern="",
        destinationArn=Ref("medic"),
    )
    shapes.permit(scene, "may-read-lines", "medic", "logs", Ref("alarms"))


ARCHIVES = foreign(
    "lambda-healer-timeout",
    ("objects of an archive that Firehose writes", "topic", rewired(delivered)),
    ("records that it transforms for Firehose", "topic", rewired(transformed)),
    ("alarms that a rule writes to a log", "topic", rewired(logged)),
)


def by_queue_policy(principal: dict[str, str] | str) -> Change:
    """Let a topic of another stack send to the healer's queue; that stack subscribes the queue itself."""
    elsewhere = arn("sns.Topic", "alarms-of-the-platform")
    may_send = {
        "Principal": principal,
        "Action": "SQS:SendMessage",
        "Resource": text("inbox"),
        "Condition": {"ArnEquals": {"aws:SourceArn": elsewhere}},
    }
    return several(
        remove("errors", "orders-lost", "wake-inbox", "wake", "wake-policy"),
        add("sqs.QueuePolicy", "inbox-policy", queueUrl=Ref("inbox", "id"), policy=document(may_send)),
    )


FED_ELSEWHERE = foreign(
    "iam-policy-writes-on-targets",
    (
        "a queue to which a topic of another stack may send",
        "queue",
        by_queue_policy({"Service": "sns.amazonaws.com"}),
    ),
    ("a queue to which such a topic may send by the older form", "queue", by_queue_policy("*")),
    besides="sqs-queue-policy-closed",
)


def asks(rule: str) -> Change:
    """Give the composite alarm another rule; {} stands for the name of the first alarm."""
    return put("either", alarmRule=rule.format(physical("errors")))


INVERTED = foreign(
    "cloudwatch-alarm-both-states",
    ("a composite alarm that is red when one is green", "composite alarm", asks('NOT ALARM("{}")')),
    ("one that counts the green", "composite alarm", asks("AT_LEAST(1, OK, ({}, other))")),
    ("one that is red unless both are", "composite alarm", asks('NOT (ALARM("{}") AND ALARM("other"))')),
)


def other_may(action: str) -> Change:
    """Register a function that no alarm reaches and that may do this with the healer's ledger."""
    return lambda scene: function(scene, "cleaner", {"Action": action, "Resource": text("memory")})


LEDGER = foreign(
    "dynamodb-ledger-guarded",
    ("a function that may delete the ledger", "topic", other_may("dynamodb:DeleteTable")),
    (
        "a function that may open the ledger to others",
        "alarm action",
        other_may("dynamodb:PutResourcePolicy"),
    ),
    ("a function that may have the ledger's items expire", "topic", other_may("dynamodb:Update*Live")),
)


def website(action: str, resource: Any) -> Change:
    """Register a function behind an API that may do this."""

    def change(scene: Scene) -> None:
        shapes.function(scene, "web", {"Action": action, "Resource": resource})
        shapes.permit(
            scene, "web-api", "web", "apigateway", "arn:aws:execute-api:us-east-1:000000000000:a1b2c3/*"
        )

    return change


MEDDLERS = foreign(
    "lambda-healer-untouched",
    (
        "a website that may take boundaries off",
        "topic",
        website("iam:DeleteRolePermissionsBoundary", "arn:aws:iam::000000000000:role/*"),
    ),
    (
        "a website that may give the healer more rights",
        "topic",
        website("iam:PutRolePolicy", text("medic-role")),
    ),
    ("a website that may replace the healer", "topic", website("lambda:UpdateFunctionCode", text("medic"))),
    ("a website that may change all functions", "alarm action", website("lambda:Update*", "*")),
    (
        "a website that may change functions by the beginning of their name",
        "queue",
        website("lambda:AddPermission", "arn:aws:lambda:us-east-1:000000000000:function:med*"),
    ),
)


def copied(scene: Scene) -> None:
    """Have a function keep a record of each alarm in a table, whose changes go to a stream that wakes it."""
    scene.add("dynamodb.Table", "items", hashKey="id")
    scene.add("kinesis.Stream", "changes")
    destination = {"tableName": Ref("items", "name"), "streamArn": Ref("changes")}
    scene.add("dynamodb.KinesisStreamingDestination", "copy", **destination)
    shapes.function(scene, "keeper", {"Action": "dynamodb:PutItem", "Resource": text("items")})
    shapes.subscribe(scene, "wake", "keeper")
    scene.add(
        "lambda.EventSourceMapping",
        "from-changes",
        eventSourceArn=Ref("changes"),
        functionName=Ref("medic", "name"),
        startingPosition="LATEST",
    )


COPIES = foreign("lambda-healer-timeout", ("the stream of a table's changes", "topic", rewired(copied)))


def called_over_https(*integrates: Change) -> Change:
    """Have a rule call an API of the stack by an API destination: behind it is the healer."""

    def change(scene: Scene) -> None:
        scene.add("apigatewayv2.Api", "api", protocolType="HTTP")
        scene.add("apigatewayv2.Stage", "live", apiId=Unknown(("api",)), name="live", autoDeploy=True)
        several(*integrates)(scene)
        scene.add("cloudwatch.EventConnection", "key", authorizationType="API_KEY")
        scene.add(
            "cloudwatch.EventApiDestination",
            "door",
            connectionArn=Ref("key"),
            httpMethod="POST",
            invocationEndpoint=Unknown(("live",)),
        )
        named = {"detail": {"alarmName": [Ref("errors", "name")]}}
        shapes.rule(scene, "posted", Ref("door"), shapes.STATE_CHANGE | named)
        scene.find("posted-target").put("deadLetterConfig", to={"arn": Ref("medic-dead")})
        posted = {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 2}
        scene.find("posted-target").put("retryPolicy", to=posted)

    return change


OVER_HTTPS = foreign(
    "lambda-healer-timeout",
    (
        "an API destination that is an API of the stack",
        "topic",
        rewired(
            called_over_https(
                add(
                    "apigatewayv2.Integration",
                    "to-medic",
                    apiId=Unknown(("api",)),
                    integrationType="AWS_PROXY",
                    integrationUri=Ref("medic", "invokeArn"),
                )
            )
        ),
    ),
    (
        "an API destination that is a function URL",
        "topic",
        rewired(
            called_over_https(
                add(
                    "lambda.FunctionUrl",
                    "url",
                    functionName=Ref("medic", "name"),
                    authorizationType="AWS_IAM",
                )
            ),
            put("door", invocationEndpoint=Unknown(("url",))),
        ),
    ),
)


def by_quick_api(scene: Scene) -> None:
    """Subscribe an API that was made with the healer as its target."""
    scene.add("apigatewayv2.Api", "api", protocolType="HTTP", target=Ref("medic"))
    scene.add(
        "sns.TopicSubscription", "wake-api", topic=Ref("wake"), protocol="https", endpoint=Unknown(("api",))
    )
    shapes.permit(
        scene, "may-call", "medic", "apigateway", "arn:aws:execute-api:us-east-1:000000000000:a1b2c3/*"
    )


QUICK_APIS = [
    Program(
        "an API that was made with the healer as its target",
        "lambda-healer-timeout",
        lambda scene: several(rewired(by_quick_api))(healer(scene)),
        frozenset({"lambda-permission-scoped"}),
    )
]
