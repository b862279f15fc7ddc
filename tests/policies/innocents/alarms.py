"""Careful healers whose targets and own health are watched in other ways, and alarms of no healer."""

from collections.abc import Callable
from typing import Any

from tests.policies.innocents.table import Innocent
from tests.policies.mutations.alarms import (
    DOWN,
    LIMIT,
    OF_ORDERS,
    another,
    asks,
    dimensions,
    filtered,
    measures,
    queries,
    scheduled,
)
from tests.policies.support import healers
from tests.policies.support.changes import Change, add, allow, put, remove, several
from tests.policies.support.healers import healer
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Json, Ref, Unknown
from tests.policies.support.scene import Scene, physical

ORDERS = Ref("orders", "name")
ODD = "it's (prod) [orders], too"
INVOKED = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions"


def but(*changes: Change, route: str = "topic") -> Callable[[Scene], None]:
    """Return a careful healer of `orders`, but for this."""

    def build(scene: Scene) -> None:
        healer(scene, route)
        several(*changes)(scene)

    return build


def consumed(name: str) -> Change:
    """Let the target read a queue."""
    return several(
        add(
            "sqs.Queue",
            name,
            redrivePolicy=Json({"deadLetterTargetArn": Ref("orders-dead"), "maxReceiveCount": 3}),
        ),
        add(
            "lambda.EventSourceMapping",
            f"{name}-orders",
            eventSourceArn=Ref(name),
            functionName=ORDERS,
            functionResponseTypes=["ReportBatchItemFailures"],
            scalingConfig={"maximumConcurrency": 2},
        ),
    )


def streamed(scene: Scene) -> None:
    """Let the target read a stream, on whose age the alarm is."""
    scene.add("kinesis.Stream", "events", shardCount=1)
    scene.add(
        "lambda.EventSourceMapping",
        "events-orders",
        eventSourceArn=Ref("events"),
        functionName=ORDERS,
        startingPosition="LATEST",
        maximumRetryAttempts=3,
        maximumRecordAgeInSeconds=3600,
        bisectBatchOnFunctionError=True,
        destinationConfig={"onFailure": {"destinationArn": Ref("orders-dead")}},
        functionResponseTypes=["ReportBatchItemFailures"],
    )
    age = "GetRecords.IteratorAgeMilliseconds"
    several(measures(age, "AWS/Kinesis"), dimensions(StreamName=Ref("events", "name")))(scene)


def http_api(scene: Scene) -> None:
    """Call the target by an HTTP API, on whose errors the alarm is."""
    scene.add("apigatewayv2.Api", "shop", protocolType="HTTP")
    scene.add(
        "apigatewayv2.Integration",
        "shop-orders",
        apiId=Unknown(("shop",)),
        integrationType="AWS_PROXY",
        integrationUri=Unknown(("orders",)),
    )
    several(measures("5xx", "AWS/ApiGateway"), dimensions(ApiId=Unknown(("shop",)), Stage="$default"))(scene)


def rest_api(scene: Scene) -> None:
    """Call the target by a REST API, on whose errors the alarm is."""
    scene.add("apigateway.RestApi", "shop")
    scene.add(
        "apigateway.Integration",
        "shop-orders",
        restApi=Unknown(("shop",)),
        resourceId="abc",
        httpMethod="POST",
        integrationHttpMethod="POST",
        type="AWS_PROXY",
        uri=f"{INVOKED}/{arn('lambda.Function', physical('orders'))}/invocations",
    )
    several(measures("5XXError", "AWS/ApiGateway"), dimensions(ApiName=Ref("shop", "name"), Stage="live"))(
        scene
    )


def odd_name(scene: Scene) -> None:
    """Name the alarm under a composite alarm oddly."""
    scene.find("errors").put("name", to=ODD)
    asks(f'ALARM("{ODD}") AND NOT INSUFFICIENT_DATA("{ODD}")')(scene)


def all_functions(**actions: Any) -> Change:
    """Alarm on the errors of all functions of the account."""
    more = {"statistic": "Sum", "threshold": 20, "comparisonOperator": "GreaterThanThreshold"}
    return add(
        "cloudwatch.MetricAlarm", "account", namespace="AWS/Lambda", metricName="Errors", **more, **actions
    )


