"""Unsafe healers of other teams, by every route: whoever wrote them and however they are wired."""

from typing import Any

from tests.policies.mutations.table import Foreign, foreign
from tests.policies.support import healers
from tests.policies.support.changes import (
    Change,
    add,
    allow,
    document,
    drop,
    put,
    remove,
    several,
    text,
)
from tests.policies.support.healers import CHANGE, ROUTES, pattern
from tests.policies.support.recording import arn
from tests.policies.support.references import Lost, Ref
from tests.policies.support.scene import Scene

WAKE, PEOPLE, MEDIC, INBOX = Ref("wake"), Ref("people"), Ref("medic"), Ref("inbox")
OTHER = arn("lambda.Function", "other")
PARAMETER = "arn:aws:ssm:us-east-1:000000000000:parameter/x"
MAY, EVENTS = "may-wake-medic", "medic-events"
AWS_KEY = "alias/aws/sns"
ELSEWHERE = "0000-elsewhere"


def fires(*actions: Any) -> Change:
    return put("errors", alarmActions=list(actions))


def recovers(*actions: Any, alarm: str = "errors") -> Change:
    return put(alarm, okActions=list(actions))


def fails_to(target: Any) -> Change:
    return put(EVENTS, destinationConfig={"onFailure": {"destination": target}})


def sealed(*actions: str) -> Change:
    """Encrypt the topic with a key of the stack that lets CloudWatch do this."""
    may = document(
        {"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": list(actions), "Resource": "*"}
    )
    return several(
        add("kms.Key", "key", policy=may if actions else ""), put("wake", kmsMasterKeyId=Ref("key"))
    )


def health(*actions: Any, **dimensions: Any) -> Change:
    """Add an alarm on the healer's own health."""
    return add(
        "cloudwatch.MetricAlarm",
        "medic-errors",
        dimensions=dimensions or {"FunctionName": Ref("medic", "name")},
        alarmActions=list(actions),
        okActions=[PEOPLE],
    )


def two_healers_that_wake_each_other(scene: Scene) -> None:
    """Medic changes orders, whose alarm wakes nurse; nurse changes stock, whose alarm wakes medic."""
    healers.function(scene, "stock")
    concurrency = {"Action": "lambda:PutFunctionConcurrency", "Resource": text("stock")}
    healers.function(scene, "nurse", concurrency)
    healers.alarm(scene, "stock-errors", "stock", "wake", "people")
    healers.subscribe(scene, "wake", "nurse")


def schedule(scene: Scene) -> None:
    """Wake the healer every minute as well, by a rule that is disabled."""
    scene.add("cloudwatch.EventRule", "minute", scheduleExpression="rate(1 minute)", state="DISABLED")
    scene.add("cloudwatch.EventTarget", "each-minute", rule=Ref("minute", "name"), arn=MEDIC)
    healers.permit(scene, "medic", "events", "minute", "may-tick")


def wide_open(scene: Scene) -> None:
    for name in ("medic-rights", "medic-limit"):
        scene.find(name).document(lambda held: held[0].update(Action="lambda:*"))


def of_something_else(scene: Scene) -> None:
    for name in ("medic-rights", "medic-limit"):
        scene.find(name).document(lambda held: held[0].update(Resource=OTHER))


def by_every_route(name: str, change: Change) -> list[tuple[str, str, Change]]:
    return [(f"{name} by {route}", route, change) for route in ROUTES]


