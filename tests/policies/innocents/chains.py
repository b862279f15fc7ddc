"""Notifiers that pass on what they are told, by events, queues, logs and workflows, to other innocents."""

from typing import Any

from tests.policies.innocents.automation import TRAIL
from tests.policies.innocents.shapes import (
    alarm,
    allows,
    consume,
    errors,
    function,
    hourly,
    on_events,
    permit,
    queue,
    reads,
    role,
    secret,
    service,
    subscribe,
    topic,
)
from tests.policies.innocents.table import Innocent
from tests.policies.innocents.tickets import TTL, bucket, firehose, table
from tests.policies.innocents.workflows import RETRY, machine, on_rule
from tests.policies.support import healers
from tests.policies.support.changes import text
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene, physical

ALERTS = Ref("alerts")
DEFAULT_BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"


def told_by(scene: Scene, name: str, *statements: dict[str, Any], **properties: Any) -> None:
    """Register orders, its alarm, and a function that the alarm's topic calls."""
    service(scene)
    topic(scene, "alerts")
    function(scene, name, *statements, **properties)
    subscribe(scene, "alerts", name)
    errors(scene, "orders-errors", "orders", ALERTS)


def own_memory(scene: Scene) -> None:
    """A notifier that remembers what it told, and whose own errors and lost events ring the same topic."""
    table(scene, "told", **TTL)
    told_by(
        scene,
        "slack",
        {"Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": text("told")},
        {"Action": "sqs:SendMessage", "Resource": text("lost")},
        environment={"variables": {"TABLE": Ref("told", "name")}},
    )
    scene.add("sqs.Queue", "lost")
    scene.find("slack").put("deadLetterConfig", to={"targetArn": Ref("lost")})
    errors(scene, "slack-errors", "slack", ALERTS)
    visible = "AWS/SQS:ApproximateNumberOfMessagesVisible"
    alarm(scene, "slack-lost", visible, {"QueueName": Ref("lost", "name")}, ALERTS)


def tickets_of_tickets(scene: Scene) -> None:
    """A ticket opener on a queue with an idempotency table; its dead letters open tickets too."""
    service(scene)
    topic(scene, "alerts")
    table(scene, "seen", **TTL)
    queue(scene, "tickets")
    scene.add("sns.TopicSubscription", "to-tickets", topic=ALERTS, protocol="sqs", endpoint=Ref("tickets"))
    items = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
    function(scene, "open", reads("tickets"), {"Action": items, "Resource": text("seen")})
    consume(scene, "tickets", "open")
    errors(scene, "orders-errors", "orders", ALERTS)
    errors(scene, "open-errors", "open", ALERTS)
    dead = {"QueueName": Ref("tickets-dead", "name")}
    alarm(scene, "tickets-lost", "AWS/SQS:ApproximateNumberOfMessagesVisible", dead, ALERTS)


def own_events(scene: Scene) -> None:
    """Enriched alarms as events of its own on the default bus, which other functions tell and count."""
    told_by(scene, "enrich", {"Action": "events:PutEvents", "Resource": DEFAULT_BUS})
    enriched: dict[str, Any] = {"source": ["monitoring.enriched"]}
    for name in ("slack", "mail"):
        function(scene, name, {"Action": "ses:SendEmail", "Resource": "*"})
        on_events(scene, f"to-{name}", name, enriched)


def beside_a_tagger(scene: Scene) -> None:
    """The same, in an account where AWS's own events run a tagger: nobody else can put events of AWS."""
    own_events(scene)
    function(scene, "tag", {"Action": "ec2:CreateTags", "Resource": "*"})
    runs = {"source": ["aws.ec2"], "detail-type": [TRAIL], "detail": {"eventName": ["RunInstances"]}}
    on_events(scene, "created", "tag", runs)


def on_success(scene: Scene) -> None:
    """What a notifier returns goes to the bus by its destination, and a rule counts it."""
    told_by(scene, "slack", {"Action": "events:PutEvents", "Resource": DEFAULT_BUS})
    scene.add(
        "lambda.FunctionEventInvokeConfig",
        "slack-events",
        functionName=Ref("slack", "name"),
        destinationConfig={"onSuccess": {"destination": DEFAULT_BUS}},
    )
    function(scene, "count", {"Action": "cloudwatch:PutMetricData", "Resource": "*"})
    returned: dict[str, Any] = {
        "source": ["lambda"],
        "detail-type": ["Lambda Function Invocation Result - Success"],
    }
    on_events(scene, "returned", "count", returned)


