"""Mutations of what the healer may do.

The healer's policy and its boundary say the same: both are changed, but for what no boundary must allow.
"""

from typing import Any

from tests.policies.mutations.table import refused_by
from tests.policies.support import changes
from tests.policies.support.changes import (
    OURS,
    Change,
    add,
    document,
    drop,
    grant,
    hide,
    put,
    several,
    statements,
    text,
    variables,
)
from tests.policies.support.healers import CHANGE
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Ref

POLICY, BOUNDARY = OURS
FRAGILE, HEALER, ROLE = text("fragile"), text("healer"), text("healer-role")
PAYMENTS = arn("lambda.Function", "payments")
ON_PAYMENTS = document({"Action": [CHANGE], "Resource": [PAYMENTS]})
KEY = arn("kms.Key", "1234abcd-12ab-34cd-56ef-1234567890ab")
MAPPINGS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*"


def allow(action: str | list[str], resource: Any) -> Change:
    return changes.allow(action, resource, OURS)


def past_the_boundary(**statement: Any) -> Change:
    return grant(statement, to=(POLICY,))


def pause(condition: dict[str, Any] | None) -> Change:
    """Let the healer pause mappings."""
    held = {"Condition": condition} if condition else {}
    actions = ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"]
    return grant({"Action": actions, "Resource": [MAPPINGS], **held}, to=OURS)


def pause_of(*functions: Any, operator: str = "ArnEquals") -> Change:
    return pause({operator: {"lambda:FunctionArn": list(functions)}})


def key_of(*functions: Any, operator: str = "ArnEquals") -> Change:
    """Let the healer grant others the use of the key that encrypts environments."""
    context = "kms:EncryptionContext:aws:lambda:FunctionArn"
    held = {"Condition": {operator: {context: list(functions)}}} if functions else {}
    return grant({"Action": ["kms:CreateGrant"], "Resource": KEY, **held}, to=OURS)


def items(operator: str, key: str) -> dict[str, Any]:
    return {operator: {"dynamodb:LeadingKeys": [key]}}


def forces(*keys: str) -> Change:
    """Let the healer write items of a circuit's table."""
    held = {"Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": list(keys)}}} if keys else {}
    on = {"Action": ["dynamodb:UpdateItem"], "Resource": arn("dynamodb.Table", "circuits")}
    return grant({**on, **held}, to=OURS)


def calls_through(circuit: str) -> Change:
    return variables("fragile", BREAKER_TABLE="circuits", CIRCUIT=circuit)


def puts(**update: Any) -> Change:
    """Change the statement that lets the healer write its items."""
    return statements(
        lambda held: [each.update(update) for each in held if each["Action"] == ["dynamodb:PutItem"]], *OURS
    )


def attach(type_: str, **properties: Any) -> Change:
    return add(type_, "more", **properties)


def trusts(principal: dict[str, Any]) -> Change:
    return statements(lambda held: held[0].update(Principal=principal), "healer-role", key="assumeRolePolicy")


NAME = Ref("healer-role", "name")
AWS = "arn:aws:iam::aws:policy"


