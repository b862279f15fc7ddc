"""The rules on the policies of a healer's role."""

from typing import Any

from selfheal_policies.rules.iam_policy_action_allowed import ALLOWED

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import data, each, five, notifying
from tests.policies.support.changes import (
    Change,
    add,
    allow,
    compute,
    grant,
    hide,
    nothing,
    put,
    text,
)
from tests.policies.support.healers import CHANGE
from tests.policies.support.recording import ACCOUNT, REGION, arn

ORDERS = text("orders")


def lambda_arn(name: str) -> str:
    return arn("lambda.Function", name)


def log_group(name: str) -> str:
    return arn("cloudwatch.LogGroup", name)


def mapped(condition: Any = None, account: str = ACCOUNT) -> Change:
    """Let the healer pause mappings, if a condition holds."""
    mappings = f"arn:aws:lambda:{REGION}:{account}:event-source-mapping:*"
    held = {"Condition": condition} if condition else {}
    return grant({"Action": "lambda:UpdateEventSourceMapping", "Resource": mappings, **held})


def mapped_for(functions: Any, operator: str = "ArnEquals", key: str = "lambda:FunctionArn") -> Change:
    return mapped({operator: {key: functions}})


CASES = [
    *five(
        "iam-policy-readable",
        fine=[compute("medic-role", inlinePolicies=UNKNOWN), data({"Action": CHANGE, "Resource": ORDERS})],
        wrong=[
            (put("medic-rights", policy="{not json"), "is no JSON"),
            (put("medic-rights", policy="[]"), "no policy document"),
            (grant({"Resource": "*"}), "without Action"),
            (grant({"Action": CHANGE}), "without Resource"),
            (put("medic", role=arn("iam.Role", "elsewhere")), "not one of this stack"),
        ],
        elsewhere=[notifying, add("iam.RolePolicy", "other", role="other", policy="{not json")],
        unknown=each(
            "not known at preview",
            hide("medic-rights", "policy", "orders"),
            hide("medic-role", "inlinePolicies"),
        ),
        configured=[(hide("medic-rights", "policy"), {"accepted": ["medic-rights"]}, "")],
    ),
    *five(
        "iam-policy-action-wildcard",
        fine=[allow("lambda:GetFunction", ORDERS)],
        wrong=[
            *(
                (allow(action, ORDERS), action)
                for action in ("*", "lambda:*", "Lambda:update*", "lambda:UpdateFunctionC?de")
            ),
            (grant({"NotAction": "iam:*", "Resource": ORDERS}), "NotAction"),
        ],
        unknown=[(data({"Action": [CHANGE, UNKNOWN], "Resource": "*"}), "not known at preview")],
        configured=[(allow("logs:Put*", ORDERS), {"accepted": ["logs:Put*"]}, "")],
    ),
    *five(
        "iam-policy-privilege",
        fine=[
            allow("iam:*", ORDERS),
            grant({"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}),
        ],
        wrong=[
            (allow(action, ORDERS), action)
            for action in ("iam:PassRole", "IAM:PutRolePolicy", "sts:AssumeRole")
        ],
        unknown=[(data({"Action": ["iam:PassRole"], "Resource": [UNKNOWN]}), "iam:PassRole")],
        configured=[(allow("sts:GetCallerIdentity", ORDERS), {"accepted": ["sts:GetCallerIdentity"]}, "")],
    ),
    *five(
        "iam-policy-action-allowed",
        fine=[
            allow(action, ORDERS)
            for action in ("LAMBDA:updatefunctionconfiguration", "iam:PassRole", "ec2:*")
        ],
        wrong=[
            (allow(action, ORDERS), action)
            for action in ("lambda:UpdateFunctionCode", "dynamodb:DeleteTable", "s3:PutObject")
        ],
        unknown=[(data({"Action": ["ec2:StopInstances"], "Resource": [UNKNOWN]}), "ec2:StopInstances")],
        configured=[
            (allow("ecs:UpdateService", ORDERS), {"moreActions": ["ecs:UpdateService"]}, ""),
            (nothing, {"actions": [action for action in ALLOWED if action != CHANGE]}, CHANGE),
        ],
    ),
    *five(
        "iam-policy-resource-wildcard",
        fine=[
            allow("logs:PutLogEvents", log_group("/medic:log-stream:*")),
            allow(["xray:PutTraceSegments", "cloudwatch:GetMetricData"], "*"),
            allow(["iam:PassRole", "lambda:*"], "*"),
            allow(["logs:CreateLogDelivery", "logs:PutResourcePolicy", "xray:GetSamplingRules"], "*"),
            allow("lambda:getFunctionConfiguration", lambda_arn("orders:*")),
            mapped_for(ORDERS),
            mapped_for([ORDERS, lambda_arn("payments:live")], "stringequals", "Lambda:functionarn"),
        ],
        wrong=[
            *each(
                "event-source-mapping:*, which stands for many",
                mapped(),
                mapped_for(ACCOUNT, "StringEquals", "aws:SourceAccount"),
                mapped_for(lambda_arn("*"), "ArnLike"),
                mapped_for([ORDERS, lambda_arn("pay?ents")]),
                mapped_for("orders"),
                mapped_for([]),
                mapped_for(ORDERS, "ArnEqualsIfExists"),
                mapped_for(ORDERS, "ArnNotEquals"),
                mapped_for(ORDERS, "ForAllValues:StringEquals"),
            ),
            (mapped({"ArnEquals": {"lambda:FunctionArn": ORDERS}}, "*"), ":*:event-source"),
            *(
                (allow(CHANGE, resource), resource)
                for resource in ("*", lambda_arn("*"), lambda_arn("ord?rs"), lambda_arn("${aws:x}"))
            ),
            *(
                (allow(actions, resource), resource)
                for actions, resource in (
                    (CHANGE, lambda_arn("orders:*")),
                    (["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], lambda_arn("orders:*")),
                    ("lambda:GetFunctionConfiguration", lambda_arn("orders*")),
                    ("lambda:GetFunctionConfiguration", lambda_arn("ord*:*")),
                )
            ),
            (allow(["cloudwatch:GetMetricData", "sns:Publish"], "*"), "allows sns:Publish on *"),
            (allow("logs:PutLogEvents", log_group("*:*")), "log-group:*"),
            (grant({"Action": CHANGE, "NotResource": lambda_arn("payments")}), "NotResource"),
        ],
        unknown=[(data({"Action": CHANGE, "Resource": [UNKNOWN]}), "not known at preview")],
        configured=[
            (allow(CHANGE, lambda_arn("orders-*")), {"accepted": [lambda_arn("orders-*")]}, ""),
            (nothing, {"actionsWithoutResourceLevel": []}, "cloudwatch:GetMetricData on *"),
        ],
    ),
]
