"""Five points for every rule on scope and behaviour, and every advice.

Compliant, violating, not applicable, unknown at preview, configured otherwise. A rule without one of
them fails a test.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from selfheal_policies.rule import ResourceRule
from selfheal_policies.rules import load
from selfheal_policies.values import UNKNOWN

from tests.policies.rules.stacks import (
    ACCOUNT,
    CLOSED,
    OPEN,
    PEOPLE,
    TRUST,
    WAKE,
    Change,
    Stack,
    careful,
    document,
    function,
    mappings,
    notifying,
    table,
)

RULES = {rule.name: rule for rule in load()}

COMPLIANT, VIOLATING, NOT_APPLICABLE = "compliant", "violating", "not applicable"
UNKNOWN_AT_PREVIEW, CONFIGURED = "unknown at preview", "configured otherwise"
POINTS = (COMPLIANT, VIOLATING, NOT_APPLICABLE, UNKNOWN_AT_PREVIEW, CONFIGURED)

ORDERS = function("orders")
UPDATE = "lambda:UpdateFunctionConfiguration"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


class Case(NamedTuple):
    """A rule, the point it is tested on, what is changed, and a part of each finding: none for compliance."""

    rule: str
    point: str
    change: Change
    finds: tuple[str, ...] = ()
    config: dict[str, Any] | None = None


def nothing(_: Stack) -> None:
    """Leave the stack as it is."""


def five(
    rule: str,
    *,
    fine: list[Change],
    wrong: list[tuple[Change, str]],
    unknown: list[tuple[Change, str]],
    configured: list[tuple[Change, dict[str, Any], str]],
    elsewhere: list[Change] | None = None,
) -> list[Case]:
    """Return the cases of a rule. What is wrong with a healer is nobody's business at a notifier."""
    spared = [_spared(change) for change, _ in wrong] if elsewhere is None else elsewhere
    return [
        *(Case(rule, COMPLIANT, change) for change in (nothing, *fine)),
        *(Case(rule, VIOLATING, change, (part,)) for change, part in wrong),
        *(Case(rule, NOT_APPLICABLE, change) for change in spared),
        *(Case(rule, UNKNOWN_AT_PREVIEW, change, (part,) if part else ()) for change, part in unknown),
        *(
            Case(rule, CONFIGURED, change, (part,) if part else (), config)
            for change, config, part in configured
        ),
    ]


def _spared(change: Change) -> Change:
    def both(stack: Stack) -> None:
        change(stack)
        notifying(stack)

    return both


def allow(action: Any, resource: Any = ORDERS) -> Change:
    return lambda stack: stack.allow({"Action": action, "Resource": resource})


def put(name: str, /, **props: Any) -> Change:
    return lambda stack: stack.put(name, **props)


def drop(name: str, key: str) -> Change:
    return lambda stack: stack.parts[name].props.pop(key)


def add(name: str, kind: str, /, **props: Any) -> Change:
    return lambda stack: stack.add(name, kind, **props)


def hide(name: str, key: str, *origins: str) -> Change:
    return lambda stack: stack.unknown(name, key, *origins)


def several(*changes: Callable[[Stack], object]) -> Change:
    def all_of_them(stack: Stack) -> None:
        for change in changes:
            change(stack)

    return all_of_them


def data(statement: dict[str, Any]) -> Change:
    """Let the policy be data and not text, as some SDKs allow: then single entries can be unknown."""
    return put("rights", policy={"Statement": [{"Effect": "Allow", **statement}]})


def trust(**statement: Any) -> Change:
    return put("medic-role", assumeRolePolicy=document(TRUST | statement))


def ledger(
    *keys: str, action: Any = "dynamodb:PutItem", operator: str = "ForAllValues:StringLike", **more: Any
) -> Change:
    """Let the healer write items of its ledger: those with these keys, or all."""
    statement: dict[str, Any] = {"Action": action, "Resource": table("memory")}
    if keys:
        statement["Condition"] = {operator: {"dynamodb:LeadingKeys": list(keys)}, **more}
    return several(
        lambda stack: stack.allow(statement), lambda stack: stack.environment(LEDGER_TABLE="memory")
    )


