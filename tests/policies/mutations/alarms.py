"""Alarms that watch nothing, that nobody hears, or that ring for ever; and healers that nobody watches."""

from typing import Any

from tests.policies.mutations.table import foreign, refused_by
from tests.policies.support.changes import Change, add, allow, drop, put, remove, several, text
from tests.policies.support.recording import arn
from tests.policies.support.references import Json, Lost, Ref, Unknown
from tests.policies.support.scene import Scene, physical

FAST, DOWN = "healer-fragile-fast", "medic-down"
OWN_ALARMS = ("healer-errors", "healer-silent", "healer-lost-events", "healer-dropped-events")
ORDERS, MEDIC = Ref("orders", "name"), Ref("medic", "name")
PEOPLE, WAKE = Ref("people"), Ref("wake")
LIMIT = "lambda:PutFunctionConcurrency"
ACCOUNTS: dict[str, Any] = {"namespace": "AWS/Lambda", "metricName": "Errors"}
BOTH = ["wake", "people"]


def dimensions(**given: Any) -> Change:
    return put("errors", dimensions=given)


def measures(metric: str = "Errors", namespace: str = "AWS/Lambda", **more: Any) -> Change:
    """Have the alarm that wakes the healer compare a sum with 1, as most alarms do."""
    given = {"statistic": "Sum", "threshold": 1, "comparisonOperator": "GreaterThanOrEqualToThreshold"}
    return put("errors", namespace=namespace, metricName=metric, **(given | more))


def queries(*expressions: str, alarm: str = "errors") -> Change:
    """Have an alarm be on a query, or on metric math."""
    asked = [{"id": f"q{at}", "expression": each, "returnData": True} for at, each in enumerate(expressions)]
    return several(drop(alarm, "dimensions"), put(alarm, metricQueries=asked))


def rings(*alarms: str) -> Change:
    """Let alarms wake the healer and tell people."""
    both = [WAKE, PEOPLE]
    return several(*(put(alarm, alarmActions=both, okActions=both) for alarm in alarms))


def asks(rule: Any, alarm: str = "either") -> Change:
    return put(alarm, alarmRule=rule)


def another(name: str, *, wakes: bool = True, **properties: Any) -> Change:
    """Add an alarm that wakes the healer, or that tells people only."""
    actions = [WAKE, PEOPLE] if wakes else [PEOPLE]
    described = {"alarmDescription": "See https://example.com/runbook", "actionsEnabled": True}
    return add(
        "cloudwatch.MetricAlarm", name, alarmActions=actions, okActions=actions, **(described | properties)
    )


def mutes(*names: Any) -> Change:
    """Mute alarms every night."""
    nightly = {"schedule": {"expression": "cron(0 22 * * *)", "duration": "PT8H"}}
    return add("cloudwatch.AlarmMuteRule", "nights", rule=nightly, muteTargets={"alarmNames": list(names)})


def filtered(group: Any, **more: Any) -> Change:
    """Count the lines of a log group, and alarm on their number."""
    counted = {"namespace": "Shop", "name": "Failed", "value": "1"}
    return several(
        add(
            "cloudwatch.LogMetricFilter",
            "failed-lines",
            logGroupName=group,
            pattern="ERROR",
            metricTransformation=counted,
        ),
        another("failed", namespace="Shop", metricName="Failed", **more),
    )


def scheduled(state: Any) -> Change:
    """Start the healer by a schedule as well."""
    return add(
        "scheduler.Schedule",
        "each-hour",
        state=state,
        scheduleExpression="rate(1 hour)",
        flexibleTimeWindow={"mode": "OFF"},
        target={"arn": Ref("medic"), "roleArn": arn("iam.Role", "scheduler")},
    )


def invoked(given: Any, call: str = "lambda:invoke") -> dict[str, Any]:
    """Return the target of a schedule that calls an API."""
    return {
        "arn": f"arn:aws:scheduler:::aws-sdk:{call}",
        "roleArn": arn("iam.Role", "scheduler"),
        "input": given,
    }


def calls(call: str, given: Any) -> Change:
    """Call CloudWatch by a schedule."""
    return add(
        "scheduler.Schedule",
        "friday",
        scheduleExpression="cron(0 18 ? * FRI *)",
        flexibleTimeWindow={"mode": "OFF"},
        target={
            "arn": f"arn:aws:scheduler:::aws-sdk:cloudwatch:{call}",
            "roleArn": arn("iam.Role", "scheduler"),
            "input": given,
        },
    )


