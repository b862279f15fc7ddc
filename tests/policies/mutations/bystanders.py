"""Other programs of a healer's stack that start it, silence it, or ring the alarm that wakes it."""

from typing import Any

from tests.policies.innocents import shapes
from tests.policies.mutations.table import foreign, refused_by
from tests.policies.support.changes import Change, add, put, several, text, variables
from tests.policies.support.healers import alarm
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Lost, Ref
from tests.policies.support.scene import Scene

API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3/*"
EVERY_FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:*"
EVERY_ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"
EVERY_MAPPING = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*"


def website(action: str | list[str], resource: Any, **condition: Any) -> Change:
    """Register a function behind an API that may do this."""
    grant = {"Action": action, "Resource": resource, **condition}
    return several(
        lambda scene: shapes.function(scene, "web", grant),
        lambda scene: shapes.permit(scene, "web-api", "web", "apigateway", API),
    )


def workflow(scene: Scene) -> None:
    """Register a workflow that nothing starts but a person, and that runs the healer."""
    shapes.role(scene, "drill-role", "states")
    shapes.allows(
        scene, "drill-policy", "drill-role", {"Action": "lambda:InvokeFunction", "Resource": text("medic")}
    )
    state = {"Type": "Task", "Resource": text("medic"), "End": True}
    definition = Json({"StartAt": "Run", "States": {"Run": state}})
    scene.add("sfn.StateMachine", "drill", roleArn=Ref("drill-role"), definition=definition)


def mapped(type_: str, name: str, **properties: Any) -> Change:
    """Have the healer read another stream as well."""
    mapping = {"functionName": Ref("medic", "name"), "startingPosition": "LATEST"}
    bounds = {"maximumRetryAttempts": 2, "maximumRecordAgeInSeconds": 60, "bisectBatchOnFunctionError": True}
    fails = {"destinationConfig": {"onFailure": {"destinationArn": Ref("medic-dead")}}}
    responds = {"functionResponseTypes": ["ReportBatchItemFailures"]}
    return several(
        add(type_, name, **properties),
        add(
            "lambda.EventSourceMapping",
            f"from-{name}",
            eventSourceArn=Ref(name),
            **mapping,
            **bounds,
            **fails,
            **responds,
        ),
    )


def own_event(scene: Scene) -> None:
    """Start the healer by an event of the stack's own as well, on a bus of its own."""
    scene.add("cloudwatch.EventBus", "jobs")
    wanted = Json({"source": ["shop.jobs"]})
    on = {"eventBusName": Ref("jobs", "name")}
    scene.add("cloudwatch.EventRule", "asked", eventPattern=wanted, **on)
    scene.add(
        "cloudwatch.EventTarget",
        "to-asked",
        rule=Ref("asked", "name"),
        arn=Ref("medic"),
        deadLetterConfig={"arn": Ref("medic-dead")},
        retryPolicy={"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 2},
        **on,
    )
    shapes.permit(scene, "may-ask", "medic", "events", Ref("asked"))


def started_by_url(scene: Scene) -> None:
    """Give the healer a URL for programs that sign their requests."""
    scene.add("lambda.FunctionUrl", "url", functionName=Ref("medic", "name"), authorizationType="AWS_IAM")


CALLERS = foreign(
    "lambda-permission-scoped",
    ("a website that may invoke the healer", "topic", website("lambda:InvokeFunction", text("medic"))),
    ("a website that may invoke an alias of it", "alias", website("lambda:Invoke*", text("medic", ":live"))),
    (
        "a website that may invoke all functions",
        "alarm action",
        website("lambda:InvokeFunction", EVERY_FUNCTION),
    ),
    ("a website that may invoke everything", "event rule", website("lambda:InvokeFunction", "*")),
    (
        "a website that may invoke functions by the beginning of their name",
        "topic",
        website("lambda:InvokeAsync", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:med*"),
    ),
    (
        "a website with AWS's policy to invoke functions",
        "topic",
        several(
            lambda scene: shapes.function(scene, "web"),
            lambda scene: shapes.attach(
                scene, "web-calls", "web-role", "arn:aws:iam::aws:policy/service-role/AWSLambdaRole"
            ),
        ),
    ),
    (
        "a website that calls its url",
        "queue",
        several(started_by_url, website("lambda:InvokeFunctionUrl", text("medic"))),
    ),
    (
        "a website that may start the workflow that heals",
        "state machine",
        website("states:StartExecution", text("steps")),
    ),
    ("a workflow that runs it", "topic", workflow),
    ("a website that sends to its queue", "queue", website("sqs:SendMessage", text("inbox"))),
    (
        "a website that sends to another queue of it",
        "topic",
        several(
            add("sqs.Queue", "side", redrivePolicy=Json({"deadLetterTargetArn": text("medic-dead")})),
            add(
                "lambda.EventSourceMapping",
                "from-side",
                eventSourceArn=Ref("side"),
                functionName=Ref("medic", "name"),
                functionResponseTypes=["ReportBatchItemFailures"],
                scalingConfig={"maximumConcurrency": 2},
            ),
            website("sqs:SendMessage", text("side")),
        ),
    ),
    (
        "a website that writes to a stream of it",
        "topic",
        several(mapped("kinesis.Stream", "clicks"), website("kinesis:PutRecord", text("clicks"))),
    ),
    (
        "a website that writes to a table of which it reads the changes",
        "topic",
        several(
            mapped("dynamodb.Table", "carts", streamEnabled=True, pointInTimeRecovery={"enabled": True}),
            website("dynamodb:PutItem", text("carts")),
        ),
    ),
    (
        "a website that puts the events that it waits for",
        "topic",
        several(own_event, website("events:PutEvents", text("jobs"))),
    ),
)

_ACTIONS = (
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DisableAlarmActions",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:SetAlarmState",
)

SILENCERS = foreign(
    "cloudwatch-alarm-silenced",
    *((f"a website that may {action}", "topic", website(action, text("errors"))) for action in _ACTIONS),
    ("a website that may mute all alarms", "topic", website("cloudwatch:DisableAlarmActions", EVERY_ALARM)),
    ("a website that may set any alarm", "alarm action", website("cloudwatch:SetAlarm*", "*")),
    (
        "a website that may mute alarms by rules",
        "event rule",
        website("cloudwatch:PutAlarmMuteRule", "*"),
    ),
    (
        "a website that may mute the alarm on the healer",
        "topic",
        website("cloudwatch:DisableAlarmActions", text("medic-down")),
    ),
    (
        "a website that may change the composite alarm",
        "composite alarm",
        website("cloudwatch:PutCompositeAlarm", "*"),
    ),
    (
        "a website that may mute an alarm under it",
        "composite alarm",
        website("cloudwatch:DisableAlarmActions", text("errors")),
    ),
    ("a website that may unsubscribe the healer", "topic", website("sns:Unsubscribe", text("wake"))),
    ("a website that may filter what it gets", "queue", website("sns:SetSubscriptionAttributes", "*")),
    ("a website that may delete its topic", "topic", website("sns:Delete*", text("wake"))),
    ("a website that may disable its rule", "event rule", website("events:DisableRule", text("changes"))),
    (
        "a website that may take the target off all rules",
        "state machine",
        website("events:RemoveTargets", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/*"),
    ),
    ("a website that may empty its queue", "queue", website("sqs:PurgeQueue", text("inbox"))),
    (
        "a website that may delete all mappings",
        "queue",
        website("lambda:DeleteEventSourceMapping", EVERY_MAPPING),
    ),
    (
        "a website that may pause the healer's mappings",
        "queue",
        website(
            "lambda:UpdateEventSourceMapping",
            EVERY_MAPPING,
            Condition={"ArnEquals": {"lambda:FunctionArn": text("medic")}},
        ),
    ),
)


def on_metric(**dimensions: Any) -> Change:
    """Have the alarm that wakes the healer watch a metric of the shop's own."""
    return put("errors", namespace="Shop", metricName="FailedPayments", dimensions=dimensions)


def publishes(namespaces: Any, *, operator: str = "StringEquals") -> Change:
    """Let the healer publish to namespaces."""
    return grant_metrics({"Condition": {operator: {"cloudwatch:namespace": namespaces}}})


def grant_metrics(more: dict[str, Any]) -> Change:
    grant = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*", **more}
    return lambda scene: [
        scene.find(name).document(lambda held: held.append(grant)) for name in ("medic-rights", "medic-limit")
    ]


def beside(*changes: Change) -> Change:
    """Keep an alarm on the function itself, so that the healer has a target, and add one on a metric."""
    return several(
        lambda scene: alarm(scene, "unpaid", "orders", "wake", "people"),
        put("unpaid", namespace="Shop", metricName="FailedPayments", dimensions={"Service": "payments"}),
        *changes,
    )


def queried(expression: str) -> Change:
    """Have the alarm ask by a query."""
    query = [{"id": "q", "expression": expression, "period": 60, "returnData": True}]
    return put("unpaid", metricQueries=query)


def of_library(scene: Scene) -> None:
    """Let the healer publish by Powertools for AWS Lambda, and an alarm on that wake it."""
    variables("medic", POWERTOOLS_METRICS_NAMESPACE="Shop", POWERTOOLS_SERVICE_NAME="medic")(scene)
    scene.find("unpaid").put("dimensions", to={"service": "medic"})


def of_other_library(scene: Scene) -> None:
    variables("medic", AWS_EMF_NAMESPACE="Shop", AWS_EMF_SERVICE_NAME="medic")(scene)
    named = {"ServiceName": "medic", "ServiceType": "AWS::Lambda::Function", "LogGroup": "medic"}
    scene.find("unpaid").put("dimensions", to=named)


def also_by_itself(scene: Scene) -> None:
    """Have the alarm start the healer without a topic."""
    scene.find("unpaid").put("alarmActions", to=[Ref("medic"), Ref("people")])
    scene.find("unpaid").put("okActions", to=[Ref("medic"), Ref("people")])
    shapes.permit(scene, "unpaid-calls", "medic", "lambda.alarms.cloudwatch", Ref("unpaid"))


PUBLISHERS = [
    *foreign(
        "lambda-healer-cycle",
        ("a metric that the healer may publish", "topic", beside(publishes("Shop"))),
        (
            "a metric of one of its namespaces",
            "two topics",
            beside(also_by_itself, publishes(["Medic", "Shop"])),
        ),
        ("a metric of a namespace by a pattern", "topic", beside(publishes("Sh*", operator="StringLike"))),
        ("metrics of any namespace", "topic", beside(grant_metrics({}))),
        (
            "metrics of all namespaces but one",
            "queue",
            beside(publishes("Medic", operator="StringNotEquals")),
        ),
        (
            "a metric that is denied in another namespace",
            "topic",
            beside(
                grant_metrics({}),
                grant_metrics(
                    {"Effect": "Deny", "Condition": {"StringEquals": {"cloudwatch:namespace": "X"}}}
                ),
            ),
        ),
        (
            "a metric in a query",
            "topic",
            beside(
                publishes("Shop"),
                queried("SELECT SUM(Unpaid) FROM SCHEMA(\"Shop\", Service) WHERE Service = 'payments'"),
            ),
        ),
        (
            "a metric whose namespace is not known",
            "topic",
            beside(publishes("Shop"), put("unpaid", namespace=Lost("Shop"))),
        ),
        besides="iam-policy-action-allowed iam-policy-resource-wildcard",
    ),
    *foreign(
        "lambda-healer-cycle",
        ("a metric that Powertools publishes for it", "topic", beside(of_library)),
        ("a metric that the library of AWS publishes for it", "topic", beside(of_other_library)),
    ),
]
"""Who publishes by the API at all is refused as well, unless the configuration allows the action."""


def kept(name: str, *paths: str) -> Change:
    """Have Pulumi ignore changes of a resource."""
    return lambda scene: scene.find(name).ignore(*paths)


IGNORED = foreign(
    "selfheal-guard-kept",
    *(
        (f"changes of {paths[0]} of {name} that are ignored", route, kept(name, *paths))
        for route, name, paths in (
            ("topic", "errors", ("alarmActions",)),
            ("topic", "errors", ("okActions[0]",)),
            ("alarm action", "errors", ("actionsEnabled", "tags")),
            ("event rule", "errors", ("*",)),
            ("topic", "medic-down", ('["alarmActions"]',)),
            ("composite alarm", "either", ("alarmActions",)),
            ("topic", "medic-rights", ("policy",)),
            ("topic", "medic-limit", ("policy",)),
            ("queue", "medic-role", ("permissionsBoundary",)),
            ("topic", "medic-role", ("assumeRolePolicy",)),
            ("topic", "wake-policy", ("policy",)),
            ("event rule", "changes", ("eventPattern",)),
            ("alias", "medic", ("reservedConcurrentExecutions",)),
            ("topic", "medic", ("role",)),
        )
    ),
)

OURS = [
    *refused_by(
        "selfheal-guard-kept",
        (
            "changes of the healer's alarms that are ignored",
            kept("healer-errors", "alarmActions"),
            "both",
            "up",
        ),
        (
            "changes of the healer's boundary that are ignored",
            kept("healer-boundary", "policy"),
            "both",
            "up",
        ),
    ),
    *refused_by(
        "lambda-permission-scoped",
        (
            "a website that may invoke our healer",
            website("lambda:InvokeFunction", text("healer")),
            "both",
            "up",
        ),
    ),
    *refused_by(
        "cloudwatch-alarm-silenced",
        (
            "a website that may mute our alarms",
            website("cloudwatch:DisableAlarmActions", "*"),
            "both",
            "up",
        ),
    ),
]
"""Mutations of the program itself."""