def with_denial(**statement: Any) -> Change:
    denial = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": table("memory"), **statement}
    free = {"Action": "dynamodb:PutItem", "Resource": table("memory")}
    return several(
        lambda stack: stack.allow(free, denial), lambda stack: stack.environment(LEDGER_TABLE="memory")
    )


def denied_items(operator: str, *keys: str) -> dict[str, Any]:
    return {operator: {"dynamodb:LeadingKeys": list(keys)}}


def mapped(condition: Any = None, account: str = ACCOUNT) -> Change:
    """Let the healer pause mappings, if a condition holds."""
    statement: dict[str, Any] = {
        "Action": "lambda:UpdateEventSourceMapping",
        "Resource": mappings(account),
    }
    return lambda stack: stack.allow(statement | ({"Condition": condition} if condition else {}))


def topic(*statements: dict[str, Any]) -> Change:
    return put("wake-policy", policy=document(*statements))


def given_inline(*statements: dict[str, Any]) -> Change:
    def change(stack: Stack) -> None:
        stack.put("wake", policy=document(*statements))
        stack.parts["wake"].references["policy"] = ()

    return change


def machine(service: str) -> Change:
    """Let the healer be a state machine, which an event rule starts."""
    name = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:steps"
    role = f"arn:aws:iam::{ACCOUNT}:role/medic-role"
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    detail = {"alarmName": ["errors"]}
    return several(
        lambda stack: stack.parts.pop("medic"),
        add("steps", "machine", roleArn=role, definition='{"States": {}}'),
        add("changes", "event-rule", eventPattern=json.dumps(pattern | {"detail": detail})),
        add("to-steps", "event-target", rule="changes", arn=name),
        trust(Principal={"Service": service}),
    )


def production(**variables: Any) -> Change:
    def change(stack: Stack) -> None:
        stack.name = "prod"
        stack.environment(**variables)

    return change


def rate(value: Any, stack_name: str = "dev") -> Change:
    def change(stack: Stack) -> None:
        stack.name = stack_name
        stack.put("orders", environment={"variables": {"FAILURE_RATE": value}})

    return change


def queue(policy: Any) -> Change:
    """Wake the healer by a queue."""
    inbox = f"arn:aws:sqs:us-east-1:{ACCOUNT}:inbox"
    return several(
        add("inbox", "queue", redrivePolicy=policy),
        add("from-inbox", "mapping", eventSourceArn=inbox, functionName="medic"),
        put("to-medic", protocol="sqs", endpoint=inbox),
    )