def in_a_workflow(call: str) -> Change:
    """Call CloudWatch in a workflow."""
    quiet = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:cloudwatch:{call}",
        "Parameters": {"AlarmNames": [physical("errors")]},
        "Retry": [
            {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "MaxDelaySeconds": 9, "JitterStrategy": "FULL"}
        ],
        "End": True,
    }
    return add(
        "sfn.StateMachine",
        "deploy",
        roleArn=arn("iam.Role", "deploy"),
        definition=Json({"StartAt": "Quiet", "States": {"Quiet": quiet}}),
    )


def circle(scene: Scene) -> None:
    """Two composite alarms that ask each other."""
    scene.find("either").put("alarmRule", to=f'ALARM("{physical("errors")}") OR ALARM("other")')
    scene.add("cloudwatch.CompositeAlarm", "other", alarmName="other", alarmRule='ALARM("either")')


def pipe(scene: Scene) -> None:
    """Wake the healer through a pipe from the queue, which is stopped."""
    scene.remove("from-inbox")
    scene.add(
        "pipes.Pipe",
        "from-inbox",
        source=Ref("inbox"),
        target=Ref("medic"),
        roleArn=arn("iam.Role", "pipe"),
        desiredState="STOPPED",
    )


OF_ORDERS = f"FunctionName = '{physical('orders')}'"

PROGRAM = [
    *refused_by(
        "cloudwatch-alarm-metric-published",
        (
            "the healer's own alarm on an ARN",
            put("healer-errors", dimensions={"FunctionName": Ref("healer")}),
        ),
        (
            "the healer's own alarm with a dimension too many",
            put("healer-errors", dimensions={"FunctionName": Ref("healer", "name"), "Stage": "live"}),
            "up",
        ),
    ),
    *refused_by(
        "cloudwatch-alarm-rule-readable",
        (
            "a composite alarm that nobody can read",
            add(
                "cloudwatch.CompositeAlarm",
                "any",
                alarmName="any",
                alarmRule="ALARM(a) IF OK(b)",
                alarmActions=[Ref("healer-topic"), Ref("healer-escalation")],
                okActions=[Ref("healer-topic"), Ref("healer-escalation")],
            ),
            "both",
        ),
    ),
    *refused_by(
        "cloudwatch-alarm-both-states",
        ("a threshold that no failure needs to reach", put("healer-errors", threshold=0), "up"),
    ),
    *refused_by(
        "cloudwatch-alarm-throttles",
        (
            "an alarm on throttles that a limit of concurrency causes",
            several(
                add(
                    "cloudwatch.MetricAlarm",
                    "throttled",
                    namespace="AWS/Lambda",
                    metricName="Throttles",
                    statistic="Sum",
                    threshold=1,
                    comparisonOperator="GreaterThanOrEqualToThreshold",
                    dimensions={"FunctionName": Ref("fragile", "name")},
                    alarmActions=[Ref("healer-topic"), Ref("healer-escalation")],
                    okActions=[Ref("healer-topic"), Ref("healer-escalation")],
                ),
                allow(LIMIT, text("fragile"), ("healer-policy", "healer-boundary")),
            ),
            "both",
        ),
    ),
    *refused_by(
        "cloudwatch-alarm-silenced",
        ("a mute rule on the healer's alarms", mutes(Ref(FAST, "name")), "both", "up"),
    ),
    *refused_by("lambda-healer-watched", ("a healer without any alarm on it", remove(*OWN_ALARMS), "up")),
]

