"""One careful healer of another team, in a form that is easy to change in one point."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN

ACCOUNT = "123456789012"
WAKE = f"arn:aws:sns:us-east-1:{ACCOUNT}:wake"
PEOPLE = f"arn:aws:sns:us-east-1:{ACCOUNT}:people"

TYPES = {
    "alarm": "aws:cloudwatch/metricAlarm:MetricAlarm",
    "attachment": "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "attachments": "aws:iam/policyAttachment:PolicyAttachment",
    "dashboard": "aws:cloudwatch/dashboard:Dashboard",
    "event-rule": "aws:cloudwatch/eventRule:EventRule",
    "event-target": "aws:cloudwatch/eventTarget:EventTarget",
    "exclusive": "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "function": "aws:lambda/function:Function",
    "limits": "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    "logs": "aws:cloudwatch/logGroup:LogGroup",
    "machine": "aws:sfn/stateMachine:StateMachine",
    "managed": "aws:iam/policy:Policy",
    "mapping": "aws:lambda/eventSourceMapping:EventSourceMapping",
    "policy": "aws:iam/rolePolicy:RolePolicy",
    "queue": "aws:sqs/queue:Queue",
    "role": "aws:iam/role:Role",
    "subscription": "aws:sns/topicSubscription:TopicSubscription",
    "table": "aws:dynamodb/table:Table",
    "topic": "aws:sns/topic:Topic",
    "topic-policy": "aws:sns/topicPolicy:TopicPolicy",
}


def function(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    )


def mappings(account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:us-east-1:{account}:event-source-mapping:*"


def table(name: str) -> str:
    return f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}"


RIGHTS: list[dict[str, Any]] = [
    {"Action": "lambda:UpdateFunctionConfiguration", "Resource": function("orders")},
    {"Action": "logs:PutLogEvents", "Resource": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/medic:*"},
    {"Action": "cloudwatch:GetMetricData", "Resource": "*"},
]
TRUST = {"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
OPEN: dict[str, Any] = {
    "Action": "sns:Publish",
    "Resource": WAKE,
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
}
CLOSED: dict[str, Any] = {
    "Effect": "Deny",
    "Action": "sns:Publish",
    "Resource": WAKE,
    "Principal": "*",
    "Condition": {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
}


@dataclass
class Part:
    """A resource that may still be changed."""

    kind: str
    props: dict[str, Any]
    references: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


@dataclass
class Stack:
    """Resources by logical name. All are known; `unknown` makes a property as it is at preview."""

    parts: dict[str, Part]
    name: str = "dev"

    def urn(self, name: str) -> str:
        return f"urn:pulumi:{self.name}::other::{TYPES[self.parts[name].kind]}::{name}"

    def add(self, name: str, kind: str, /, **props: Any) -> None:
        self.parts[name] = Part(kind, props)

    def put(self, name: str, /, **props: Any) -> None:
        self.parts[name].props.update(props)

    def unknown(self, name: str, key: str, *origins: str) -> None:
        """Make a property unknown that the program gave, from the outputs of these resources."""
        self.parts[name].props[key] = UNKNOWN
        self.parts[name].references[key] = tuple(self.urn(origin) for origin in origins)

    def allow(self, *statements: dict[str, Any]) -> None:
        """Change what the healer may do, and its boundary with it, as a program does that derives both."""
        text = document(*RIGHTS, *statements)
        self.put("rights", policy=text)
        self.put("limit", policy=text)

    def environment(self, **variables: Any) -> None:
        self.put("medic", environment={"variables": variables})

    def resources(self) -> list[Resource]:
        return [
            Resource(
                self.urn(name),
                TYPES[part.kind],
                name,
                {
                    "name": name,
                    **{k: v for k, v in part.props.items() if v is not UNKNOWN or k in part.references},
                },
                part.references,
            )
            for name, part in self.parts.items()
        ]

    def graph(self) -> Graph:
        return Graph(self.resources())


Change = Callable[[Stack], object]


def careful() -> Stack:
    """Return a stack in which nothing is wrong."""
    stack = Stack({})
    add = stack.add
    add("orders", "function", environment={"variables": {"FAILURE_RATE": "0"}})
    add("limit", "managed", policy=document(*RIGHTS))
    bound = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    add("medic-role", "role", assumeRolePolicy=document(TRUST), permissionsBoundary=bound)
    add("rights", "policy", role="medic-role", policy=document(*RIGHTS))
    add(
        "medic",
        "function",
        role=f"arn:aws:iam::{ACCOUNT}:role/medic-role",
        timeout=30,
        reservedConcurrentExecutions=1,
        tracingConfig={"mode": "Active"},
    )
    add("logs", "logs", name="/aws/lambda/medic", retentionInDays=14)
    add("dead", "queue")
    add(
        "events",
        "limits",
        functionName="medic",
        maximumRetryAttempts=0,
        maximumEventAgeInSeconds=60,
        destinationConfig={"onFailure": {"destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"}},
    )
    add("wake", "topic")
    add("wake-policy", "topic-policy", arn=WAKE, policy=document(OPEN, CLOSED))
    add("to-medic", "subscription", topic=WAKE, protocol="lambda", endpoint=function("medic"))
    add("people", "topic")
    add("to-people", "subscription", topic=PEOPLE, protocol="email", endpoint="oncall@example.com")
    add(
        "errors",
        "alarm",
        dimensions={"FunctionName": "orders"},
        alarmActions=[WAKE, PEOPLE],
        okActions=[WAKE, PEOPLE],
        alarmDescription="Orders fail: https://example.com/orders",
    )
    add("board", "dashboard", dashboardBody='{"widgets": ["medic"]}')
    return stack


def notifying(stack: Stack) -> None:
    """Take from the function all that changes something: what an alarm reaches now is a notifier."""
    for part in stack.parts.values():
        if part.kind in ("policy", "managed"):
            part.props["policy"] = document({"Action": ["logs:PutLogEvents"], "Resource": "*"})
    for name, part in list(stack.parts.items()):
        part.props.pop("inlinePolicies", None)
        part.props.pop("managedPolicyArns", None)
        if part.kind in ("attachment", "attachments", "exclusive"):
            del stack.parts[name]
