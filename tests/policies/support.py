"""Stacks to judge: written by hand in either spelling, at preview or at up, or what the program registers."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Finding, ResourceRule, StackRule
from selfheal_policies.rules import load
from selfheal_policies.values import UNKNOWN

ACCOUNT, REGION = "123456789012", "us-east-1"

TYPES = {
    "alarm": "aws:cloudwatch/metricAlarm:MetricAlarm",
    "alias": "aws:lambda/alias:Alias",
    "attachment": "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "composite": "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    "event-rule": "aws:cloudwatch/eventRule:EventRule",
    "event-target": "aws:cloudwatch/eventTarget:EventTarget",
    "events": "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    "function": "aws:lambda/function:Function",
    "key": "aws:kms/key:Key",
    "machine": "aws:sfn/stateMachine:StateMachine",
    "mapping": "aws:lambda/eventSourceMapping:EventSourceMapping",
    "permission": "aws:lambda/permission:Permission",
    "policy": "aws:iam/rolePolicy:RolePolicy",
    "queue": "aws:sqs/queue:Queue",
    "role": "aws:iam/role:Role",
    "subscription": "aws:sns/topicSubscription:TopicSubscription",
    "table": "aws:dynamodb/table:Table",
    "topic": "aws:sns/topic:Topic",
}

_ARNS = {
    "alarm": "cloudwatch:{r}:{a}:alarm:{n}",
    "alias": "lambda:{r}:{a}:function:{n}",
    "composite": "cloudwatch:{r}:{a}:alarm:{n}",
    "event-rule": "events:{r}:{a}:rule/{n}",
    "function": "lambda:{r}:{a}:function:{n}",
    "key": "kms:{r}:{a}:key/{n}",
    "machine": "states:{r}:{a}:stateMachine:{n}",
    "queue": "sqs:{r}:{a}:{n}",
    "role": "iam::{a}:role/{n}",
    "table": "dynamodb:{r}:{a}:table/{n}",
    "topic": "sns:{r}:{a}:{n}",
}


@dataclass(frozen=True)
class Out:
    """A resource's output in a program: its `arn`, unknown at preview, or its `name`, always known."""

    name: str
    attribute: str = "arn"


@dataclass(frozen=True)
class Lost:
    """A value that is unknown at preview and depends on nothing."""

    value: str = "arn:aws:sns:us-east-1:123456789012:elsewhere"


Stack = dict[str, tuple[str, dict[str, Any]]]
"""Logical name to kind and properties, in which outputs may stand."""


def physical(name: str) -> str:
    return f"{name}-1a2b3c4"


def arn(stack: Stack, name: str) -> str:
    kind, props = stack[name]
    if kind == "alias":
        function = props["functionName"]
        base = physical(function.name) if isinstance(function, Out) else function
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{base}:{props['name']}"
    return "arn:aws:" + _ARNS[kind].format(r=REGION, a=ACCOUNT, n=props.get("name", physical(name)))


def urn(name: str, kind: str) -> str:
    return f"urn:pulumi:test::other::{TYPES[kind]}::{name}"


def resources(stack: Stack, *, literal: bool = False, preview: bool = True) -> list[Resource]:
    """Return the resources as a stack policy gets them."""
    return [_resource(stack, name, kind, props, literal, preview) for name, (kind, props) in stack.items()]


def graph(stack: Stack, *, literal: bool = False, preview: bool = True) -> Graph:
    return Graph(resources(stack, literal=literal, preview=preview))


