"""Mutations of a stack with experiments of AWS FIS: accidents, and what somebody may do on purpose."""

from typing import Any

from tests.policies.mutations.table import refused_by
from tests.policies.support.changes import Change, add, allow, document, drop, put, several, text, variables
from tests.policies.support.chaos import TRUST, action, acts
from tests.policies.support.recording import ACCOUNT
from tests.policies.support.references import Json, Lost, Ref

ERROR = "aws:lambda:invocation-error"
OBJECTS = text("faults", "/on/*")


def target(**fields: Any) -> Change:
    held = {"name": "functions", "resourceType": "aws:lambda:function", "selectionMode": "ALL"}
    return put("fails", targets=[{**held, **fields}])


def stops(value: Any) -> Change:
    return put("fails", stopConditions=[{"source": "aws:cloudwatch:alarm", "value": value}])


TABLE = [
    *refused_by(
        "fis-template-stop-condition",
        ("an experiment that nothing stops", put("fails", stopConditions=[{"source": "none"}]), "up"),
        ("an experiment without a stop condition", drop("fails", "stopConditions")),
        ("an experiment that a topic stops", stops(Ref("people")), "both", "up"),
        ("an experiment that nobody knows what stops", stops(Lost("x"))),
    ),
    *refused_by(
        "fis-template-duration",
        ("an experiment of hours", acts(ERROR, duration="PT6H", invocationPercentage="1"), "up"),
        ("an experiment without an end", acts(ERROR, invocationPercentage="1")),
    ),
    *refused_by(
        "fis-template-targets",
        ("an experiment on a tag", target(resourceTags=[{"key": "Team", "value": "us"}]), "up"),
        ("an experiment on everything", target(resourceArns=["*"])),
        ("an experiment on what nobody knows", target(resourceArns=[Lost("x")])),
    ),
    *refused_by(
        "fis-template-production",
        ("all of production", acts(ERROR, duration="PT1M", invocationPercentage="100"), "prod", "up"),
        ("all of production by default", acts(ERROR, duration="PT1M"), "prod"),
        (
            "a failover of production",
            put(
                "fails",
                actions=[
                    action(ERROR, duration="PT1M", invocationPercentage="10"),
                    action("aws:rds:failover-db-cluster"),
                ],
            ),
            "prod",
        ),
    ),
    *refused_by(
        "fis-role-narrow",
        (
            "an experiment that deploys code",
            allow("lambda:UpdateFunctionCode", text("worker"), ("fails-rights",)),
            "up",
        ),
        ("an experiment on every bucket", allow("s3:PutObject", "*", ("fails-rights",))),
        (
            "an experiment that passes any role",
            allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/*", ("out-rights",)),
        ),
        (
            "an experiment that everybody may be",
            put("fails-role", assumeRolePolicy=document(TRUST | {"Principal": {"AWS": "*"}})),
        ),
        (
            "an experiment with a policy of AWS",
            add(
                "iam.RolePolicyAttachment",
                "more",
                role=Ref("fails-role", "name"),
                policyArn="arn:aws:iam::aws:policy/service-role/AWSFaultInjectionSimulatorSSMAccess",
            ),
        ),
        ("an experiment of a role that cannot be read", put("fails-rights", policy=Lost("{}"))),
    ),
    *refused_by(
        "fis-configuration-closed",
        (
            "a function that writes its own faults",
            allow("s3:PutObject", OBJECTS, ("worker-rights", "worker-limit")),
            "up",
        ),
        ("a function that writes to every bucket", allow("s3:Put*", "*", ("worker-rights", "worker-limit"))),
        (
            "faults that another account writes",
            put(
                "faults-policy",
                policy=Json(
                    {
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"AWS": "111122223333"},
                                "Action": "s3:PutObject",
                                "Resource": OBJECTS,
                            }
                        ]
                    }
                ),
            ),
        ),
    ),
    *refused_by(
        "lambda-healer-untouched",
        ("an experiment on the healer", target(resourceArns=[Ref("medic")]), "both", "up"),
        (
            "a healer that fails on command",
            variables("medic", AWS_LAMBDA_EXEC_WRAPPER="/opt/aws-fis/bootstrap"),
            "up",
        ),
        (
            "a healer and its target",
            several(target(resourceArns=[Ref("worker"), text("medic")])),
        ),
    ),
]
