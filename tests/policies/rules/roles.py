"""The rules on a healer's role: what is attached to it, who assumes it, and its boundary."""

from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import each, five
from tests.policies.support.changes import (
    Change,
    add,
    allow,
    compute,
    document,
    drop,
    hide,
    put,
    remove,
    several,
    text,
)
from tests.policies.support.healers import TRUST, pattern
from tests.policies.support.recording import ACCOUNT, arn
from tests.policies.support.references import Ref

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
COMPANY = arn("iam.Policy", "company")


def trust(**statement: Any) -> Change:
    return put("medic-role", assumeRolePolicy=document(TRUST | statement))


def bound(*statements: dict[str, Any], known: bool = True) -> Change:
    """Give the boundary statements on every resource: as text, or as data in which entries are unknown."""
    made = document(*({"Resource": "*", **statement} for statement in statements))
    return put("medic-limit", policy=made if known else made.content)


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


CASES = [
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
            # An action that is not known denies nothing.
            (
                bound({"NotAction": "s3:*"}, {"Effect": "Deny", "Action": [UNKNOWN]}, known=False),
                "iam:AttachRolePolicy",
            ),
            (hide("medic-role", "permissionsBoundary"), "comes from no policy"),
        ],
        configured=[(put("medic-role", permissionsBoundary=COMPANY), {"accepted": [COMPANY]}, "")],
    ),
]
