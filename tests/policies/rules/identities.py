"""The rules on what a healer may do: its policies, its role, and its part of the ledger."""

from typing import Any

from selfheal_policies.rules.iam_policy_action_allowed import ALLOWED

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import data, each, five, notifying
from tests.policies.support.changes import (
    Change,
    add,
    allow,
    compute,
    document,
    drop,
    grant,
    hide,
    nothing,
    put,
    remove,
    several,
    text,
    variables,
)
from tests.policies.support.healers import CHANGE, TRUST, pattern
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.scene import Ref, Unknown

ORDERS = text("orders")
MEMORY = text("memory")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
COMPANY = arn("iam.Policy", "company")


def lambda_arn(name: str) -> str:
    return arn("lambda.Function", name)


def log_group(name: str) -> str:
    return arn("cloudwatch.LogGroup", name)


def trust(**statement: Any) -> Change:
    return put("medic-role", assumeRolePolicy=document(TRUST | statement))


def bound(*statements: dict[str, Any]) -> Change:
    return put("medic-limit", policy=document(*({"Resource": "*", **statement} for statement in statements)))


def mapped(condition: Any = None, account: str = ACCOUNT) -> Change:
    """Let the healer pause mappings, if a condition holds."""
    mappings = f"arn:aws:lambda:{REGION}:{account}:event-source-mapping:*"
    held = {"Condition": condition} if condition else {}
    return grant({"Action": "lambda:UpdateEventSourceMapping", "Resource": mappings, **held})


def mapped_for(functions: Any, operator: str = "ArnEquals", key: str = "lambda:FunctionArn") -> Change:
    return mapped({operator: {key: functions}})


def items(operator: str, *keys: str) -> dict[str, Any]:
    return {operator: {"dynamodb:LeadingKeys": list(keys)}}


def ledger(
    *keys: str, action: Any = "dynamodb:PutItem", operator: str = "ForAllValues:StringLike", **more: Any
) -> Change:
    """Let the healer write items of its ledger: those with these keys, or all."""
    held = {"Condition": items(operator, *keys) | more} if keys else {}
    return grant({"Action": action, "Resource": MEMORY, **held})


def denied(**statement: Any) -> Change:
    """Let the healer write all items of its ledger, and deny it some."""
    denial = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": MEMORY, **statement}
    return grant({"Action": "dynamodb:PutItem", "Resource": MEMORY}, denial)


def puts_under(condition: dict[str, Any]) -> Change:
    return data({"Action": "dynamodb:PutItem", "Resource": MEMORY, "Condition": condition})


def ledger_named(variable: Any) -> Change:
    return several(ledger(), variables("medic", LEDGER_TABLE=variable))


def machine(service: str) -> Change:
    """Let the healer be a state machine, which an event rule starts, and its role trust a service."""
    return several(
        remove("medic"),
        add("sfn.StateMachine", "steps", roleArn=Ref("medic-role"), definition='{"States": {}}'),
        add("cloudwatch.EventRule", "changes", eventPattern=pattern()),
        add("cloudwatch.EventTarget", "to-steps", rule=Ref("changes", "name"), arn=Ref("steps")),
        trust(Principal={"Service": service}),
    )


def attach(policy: Any) -> Change:
    return add("iam.RolePolicyAttachment", "more", role=Ref("medic-role", "name"), policyArn=policy)


