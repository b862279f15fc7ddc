"""Programs in which much is passed on, some of it by what alarms wake, and in which no healer comes of it.

What changes something here is started by other events, or changes only what a healer of the stack may.
"""

from collections.abc import Callable
from typing import Any

from tests.policies.innocents.shapes import (
    AWS,
    attach,
    errors,
    function,
    on_events,
    permit,
    rule,
    service,
    subscribe,
    topic,
    trust,
)
from tests.policies.innocents.table import Innocent
from tests.policies.support import healers
from tests.policies.support.changes import grant, text
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Json, Ref, Unknown
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")
CONTAINERS = {"Action": ["ecs:UpdateService", "ecs:RunTask"], "Resource": "*"}
TOPIC_ELSEWHERE = arn("sns.Topic", "shop-events")
LIMIT = "lambda:PutFunctionConcurrency"


def notified(scene: Scene, *statements: dict[str, Any]) -> None:
    """Have the errors of a service wake a function that tells people."""
    service(scene)
    topic(scene, "alerts", "oncall@example.com")
    function(scene, "tell", *statements)
    subscribe(scene, "alerts", "tell")
    errors(scene, "orders-errors", "orders", ALERTS)


def woken_by(pattern: dict[str, Any], **more: Any) -> Callable[[Scene], None]:
    """Have a rule start what changes containers, beside a notifier of alarms."""

    def build(scene: Scene) -> None:
        notified(scene)
        function(scene, "deploy", CONTAINERS)
        made = on_events(scene, "events", "deploy", pattern)
        for key, value in more.items():
            made.put(key, to=value)

    return build


def on_own_bus(scene: Scene) -> None:
    """Have a catch-all rule on the bus of an application start what changes containers."""
    woken_by({"source": [{"prefix": ""}]})(scene)
    scene.add("cloudwatch.EventBus", "shop")
    scene.find("events").put("eventBusName", to=Ref("shop", "name"))
    scene.find("events-target").put("eventBusName", to=Ref("shop", "name"))
    passing = {"source": ["shop.orders"], "detail-type": [{"anything-but": "OrderRead"}]}
    rule(scene, "to-shop", Ref("shop"), passing)


def of_repository(scene: Scene) -> None:
    """Have pushes to a repository deploy: the pattern holds its ARN, and is unknown until that is."""
    notified(scene)
    scene.add("ecr.Repository", "images")
    function(scene, "deploy", CONTAINERS)
    on_events(scene, "pushes", "deploy")
    scene.find("pushes").put("eventPattern", to=Unknown(("images",)))


def of_another_topic(**filter_: Any) -> Callable[[Scene], None]:
    """Have messages of another stack start what changes containers, and no alarm's pass the filter."""

    def build(scene: Scene) -> None:
        notified(scene)
        function(scene, "scale", CONTAINERS)
        permit(scene, "shop-may-call-scale", "scale", "sns", TOPIC_ELSEWHERE)
        scene.add(
            "sns.TopicSubscription",
            "scales",
            topic=TOPIC_ELSEWHERE,
            protocol="lambda",
            endpoint=Ref("scale"),
            **filter_,
        )

    return build


def ring(scene: Scene) -> None:
    """Two functions that publish to each other's topics; the alarms of the second tell people."""
    notified(scene, {"Action": "sns:Publish", "Resource": text("news")})
    topic(scene, "news")
    function(scene, "echo", {"Action": "sns:Publish", "Resource": text("alerts")})
    subscribe(scene, "news", "echo")


def texts_beside_orders(scene: Scene) -> None:
    """A notifier that sends text messages, for which it may publish to anything, beside topics of orders."""
    notified(scene, {"Action": "sns:Publish", "Resource": "*"})
    scene.add("dynamodb.Table", "orders-table")
    topic(scene, "ordered")
    function(scene, "book", {"Action": "dynamodb:PutItem", "Resource": text("orders-table")})
    subscribe(scene, "ordered", "book")


def incidents_by_queue(scene: Scene) -> None:
    """A notifier puts incidents in a queue; a worker keeps them in a bucket, and its dead letters too."""
    notified(scene, {"Action": "sqs:SendMessage", "Resource": text("incidents")})
    scene.add("sqs.Queue", "lost", messageRetentionSeconds=1_209_600)
    dead = Json({"deadLetterTargetArn": text("lost"), "maxReceiveCount": 5})
    scene.add("sqs.Queue", "incidents", redrivePolicy=dead, visibilityTimeoutSeconds=180)
    scene.add("s3.Bucket", "archive", bucket=physical("archive"))
    for source, reader in (("incidents", "keep"), ("lost", "keep-lost")):
        reads = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        function(
            scene,
            reader,
            {"Action": reads, "Resource": text(source)},
            {"Action": "s3:PutObject", "Resource": text("archive", "/incidents/*")},
        )
        scene.add(
            "lambda.EventSourceMapping",
            f"{source}-to-{reader}",
            eventSourceArn=Ref(source),
            functionName=Ref(reader),
            functionResponseTypes=["ReportBatchItemFailures"],
            scalingConfig={"maximumConcurrency": 2},
        )