TABLE: list[Foreign] = [
    *foreign("iam-policy-action-wildcard", *by_every_route("a wide open healer", wide_open)),
    *foreign(
        "iam-policy-writes-on-targets", *by_every_route("a healer of something else", of_something_else)
    ),
    *foreign(
        "cloudwatch-alarm-actions-enabled",
        ("an alarm of a topic that is off", "topic", put("errors", actionsEnabled=False)),
        ("an alarm of a function that is off", "alarm action", put("errors", actionsEnabled="false")),
        ("a composite alarm that is off", "composite alarm", put("either", actionsEnabled=False)),
    ),
    *foreign(
        "cloudwatch-alarm-wakes-healer",
        ("a failure that only people hear of", "topic", fires(PEOPLE)),
        ("a failure that nobody hears of", "topic", fires()),
        (
            "a rule on recovery only",
            "event rule",
            put("changes", eventPattern=pattern(state={"value": ["OK"]})),
        ),
    ),
    *foreign(
        "cloudwatch-alarm-reports-recovery",
        ("a recovery that only people hear of", "topic", recovers(PEOPLE)),
        ("a function without recovery", "alarm action", drop("errors", "okActions")),
        ("a queue without recovery", "queue", recovers()),
        (
            "a composite alarm whose recovery is for people",
            "composite alarm",
            recovers(PEOPLE, alarm="either"),
        ),
        ("a composite alarm without recovery", "composite alarm", drop("either", "okActions")),
        ("a second alarm without recovery", "two topics", recovers(PEOPLE, alarm="slow")),
        (
            "a rule on failures only",
            "event rule",
            put("changes", eventPattern=pattern(state={"value": ["ALARM"]})),
        ),
    ),
    *foreign(
        "cloudwatch-alarm-reaches-people",
        ("a failure that only the topic hears of", "topic", fires(WAKE)),
        ("an alarm for the healer only", "two topics", several(fires(WAKE), recovers(WAKE))),
        ("a failure that only the function hears of", "alarm action", fires(MEDIC)),
        ("a failure that only the state machine hears of", "state machine", fires()),
    ),
    *foreign(
        "cloudwatch-alarm-healer-health",
        ("its own health wakes it by its topic", "topic", health(WAKE, PEOPLE)),
        ("its own health wakes it", "alarm action", health(MEDIC)),
        ("its own health tells nobody", "topic", health()),
        ("its lost events wake it", "topic", health(WAKE, QueueName=Ref("medic-dead", "name"))),
    ),
    *foreign(
        "sns-subscription-complete",
        ("a topic without subscription", "topic", remove("wake-medic")),
        ("a rule without target", "event rule", remove("to-medic")),
    ),
    *foreign(
        "sns-subscription-unfiltered",
        ("a filtered topic", "topic", put("wake-medic", filterPolicy='{"a": ["b"]}')),
        ("a queue with a filter to come", "queue", put("wake-inbox", filterPolicy=Lost('{"a": ["b"]}'))),
    ),
    *foreign(
        "lambda-mapping-complete",
        ("a mapping that is off", "queue", put("from-inbox", enabled=False)),
        (
            "a mapping that filters",
            "queue",
            put("from-inbox", filterCriteria={"filters": [{"pattern": "{}"}]}),
        ),
    ),
    *foreign(
        "events-rule-enabled",
        ("a rule on alarms that is off", "event rule", put("changes", state="DISABLED")),
        ("a rule of a state machine that is off", "state machine", put("changes", isEnabled=False)),
        ("a schedule that is off", "topic", schedule),
    ),
    *foreign(
        "lambda-permission-scoped",
        ("a topic that may not invoke it", "topic", remove(MAY)),
        ("a permission for every topic there is", "topic", drop(MAY, "sourceArn")),
        ("a permission for the topic of people", "topic", put(MAY, sourceArn=PEOPLE)),
        ("a permission for anybody", "topic", put(MAY, principal="*")),
        ("a permission for all topics of the account", "topic", put(MAY, sourceArn=arn("sns.Topic", "*"))),
        ("a permission for another service", "topic", put(MAY, principal="events.amazonaws.com")),
        ("a permission for an alias only", "topic", put(MAY, qualifier="live")),
        ("a permission for no alias", "alias", drop(MAY, "qualifier")),
        ("an alarm that may not invoke it", "alarm action", remove(MAY)),
        ("a permission for every alarm there is", "alarm action", drop(MAY, "sourceArn")),
        ("a rule that may not invoke it", "event rule", remove(MAY)),
        ("a permission for every rule there is", "event rule", drop(MAY, "sourceArn")),
        ("a second topic that may not invoke it", "two topics", remove("may-wake2-medic")),
    ),
    *foreign(
        "lambda-failure-destination",
        ("a topic whose lost events are gone", "topic", remove(EVENTS)),
        ("an alarm whose lost events are gone", "alarm action", drop(EVENTS, "destinationConfig")),
        ("lost events that go to the topic", "topic", fails_to(WAKE)),
        ("dead letters that go to the topic", "topic", put("medic", deadLetterConfig={"targetArn": WAKE})),
        ("lost events that go to the queue", "queue", fails_to(INBOX)),
        ("a queue that gives the same message for ever", "queue", drop("inbox", "redrivePolicy")),
    ),
    *foreign(
        "dynamodb-ledger-recovery",
        ("a ledger that cannot be put back", "topic", put("memory", pointInTimeRecovery={"enabled": False})),
        ("a ledger without a word on it", "topic", drop("memory", "pointInTimeRecovery")),
        ("no ledger", "alarm action", remove("memory")),
    ),
    *foreign(
        "sns-topic-key",
        ("the key of AWS", "topic", put("wake", kmsMasterKeyId=AWS_KEY)),
        (
            "the key of AWS by its arn",
            "queue",
            put("wake", kmsMasterKeyId=f"arn:aws:kms:us-east-1:1:{AWS_KEY}"),
        ),
        ("a key of another stack", "topic", put("wake", kmsMasterKeyId=ELSEWHERE)),
        ("a key to come", "topic", put("wake", kmsMasterKeyId=Lost(ELSEWHERE))),
        ("a key that decrypts only", "topic", sealed("kms:Decrypt")),
        ("a key that says nothing", "topic", sealed()),
    ),
    *foreign(
        "sns-topic-policy-closed",
        ("a second topic that is open", "two topics", remove("wake2-policy")),
    ),
    *foreign(
        "iam-policy-writes-on-targets",
        ("another function beside the target", "topic", allow("lambda:PutFunctionConcurrency", OTHER)),
    ),
    *foreign(
        "iam-policy-writes-on-targets",
        ("a parameter", "alarm action", allow("ssm:PutParameter", PARAMETER)),
        besides="iam-policy-action-allowed",
    ),
    *foreign("iam-policy-nothing-on-itself", ("itself", "topic", allow(CHANGE, text("medic")))),
    *foreign(
        "iam-policy-nothing-on-itself",
        ("an alias of itself", "event rule", allow("lambda:UpdateFunctionCode", text("medic", ":live"))),
        ("the topic that wakes it", "topic", allow("sns:SetTopicAttributes", text("wake"))),
        besides="iam-policy-action-allowed",
    ),
    *foreign(
        "lambda-healer-cycle",
        ("it publishes to what wakes it", "topic", allow("sns:Publish", text("wake"))),
        ("it sends to what wakes it", "queue", allow("sqs:SendMessage", text("inbox"))),
        ("each wakes the other", "topic", two_healers_that_wake_each_other),
    ),
    *foreign(
        "lambda-healer-cycle",
        ("it invokes itself", "alarm action", allow("lambda:InvokeFunction", text("medic"))),
        besides="iam-policy-action-allowed",
    ),
    *foreign(
        "lambda-healer-woken",
        ("neither subscription nor permission", "topic", remove("wake-medic", MAY)),
        ("neither target nor permission", "event rule", remove("to-medic", MAY)),
    ),
    *foreign(
        "lambda-healer-timeout", ("a healer that runs for minutes", "event rule", put("medic", timeout=600))
    ),
    *foreign(
        "iam-role-boundary",
        ("a healer without bounds", "alarm action", drop("medic-role", "permissionsBoundary")),
    ),
    *foreign(
        "iam-policy-readable",
        ("a healer whose role is elsewhere", "queue", put("medic", role=arn("iam.Role", "made-by-hand"))),
    ),
]

UNRESOLVED = [
    *foreign(
        "selfheal-reference-resolved",
        ("a recovery that cannot be followed", "topic", recovers(WAKE, PEOPLE, Lost(arn("sns.Topic", "x")))),
        ("a state that cannot be followed", "topic", put("errors", insufficientDataActions=[Lost("x")])),
    ),
    *foreign(
        "selfheal-reference-resolved",
        ("an endpoint that cannot be followed", "two topics", put("wake2-medic", endpoint=Lost(OTHER))),
        besides="sns-subscription-complete",
    ),
]
"""References that are not known at preview and depend on nothing."""
