"""The rules on experiments of AWS FIS."""

from functools import partial
from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import each, five
from tests.policies.support.changes import (
    Change,
    add,
    allow,
    document,
    drop,
    hide,
    put,
    remove,
    several,
    statements,
    text,
    variables,
)
from tests.policies.support.chaos import DOCUMENT, RUNS, TRUST, acts, experiments
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Json, Lost, Ref

ALARM = "aws:cloudwatch:alarm"
FAILS, OUT, RIGHTS = "fails", "out", "fails-rights"
ERROR = "aws:lambda:invocation-error"
PRODUCTION = partial(experiments, "prod")
WORKER = arn("lambda.Function", "worker-0a1b2c3")

NO_TEMPLATES = remove(FAILS, OUT)


def stops(*conditions: Any) -> Change:
    return put(FAILS, stopConditions=list(conditions))


def target(**fields: Any) -> Change:
    held = {"name": "functions", "resourceType": "aws:lambda:function", "selectionMode": "ALL"}
    return put(FAILS, targets=[{**held, **fields}])


def may(action: str, resource: Any, to: str = RIGHTS) -> Change:
    return allow(action, resource, (to,))


OBJECTS = text("faults", "/on/*")
WRITES = {"Action": "s3:PutObject", "Resource": OBJECTS}