FOREIGN = [
    *foreign(
        "cloudwatch-alarm-metric-published",
        ("an alarm on a function's ARN", "topic", dimensions(FunctionName=text("orders"))),
        ("an alarm on a function's ARN to come", "topic", dimensions(FunctionName=Ref("orders"))),
        (
            "an alarm on an alias by its qualified name",
            "alarm action",
            dimensions(FunctionName=Ref("orders", "name", ":live")),
        ),
        ("an alarm with one dimension too many", "event rule", dimensions(FunctionName=ORDERS, Team="shop")),
        ("an alarm on an alias alone", "topic", dimensions(Resource=Ref("orders", "name", ":live"))),
        (
            "an alarm on an alias of another function",
            "topic",
            dimensions(FunctionName=ORDERS, Resource="other:live"),
        ),
        (
            "an alarm on an alias by its ARN",
            "topic",
            dimensions(FunctionName=ORDERS, Resource=text("orders", ":live")),
        ),
        ("an alarm with a dimension in lower case", "topic", dimensions(functionName=ORDERS)),
        (
            "an alarm in a namespace that there is not",
            "topic",
            put("errors", namespace="aws/lambda", metricName="Errors"),
        ),
        (
            "an alarm on a metric that there is not",
            "topic",
            put("errors", namespace="AWS/Lambda", metricName="Error"),
        ),
        (
            "a query of a function's ARN",
            "two topics",
            put(
                "slow",
                metricQueries=[{"id": "m", "metric": {"dimensions": {"FunctionName": text("orders")}}}],
            ),
        ),
        ("its own health by its ARN", "topic", put(DOWN, dimensions={"FunctionName": text("medic")})),
        (
            "its lost events by the queue's URL",
            "topic",
            several(
                remove(DOWN),
                put(
                    "medic-lost",
                    dimensions={"QueueName": "https://sqs.us-east-1.amazonaws.com/000000000000/medic-dead"},
                    namespace="AWS/SQS",
                ),
                another("alive", wakes=False, dimensions={"FunctionName": text("medic")}),
            ),
        ),
        ("a composite alarm that asks itself", "composite alarm", circle),
        (
            "an alarm under a composite alarm on an ARN",
            "composite alarm",
            dimensions(FunctionName=text("orders")),
        ),
        (
            "an alarm on all queues",
            "topic",
            several(
                drop("errors", "dimensions"),
                put("errors", namespace="AWS/SQS", metricName="ApproximateNumberOfMessagesVisible"),
                another("orders-too", dimensions={"FunctionName": ORDERS}),
            ),
        ),
    ),
    *foreign(
        "cloudwatch-alarm-rule-readable",
        ("a rule that does not close", "composite alarm", asks(f'(ALARM("{physical("errors")}")')),
        ("a rule with an unknown word", "composite alarm", asks(f"ALARM({physical('errors')}) XOR TRUE")),
        ("a rule that is not there yet", "composite alarm", asks(Lost("ALARM(x)"))),
        ("a rule of nothing", "composite alarm", asks("")),
        (
            "a rule with a bracket in a name",
            "composite alarm",
            asks(f"ALARM({physical('errors')} (prod)) OR ALARM(x)"),
        ),
    ),
    *foreign(
        "cloudwatch-alarm-both-states",
        ("an alarm at no error", "topic", measures(threshold=0)),
        ("an alarm above a negative number", "alarm action", measures(threshold=-1)),
        ("an alarm that never rings", "topic", measures(threshold=0, comparisonOperator="LessThanThreshold")),
        (
            "an alarm while nothing fails",
            "event rule",
            measures(comparisonOperator="LessThanThreshold"),
        ),
        ("an alarm on every call", "topic", measures(statistic="SampleCount")),
        ("an alarm while nobody calls", "topic", measures(treatMissingData="breaching")),
        (
            "an alarm while nobody calls, by math",
            "two topics",
            put("slow", treatMissingData="breaching", threshold=1, comparisonOperator="GreaterThanThreshold"),
        ),
        ("a rule that always holds", "composite alarm", asks(f'ALARM("{physical("errors")}") OR TRUE')),
        (
            "a rule that holds in every state",
            "composite alarm",
            asks(f'ALARM("{physical("errors")}") OR NOT ALARM("{physical("errors")}")'),
        ),
        ("a rule that never holds", "composite alarm", asks(f'ALARM("{physical("errors")}") AND FALSE')),
        (
            "an alarm under a composite alarm that is always red",
            "composite alarm",
            measures(threshold=0),
        ),
    ),
    *foreign(
        "cloudwatch-alarm-throttles",
        (
            "throttles that its limit causes",
            "topic",
            several(measures("Throttles"), allow(LIMIT, text("orders"))),
        ),
        (
            "throttles under a composite alarm",
            "composite alarm",
            several(measures("Throttles"), allow(LIMIT, text("orders"))),
        ),
        (
            "throttles by a query",
            "topic",
            several(
                queries(f'SELECT SUM(Throttles) FROM SCHEMA("AWS/Lambda", FunctionName) WHERE {OF_ORDERS}'),
                allow(LIMIT, text("orders")),
            ),
        ),
    ),
    *foreign(
        "cloudwatch-alarm-silenced",
        ("a mute rule", "topic", mutes(Ref("errors", "name"))),
        ("a mute rule on its own health", "queue", mutes(Ref("medic-lost", "name"))),
        ("a mute rule on what is to come", "topic", mutes(Lost("errors"))),
        ("a mute rule by the alarm's output", "alarm action", mutes(Unknown(("errors",)))),
        (
            "a composite alarm with a suppressor",
            "composite alarm",
            put("either", actionsSuppressor={"alarm": "deploying", "waitPeriod": 60, "extensionPeriod": 60}),
        ),
        (
            "an alarm that warms up for a day",
            "topic",
            put("errors", warmUpConfiguration={"warmUpPeriodDurationInMinutes": 1440}),
        ),
        (
            "an alarm under a composite alarm that warms up",
            "composite alarm",
            put("errors", warmUpConfiguration={"warmUpPeriodDurationInMinutes": 60}),
        ),
        (
            "an alarm that waits for midnight",
            "event rule",
            put("errors", evaluationWindow={"wallClockWindow": {"timezone": "Europe/Berlin"}}, period=86400),
        ),
        (
            "a schedule that switches alarms off",
            "topic",
            calls("disableAlarmActions", f'{{"AlarmNames": ["{physical("errors")}"]}}'),
        ),
        ("a schedule that deletes alarms to come", "topic", calls("deleteAlarms", Lost("{}"))),
        ("a workflow that switches alarms off", "topic", in_a_workflow("disableAlarmActions")),
        (
            "messages of things that set an alarm",
            "topic",
            add(
                "iot.TopicRule",
                "things",
                enabled=True,
                sql="SELECT * FROM 'a'",
                sqlVersion="2016-03-23",
                cloudwatchAlarms=[
                    {
                        "alarmName": Ref("errors", "name"),
                        "roleArn": arn("iam.Role", "things"),
                        "stateReason": "a",
                        "stateValue": "OK",
                    }
                ],
            ),
        ),
    ),
    *foreign(
        "lambda-healer-watched",
        ("a healer that fails in silence", "topic", remove(DOWN, "medic-lost")),
        (
            "a healer of which people hear only that it is busy",
            "topic",
            several(
                remove("medic-lost"),
                put(
                    DOWN,
                    namespace="AWS/Lambda",
                    metricName="Invocations",
                    comparisonOperator="GreaterThanThreshold",
                    threshold=100,
                ),
            ),
        ),
        ("a healer by a rule that fails in silence", "event rule", remove(DOWN, "medic-lost")),
        (
            "a healer whose alarms are on another queue",
            "queue",
            several(remove(DOWN), put("medic-lost", dimensions={"QueueName": "other"})),
        ),
        (
            "a healer whose logs nobody counts",
            "topic",
            several(remove(DOWN, "medic-lost"), filtered(Ref("orders-logs", "name"), dimensions={"A": "b"})),
        ),
    ),
    *foreign(
        "cloudwatch-alarm-healer-health",
        ("the lines of its own log wake it", "topic", filtered(Ref("medic-logs", "name"))),
        ("the lines of its own log by name wake it", "queue", filtered(f"/aws/lambda/{physical('medic')}")),
        ("the errors of all functions wake it", "topic", another("any", **ACCOUNTS)),
        (
            "a query of all functions wakes it",
            "topic",
            several(
                another("any"),
                queries('SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)', alarm="any"),
            ),
        ),
        (
            "a query of its own name wakes it",
            "topic",
            several(
                another("own"),
                queries(
                    'SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName) '
                    f"WHERE FunctionName IN ('{physical('medic')}', '{physical('orders')}')",
                    alarm="own",
                ),
            ),
        ),
        (
            "a search of all functions wakes it",
            "topic",
            several(
                another("any"),
                queries(
                    "SUM(SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum', 60))", alarm="any"
                ),
            ),
        ),
        (
            "a query by a tag that it has wakes it",
            "topic",
            several(
                put("medic", tags={"team": "shop"}),
                another("team"),
                queries("SELECT SUM(Errors) FROM \"AWS/Lambda\" WHERE tag.team = 'shop'", alarm="team"),
            ),
        ),
        (
            "throttles of its ledger wake it",
            "topic",
            another(
                "ledger-throttled",
                namespace="AWS/DynamoDB",
                metricName="WriteThrottleEvents",
                dimensions={"TableName": Ref("memory", "name")},
            ),
        ),
        (
            "the age of its own queue wakes it",
            "queue",
            another(
                "late",
                namespace="AWS/SQS",
                metricName="ApproximateAgeOfOldestMessage",
                dimensions={"QueueName": Ref("inbox", "name")},
            ),
        ),
        (
            "a composite alarm with its own health wakes it",
            "composite alarm",
            asks(f'ALARM("{physical("errors")}") AND NOT ALARM("{physical("medic-down")}")'),
        ),
        (
            "one of several alarms on its own health wakes it",
            "composite alarm",
            asks(f'AT_LEAST(1, ALARM, ({physical("errors")}, "{physical("medic-lost")}"))'),
        ),
    ),
    *foreign(
        "events-rule-enabled",
        ("a Scheduler schedule that is off", "topic", scheduled("DISABLED")),
        ("a Scheduler schedule that may be off", "alarm action", scheduled(Lost("DISABLED"))),
        ("a pipe that is stopped", "queue", pipe),
        (
            "a schedule that is off and invokes it by the API",
            "topic",
            several(
                scheduled("DISABLED"), put("each-hour", target=invoked(Json({"FunctionName": Ref("medic")})))
            ),
        ),
        (
            "a schedule that is off and publishes to its topic",
            "topic",
            several(
                scheduled("DISABLED"),
                put("each-hour", target=invoked(Json({"TopicArn": text("wake")}), "sns:publish")),
            ),
        ),
    ),
]