ALL_ITEMS = "dynamodb:PutItem on approval#*, command#*, mode of its ledger"

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
    *five(
        "dynamodb-ledger-approvals",
        fine=[
            ledger("target#*", "override#orders"),
            ledger("target#*", action=["dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]),
            ledger("fleet", operator="ForAllValues:StringEquals"),
            ledger("target#*", Null={"dynamodb:LeadingKeys": "false"}),
            ledger("target#${aws:PrincipalTag/x}", "modest", "mode2"),
            ledger(action="dynamodb:GetItem"),
            # Another table, and a ledger under another variable.
            ledger_named("other"),
            several(ledger(), put("medic", environment={"variables": {"TABLE": Ref("memory", "name")}})),
            denied(Condition=items("ForAnyValue:StringLike", "approval#*", "command#*", "mode")),
            denied(Condition=items("ForAnyValue:StringLike", "*")),
            denied(),
        ],
        wrong=[
            *each(
                ALL_ITEMS,
                ledger(),
                ledger("*"),
                ledger("?*"),
                ledger("target#*", operator="ForAnyValue:StringLike"),
                ledger("target#*", operator="StringLike"),
                ledger("target#*", operator="ForAllValues:StringNotLike"),
                ledger("target#*", operator="ForAllValues:StringLikeIfExists"),
                denied(Condition=items("ForAllValues:StringLike", "*")),
                denied(
                    Condition=items("ForAnyValue:StringLike", "*")
                    | {"Bool": {"aws:SecureTransport": "false"}}
                ),
                denied(Action="dynamodb:DeleteItem"),
                denied(Resource=arn("dynamodb.Table", "other")),
            ),
            *each("PutItem on mode of its ledger", ledger("target#*", "mode"), ledger("mode"), ledger("m*")),
            *each(
                "PutItem on approval#* of its ledger",
                ledger("approval#orders"),
                ledger("approv*"),
                ledger("a${aws:username}"),
            ),
            *each(
                "PutItem on command#* of its ledger",
                ledger("command#?"),
                denied(Condition=items("ForAnyValue:StringLike", "approval#*", "mode")),
            ),
            *(
                (ledger(action=action), f"{action} on")
                for action in ("dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLInsert")
            ),
        ],
        unknown=[
            (ledger_named(UNKNOWN), "of its ledger"),
            (ledger_named(Unknown(("memory",))), "of its ledger"),
            (several(add("dynamodb.Table", "other"), ledger_named(Unknown(("other",)))), ""),
            (several(ledger(), hide("medic", "environment")), ""),
            (puts_under(items("ForAllValues:StringLike", "target#*") | {"x": UNKNOWN}), ""),
            (puts_under(items("ForAllValues:StringLike", UNKNOWN)), "of its ledger"),
        ],
        configured=[
            (ledger("approval#*"), {"protected": ["mode"]}, ""),
            (ledger("brake"), {"protected": ["brake"]}, "PutItem on brake"),
            (
                several(ledger(), put("medic", environment={"variables": {"MEMORY": Ref("memory", "name")}})),
                {"ledgerVariable": "MEMORY"},
                "of its ledger",
            ),
        ],
    ),
    *five(
        "iam-role-managed-policies",
        fine=[
            put("medic-role", managedPolicyArns=[BASIC]),
            compute("medic-role", managedPolicyArns=UNKNOWN),
            attach(text("medic-limit")),
            attach(Ref("medic-limit")),
        ],
        wrong=each(
            ADMINISTRATOR,
            put("medic-role", managedPolicyArns=[BASIC, ADMINISTRATOR]),
            attach(ADMINISTRATOR),
            add(
                "iam.PolicyAttachment",
                "more",
                roles=["other", Ref("medic-role", "name")],
                policyArn=ADMINISTRATOR,
            ),
            add(
                "iam.RolePolicyAttachmentsExclusive",
                "more",
                roleName=Ref("medic-role", "name"),
                policyArns=[ADMINISTRATOR],
            ),
            several(
                add("iam.Policy", "same-name", name="AdministratorAccess", policy=document()),
                put("medic-role", managedPolicyArns=[ADMINISTRATOR]),
            ),
        ),
        unknown=each("none of this stack", attach(UNKNOWN), hide("medic-role", "managedPolicyArns")),
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
        unknown=each(
            "not known at preview",
            hide("medic-role", "assumeRolePolicy"),
            put("medic-role", assumeRolePolicy={"Statement": [{"Principal": {"Service": UNKNOWN}}]}),
        ),
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
            hide("medic-role", "permissionsBoundary", "medic-limit"),
            bound({"Action": ["lambda:*", "logs:*"]}),
            bound({"NotAction": "s3:*"}, {"Effect": "Deny", "Action": ["iam:*", "sts:*"]}),
            # The role's own policy says the same, so other rules judge it.
            allow("*", "*"),
        ],
        wrong=[
            (drop("medic-role", "permissionsBoundary"), "no permissions boundary"),
            (bound({"Action": "*"}), "every action"),
            (bound({"Action": "*:*"}), "every action"),
            (bound({"NotAction": "s3:*"}), "iam:AttachRolePolicy"),
            (bound({"Action": "sts:Assume*"}), "sts:AssumeRole"),
            (put("medic-role", permissionsBoundary=ADMINISTRATOR), ADMINISTRATOR),
        ],
        unknown=[
            (hide("medic-limit", "policy"), "not known at preview"),
            (hide("medic-role", "permissionsBoundary"), "comes from no policy"),
        ],
        configured=[(put("medic-role", permissionsBoundary=COMPANY), {"accepted": [COMPANY]}, "")],
    ),
]