def transformed(scene: Scene) -> None:
    """A delivery stream whose records a function transforms on their way to the lake."""
    told_by(scene, "put", {"Action": "firehose:PutRecordBatch", "Resource": text("lake-stream")})
    firehose(scene, bucket(scene, "lake"))
    function(scene, "transform", {"Action": "comprehend:DetectEntities", "Resource": "*"})
    processor = {
        "type": "Lambda",
        "parameters": [{"parameterName": "LambdaArn", "parameterValue": Ref("transform", suffix=":$LATEST")}],
    }
    configuration = {
        "bucketArn": Ref("lake"),
        "roleArn": Ref("lake-role"),
        "processingConfiguration": {"enabled": True, "processors": [processor]},
    }
    scene.find("lake-stream").put("extendedS3Configuration", to=configuration)


def logs_forwarded(scene: Scene) -> None:
    """The logs of a notifier, and of all else, go to a function that keeps them in OpenSearch."""
    told_by(scene, "slack")
    function(
        scene,
        "forward",
        {
            "Action": ["es:ESHttpPost", "es:ESHttpPut"],
            "Resource": f"arn:aws:es:{REGION}:{ACCOUNT}:domain/logs/*",
        },
    )
    for name in ("slack", "orders"):
        group = f"/aws/lambda/{physical(name)}"
        scene.add("cloudwatch.LogGroup", f"{name}-logs", name=group, retentionInDays=7)
        permit(scene, f"{name}-logs-may-call", "forward", "logs", Ref(f"{name}-logs", suffix=":*"))
        scene.add(
            "cloudwatch.LogSubscriptionFilter",
            f"{name}-forwarded",
            logGroup=Ref(f"{name}-logs", "name"),
            filterPattern="",
            destinationArn=Ref("forward"),
        )


def reports_indexed(scene: Scene) -> None:
    """Reports in a bucket, of which the bucket tells EventBridge; a function indexes them."""
    reports, index = bucket(scene, "reports"), bucket(scene, "index")
    told_by(scene, "report", {"Action": "s3:PutObject", "Resource": f"{reports}/*"})
    scene.add("s3.BucketNotification", "reports-events", bucket=Ref("reports", "id"), eventbridge=True)
    function(
        scene,
        "index-reports",
        {"Action": "s3:GetObject", "Resource": f"{reports}/*"},
        {"Action": "s3:PutObject", "Resource": f"{index}/*"},
    )
    created: dict[str, Any] = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [Ref("reports", "name")]}},
    }
    on_events(scene, "created", "index-reports", created)