def _resource(  # noqa: PLR0917 - called once
    stack: Stack, name: str, kind: str, props: Mapping[str, Any], literal: bool, preview: bool
) -> Resource:
    references: dict[str, tuple[str, ...]] = {}

    def value_of(value: Any, found: list[str]) -> Any:
        if isinstance(value, Out):
            by_name = value.attribute == "name"
            known = (
                stack[value.name][1].get("name", physical(value.name)) if by_name else arn(stack, value.name)
            )
            if literal:
                return known
            found.append(urn(value.name, stack[value.name][0]))
            return UNKNOWN if preview and not by_name else known
        if isinstance(value, Lost):
            return UNKNOWN if preview else value.value
        if isinstance(value, dict):
            return {key: value_of(each, found) for key, each in value.items()}
        if isinstance(value, list):
            return [value_of(each, found) for each in value]
        return value

    plain: dict[str, Any] = {}
    for key, value in props.items():
        found: list[str] = []
        plain[key] = value_of(value, found)
        references[key] = tuple(found)
    if kind in _ARNS:
        plain["arn"] = UNKNOWN if preview else arn(stack, name)
        plain.setdefault("alarmName" if kind == "composite" else "name", physical(name))
    return Resource(urn(name, kind), TYPES[kind], name, plain, references)


def document(*statements: tuple[str | list[str], str | list[str]]) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in statements]})


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{physical(name)}"


def table_arn(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{physical(name)}"


def topic_arn(name: str) -> str:
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{physical(name)}"


def safe(wire: str = "topic") -> Stack:
    """A hand-written healer that nothing is wrong with, woken in one of the ways there are."""
    stack: Stack = {
        "orders": ("function", {"role": Out("orders-role")}),
        "orders-role": ("role", {}),
        "medic-role": ("role", {}),
        "medic": ("function", {"role": Out("medic-role")}),
        "medic-rights": (
            "policy",
            {
                "role": Out("medic-role", "name"),
                "policy": document(
                    (["lambda:GetFunction", "lambda:UpdateFunctionConfiguration"], function_arn("orders")),
                    (["dynamodb:GetItem", "dynamodb:PutItem"], table_arn("memory")),
                    ("sns:Publish", topic_arn("people")),
                ),
            },
        ),
        "memory": ("table", {"pointInTimeRecovery": {"enabled": True}}),
        "lost": ("queue", {}),
        "medic-events": (
            "events",
            {
                "functionName": Out("medic", "name"),
                "destinationConfig": {"onFailure": {"destination": Out("lost")}},
            },
        ),
        "people": ("topic", {}),
        "orders-errors": (
            "alarm",
            {
                "dimensions": {"FunctionName": Out("orders", "name")},
                "alarmActions": [Out("people")],
                "okActions": [Out("people")],
            },
        ),
    }
    _WIRES[wire](stack)
    return stack


def act(stack: Stack, target: Any, alarm: str = "orders-errors") -> None:
    for key in ("alarmActions", "okActions"):
        stack[alarm][1][key] = [target, Out("people")]


def permit(stack: Stack, name: str, service: str, source: str, **more: Any) -> None:
    stack[name] = (
        "permission",
        {"function": Out("medic", "name"), "principal": f"{service}.amazonaws.com", "sourceArn": Out(source)}
        | more,
    )


def _topic(stack: Stack) -> None:
    stack["wake"] = ("topic", {})
    act(stack, Out("wake"))
    stack["wake-medic"] = (
        "subscription",
        {"topic": Out("wake"), "protocol": "lambda", "endpoint": Out("medic")},
    )
    permit(stack, "may-wake", "sns", "wake")


def _second_topic(stack: Stack) -> None:
    _topic(stack)
    stack["wake2"] = ("topic", {})
    stack["orders-slow"] = (
        "alarm",
        {
            "metricQueries": [{"id": "m", "metric": {"dimensions": {"FunctionName": Out("orders", "name")}}}],
            "alarmActions": [Out("wake2"), Out("people")],
            "okActions": [Out("wake2"), Out("people")],
        },
    )
    stack["wake2-medic"] = (
        "subscription",
        {"topic": Out("wake2"), "protocol": "lambda", "endpoint": Out("medic")},
    )
    permit(stack, "may-wake2", "sns", "wake2")


def _direct(stack: Stack) -> None:
    act(stack, Out("medic"))
    permit(stack, "may-wake", "lambda.alarms.cloudwatch", "orders-errors")


def _alias(stack: Stack) -> None:
    _topic(stack)
    stack["live"] = ("alias", {"name": "live", "functionName": Out("medic", "name")})
    stack["wake-medic"][1]["endpoint"] = Out("live")
    stack["may-wake"][1]["qualifier"] = Out("live", "name")
    stack["medic-events"][1]["qualifier"] = Out("live", "name")


PATTERN = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}