TABLE = [
    *refused_by(
        "iam-policy-action-wildcard",
        ("every action", past_the_boundary(Action="*", Resource=FRAGILE), "up"),
        ("every action of a service", allow("lambda:*", FRAGILE)),
        (
            "every action that begins so",
            allow(["lambda:GetFunctionConfiguration", "lambda:Update*"], FRAGILE),
        ),
        ("an action with a question mark", allow("lambda:UpdateFunctionConfiguratio?", FRAGILE)),
        ("a wildcard in capitals", allow("LAMBDA:UPDATE*", FRAGILE)),
        ("all but some actions", past_the_boundary(NotAction=["iam:*"], Resource=FRAGILE)),
    ),
    *refused_by(
        "iam-policy-resource-wildcard",
        ("every function", allow(CHANGE, "*"), "up"),
        ("every function by its arn", allow(CHANGE, arn("lambda.Function", "*"))),
        ("every function that begins so", allow(CHANGE, arn("lambda.Function", "fragile*"))),
        ("every table", allow(["dynamodb:PutItem"], "arn:aws:dynamodb:*:*:table/*")),
        ("all but some resources", grant({"Action": CHANGE, "NotResource": PAYMENTS}, to=OURS)),
        ("every mapping", pause(None), "up"),
        (
            "mappings of functions that begin so",
            pause_of(arn("lambda.Function", "fragile*"), operator="ArnLike"),
        ),
        ("mappings under a condition that limits nothing", pause_of(FRAGILE, operator="ArnEqualsIfExists")),
    ),
    *refused_by(
        "iam-policy-action-allowed",
        ("deleting the function", allow("lambda:DeleteFunction", FRAGILE)),
        (
            "sending mail to anyone",
            allow("ses:SendEmail", f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/example.com"),
        ),
        ("new code for the function", allow("lambda:UpdateFunctionCode", FRAGILE)),
        ("invoking the function", allow("lambda:InvokeFunction", FRAGILE)),
    ),
    *refused_by(
        "iam-policy-privilege",
        ("passing a role", past_the_boundary(Action="iam:PassRole", Resource=ROLE), "up"),
        ("changing its own policy", past_the_boundary(Action="iam:PutRolePolicy", Resource=ROLE)),
        (
            "assuming another role",
            past_the_boundary(Action="sts:AssumeRole", Resource=arn("iam.Role", "deployer")),
        ),
    ),
    *refused_by(
        "iam-role-boundary",
        (
            "a boundary that lets it leave",
            grant({"Action": "iam:PutRolePolicy", "Resource": ROLE}, to=(BOUNDARY,)),
        ),
        ("no boundary", drop("healer-role", "permissionsBoundary"), "up"),
        ("a boundary that bounds nothing", put(BOUNDARY, policy=document({"Action": "*", "Resource": "*"}))),
    ),
    *refused_by(
        "iam-policy-readable",
        ("a policy that is not known yet", hide(POLICY, "policy", "healer-role")),
        ("a policy that is no document", put(POLICY, policy="{not json")),
    ),
    *refused_by(
        "iam-policy-writes-on-targets",
        ("another function as target", allow(CHANGE, PAYMENTS), "up"),
        (
            "a function of the stack that no alarm watches",
            several(
                add("lambda.Function", "payments", role=Ref("fragile-role"), timeout=3),
                allow(CHANGE, text("payments")),
            ),
        ),
        (
            "an inline policy on the role",
            put("healer-role", inlinePolicies=[{"name": "more", "policy": ON_PAYMENTS}]),
        ),
        (
            "a policy of the stack attached",
            several(
                add("iam.Policy", "payments-rights", policy=ON_PAYMENTS),
                attach("iam.RolePolicyAttachment", role=NAME, policyArn=Ref("payments-rights")),
            ),
            "both",
        ),
        ("mappings of another function", pause_of(PAYMENTS), "up"),
        ("grants on a key", key_of(), "up"),
        ("grants for the environment of another function", key_of(PAYMENTS)),
        ("grants for environments, or for something else", key_of(FRAGILE, operator="ArnEqualsIfExists")),
        ("mappings of another function beside the targets", pause_of(FRAGILE, PAYMENTS)),
    ),
    *refused_by(
        "iam-policy-nothing-on-itself",
        ("itself as target", allow(CHANGE, HEALER), "up"),
        ("itself with a qualifier as target", allow(CHANGE, text("healer", ":live"))),
        ("mappings of itself", pause_of(HEALER)),
    ),
    *refused_by(
        "iam-role-managed-policies",
        (
            "a managed policy attached",
            attach("iam.RolePolicyAttachment", role=NAME, policyArn=f"{AWS}/AWSLambda_FullAccess"),
            "both",
        ),
        (
            "a managed policy in the role",
            put("healer-role", managedPolicyArns=[f"{AWS}/AdministratorAccess"]),
            "up",
        ),
        (
            "a managed policy attached to many",
            attach("iam.PolicyAttachment", roles=[NAME], policyArn=f"{AWS}/PowerUserAccess"),
            "both",
        ),
        (
            "a managed policy attached exclusively",
            attach(
                "iam.RolePolicyAttachmentsExclusive", roleName=NAME, policyArns=[f"{AWS}/AdministratorAccess"]
            ),
            "both",
        ),
    ),
    *refused_by(
        "iam-role-trust",
        ("trust in every account", trusts({"AWS": "*"}), "up"),
        (
            "trust in another service besides",
            trusts({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}),
        ),
        (
            "trust in a person",
            statements(
                lambda held: held.append(
                    held[0] | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/someone"}}
                ),
                "healer-role",
                key="assumeRolePolicy",
            ),
        ),
    ),
    *refused_by(
        "dynamodb-healer-writes",
        ("any other table", allow(["dynamodb:PutItem"], arn("dynamodb.Table", "orders")), "up"),
        ("a circuit that its target does not call through", forces("breaker#payments"), "up"),
        ("every circuit of a table", several(calls_through("payments"), forces("breaker#*"))),
        ("every item of a circuit's table", several(calls_through("payments"), forces())),
        ("another circuit", several(calls_through("bank"), forces("breaker#payments"))),
    ),
    *refused_by(
        "dynamodb-ledger-approvals",
        ("a healer that can approve", puts(Condition={}), "staging", "up"),
        (
            "a healer that can set its own mode",
            grant(
                {
                    "Action": "dynamodb:UpdateItem",
                    "Resource": text("healer-ledger"),
                    "Condition": items("ForAllValues:StringEquals", "mode"),
                },
                to=OURS,
            ),
            "up",
        ),
        (
            "a healer that can write any one item if another is its own",
            puts(Condition=items("ForAnyValue:StringLike", "target#*")),
        ),
        (
            "a healer that can overwrite everything at once",
            puts(Action=["dynamodb:UpdateItem"], Condition={}),
        ),
    ),
]