SCOPE = [
    *five(
        "iam-policy-readable",
        fine=[
            put("medic-role", inlinePolicies=UNKNOWN),
            data({"Action": UPDATE, "Resource": function("orders")}),
        ],
        wrong=[
            (put("rights", policy="{not json"), "is no JSON"),
            (put("rights", policy="[]"), "no policy document"),
            (lambda s: s.allow({"Resource": "*"}), "without Action"),
            (lambda s: s.allow({"Action": UPDATE}), "without Resource"),
            (put("medic", role=f"arn:aws:iam::{ACCOUNT}:role/elsewhere"), "not one of this stack"),
        ],
        elsewhere=[notifying, several(add("other", "policy", role="other", policy="{not json"))],
        unknown=[
            (hide("rights", "policy", "orders"), "not known at preview"),
            (hide("medic-role", "inlinePolicies"), "not known at preview"),
        ],
        configured=[(hide("rights", "policy"), {"accepted": ["rights"]}, "")],
    ),
    *five(
        "iam-policy-action-wildcard",
        fine=[allow("lambda:GetFunction")],
        wrong=[
            *(
                (allow(each), each)
                for each in ("*", "lambda:*", "Lambda:update*", "lambda:UpdateFunctionC?de")
            ),
            (lambda s: s.allow({"NotAction": "iam:*", "Resource": function("orders")}), "NotAction"),
        ],
        unknown=[(data({"Action": [UPDATE, UNKNOWN], "Resource": "*"}), "not known at preview")],
        configured=[(allow("logs:Put*"), {"accepted": ["logs:Put*"]}, "")],
    ),
    *five(
        "iam-policy-privilege",
        fine=[
            allow("iam:*"),
            lambda s: s.allow({"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}),
        ],
        wrong=[(allow(each), each) for each in ("iam:PassRole", "IAM:PutRolePolicy", "sts:AssumeRole")],
        unknown=[(data({"Action": ["iam:PassRole"], "Resource": [UNKNOWN]}), "iam:PassRole")],
        configured=[(allow("sts:GetCallerIdentity"), {"accepted": ["sts:GetCallerIdentity"]}, "")],
    ),
    *five(
        "iam-policy-action-allowed",
        fine=[allow("LAMBDA:updatefunctionconfiguration"), allow("iam:PassRole"), allow("ec2:*")],
        wrong=[
            (allow(each), each)
            for each in ("lambda:UpdateFunctionCode", "dynamodb:DeleteTable", "s3:PutObject")
        ],
        unknown=[(data({"Action": ["ec2:StopInstances"], "Resource": [UNKNOWN]}), "ec2:StopInstances")],
        configured=[
            (allow("ecs:UpdateService"), {"moreActions": ["ecs:UpdateService"]}, ""),
            (nothing, {"actions": ["logs:PutLogEvents", "cloudwatch:GetMetricData"]}, UPDATE),
        ],
    ),
    *five(
        "iam-policy-resource-wildcard",
        fine=[
            allow("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/medic:log-stream:*"),
            allow(["xray:PutTraceSegments", "cloudwatch:GetMetricData"], "*"),
            allow(["iam:PassRole", "lambda:*"], "*"),
            mapped({"ArnEquals": {"lambda:FunctionArn": function("orders")}}),
            mapped({"stringequals": {"Lambda:functionarn": [function("orders"), function("payments:live")]}}),
        ],
        wrong=[
            *(
                (mapped(condition), "event-source-mapping:*, which stands for many")
                for condition in (
                    None,
                    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                    {"ArnLike": {"lambda:FunctionArn": function("*")}},
                    {"ArnEquals": {"lambda:FunctionArn": [function("orders"), function("pay?ents")]}},
                    {"ArnEquals": {"lambda:FunctionArn": "orders"}},
                    {"ArnEquals": {"lambda:FunctionArn": []}},
                    {"ArnEqualsIfExists": {"lambda:FunctionArn": function("orders")}},
                    {"ArnNotEquals": {"lambda:FunctionArn": function("orders")}},
                    {"ForAllValues:StringEquals": {"lambda:FunctionArn": function("orders")}},
                )
            ),
            (mapped({"ArnEquals": {"lambda:FunctionArn": function("orders")}}, "*"), ":*:event-source"),
            *(
                (allow(UPDATE, each), each)
                for each in ("*", function("*"), function("ord?rs"), function("${aws:x}"))
            ),
            (allow(["cloudwatch:GetMetricData", "sns:Publish"], "*"), "allows sns:Publish on *"),
            (allow("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:*:*"), "log-group:*"),
            (lambda s: s.allow({"Action": UPDATE, "NotResource": function("payments")}), "NotResource"),
        ],
        unknown=[(data({"Action": UPDATE, "Resource": [UNKNOWN]}), "not known at preview")],
        configured=[
            (allow(UPDATE, function("orders-*")), {"accepted": [function("orders-*")]}, ""),
            (nothing, {"actionsWithoutResourceLevel": []}, "cloudwatch:GetMetricData on *"),
        ],
    ),
    *five(
        "dynamodb-ledger-approvals",
        fine=[
            ledger("target#*", "override#orders"),
            ledger("target#*", action=["dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]),
            ledger("fleet", operator="ForAllValues:StringEquals"),
            ledger("target#*", Null={"dynamodb:LeadingKeys": "false"}),
            ledger("target#${aws:PrincipalTag/x}", "modest", "mode2"),
            ledger(action="dynamodb:GetItem"),
            # Another table, and a ledger that nobody calls so.
            several(ledger(), lambda stack: stack.environment(LEDGER_TABLE="other")),
            several(ledger(), lambda stack: stack.environment(TABLE="memory")),
            with_denial(Condition=denied_items("ForAnyValue:StringLike", "approval#*", "command#*", "mode")),
            with_denial(Condition=denied_items("ForAnyValue:StringLike", "*")),
            with_denial(),
        ],
        wrong=[
            *(
                (change, "dynamodb:PutItem on approval#*, command#*, mode of its ledger")
                for change in (
                    ledger(),
                    ledger("*"),
                    ledger("?*"),
                    ledger("target#*", operator="ForAnyValue:StringLike"),
                    ledger("target#*", operator="StringLike"),
                    ledger("target#*", operator="ForAllValues:StringNotLike"),
                    ledger("target#*", operator="ForAllValues:StringLikeIfExists"),
                    with_denial(Condition=denied_items("ForAllValues:StringLike", "*")),
                    with_denial(
                        Condition=denied_items("ForAnyValue:StringLike", "*")
                        | {"Bool": {"aws:SecureTransport": "false"}}
                    ),
                    with_denial(Action="dynamodb:DeleteItem"),
                    with_denial(Resource=table("other")),
                )
            ),
            (ledger("target#*", "mode"), "PutItem on mode of its ledger"),
            (ledger("mode"), "PutItem on mode of its ledger"),
            (ledger("m*"), "PutItem on mode of its ledger"),
            (ledger("approval#orders"), "PutItem on approval#* of its ledger"),
            (ledger("approv*"), "PutItem on approval#* of its ledger"),
            (ledger("a${aws:username}"), "PutItem on approval#* of its ledger"),
            (ledger("command#?"), "PutItem on command#* of its ledger"),
            *(
                (ledger(action=action), f"{action} on")
                for action in ("dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLInsert")
            ),
            (
                with_denial(Condition=denied_items("ForAnyValue:StringLike", "approval#*", "mode")),
                "PutItem on command#* of its ledger",
            ),
        ],
        unknown=[
            (
                several(ledger(), lambda stack: stack.environment(LEDGER_TABLE=UNKNOWN)),
                "of its ledger",
            ),
            (
                several(
                    ledger(),
                    add("memory", "table"),
                    lambda stack: stack.environment(LEDGER_TABLE=UNKNOWN),
                    lambda stack: _from(stack, "memory"),
                ),
                "of its ledger",
            ),
            (
                several(
                    ledger(),
                    add("other", "table"),
                    lambda stack: stack.environment(LEDGER_TABLE=UNKNOWN),
                    lambda stack: _from(stack, "other"),
                ),
                "",
            ),
            (several(ledger(), hide("medic", "environment")), ""),
            (
                several(
                    data(
                        {
                            "Action": "dynamodb:PutItem",
                            "Resource": table("memory"),
                            "Condition": denied_items("ForAllValues:StringLike", "target#*") | {"x": UNKNOWN},
                        }
                    ),
                    lambda stack: stack.environment(LEDGER_TABLE="memory"),
                ),
                "",
            ),
            (
                several(
                    data(
                        {
                            "Action": "dynamodb:PutItem",
                            "Resource": table("memory"),
                            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [UNKNOWN]}},
                        }
                    ),
                    lambda stack: stack.environment(LEDGER_TABLE="memory"),
                ),
                "of its ledger",
            ),
        ],
        configured=[
            (ledger("approval#*"), {"protected": ["mode"]}, ""),
            (ledger("brake"), {"protected": ["brake"]}, "PutItem on brake"),
            (
                several(ledger(), lambda stack: stack.environment(MEMORY="memory")),
                {"ledgerVariable": "MEMORY"},
                "of its ledger",
            ),
        ],
    ),
    *five(
        "iam-role-managed-policies",
        fine=[
            put("medic-role", managedPolicyArns=[BASIC]),
            put("medic-role", managedPolicyArns=UNKNOWN),
            add("more", "attachment", role="medic-role", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/limit"),
            several(
                add("more", "attachment", role="medic-role"),
                hide("more", "policyArn", "limit"),
            ),
        ],
        wrong=[
            (put("medic-role", managedPolicyArns=[BASIC, ADMINISTRATOR]), ADMINISTRATOR),
            (add("more", "attachment", role="medic-role", policyArn=ADMINISTRATOR), ADMINISTRATOR),
            (
                add("more", "attachments", roles=["other", "medic-role"], policyArn=ADMINISTRATOR),
                ADMINISTRATOR,
            ),
            (add("more", "exclusive", roleName="medic-role", policyArns=[ADMINISTRATOR]), ADMINISTRATOR),
            (
                several(
                    add("AdministratorAccess", "managed", policy=document()),
                    put("medic-role", managedPolicyArns=[ADMINISTRATOR]),
                ),
                ADMINISTRATOR,
            ),
        ],
        unknown=[
            (
                several(add("more", "attachment", role="medic-role"), hide("more", "policyArn")),
                "none of this stack",
            ),
            (hide("medic-role", "managedPolicyArns"), "none of this stack"),
        ],
        configured=[(put("medic-role", managedPolicyArns=[BASIC]), {"accepted": []}, BASIC)],
    ),
    *five(
        "iam-role-trust",
        fine=[trust(Principal={"Service": ["lambda.amazonaws.com"]}), machine("states.amazonaws.com")],
        wrong=[
            (machine("lambda.amazonaws.com"), "lambda.amazonaws.com"),
            (trust(Principal="*"), "everybody"),
            (trust(Principal={"AWS": "*"}), "everybody"),
            (trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), ":root"),
            (
                trust(Principal={"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}),
                "ec2.amazonaws.com",
            ),
            (trust(Principal={"Federated": "accounts.example.com"}), "accounts.example.com"),
            (put("medic-role", assumeRolePolicy="{"), "is no JSON"),
            (
                put(
                    "medic-role", assumeRolePolicy=document({"Action": "sts:AssumeRole", "NotPrincipal": "x"})
                ),
                "NotPrincipal",
            ),
        ],
        unknown=[
            (hide("medic-role", "assumeRolePolicy"), "not known at preview"),
            (
                put("medic-role", assumeRolePolicy={"Statement": [{"Principal": {"Service": UNKNOWN}}]}),
                "not known at preview",
            ),
        ],
        configured=[
            (
                trust(Principal={"Service": "edgelambda.amazonaws.com"}),
                {"services": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]},
                "",
            )
        ],
    ),
    *five(
        "iam-role-boundary",
        fine=[
            hide("medic-role", "permissionsBoundary", "limit"),
            put("limit", policy=document({"Action": ["lambda:*", "logs:*"], "Resource": "*"})),
            put(
                "limit",
                policy=document(
                    {"NotAction": "s3:*", "Resource": "*"},
                    {"Effect": "Deny", "Action": ["iam:*", "sts:*"], "Resource": "*"},
                ),
            ),
            # The role's own policy says the same, so other rules say it.
            allow("*", "*"),
        ],
        wrong=[
            (drop("medic-role", "permissionsBoundary"), "no permissions boundary"),
            (put("limit", policy=document({"Action": "*", "Resource": "*"})), "every action"),
            (put("limit", policy=document({"Action": "*:*", "Resource": "*"})), "every action"),
            (put("limit", policy=document({"NotAction": "s3:*", "Resource": "*"})), "iam:AttachRolePolicy"),
            (put("limit", policy=document({"Action": "sts:Assume*", "Resource": "*"})), "sts:AssumeRole"),
            (put("medic-role", permissionsBoundary=ADMINISTRATOR), ADMINISTRATOR),
        ],
        unknown=[
            (hide("limit", "policy"), "not known at preview"),
            (hide("medic-role", "permissionsBoundary"), "comes from no policy"),
        ],
        configured=[
            (
                put("medic-role", permissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/company"),
                {"accepted": [f"arn:aws:iam::{ACCOUNT}:policy/company"]},
                "",
            )
        ],
    ),
]

BEHAVIOUR = [
    *five(
        "lambda-healer-concurrency",
        fine=[put("medic", reservedConcurrentExecutions="1")],
        wrong=[
            (drop("medic", "reservedConcurrentExecutions"), "is not set"),
            *(
                (put("medic", reservedConcurrentExecutions=value), part)
                for value, part in (
                    (-1, "not set"),
                    (0, "never runs"),
                    (2, "is 2"),
                    ("x", "no number"),
                    ("nan", "nan"),
                )
            ),
        ],
        unknown=[(hide("medic", "reservedConcurrentExecutions"), "not known at preview")],
        configured=[
            (put("medic", reservedConcurrentExecutions=5), {"maximum": 5}, ""),
            (drop("medic", "reservedConcurrentExecutions"), {"allowUnreserved": True}, ""),
            (put("medic", reservedConcurrentExecutions=9), {"allowUnreserved": True}, "is 9"),
        ],
    ),
    *five(
        "lambda-healer-timeout",
        fine=[drop("medic", "timeout"), put("medic", timeout=60)],
        wrong=[(put("medic", timeout=900), "is 900 s"), (put("medic", timeout="soon"), "no number")],
        unknown=[(hide("medic", "timeout"), "not known at preview")],
        configured=[
            (put("medic", timeout=120), {"maximumSeconds": 120}, ""),
            (nothing, {"maximumSeconds": 10}, "at most 10 s"),
        ],
    ),
    *five(
        "lambda-healer-retries",
        fine=[
            put("events", functionName=function("medic")),
            put("events", qualifier="$LATEST"),
            queue('{"maxReceiveCount": 3}'),
            queue('{"maxReceiveCount": "2"}'),
        ],
        wrong=[
            (put("events", maximumRetryAttempts=2), "allows 2 retries"),
            (drop("events", "maximumRetryAttempts"), "allows 2 retries"),
            (put("events", maximumEventAgeInSeconds=21600), "allows 21600 seconds"),
            (put("events", maximumEventAgeInSeconds=0), "allows 21600 seconds"),
            (drop("events", "maximumEventAgeInSeconds"), "allows 21600 seconds"),
            (put("events", maximumRetryAttempts="few"), "no number"),
            (put("events", qualifier="live"), "no FunctionEventInvokeConfig"),
            (put("to-medic", endpoint=function("medic") + ":live"), "no FunctionEventInvokeConfig"),
            (queue('{"maxReceiveCount": 100}'), "tried 100 times"),
            (queue("{"), "has no maxReceiveCount"),
        ],
        unknown=[
            (hide("events", "maximumRetryAttempts"), "not known at preview"),
            (hide("events", "maximumEventAgeInSeconds"), "not known at preview"),
            (several(queue("{}"), hide("inbox", "redrivePolicy")), "not known at preview"),
        ],
        configured=[
            (put("events", maximumRetryAttempts=2), {"maximumRetries": 2}, ""),
            (put("events", maximumEventAgeInSeconds=120), {"maximumAgeSeconds": 60}, "at most 60"),
            (queue('{"maxReceiveCount": 3}'), {"maximumReceives": 1}, "tried 3 times"),
        ],
    ),
    *five(
        "lambda-function-failure-rate",
        fine=[rate("0.3"), rate("1"), rate("0", "prod"), rate(0.0, "staging")],
        wrong=[
            *((rate(value), "number from 0 to 1") for value in ("1.5", "-0.1", "some", "nan", "", True)),
            (rate("0.3", "prod"), "in stack prod"),
            (rate("0.001", "staging"), "in stack staging"),
        ],
        elsewhere=[drop("orders", "environment"), hide("orders", "environment")],
        unknown=[(rate(UNKNOWN), "not known at preview")],
        configured=[
            (rate("0.3"), {"maximum": 0.2}, "at most 0.2"),
            (rate("0.3"), {"zeroStacks": ["dev"]}, "at most 0"),
            (rate("0.3", "prod"), {"zeroStacks": []}, ""),
            (rate("7"), {"variable": "OTHER"}, ""),
        ],
    ),
    *five(
        "lambda-healer-production",
        fine=[
            production(MODE="observe"),
            production(MODE="act", BUDGET="3", ESCALATION_TOPIC_ARN=PEOPLE),
            several(
                production(MODE="act", BUDGET=3, ESCALATION_TOPIC_ARN=UNKNOWN), lambda s: _from(s, "people")
            ),
        ],
        wrong=[
            (production(MODE="act", ESCALATION_TOPIC_ARN=PEOPLE), "declares no BUDGET"),
            (production(ESCALATION_TOPIC_ARN=PEOPLE), "declares no BUDGET"),
            *(
                (production(MODE="act", BUDGET=value, ESCALATION_TOPIC_ARN=PEOPLE), "whole number")
                for value in ("0", "1.5", "99", "many", "nan", "inf")
            ),
            (production(MODE="act", BUDGET="3"), "declares no ESCALATION_TOPIC_ARN"),
            (production(MODE="act", BUDGET="3", ESCALATION_TOPIC_ARN=WAKE), "nobody is subscribed"),
            (production(MODE="act", BUDGET="3", ESCALATION_TOPIC_ARN=PEOPLE + "2"), "nobody is subscribed"),
            (
                several(
                    production(MODE="act", BUDGET="3", ESCALATION_TOPIC_ARN=PEOPLE),
                    put("to-people", protocol="sqs"),
                ),
                "nobody is subscribed",
            ),
        ],
        elsewhere=[lambda s: s.environment(MODE="act"), several(production(), notifying)],
        unknown=[
            (production(MODE=UNKNOWN, ESCALATION_TOPIC_ARN=PEOPLE), "declares no BUDGET"),
            (production(MODE="act", BUDGET=UNKNOWN, ESCALATION_TOPIC_ARN=PEOPLE), "BUDGET is not known"),
            (production(MODE="act", BUDGET="3", ESCALATION_TOPIC_ARN=UNKNOWN), "comes from no topic"),
        ],
        configured=[
            (production(MODE="act"), {"stacks": ["live"]}, ""),
            (production(STANCE="watch"), {"modeVariable": "STANCE", "passiveModes": ["watch"]}, ""),
            (
                production(ACTS="50", PAGER=PEOPLE + "2"),
                {
                    "budgetVariable": "ACTS",
                    "maximumBudget": 50,
                    "escalationVariable": "PAGER",
                    "topicsElsewhere": [PEOPLE + "2"],
                },
                "",
            ),
        ],
    ),
    *five(
        "sns-topic-policy-closed",
        fine=[
            topic(OPEN, CLOSED, {"Action": "sns:Subscribe", "Resource": WAKE, "Principal": {"AWS": ACCOUNT}}),
            # AWS's default, which nobody gave.
            put("wake", policy=document(OPEN | {"Principal": "*"})),
            several(lambda s: s.parts.pop("wake-policy"), given_inline(OPEN, CLOSED)),
        ],
        wrong=[
            (lambda s: s.parts.pop("wake-policy"), "has no policy"),
            (topic(OPEN), "does not deny"),
            (given_inline(OPEN | {"Principal": "*"}), "everybody"),
            *(
                (topic(OPEN | {"Principal": principal}, CLOSED), part)
                for principal, part in (
                    ("*", "everybody"),
                    ({"AWS": "*"}, "everybody"),
                    ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ":root"),
                    ({"Service": ["cloudwatch.amazonaws.com", "s3.amazonaws.com"]}, "s3.amazonaws.com"),
                )
            ),
            (topic(OPEN | {"Condition": {}}, CLOSED), "any account"),
            (topic(OPEN | {"Condition": {"StringLike": {"aws:SourceAccount": "*"}}}, CLOSED), "any account"),
            (
                topic(OPEN, CLOSED, {"Action": "SNS:*", "Resource": WAKE} | {"Principal": {"AWS": ACCOUNT}}),
                f"open to AWS {ACCOUNT}",
            ),
            (put("wake-policy", policy="{"), "is no JSON"),
        ],
        unknown=[(hide("wake-policy", "policy", "wake"), "not known at preview")],
        configured=[
            (topic(OPEN), {"requireDeny": False}, ""),
            (
                topic(OPEN | {"Principal": {"Service": "events.amazonaws.com"}}, CLOSED),
                {"publishers": ["events.amazonaws.com"]},
                "",
            ),
            (lambda s: s.parts.pop("wake"), {}, "not part of this stack"),
            (lambda s: s.parts.pop("wake"), {"topicsElsewhere": [WAKE]}, ""),
        ],
    ),
]


def _from(stack: Stack, origin: str) -> None:
    stack.parts["medic"].references["environment"] = (stack.urn(origin),)


ADVICE = [
    *five(
        "cloudwatch-alarm-description",
        fine=[put("errors", alarmDescription="see http://wiki/orders")],
        wrong=[
            (drop("errors", "alarmDescription"), "no description"),
            (put("errors", alarmDescription="Orders fail"), "no link"),
            (
                add("silent", "alarm", dimensions={"FunctionName": "medic"}, alarmActions=[PEOPLE]),
                "alarm silent",
            ),
        ],
        unknown=[(hide("errors", "alarmDescription", "orders"), "not known at preview")],
        configured=[(put("errors", alarmDescription="RUN-17"), {"link": r"RUN-\d+"}, "")],
    ),
    *five(
        "cloudwatch-dashboard-present",
        fine=[hide("board", "dashboardBody", "medic")],
        wrong=[
            (lambda s: s.parts.pop("board"), "no dashboard"),
            (put("board", dashboardBody='{"widgets": []}'), "no dashboard"),
        ],
        unknown=[(hide("board", "dashboardBody", "orders"), "no dashboard")],
        configured=[(lambda s: s.parts.pop("board"), {"shownElsewhere": ["medic"]}, "")],
    ),
    *five(
        "cloudwatch-log-group-retention",
        fine=[
            several(put("medic", loggingConfig={"logGroup": "own"}), put("logs", name="own")),
            hide("medic", "loggingConfig", "logs"),
            hide("logs", "name", "medic"),
            put("medic", loggingConfig=UNKNOWN),
        ],
        wrong=[
            (lambda s: s.parts.pop("logs"), "no log group"),
            (put("logs", retentionInDays=0), "for ever"),
            (drop("logs", "retentionInDays"), "for ever"),
            (put("logs", retentionInDays=1), "1 days"),
            (put("medic", loggingConfig={"logGroup": "other"}), "no log group"),
        ],
        unknown=[(hide("logs", "retentionInDays"), "not known at preview")],
        configured=[
            (put("logs", retentionInDays=1), {"minimumDays": 1}, ""),
            (nothing, {"maximumDays": 7}, "14 days"),
        ],
    ),
    *five(
        "lambda-healer-tracing",
        fine=[],
        wrong=[
            (drop("medic", "tracingConfig"), "is not traced"),
            (put("medic", tracingConfig=UNKNOWN), "is not traced"),
            (put("medic", tracingConfig={"mode": "PassThrough"}), "PassThrough"),
        ],
        unknown=[(hide("medic", "tracingConfig"), "not known at preview")],
        configured=[(put("medic", tracingConfig={"mode": "PassThrough"}), {"modes": ["PassThrough"]}, "")],
    ),
]

CASES = [*SCOPE, *BEHAVIOUR, *ADVICE]


def messages(case: Case) -> list[str]:
    rule, stack = RULES[case.rule], careful()
    case.change(stack)
    config = {**rule.defaults, **(case.config or {})}
    if isinstance(rule, ResourceRule):
        found = [
            each
            for resource in stack.resources()
            if resource.type in rule.types
            for each in rule.check(resource, config)
        ]
    else:
        found = list(dict.fromkeys(rule.check(stack.graph(), config)))
    urns = {resource.urn for resource in stack.resources()}
    assert {each.urn for each in found} <= urns
    return [each.message for each in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.point}")
def test_a_rule_finds_what_it_is_for_and_nothing_else(case: Case) -> None:
    found = messages(case)
    assert len(found) == len(case.finds), found
    for message, part in zip(found, case.finds, strict=True):
        assert part in message


@pytest.mark.parametrize("rule", sorted({case.rule for case in CASES}))
def test_a_rule_is_tested_on_five_points_and_says_what_it_is(rule: str) -> None:
    assert {case.point for case in CASES if case.rule == rule} == set(POINTS)
    described = RULES[rule]
    assert all(text.endswith(".") for text in (described.what, described.why, described.fix))
    for key, value in described.schema.items():
        assert {"type", "default", "description"} <= set(value), key
    assert json.loads(json.dumps(described.defaults)) == described.defaults


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_a_careful_healer_has_nothing_to_hear(stack: str) -> None:
    for rule in {case.rule for case in CASES}:
        healthy = Case(rule, COMPLIANT, lambda made: setattr(made, "name", stack))
        assert messages(healthy) == []


WEIRD: list[Any] = [
    UNKNOWN,
    None,
    "",
    "x",
    "{}",
    "[]",
    '{"Statement": [1, null, {}]}',
    0,
    -1,
    True,
    [],
    {},
    [None],
    [{}],
]


@pytest.mark.slow
@pytest.mark.parametrize("value", WEIRD, ids=repr)
def test_no_value_of_any_property_makes_a_rule_crash(value: Any) -> None:
    for name, part in careful().parts.items():
        for key in (
            *part.props,
            "inlinePolicies",
            "managedPolicyArns",
            "redrivePolicy",
            "loggingConfig",
            "policy",
        ):
            for rule in {case.rule for case in CASES}:
                messages(Case(rule, VIOLATING, put(name, **{key: value})))