def scaled_table(scene: Scene) -> None:
    """Scale the ledger by an alarm, as Application Auto Scaling does."""
    scene.add(
        "appautoscaling.Target",
        "capacity",
        resourceId="table/memory",
        serviceNamespace="dynamodb",
        scalableDimension="dynamodb:table:WriteCapacityUnits",
        minCapacity=1,
        maxCapacity=9,
    )
    scene.add(
        "cloudwatch.MetricAlarm",
        "busy",
        namespace="AWS/DynamoDB",
        metricName="ConsumedWriteCapacityUnits",
        dimensions={"TableName": Ref("memory", "name")},
        alarmActions=[
            f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:1:resource/dynamodb/x:policyName/y"
        ],
    )


def error_rate(scene: Scene) -> None:
    """Count throttled calls as failed ones, in a rate; another query is of the healer and is not used."""

    def metric(name: str, function: Any) -> dict[str, Any]:
        of = {"namespace": "AWS/Lambda", "metricName": name, "dimensions": {"FunctionName": function}}
        return {"id": name.lower(), "metric": of | {"stat": "Sum", "period": 60}, "returnData": False}

    own = metric("Duration", Ref("medic", "name"))
    failed = [metric(name, ORDERS) for name in ("Errors", "Throttles", "Invocations")]
    rate = {"id": "rate", "expression": "(errors + throttles) / invocations", "returnData": True}
    several(put("slow", metricQueries=[*failed, own, rate]))(scene)


def in_parts(scene: Scene) -> None:
    """Have the healer's own alarms ring through a composite alarm only."""
    scene.remove("medic-lost")
    scene.find(DOWN).drop("alarmActions").drop("okActions")
    scene.add(
        "cloudwatch.CompositeAlarm",
        "medic-health",
        alarmName="medic-health",
        alarmDescription="See https://example.com/runbook",
        alarmRule=Unknown((DOWN,)),
        alarmActions=[Ref("people")],
    )
    healers.alarm(scene, "medic-letters", "medic", "people")
    scene.find("medic-letters").put("dimensions", to={"QueueName": Ref("medic-dead", "name")}).put(
        "metricName", to="ApproximateNumberOfMessagesVisible"
    )


def heartbeat(scene: Scene) -> None:
    """Tell people when the healer did not run for a minute: there, missing data is the failure."""
    another(
        "silent",
        wakes=False,
        namespace="AWS/Lambda",
        metricName="Invocations",
        statistic="Sum",
        dimensions={"FunctionName": Ref("medic", "name")},
        threshold=1,
        comparisonOperator="LessThanThreshold",
        treatMissingData="breaching",
    )(scene)


def ordinary(scene: Scene) -> None:
    """Mute, suppress, delay and mistake alarms that no healer knows."""
    healers.function(scene, "stock")
    healers.alarm(scene, "stock-errors", "stock", "people")
    several(
        put(
            "stock-errors",
            namespace="AWS/Lambda",
            metricName="Errors",
            threshold=0,
            comparisonOperator="GreaterThanOrEqualToThreshold",
            dimensions={"FunctionName": Ref("stock", "arn")},
            warmUpConfiguration={"warmUpPeriodDurationInMinutes": 60},
            evaluationWindow={"wallClockWindow": {}},
        ),
        add(
            "cloudwatch.CompositeAlarm",
            "stock-any",
            alarmName="stock-any",
            alarmRule="ALARM(stock (old) OR",
            alarmActions=[Ref("people")],
            actionsSuppressor={"alarm": "deploying", "waitPeriod": 60, "extensionPeriod": 60},
        ),
        add(
            "cloudwatch.AlarmMuteRule",
            "nights",
            rule={"schedule": {"expression": "cron(0 22 * * *)", "duration": "PT8H"}},
            muteTargets={"alarmNames": [Ref("stock-errors", "name")]},
        ),
    )(scene)
    scheduled("DISABLED")(scene)
    scene.find("each-hour").put("target", "arn", to=Ref("stock"))