def incidents_in_a_table(scene: Scene) -> None:
    """A notifier notes incidents in a table, whose stream is written to an archive."""
    notified(scene, {"Action": "dynamodb:PutItem", "Resource": text("incidents")})
    scene.add("dynamodb.Table", "incidents", streamEnabled=True, streamViewType="NEW_IMAGE")
    scene.add("sqs.Queue", "lost", messageRetentionSeconds=1_209_600)
    scene.add("s3.Bucket", "archive", bucket=physical("archive"))
    function(scene, "keep", {"Action": "s3:PutObject", "Resource": text("archive", "/*")})
    scene.add(
        "lambda.EventSourceMapping",
        "incidents-to-keep",
        eventSourceArn=Ref("incidents", suffix="/stream/2026-11-01T00:00:00.000"),
        functionName=Ref("keep"),
        startingPosition="LATEST",
        maximumRetryAttempts=3,
        maximumRecordAgeInSeconds=3600,
        bisectBatchOnFunctionError=True,
        destinationConfig={"onFailure": {"destinationArn": Ref("lost")}},
    )


def reports(scene: Scene) -> None:
    """A notifier stores reports in a bucket, which has them indexed in a table."""
    notified(scene, {"Action": "s3:PutObject", "Resource": text("reports", "/*")})
    scene.add("s3.Bucket", "reports", bucket=physical("reports"))
    scene.add("dynamodb.Table", "found")
    function(scene, "index", {"Action": "dynamodb:PutItem", "Resource": text("found")})
    permit(scene, "reports-may-call-index", "index", "s3", Ref("reports"))
    scene.add(
        "s3.BucketNotification",
        "stored",
        bucket=Ref("reports", "id"),
        lambdaFunctions=[{"lambdaFunctionArn": Ref("index"), "events": ["s3:ObjectCreated:*"]}],
    )


def logs_shipped(scene: Scene) -> None:
    """The log of a notifier is shipped by a function that puts it on a stream."""
    notified(scene)
    scene.add("kinesis.Stream", "lines")
    name = f"/aws/lambda/{physical('tell')}"
    scene.add("cloudwatch.LogGroup", "tell-logs", name=name, retentionInDays=14)
    function(scene, "ship", {"Action": "kinesis:PutRecords", "Resource": text("lines")})
    permit(scene, "logs-may-call-ship", "ship", "logs", Ref("tell-logs", suffix=":*"))
    scene.add(
        "cloudwatch.LogSubscriptionFilter",
        "shipping",
        logGroup=Ref("tell-logs", "name"),
        filterPattern="",
        destinationArn=Ref("ship"),
    )


def results(scene: Scene) -> None:
    """What a notifier returns goes to a topic of people, and what it fails on to a queue."""
    notified(scene)
    topic(scene, "told", "audit@example.com")
    scene.add("sqs.Queue", "lost", messageRetentionSeconds=1_209_600)
    scene.add(
        "lambda.FunctionEventInvokeConfig",
        "tell-results",
        functionName=Ref("tell", "name"),
        destinationConfig={
            "onSuccess": {"destination": Ref("told")},
            "onFailure": {"destination": Ref("lost")},
        },
    )


def workflow_of_a_tutorial(scene: Scene) -> None:
    """A workflow that only tells, under the policy of AWS that lets it invoke everything, beside a job."""
    notified(scene)
    function(scene, "start", CONTAINERS)
    scene.add("iam.Role", "steps-role", assumeRolePolicy=trust("states"))
    attach(scene, "steps-invoke", "steps-role", f"{AWS}/service-role/AWSLambdaRole")
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "GiveUp"}]
    tell = {"Type": "Task", "Resource": text("tell"), "Catch": caught, "End": True}
    definition = {"StartAt": "Tell", "States": {"Tell": tell, "GiveUp": {"Type": "Fail"}}}
    scene.add("sfn.StateMachine", "steps", roleArn=Ref("steps-role"), definition=Json(definition))
    rule(scene, "rings", Ref("steps"))


def fan_out_of_a_stream(scene: Scene) -> None:
    """A consumer of its own reads a stream, and starts tasks; a notifier of alarms stands beside it."""
    notified(scene)
    scene.add("kinesis.Stream", "clicks")
    scene.add("kinesis.StreamConsumer", "reader", streamArn=Ref("clicks"))
    scene.add("sqs.Queue", "lost", messageRetentionSeconds=1_209_600)
    function(scene, "start", CONTAINERS)
    scene.add(
        "lambda.EventSourceMapping",
        "reader-to-start",
        eventSourceArn=Unknown(("reader",)),
        functionName=Ref("start"),
        startingPosition="LATEST",
        maximumRetryAttempts=3,
        maximumRecordAgeInSeconds=3600,
        bisectBatchOnFunctionError=True,
        destinationConfig={"onFailure": {"destinationArn": Ref("lost")}},
    )