def chosen_channel(scene: Scene) -> None:
    """A workflow that takes the name of the notifier from its input; its role may call two."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    function(scene, "slack", secret(scene, "webhook"))
    function(scene, "teams")
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName.$": "$.channel", "Payload.$": "$"},
        "Retry": [RETRY],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Untold"}],
        "End": True,
    }
    may = {"Action": "lambda:InvokeFunction", "Resource": [text("slack"), text("teams")]}
    machine(scene, "tell", {"Call": call, "Untold": {"Type": "Succeed"}}, may)
    on_rule(scene, "tell")


def in_jsonata(scene: Scene) -> None:
    """A workflow in JSONata that tells by a function and by a topic at once."""
    service(scene)
    errors(scene, "orders-errors", "orders")
    topic(scene, "people", "oncall@example.com")
    function(scene, "slack", secret(scene, "webhook"))
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    {
                        "StartAt": "Slack",
                        "States": {
                            "Slack": {
                                "Type": "Task",
                                "Resource": "arn:aws:states:::lambda:invoke",
                                "Arguments": {
                                    "FunctionName": Ref("slack", "name"),
                                    "Payload": "{% $states.input %}",
                                },
                                "Retry": [RETRY],
                                "End": True,
                            }
                        },
                    },
                    {
                        "StartAt": "People",
                        "States": {
                            "People": {
                                "Type": "Task",
                                "Resource": "arn:aws:states:::sns:publish",
                                "Arguments": {
                                    "TopicArn": text("people"),
                                    "Message": "{% $states.input.detail.alarmName & ' rings' %}",
                                },
                                "Retry": [RETRY],
                                "End": True,
                            }
                        },
                    },
                ],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Untold"}],
                "End": True,
            },
            "Untold": {"Type": "Fail"},
        },
    }
    role(scene, "tell-role", "states")
    allows(
        scene,
        "tell-policy",
        "tell-role",
        {"Action": "lambda:InvokeFunction", "Resource": [text("slack"), text("slack", ":*")]},
        {"Action": "sns:Publish", "Resource": text("people")},
    )
    scene.add("sfn.StateMachine", "tell", roleArn=Ref("tell-role"), definition=Json(definition))
    on_rule(scene, "tell")


def again_later(scene: Scene) -> None:
    """A notifier that calls itself for the next page, and one that puts off what nobody answered."""
    queue(scene, "later", delaySeconds=900)
    may = {"Action": "lambda:InvokeFunction", "Resource": arn("lambda.Function", physical("slack"))}
    told_by(scene, "slack", may, {"Action": "sqs:SendMessage", "Resource": text("later")})
    function(scene, "remind", reads("later"), {"Action": "sqs:SendMessage", "Resource": text("later")})
    consume(scene, "later", "remind")


def letters_sent_back(scene: Scene) -> None:
    """Dead letters of a consumer ring people; a nightly job sends them back to their queue."""
    topic(scene, "alerts", "oncall@example.com")
    queue(scene, "work")
    table(scene, "orders")
    function(scene, "worker", reads("work"), {"Action": "dynamodb:PutItem", "Resource": text("orders")})
    consume(scene, "work", "worker")
    moves = [
        "sqs:StartMessageMoveTask",
        "sqs:ListMessageMoveTasks",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
    ]
    function(
        scene,
        "redrive",
        {"Action": [*moves, "sqs:GetQueueAttributes"], "Resource": text("work-dead")},
        {"Action": "sqs:SendMessage", "Resource": text("work")},
    )
    hourly(scene, "nightly", "redrive", "cron(0 4 * * ? *)")
    dead = {"QueueName": Ref("work-dead", "name")}
    alarm(scene, "work-lost", "AWS/SQS:ApproximateNumberOfMessagesVisible", dead, ALERTS)


def beside_a_healer(scene: Scene) -> None:
    """A careful healer, and beside it a recorder and a page that may read the healer's ledger."""
    healers.healer(scene)
    table(scene, "incidents")
    function(
        scene,
        "record",
        {"Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"], "Resource": text("incidents")},
        secret(scene, "webhook"),
    )
    subscribe(scene, "people", "record")
    function(scene, "page", {"Action": ["dynamodb:Query"], "Resource": [text("incidents"), text("memory")]})
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc123/*/GET/"
    permit(scene, "api-may-call", "page", "apigateway", source)


def texts_beside_a_healer(scene: Scene) -> None:
    """A careful healer, and a function that may send text messages, but may publish to no topic."""
    healers.healer(scene)
    function(
        scene,
        "text",
        {"Action": "sns:Publish", "Resource": "*"},
        {"Effect": "Deny", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:*"},
    )
    subscribe(scene, "people", "text")


def shared_topic_beside_a_healer(scene: Scene) -> None:
    """A careful healer, and a notifier on a topic of another stack."""
    healers.healer(scene)
    function(scene, "slack", secret(scene, "webhook"))
    shared = f"arn:aws:sns:{REGION}:{ACCOUNT}:platform-alerts"
    scene.add("sns.TopicSubscription", "to-slack", topic=shared, protocol="lambda", endpoint=Ref("slack"))
    permit(scene, "may-call", "slack", "sns", shared)


INNOCENTS = [
    Innocent("a notifier that remembers", own_memory, "de-duplicating notifiers with alarms of their own"),
    Innocent("tickets of tickets", tickets_of_tickets, "idempotent queue consumers, watched like all else"),
    Innocent("enriched alarms as events", own_events, "event-driven notification hubs"),
    Innocent("a notification hub beside a tagger", beside_a_tagger, "the same in a shared account"),
    Innocent("results of a notifier counted", on_success, "Lambda destinations to EventBridge"),
    Innocent("a transformed delivery stream", transformed, "Firehose data transformation by Lambda"),
    Innocent("logs of notifiers forwarded", logs_forwarded, "centralized logging to OpenSearch"),
    Innocent("reports indexed", reports_indexed, "S3 event notifications by EventBridge"),
    Innocent("a channel by name", chosen_channel, "Step Functions with FunctionName.$"),
    Innocent("a workflow in jsonata", in_jsonata, "Step Functions JSONata samples"),
    Innocent("told again later", again_later, "recursive pagination, delayed reminders by SQS"),
    Innocent("letters sent back by night", letters_sent_back, "scheduled DLQ redrive"),
    Innocent("records beside a healer", beside_a_healer, "incident pages beside automation"),
    Innocent("texts beside a healer", texts_beside_a_healer, "SMS by SNS, documented denial of topics"),
    Innocent("a shared topic beside a healer", shared_topic_beside_a_healer, "platform alerts"),
]