CASES = [
    *five(
        "fis-template-stop-condition",
        start=experiments,
        fine=[
            stops({"source": ALARM, "value": text("door-failing")}),
            stops({"source": "none"}, {"source": ALARM, "value": Ref("door-failing")}),
        ],
        wrong=[
            (drop(FAILS, "stopConditions"), "no alarm stops experiment template fails"),
            (stops(), "no alarm stops"),
            (stops({"source": "none"}), "no alarm stops"),
            (stops({"source": ALARM}), "no alarm stops"),
            (stops({"source": ALARM, "value": ""}), "no alarm stops"),
            (stops({"source": ALARM, "value": text("people")}), "no alarm stops"),
            (stops({"source": ALARM, "value": "door-failing"}), "no alarm stops"),
        ],
        elsewhere=[NO_TEMPLATES],
        unknown=[
            (hide(FAILS, "stopConditions", "door-failing"), "not known at preview"),
            (stops({"source": ALARM, "value": Lost("x")}), "not known at preview"),
            (stops({"source": UNKNOWN, "value": text("door-failing")}), "not known at preview"),
            (stops({"source": ALARM, "value": Ref("people")}), "not known at preview"),
        ],
        configured=[(stops(), {"accepted": [FAILS]}, "")],
    ),
    *five(
        "fis-template-duration",
        start=experiments,
        fine=[
            acts(ERROR, duration="PT30M"),
            acts("aws:rds:reboot-db-instances"),
            acts(ERROR, duration="PT1M30S"),
        ],
        wrong=[
            (acts(ERROR, duration="PT30M1S"), "lasts 1801 s; at most 1800 s are allowed"),
            (acts(ERROR, duration="PT12H"), "lasts 43200 s"),
            (acts(ERROR, duration="P1D"), "lasts 86400 s"),
            (acts(ERROR), f"{ERROR} of experiment template fails has no duration"),
            (acts(ERROR, duration="five minutes"), "'five minutes', which is no duration"),
            (acts(ERROR, duration="PT"), "no duration"),
            (acts("aws:ssm:start-automation-execution", duration="PT1M"), "has no maxDuration"),
            (acts("aws:ssm:start-automation-execution", maxDuration="PT3H"), "lasts 10800 s"),
        ],
        elsewhere=[NO_TEMPLATES, put(FAILS, actions=[])],
        unknown=[
            (hide(FAILS, "actions"), "not known at preview"),
            (acts(ERROR, duration=UNKNOWN), "the duration of aws:lambda:invocation-error"),
            (put(FAILS, actions=[{"actionId": ERROR, "parameters": UNKNOWN}]), "not known at preview"),
            (put(FAILS, actions=[UNKNOWN]), "not known at preview"),
        ],
        configured=[
            (acts(ERROR, duration="PT10M"), {"maximumSeconds": 400}, "at most 400 s"),
            (acts("aws:fis:wait"), {"momentary": ["aws:fis:wait"]}, ""),
        ],
    ),
    *five(
        "fis-template-targets",
        start=experiments,
        fine=[target(resourceArns=[WORKER]), target(resourceArns=[text("worker")])],
        wrong=[
            (
                target(resourceTags=[{"key": "Chaos", "value": "yes"}]),
                "target functions of experiment template fails is chosen by tags",
            ),
            (target(resourceArns=[WORKER], filters=[{"path": "x", "values": ["y"]}]), "is chosen by filters"),
            (target(), "names no resource"),
            (target(resourceArns=[]), "names no resource"),
            (target(resourceArns=["*"]), "'*', which is no ARN of one resource"),
            (target(resourceArns=[f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:*"]), "no ARN of one"),
            (target(resourceArns=["worker"]), "'worker', which is no ARN"),
        ],
        elsewhere=[NO_TEMPLATES, several(drop(FAILS, "targets"), acts("aws:fis:wait", duration="PT1M"))],
        unknown=[
            (hide(FAILS, "targets"), "are not known at preview"),
            (target(resourceArns=[Lost("x")]), "target functions of experiment template fails is not known"),
            (hide(FAILS, "targets", "worker"), ""),
        ],
        configured=[
            (target(resourceTags=[{"key": "Chaos", "value": "yes"}]), {"accepted": [FAILS]}, ""),
        ],
    ),
    *five(
        "fis-template-production",
        start=PRODUCTION,
        fine=[acts(ERROR, invocationPercentage="1"), acts("aws:kinesis:x", percentage="10")],
        wrong=[
            (
                acts(ERROR, invocationPercentage="11"),
                f"in stack prod {ERROR} of experiment template fails breaks 11 % of the calls; at most 10 %",
            ),
            (acts(ERROR, invocationPercentage="100"), "breaks 100 %"),
            (acts(ERROR), "breaks 100 %"),
            (acts(ERROR, invocationPercentage="-1"), "breaks -1 %"),
            (acts(ERROR, invocationPercentage="nan"), "breaks nan %"),
            (acts("aws:ssm:start-automation-execution"), "cannot be limited to a share of the calls"),
            (acts("aws:rds:reboot-db-instances"), "cannot be limited"),
        ],
        elsewhere=[lambda scene: [setattr(scene, "stack", "dev"), acts(ERROR)(scene)]],
        unknown=[
            (hide(FAILS, "actions"), "not known at preview"),
            (acts(ERROR, invocationPercentage=UNKNOWN), "not known at preview"),
        ],
        configured=[
            (acts(ERROR, invocationPercentage="30"), {"maximumPercent": 30}, ""),
            (acts("aws:rds:reboot-db-instances"), {"accepted": ["aws:rds:reboot-db-instances"]}, ""),
        ],
    ),
    *five(
        "fis-role-narrow",
        start=experiments,
        fine=[may("lambda:ListFunctions", "*"), may("s3:PutObject", text("faults", "/other"))],
        wrong=[
            (
                may("lambda:UpdateFunctionCode", text("worker")),
                "allows lambda:UpdateFunctionCode, which its faults do not",
            ),
            (
                may("ssm:StartAutomationExecution", DOCUMENT),
                "ssm:StartAutomationExecution, which its faults do not",
            ),
            (
                may("s3:PutObject", DOCUMENT, "out-rights"),
                "allows s3:PutObject, which its faults do not need",
            ),
            (may("s3:*", OBJECTS), "s3:*, which stands for many actions"),
            (may("s3:PutObject", "*"), "s3:PutObject on *, which may be anything"),
            (may("s3:PutObject", "arn:aws:s3:::*/on/*"), "which may be anything"),
            (may("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/*", "out-rights"), "iam:PassRole on arn"),
            (
                may(
                    "ssm:StartAutomationExecution", f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/*", "out-rights"
                ),
                "may be anything",
            ),
            (
                statements(
                    lambda held: held.append({"Effect": "Allow", "NotAction": "iam:*", "Resource": RUNS}),
                    RIGHTS,
                ),
                "allows everything but what its NotAction names",
            ),
            (
                put("fails-role", assumeRolePolicy=document(TRUST | {"Principal": {"AWS": "*"}})),
                "role fails-role, of an experiment, can be assumed by everybody",
            ),
            (
                add(
                    "iam.RolePolicyAttachment",
                    "more",
                    role=Ref("fails-role", "name"),
                    policyArn="arn:aws:iam::aws:policy/service-role/AWSFaultInjectionSimulatorSSMAccess",
                ),
                "AWSFaultInjectionSimulatorSSMAccess, which cannot be read here",
            ),
            (
                put(FAILS, roleArn=arn("iam.Role", "theirs")),
                "the role of experiment template fails is none of this",
            ),
        ],
        elsewhere=[
            several(may("lambda:UpdateFunctionCode", text("worker")), NO_TEMPLATES),
            may("dynamodb:DeleteItem", text("memory"), "switch-rights"),
        ],
        unknown=[
            (
                hide(RIGHTS, "policy", "faults"),
                "policy fails-rights, of an experiment, is not known at preview",
            ),
            (hide("fails-role", "assumeRolePolicy"), "the trust policy of role fails-role is not known"),
            (
                put(RIGHTS, policy={"Statement": [{"Effect": "Allow", "Action": UNKNOWN, "Resource": "*"}]}),
                "an action that is not known",
            ),
            (
                put(
                    RIGHTS,
                    policy={
                        "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": UNKNOWN}]
                    },
                ),
                "what is not known at preview",
            ),
            (hide(FAILS, "roleArn"), "is none of this stack"),
        ],
        configured=[
            (may("lambda:InvokeFunction", text("worker")), {"actions": ["lambda:InvokeFunction"]}, ""),
            (put(FAILS, roleArn=arn("iam.Role", "theirs")), {"roles": [arn("iam.Role", "theirs")]}, ""),
        ],
    ),
    *five(
        "fis-configuration-closed",
        start=experiments,
        fine=[
            allow("s3:PutObject", "arn:aws:s3:::other/*", ("worker-rights", "worker-limit")),
            allow("s3:GetObject", "*", ("worker-rights", "worker-limit")),
        ],
        wrong=[
            (
                allow("s3:PutObject", OBJECTS, ("worker-rights",)),
                "policy worker-rights allows s3:PutObject on bucket faults, from which functions read",
            ),
            (allow("s3:*", "*", ("orders-rights",)), "s3:PutObject, s3:DeleteObject, s3:PutBucketPolicy on"),
            (allow("s3:PutBucketPolicy", text("faults"), ("orders-rights",)), "s3:PutBucketPolicy"),
            (allow("s3:DeleteObject", "arn:aws:s3:::f*", ("orders-rights",)), "s3:DeleteObject"),
            (
                put(
                    "faults-policy",
                    policy=Json({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, **WRITES}]}),
                ),
                "the policy of bucket faults, from which functions read which faults are in force, allows",
            ),
        ],
        elsewhere=[
            several(allow("s3:PutObject", OBJECTS, ("orders-rights",)), drop("worker", "environment")),
        ],
        unknown=[
            (
                hide("orders-rights", "policy", "faults"),
                "policy orders-rights, which says something of bucket faults",
            ),
            (hide("faults-policy", "policy"), "the policy of bucket faults is not known at preview"),
            (
                put(
                    "orders-rights",
                    policy={"Statement": [{"Effect": "Allow", "Action": UNKNOWN, "Resource": OBJECTS}]},
                ),
                "policy orders-rights allows",
            ),
            (
                several(
                    allow("s3:PutObject", OBJECTS, ("orders-rights",)),
                    hide("worker", "environment", "faults"),
                ),
                "policy orders-rights allows s3:PutObject",
            ),
        ],
        configured=[(allow("s3:PutObject", OBJECTS, ("orders-rights",)), {"writers": ["orders-role"]}, "")],
    ),
    *five(
        "lambda-healer-untouched",
        start=experiments,
        fine=[target(resourceArns=[Ref("orders")]), variables("medic", AWS_LAMBDA_EXEC_WRAPPER="")],
        wrong=[
            (target(resourceArns=[Ref("medic")]), "experiment template fails breaks the healer medic"),
            (target(resourceArns=[text("medic")]), "breaks the healer medic"),
            (target(resourceArns=[text("medic", ":live")]), "breaks the healer medic"),
            (
                variables("medic", AWS_LAMBDA_EXEC_WRAPPER="/opt/aws-fis/bootstrap"),
                "AWS_LAMBDA_EXEC_WRAPPER of healer medic is /opt/aws-fis/bootstrap",
            ),
        ],
        unknown=[
            (hide(FAILS, "targets", "medic"), "breaks the healer medic"),
            *each("not known at preview", variables("medic", AWS_LAMBDA_EXEC_WRAPPER=UNKNOWN)),
        ],
        configured=[
            (variables("medic", AWS_LAMBDA_EXEC_WRAPPER="/opt/ours"), {"wrappers": ["/opt/ours"]}, ""),
        ],
    ),
]