def limiter(scene: Scene) -> None:
    """A healer has another function do what it may do itself, by a topic between them: its actuator."""
    healers.healer(scene, "topic")
    grant({"Action": "sns:Publish", "Resource": text("acts")})(scene)
    scene.add("sns.Topic", "acts")
    healers.function(scene, "limiter", {"Action": LIMIT, "Resource": text("orders")})
    healers.subscribe(scene, "acts", "limiter")


def breaker(scene: Scene) -> None:
    """A healer forces a circuit; what reads the stream of its table pauses the consumer: its actuator."""
    healers.healer(scene, "topic")
    scene.add("dynamodb.Table", "circuits", streamEnabled=True, pointInTimeRecovery={"enabled": True})
    forces = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["breaker#payments"]}}
    may = {"Action": ["dynamodb:UpdateItem"], "Resource": text("circuits"), "Condition": forces}
    grant(may)(scene)
    for key, value in (("BREAKER_TABLE", Ref("circuits", "name")), ("CIRCUIT", "payments")):
        scene.find("orders").put("environment", "variables", key, to=value)
    mappings = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*"
    of_orders = {"ArnEquals": {"lambda:FunctionArn": text("orders")}}
    pause = {"Action": "lambda:UpdateEventSourceMapping", "Resource": mappings, "Condition": of_orders}
    healers.function(scene, "controller", pause)
    scene.add(
        "lambda.EventSourceMapping",
        "circuits-to-controller",
        eventSourceArn=Ref("circuits"),
        functionName=Ref("controller", "name"),
        startingPosition="LATEST",
        maximumRetryAttempts=2,
        maximumRecordAgeInSeconds=60,
        bisectBatchOnFunctionError=True,
        destinationConfig={"onFailure": {"destinationArn": Ref("controller-dead")}},
    )
    scene.add(
        "cloudwatch.MetricAlarm",
        "controller-lost",
        alarmDescription="See https://example.com/runbook",
        namespace="AWS/SQS",
        metricName="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": Ref("controller-dead", "name")},
        alarmActions=[Ref("people")],
        okActions=[Ref("people")],
    )


INNOCENTS: list[Innocent] = [
    Innocent("a catch-all rule on the bus of a shop", on_own_bus, "EventBridge: a bus for each application"),
    Innocent(
        "a rule on events of containers",
        woken_by({"source": ["aws.ecs"], "detail-type": ["ECS Deployment State Change"]}),
        "ECS deployment events",
    ),
    Innocent(
        "a rule on all but events of AWS",
        woken_by({"source": [{"anything-but": {"prefix": "aws."}}]}),
        "EventBridge guide: anything-but matching",
    ),
    Innocent(
        "a rule on a field that no alarm has",
        woken_by({"detail": {"eventType": ["OrderPlaced"]}}),
        "custom events on the default bus",
    ),
    Innocent(
        "a rule on changes of what alarms are",
        woken_by({"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm Configuration Change"]}),
        "CloudWatch guide: configuration changes of alarms",
    ),
    Innocent(
        "a rule on numbers",
        woken_by({"source": ["shop"], "detail": {"count": [{"numeric": [">", 100]}]}}),
        "EventBridge guide: numeric matching",
    ),
    Innocent("a deployer by a push of an image", of_repository, "ECR push events that deploy to ECS"),
    Innocent(
        "messages of another stack by an attribute",
        of_another_topic(filterPolicy='{"event": ["sale-begins"]}'),
        "SNS filter policies on attributes",
    ),
    Innocent(
        "messages of another stack by their text",
        of_another_topic(filterPolicy='{"event": ["sale-begins"]}', filterPolicyScope="MessageBody"),
        "SNS filter policies on the message body",
    ),
    Innocent("two topics in a ring", ring, "normalising notifications from topic to topic"),
    Innocent(
        "text messages beside topics of orders", texts_beside_orders, "SNS guide: SMS by sns:Publish on *"
    ),
    Innocent("incidents by a queue", incidents_by_queue, "alarm archive by SQS and S3"),
    Innocent("incidents in a table with a stream", incidents_in_a_table, "incident log by DynamoDB streams"),
    Innocent("reports in a bucket with an index", reports, "S3 notifications that index objects"),
    Innocent("the log of a notifier, shipped", logs_shipped, "log shipping by subscription filters"),
    Innocent("results of a notifier", results, "Lambda destinations samples"),
    Innocent("a workflow of a tutorial", workflow_of_a_tutorial, "Step Functions tutorial: AWSLambdaRole"),
    Innocent("a consumer of its own of a stream", fan_out_of_a_stream, "Kinesis enhanced fan-out"),
    Innocent("a healer with a limiter", limiter, "remediation split in decision and action"),
    Innocent("a healer with a circuit breaker", breaker, "circuit breaker for event source mappings"),
]