def pattern(**detail: Any) -> str:
    names = {"alarmName": [physical("orders-errors")]}
    return json.dumps(PATTERN | {"detail": names | detail})


def _event(stack: Stack) -> None:
    stack["changes"] = ("event-rule", {"eventPattern": pattern()})
    stack["to-medic"] = ("event-target", {"rule": Out("changes", "name"), "arn": Out("medic")})
    permit(stack, "may-wake", "events", "changes")


def _queue(stack: Stack) -> None:
    _topic(stack)
    del stack["may-wake"]
    stack["inbox"] = ("queue", {"redrivePolicy": '{"maxReceiveCount": 3}'})
    stack["wake-medic"] = (
        "subscription",
        {"topic": Out("wake"), "protocol": "sqs", "endpoint": Out("inbox")},
    )
    stack["from-inbox"] = ("mapping", {"eventSourceArn": Out("inbox"), "functionName": Out("medic", "name")})


def _machine(stack: Stack) -> None:
    _event(stack)
    del stack["may-wake"]
    stack["steps-role"] = ("role", {})
    stack["steps"] = (
        "machine",
        {
            "roleArn": Out("steps-role"),
            "definition": json.dumps(
                {"States": {"Heal": {"Type": "Task", "Resource": function_arn("medic")}}}
            ),
        },
    )
    stack["to-medic"][1]["arn"] = Out("steps")


def _composite(stack: Stack) -> None:
    _topic(stack)
    for key in ("alarmActions", "okActions"):
        stack["orders-errors"][1][key] = []
    stack["either"] = (
        "composite",
        {
            "alarmRule": f'ALARM("{physical("orders-errors")}") OR ALARM("other")',
            "alarmActions": [Out("wake"), Out("people")],
            "okActions": [Out("wake"), Out("people")],
        },
    )


_WIRES = {
    "topic": _topic,
    "second-topic": _second_topic,
    "direct": _direct,
    "alias": _alias,
    "event": _event,
    "queue": _queue,
    "machine": _machine,
    "composite": _composite,
}
WIRES = tuple(_WIRES)

RULES = {rule.name: rule for rule in load()}

WIRING = (
    "cloudwatch-alarm-actions-enabled",
    "cloudwatch-alarm-healer-health",
    "cloudwatch-alarm-reaches-people",
    "cloudwatch-alarm-reports-recovery",
    "cloudwatch-alarm-wakes-healer",
    "dynamodb-ledger-recovery",
    "events-rule-enabled",
    "iam-policy-nothing-on-itself",
    "iam-policy-writes-on-targets",
    "lambda-failure-destination",
    "lambda-healer-cycle",
    "lambda-healer-woken",
    "lambda-mapping-complete",
    "lambda-permission-scoped",
    "selfheal-reference-resolved",
    "sns-subscription-complete",
    "sns-subscription-unfiltered",
    "sns-topic-key",
)
"""The rules that these stacks are written for."""


def judge(
    graph_: Graph, names: Iterable[str] = WIRING, config: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, list[Finding]]:
    """Return what these rules find, those that find nothing left out."""
    found: dict[str, list[Finding]] = {}
    for name in names:
        rule = RULES[name]
        given = {**rule.defaults, **(config or {}).get(name, {})}
        if isinstance(rule, StackRule):
            found[name] = list(rule.check(graph_, given))
        else:
            found[name] = [
                finding
                for resource in graph_.index.by_urn.values()
                if resource.type in rule.types
                for finding in rule.check(resource, given)
            ]
    return {name: findings for name, findings in found.items() if findings}


def names_of(findings: Mapping[str, Sequence[Finding]]) -> set[str]:
    return set(findings)


def resource_rules() -> list[ResourceRule]:
    return [rule for rule in RULES.values() if isinstance(rule, ResourceRule)]