INNOCENTS = [
    Innocent(
        "an alarm on the target's dead letters",
        but(
            measures("ApproximateNumberOfMessagesVisible", "AWS/SQS"),
            dimensions(QueueName=Ref("orders-dead", "name")),
        ),
        "alarms on dead-letter queues of serverless-patterns",
    ),
    Innocent(
        "an alarm on the queue that the target reads",
        but(
            consumed("work"),
            measures("ApproximateAgeOfOldestMessage", "AWS/SQS"),
            dimensions(QueueName=Ref("work", "name")),
        ),
        "queue-based load levelling: age of the oldest message",
    ),
    Innocent("an alarm on the stream that the target reads", but(streamed), "iterator age alarms on Kinesis"),
    Innocent(
        "an alarm on the lines of the target's log",
        but(remove("errors"), filtered(Ref("orders-logs", "name"))),
        "metric filters for ERROR lines, as in Powertools samples",
    ),
    Innocent(
        "an alarm on the lines of a log group that is named only",
        but(remove("errors"), filtered(f"/aws/lambda/{physical('orders')}")),
        "metric filters on the group that Lambda makes",
    ),
    Innocent("an alarm on the HTTP API of the target", but(http_api), "apigatewayv2 with a Lambda proxy"),
    Innocent("an alarm on the REST API of the target", but(rest_api), "REST API with a Lambda proxy"),
    Innocent(
        "an alarm on a query of the target's name",
        but(queries(f'SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName) WHERE {OF_ORDERS}')),
        "Metrics Insights alarms",
    ),
    Innocent(
        "an alarm on a query of a tag that the healer has not",
        but(
            put("orders", tags={"team": "shop"}),
            put("medic", tags={"team": "platform"}),
            queries("SELECT SUM(Errors) FROM \"AWS/Lambda\" WHERE tag.team = 'shop' GROUP BY FunctionName"),
        ),
        "Metrics Insights alarms by tags",
    ),
    Innocent(
        "an alarm on an alias",
        but(
            put("errors", namespace="AWS/Lambda", metricName="Errors"),
            dimensions(FunctionName=ORDERS, Resource=Ref("orders", "name", ":live")),
        ),
        "canary deployments with CodeDeploy: alias error alarms",
    ),
    Innocent(
        "a composite alarm with an odd name in quotes", but(odd_name, route="composite alarm"), "free names"
    ),
    Innocent(
        "a composite alarm on two of three",
        but(
            another("too-slow", wakes=False, dimensions={"FunctionName": ORDERS}),
            asks(f"AT_LEAST(2, ALARM, ({physical('errors')}, {physical('too-slow')}, other))"),
            route="composite alarm",
        ),
        "AT_LEAST in composite alarms",
    ),
    Innocent(
        "a composite alarm whose rule is an output",
        but(asks(Unknown(("errors",))), route="composite alarm"),
        "Output.concat of the ARNs of alarms",
    ),
    Innocent(
        "an account-wide alarm for people",
        but(all_functions(alarmActions=[Ref("people")])),
        "baselines of accounts: errors across all functions",
    ),
    Innocent("an account-wide alarm for a dashboard", but(all_functions()), "alarm widgets of dashboards"),
    Innocent(
        "a healer that only an account-wide alarm watches",
        but(remove(DOWN, "medic-lost"), all_functions(alarmActions=[Ref("people")])),
        "baselines of accounts: errors across all functions",
    ),
    Innocent(
        "a healer that only its log tells of",
        but(
            remove(DOWN, "medic-lost"),
            filtered(Ref("medic-logs", "name")),
            put("failed", alarmActions=[Ref("people")], okActions=[Ref("people")]),
        ),
        "metric filters for ERROR lines",
    ),
    Innocent("own alarms under a composite alarm", but(in_parts), "service health as a composite alarm"),
    Innocent("a heartbeat", but(heartbeat), "alarms on missing invocations"),
    Innocent("a ledger that scales by an alarm", but(scaled_table), "Application Auto Scaling of DynamoDB"),
    Innocent(
        "throttles of the ledger that people hear of",
        but(
            another(
                "ledger-throttled",
                wakes=False,
                namespace="AWS/DynamoDB",
                metricName="WriteThrottleEvents",
                dimensions={"TableName": Ref("memory", "name")},
            )
        ),
        "DynamoDB throttle alarms",
    ),
    Innocent(
        "throttles that people hear of, and a limit of concurrency",
        but(
            allow(LIMIT, arn("lambda.Function", physical("orders"))),
            another(
                "throttled",
                wakes=False,
                namespace="AWS/Lambda",
                metricName="Throttles",
                statistic="Sum",
                dimensions={"FunctionName": ORDERS},
            ),
        ),
        "throttle alarms",
    ),
    Innocent(
        "a rate of failures that counts throttles, and a limit of concurrency",
        but(error_rate, allow(LIMIT, arn("lambda.Function", physical("orders"))), route="two topics"),
        "metric math: error rate of requests",
    ),
    Innocent("alarms of other teams, muted and mistaken", but(ordinary), "stacks with more than a healer"),
]
