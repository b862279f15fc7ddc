"""The wiring rules, on healers that share no name, tag or component with ours."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.policies.support import (
    WIRES,
    WIRING,
    Lost,
    Out,
    Stack,
    act,
    arn,
    document,
    function_arn,
    graph,
    judge,
    pattern,
    physical,
    safe,
    topic_arn,
)

MODES = [
    pytest.param(
        literal, preview, id=f"{'literal' if literal else 'output'}-{'preview' if preview else 'up'}"
    )
    for literal in (False, True)
    for preview in (True, False)
]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(("literal", "preview"), MODES)
def test_a_safe_healer_is_found_and_nothing_is_wrong(wire: str, literal: bool, preview: bool) -> None:
    judged = graph(safe(wire), literal=literal, preview=preview)
    assert [healer.name for healer in judged.healers] == ["medic"]
    assert [judged.index.by_urn[key].name for key in judged.targets_of(judged.healers[0])] == ["orders"]
    assert judge(judged) == {}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(("literal", "preview"), MODES)
def test_a_notifier_is_left_in_peace_however_badly_it_is_wired(
    wire: str, literal: bool, preview: bool
) -> None:
    stack = safe(wire)
    stack["medic-rights"][1]["policy"] = document(
        (["logs:PutLogEvents", "lambda:GetFunction"], "*"), ("sns:Publish", topic_arn("people"))
    )
    for name in ("may-wake", "medic-events", "memory", "people"):
        stack.pop(name, None)
    for _, props in stack.values():
        for key in ("alarmActions", "okActions"):
            props[key] = [each for each in props.get(key, []) if each != Out("people")]
        props.pop("okActions", None)
    judged = graph(stack, literal=literal, preview=preview)
    assert [each.name for each in judged.notifiers if each.name == "medic"] == ["medic"]
    assert judge(judged) == {}


def set_(name: str, **props: Any) -> Callable[[Stack], None]:
    def change(stack: Stack) -> None:
        stack[name][1].update(props)

    return change


def drop(*names: str) -> Callable[[Stack], None]:
    def change(stack: Stack) -> None:
        for name in names:
            del stack[name]

    return change


def rights(*statements: tuple[str | list[str], str | list[str]]) -> Callable[[Stack], None]:
    def change(stack: Stack) -> None:
        have = json.loads(stack["medic-rights"][1]["policy"])
        have["Statement"] += json.loads(document(*statements))["Statement"]
        stack["medic-rights"][1]["policy"] = json.dumps(have)

    return change


def encrypt(key: Any, policy: str | None = None) -> Callable[[Stack], None]:
    def change(stack: Stack) -> None:
        if policy is not None:
            stack["key"] = ("key", {"keyId": "1234", "name": "1234", "policy": policy})
        stack["wake"][1]["kmsMasterKeyId"] = key

    return change


def key_policy(*actions: str) -> str:
    return json.dumps(
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudwatch.amazonaws.com"},
                    "Action": list(actions),
                    "Resource": "*",
                }
            ]
        }
    )


def health(*actions: Any, watches: Any = None) -> Callable[[Stack], None]:
    def change(stack: Stack) -> None:
        stack["medic-errors"] = (
            "alarm",
            {
                "dimensions": watches or {"FunctionName": Out("medic", "name")},
                "alarmActions": list(actions),
                "okActions": [Out("people")],
            },
        )

    return change


def two_healers_that_wake_each_other(stack: Stack) -> None:
    """Medic changes orders, whose alarm wakes nurse; nurse changes stock, whose alarm wakes medic."""
    stack["stock"] = ("function", {"role": Out("orders-role")})
    stack["nurse-role"] = ("role", {})
    stack["nurse"] = ("function", {"role": Out("nurse-role"), "deadLetterConfig": {"targetArn": Out("lost")}})
    stack["nurse-rights"] = (
        "policy",
        {
            "role": Out("nurse-role", "name"),
            "policy": document(("lambda:PutFunctionConcurrency", function_arn("stock"))),
        },
    )
    stack["stock-errors"] = ("alarm", {"dimensions": {"FunctionName": Out("stock", "name")}})
    act(stack, Out("wake"), "stock-errors")
    stack["wake-nurse"] = (
        "subscription",
        {"topic": Out("wake"), "protocol": "lambda", "endpoint": Out("nurse")},
    )
    stack["may-wake-nurse"] = (
        "permission",
        {"function": Out("nurse", "name"), "principal": "sns.amazonaws.com", "sourceArn": Out("wake")},
    )


def schedule(state: str) -> Callable[[Stack], None]:
    def change(stack: Stack) -> None:
        stack["minute"] = ("event-rule", {"scheduleExpression": "rate(1 minute)", "state": state})
        stack["each-minute"] = ("event-target", {"rule": Out("minute", "name"), "arn": Out("medic")})
        stack["may-tick"] = (
            "permission",
            {
                "function": Out("medic", "name"),
                "principal": "events.amazonaws.com",
                "sourceArn": Out("minute"),
            },
        )

    return change


VIOLATIONS: list[tuple[str, str, Callable[[Stack], None]]] = [
    ("cloudwatch-alarm-actions-enabled", "topic", set_("orders-errors", actionsEnabled=False)),
    ("cloudwatch-alarm-actions-enabled", "direct", set_("orders-errors", actionsEnabled="false")),
    ("cloudwatch-alarm-actions-enabled", "composite", set_("either", actionsEnabled=False)),
    ("cloudwatch-alarm-wakes-healer", "topic", set_("orders-errors", alarmActions=[Out("people")])),
    ("cloudwatch-alarm-wakes-healer", "topic", set_("orders-errors", alarmActions=[])),
    (
        "cloudwatch-alarm-wakes-healer",
        "event",
        set_("changes", eventPattern=pattern(state={"value": ["OK"]})),
    ),
    ("cloudwatch-alarm-reports-recovery", "topic", set_("orders-errors", okActions=[Out("people")])),
    ("cloudwatch-alarm-reports-recovery", "direct", set_("orders-errors", okActions=None)),
    ("cloudwatch-alarm-reports-recovery", "queue", set_("orders-errors", okActions=[])),
    ("cloudwatch-alarm-reports-recovery", "composite", set_("either", okActions=[Out("people")])),
    ("cloudwatch-alarm-reports-recovery", "second-topic", set_("orders-slow", okActions=[Out("people")])),
    (
        "cloudwatch-alarm-reports-recovery",
        "event",
        set_("changes", eventPattern=pattern(state={"value": ["ALARM"]})),
    ),
    ("cloudwatch-alarm-reaches-people", "topic", set_("orders-errors", alarmActions=[Out("wake")])),
    ("cloudwatch-alarm-reaches-people", "direct", set_("orders-errors", alarmActions=[Out("medic")])),
    ("cloudwatch-alarm-reaches-people", "machine", set_("orders-errors", alarmActions=[])),
    ("cloudwatch-alarm-healer-health", "topic", health(Out("wake"), Out("people"))),
    ("cloudwatch-alarm-healer-health", "direct", health(Out("medic"))),
    ("cloudwatch-alarm-healer-health", "topic", health()),
    (
        "cloudwatch-alarm-healer-health",
        "topic",
        health(Out("wake"), watches={"QueueName": Out("lost", "name")}),
    ),
    ("sns-subscription-complete", "topic", drop("wake-medic")),
    ("sns-subscription-complete", "event", drop("to-medic")),
    ("sns-subscription-unfiltered", "topic", set_("wake-medic", filterPolicy='{"a": ["b"]}')),
    ("sns-subscription-unfiltered", "queue", set_("wake-medic", filterPolicy=Lost('{"a": ["b"]}'))),
    ("lambda-mapping-complete", "queue", set_("from-inbox", enabled=False)),
    (
        "lambda-mapping-complete",
        "queue",
        set_("from-inbox", filterCriteria={"filters": [{"pattern": "{}"}]}),
    ),
    ("events-rule-enabled", "event", set_("changes", state="DISABLED")),
    ("events-rule-enabled", "machine", set_("changes", isEnabled=False)),
    ("events-rule-enabled", "topic", schedule("DISABLED")),
    ("lambda-permission-scoped", "topic", drop("may-wake")),
    ("lambda-permission-scoped", "topic", set_("may-wake", sourceArn=None)),
    ("lambda-permission-scoped", "topic", set_("may-wake", sourceArn=Out("people"))),
    ("lambda-permission-scoped", "topic", set_("may-wake", principal="*")),
    ("lambda-permission-scoped", "topic", set_("may-wake", sourceArn="arn:aws:sns:us-east-1:123456789012:*")),
    ("lambda-permission-scoped", "topic", set_("may-wake", principal="events.amazonaws.com")),
    ("lambda-permission-scoped", "topic", set_("may-wake", qualifier="live")),
    ("lambda-permission-scoped", "alias", set_("may-wake", qualifier=None)),
    ("lambda-permission-scoped", "direct", drop("may-wake")),
    ("lambda-permission-scoped", "direct", set_("may-wake", sourceArn=None)),
    ("lambda-permission-scoped", "event", drop("may-wake")),
    ("lambda-permission-scoped", "second-topic", drop("may-wake2")),
    ("lambda-failure-destination", "topic", drop("medic-events")),
    ("lambda-failure-destination", "direct", set_("medic-events", destinationConfig=None)),
    (
        "lambda-failure-destination",
        "topic",
        set_("medic-events", destinationConfig={"onFailure": {"destination": Out("wake")}}),
    ),
    ("lambda-failure-destination", "topic", set_("medic", deadLetterConfig={"targetArn": Out("wake")})),
    (
        "lambda-failure-destination",
        "queue",
        set_("medic-events", destinationConfig={"onFailure": {"destination": Out("inbox")}}),
    ),
    ("lambda-failure-destination", "queue", set_("inbox", redrivePolicy=None)),
    ("dynamodb-ledger-recovery", "topic", set_("memory", pointInTimeRecovery={"enabled": False})),
    ("dynamodb-ledger-recovery", "topic", set_("memory", pointInTimeRecovery=None)),
    ("dynamodb-ledger-recovery", "direct", drop("memory")),
    ("sns-topic-key", "topic", encrypt("alias/aws/sns")),
    ("sns-topic-key", "queue", encrypt("arn:aws:kms:us-east-1:123456789012:alias/aws/sns")),
    ("sns-topic-key", "topic", encrypt("0000-elsewhere")),
    ("sns-topic-key", "topic", encrypt(Lost("0000-elsewhere"))),
    ("sns-topic-key", "topic", encrypt(Out("key"), key_policy("kms:Decrypt"))),
    ("sns-topic-key", "topic", encrypt(Out("key"), "")),
    (
        "iam-policy-writes-on-targets",
        "topic",
        rights(("lambda:PutFunctionConcurrency", function_arn("other"))),
    ),
    (
        "iam-policy-writes-on-targets",
        "direct",
        rights(("ssm:PutParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/x")),
    ),
    (
        "iam-policy-nothing-on-itself",
        "topic",
        rights(("lambda:UpdateFunctionConfiguration", function_arn("medic"))),
    ),
    (
        "iam-policy-nothing-on-itself",
        "event",
        rights(("lambda:UpdateFunctionCode", function_arn("medic") + ":live")),
    ),
    ("iam-policy-nothing-on-itself", "topic", rights(("sns:SetTopicAttributes", topic_arn("wake")))),
    ("lambda-healer-cycle", "topic", rights(("sns:Publish", topic_arn("wake")))),
    ("lambda-healer-cycle", "direct", rights(("lambda:InvokeFunction", function_arn("medic")))),
    (
        "lambda-healer-cycle",
        "queue",
        rights(("sqs:SendMessage", f"arn:aws:sqs:us-east-1:123456789012:{physical('inbox')}")),
    ),
    ("lambda-healer-cycle", "topic", two_healers_that_wake_each_other),
    ("lambda-healer-woken", "topic", drop("wake-medic", "may-wake")),
    ("lambda-healer-woken", "event", drop("to-medic", "may-wake")),
]


@pytest.mark.parametrize(("literal", "preview"), MODES)
@pytest.mark.parametrize(
    ("rule", "wire", "change"),
    VIOLATIONS,
    ids=[f"{number}-{rule}-{wire}" for number, (rule, wire, _) in enumerate(VIOLATIONS)],
)
def test_a_violation_is_refused_by_exactly_its_rule(
    rule: str, wire: str, change: Callable[[Stack], None], literal: bool, preview: bool
) -> None:
    stack = safe(wire)
    change(stack)
    found = judge(graph(stack, literal=literal, preview=preview))
    assert set(found) == {rule}, found
    assert all(finding.message and finding.urn for finding in found[rule])


def test_every_wiring_rule_has_a_violation() -> None:
    assert {rule for rule, _, _ in VIOLATIONS} == set(WIRING) - {"selfheal-reference-resolved"}


UNRESOLVED: list[tuple[str, Callable[[Stack], None]]] = [
    ("topic", set_("orders-errors", okActions=[Out("wake"), Out("people"), Lost()])),
    ("topic", set_("orders-errors", insufficientDataActions=[Lost()])),
    ("second-topic", set_("wake2-medic", endpoint=Lost(function_arn("x")))),
]


@pytest.mark.parametrize(("wire", "change"), UNRESOLVED)
def test_what_cannot_be_resolved_at_preview_is_a_finding(wire: str, change: Callable[[Stack], None]) -> None:
    stack = safe(wire)
    change(stack)
    assert "selfheal-reference-resolved" in judge(graph(stack))


def test_a_list_that_is_unknown_as_a_whole_is_all_that_it_depends_on() -> None:
    stack = safe()
    resources_ = graph(stack).index.by_urn
    alarm = next(each for each in resources_.values() if each.name == "orders-errors")
    from selfheal_policies.graph import Graph
    from selfheal_policies.resources import Resource
    from selfheal_policies.values import UNKNOWN

    hidden = Resource(
        alarm.urn, alarm.type, alarm.name, {**alarm.props, "okActions": UNKNOWN}, alarm.references
    )
    judged = Graph([hidden if each is alarm else each for each in resources_.values()])
    assert judge(judged) == {}


def test_one_value_that_may_be_either_of_two_topics_is_a_finding() -> None:
    stack = safe()
    built = graph(stack).index.by_urn
    alarm = next(each for each in built.values() if each.name == "orders-errors")
    from selfheal_policies.graph import Graph
    from selfheal_policies.resources import Resource
    from selfheal_policies.values import UNKNOWN

    mixed = Resource(
        alarm.urn, alarm.type, alarm.name, {**alarm.props, "okActions": [UNKNOWN]}, alarm.references
    )
    judged = Graph([mixed if each is alarm else each for each in built.values()])
    assert set(judge(judged)) == {"selfheal-reference-resolved"}


@pytest.mark.parametrize(
    ("rule", "config", "wire", "change"),
    [
        (
            "iam-policy-writes-on-targets",
            {"allowedTargets": ["other-1a2b3c4"]},
            "topic",
            rights(("lambda:PutFunctionConcurrency", function_arn("other"))),
        ),
        (
            "iam-policy-writes-on-targets",
            {"allowedTargets": ["arn:aws:ssm:*:parameter/x"]},
            "topic",
            rights(("ssm:PutParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/x")),
        ),
        ("sns-topic-key", {"allowedKeys": ["0000-elsewhere"]}, "topic", encrypt("0000-elsewhere")),
        ("dynamodb-ledger-recovery", {"ledgers": ["platform-ledger"]}, "topic", drop("memory")),
        ("lambda-healer-woken", {"deployers": ["medic"]}, "topic", drop("wake-medic", "may-wake")),
    ],
)
def test_configuration_decides(
    rule: str, config: dict[str, Any], wire: str, change: Callable[[Stack], None]
) -> None:
    stack = safe(wire)
    change(stack)
    assert set(judge(graph(stack))) == {rule}
    assert judge(graph(stack), config={rule: config}) == {}


@pytest.mark.parametrize("actions", [["kms:Decrypt", "kms:GenerateDataKey*"], ["kms:*"]])
def test_a_key_that_cloudwatch_may_use_is_fine(actions: list[str]) -> None:
    stack = safe()
    encrypt(Out("key"), key_policy(*actions))(stack)
    assert judge(graph(stack)) == {}


def test_people_on_the_same_topic_are_people() -> None:
    stack = safe()
    stack["orders-errors"][1]["alarmActions"] = [Out("wake")]
    stack["mail"] = (
        "subscription",
        {"topic": Out("wake"), "protocol": "email", "endpoint": "oncall@example.com"},
    )
    assert judge(graph(stack)) == {}


def test_a_stack_without_alarms_is_none_of_this_packs_business() -> None:
    stack: Stack = {
        "orders-role": ("role", {}),
        "orders": ("function", {"role": Out("orders-role")}),
        "ticks": ("topic", {"kmsMasterKeyId": "alias/aws/sns"}),
    }
    assert judge(graph(stack)) == {}


def test_a_topic_of_the_same_name_in_another_region_is_another_topic() -> None:
    stack = safe()
    other = arn(stack, "wake").replace("us-east-1", "eu-west-1")
    stack["may-wake"][1]["sourceArn"] = other
    assert set(judge(graph(stack, preview=False))) == {"lambda-permission-scoped"}
