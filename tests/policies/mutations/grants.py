"""Unsafe grants: rights that nobody can read, rights that hide under a known name, and levers.

Each stands in the stack of a careful healer of another team, whose own right to heal is taken away first
where the new right has to speak for itself.
"""

from typing import Any

from tests.policies.mutations.table import foreign
from tests.policies.support.changes import (
    Change,
    add,
    allow,
    document,
    grant,
    hide,
    put,
    several,
    statements,
    text,
    variables,
)
from tests.policies.support.healers import CHANGE, acts_on, function, subscribe
from tests.policies.support.recording import ACCOUNT, arn
from tests.policies.support.references import Lost, Ref, Unknown
from tests.policies.support.scene import Scene, physical

ROLE = Ref("medic-role", "name")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
HEALS = document(acts_on("orders"))
FLAGS = text("flags")


def tells(scene: Scene) -> None:
    """Leave the healer its messages and its records only: by itself it is a notifier."""
    for name in ("medic-rights", "medic-limit"):
        scene.find(name).document(
            lambda held: held.__delitem__(
                next(at for at, each in enumerate(held) if CHANGE in each["Action"])
            )
        )


def notifier(change: Change) -> Change:
    return several(tells, change)


def attach(policy: Any, type_: str = "iam.RolePolicyAttachment", **properties: Any) -> Change:
    given = {"role": ROLE, "policyArn": policy} | properties
    return add(type_, "more", **{key: value for key, value in given.items() if value is not None})


def exclusively(policies: Any) -> Change:
    of_role = {"role": None, "policyArn": None, "roleName": ROLE, "policyArns": policies}
    return attach(None, "iam.RolePolicyAttachmentsExclusive", **of_role)


def keeps(*names: Any) -> Change:
    """Say which inline policies the role has, beside those that the stack declares."""
    own = [Ref("medic-rights", "name"), *names]
    return add("iam.RolePoliciesExclusive", "only", roleName=ROLE, policyNames=own)


def called(scene: Scene) -> None:
    """Let the notifier call a function whose rights are unknown."""
    function(scene, "surgeon")
    scene.find("surgeon-rights").put("policy", to=Lost(HEALS))
    may = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": text("surgeon")}
    scene.find("medic-rights").document(lambda held: held.append(may))


UNREADABLE = [
    *foreign(
        "iam-policy-readable",
        ("an attached policy nobody knows", "topic", notifier(attach(Lost(ADMINISTRATOR)))),
        (
            "a policy attached to many nobody knows",
            "alarm action",
            notifier(attach(Lost(ADMINISTRATOR), "iam.PolicyAttachment", role=None, roles=[ROLE])),
        ),
        ("exclusive attachments nobody knows", "topic", notifier(exclusively(Lost([ADMINISTRATOR])))),
        (
            "one exclusive attachment nobody knows",
            "queue",
            notifier(exclusively([BASIC, Lost(ADMINISTRATOR)])),
        ),
        (
            "managed policies nobody knows",
            "event rule",
            notifier(put("medic-role", managedPolicyArns=Lost([ADMINISTRATOR]))),
        ),
        (
            "one managed policy nobody knows",
            "topic",
            notifier(put("medic-role", managedPolicyArns=[BASIC, Lost(ADMINISTRATOR)])),
        ),
        ("a document nobody knows", "topic", hide("medic-rights", "policy")),
        ("a document of another's ARN", "composite alarm", hide("medic-rights", "policy", "orders")),
        ("a document of a table's ARN", "alias", hide("medic-rights", "policy", "memory")),
        (
            "an inline document nobody knows",
            "topic",
            notifier(put("medic-role", inlinePolicies=[{"name": "more", "policy": Lost(HEALS)}])),
        ),
        ("inline policies nobody knows", "topic", notifier(put("medic-role", inlinePolicies=Lost([])))),
        ("a statement nobody knows", "topic", put("medic-rights", policy={"Statement": [Lost({})]})),
        ("an inline policy kept by a name nobody knows", "topic", notifier(keeps(Lost("made-by-hand")))),
        ("a role nobody knows", "topic", put("medic", role=Lost(arn("iam.Role", "medic")))),
        (
            "a policy for a role nobody knows",
            "two topics",
            notifier(add("iam.RolePolicy", "more", role=Lost(physical("medic-role")), policy=HEALS)),
        ),
        (
            "an attachment to a role nobody knows",
            "topic",
            notifier(attach(ADMINISTRATOR, role=Lost(physical("medic-role")))),
        ),
        (
            "an attachment to the role of the function",
            "topic",
            notifier(attach(ADMINISTRATOR, role=Unknown(("medic",)))),
        ),
        ("a called function whose rights nobody knows", "topic", notifier(called)),
        ("the right to heal and another nobody knows", "topic", keeps(Lost("made-by-hand"))),
    ),
    *foreign(
        "iam-role-managed-policies",
        ("the right to heal and a policy nobody knows", "topic", attach(Lost(ADMINISTRATOR))),
    ),
]
"""Unknown at preview, and known at up."""


def of_account(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:policy/{name}"


def becomes(role: Any) -> Change:
    return notifier(allow("sts:AssumeRole", role))


def surgeon(scene: Scene) -> None:
    """Register a role that the notifier may assume, and that may stop tasks."""
    scene.add("iam.Role", "surgeon", assumeRolePolicy=document())
    may = document({"Action": "lambda:UpdateFunctionConfiguration", "Resource": text("orders")})
    scene.add("iam.RolePolicy", "surgeon-rights", role=Ref("surgeon", "name"), policy=may)


NAMES = [
    *foreign(
        "iam-role-managed-policies",
        (
            "a customer's policy named like one of AWS",
            "topic",
            notifier(attach(of_account("AWSLambdaBasicExecutionRole"))),
        ),
        (
            "a customer's policy with the path of one of AWS",
            "alarm action",
            notifier(attach(of_account("service-role/AWSLambdaBasicExecutionRole"))),
        ),
        (
            "a customer's policy named like a read-only one",
            "topic",
            notifier(put("medic-role", managedPolicyArns=[of_account("ReadOnlyAccess")])),
        ),
        (
            "the path of another policy of AWS",
            "topic",
            notifier(attach("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole")),
        ),
        (
            "a policy named like one of the stack under another path",
            "topic",
            several(
                tells,
                add("iam.Policy", "harmless", policy=document()),
                attach(of_account(f"team/{physical('harmless')}")),
            ),
        ),
        (
            "full access to functions in China",
            "topic",
            attach("arn:aws-cn:iam::aws:policy/AWSLambda_FullAccess"),
        ),
    ),
    *foreign(
        "iam-policy-readable",
        ("an inline policy made by hand that is kept", "topic", notifier(keeps("made-by-hand"))),
        ("a role elsewhere that it may assume", "topic", becomes(arn("iam.Role", "deployer"))),
        ("a role of any account that it may assume", "topic", becomes("arn:aws:iam::*:role/deployer")),
    ),
]


def moves(action: Any, resource: Any, **environment: Any) -> Change:
    """Let the notifier write where the orders service reads, which its alarm watches."""
    return several(tells, allow(action, resource), variables("orders", **environment))


def table(*reads: dict[str, Any]) -> Change:
    return several(
        add("dynamodb.Table", "flags", pointInTimeRecovery={"enabled": True}),
        grant(*reads, to=("orders-rights",)),
    )


def bucket(scene: Scene) -> None:
    scene.add("s3.Bucket", "settings", bucket="settings-of-orders")
    reads = {"Effect": "Allow", "Action": "s3:GetObject*", "Resource": "arn:aws:s3:::settings-of-orders/*"}
    scene.find("orders-rights").document(lambda held: held.append(reads))


READS = {"Action": ["dynamodb:GetItem"], "Resource": FLAGS}
ROLES = [
    *foreign(
        "iam-policy-privilege",
        ("a role of the stack that it may assume", "topic", several(surgeon, becomes(text("surgeon")))),
    ),
]


def starts(*grants: dict[str, Any]) -> Change:
    """Let the healer start, by a topic, a function that may do this."""
    return several(
        lambda scene: function(scene, "surgeon", *grants),
        add("sns.Topic", "theatre"),  # with no policy: only who has the right may publish, and no alarm
        lambda scene: subscribe(scene, "theatre", "surgeon"),
        allow("sns:Publish", text("theatre")),
    )


ACTUATORS = [
    *foreign(
        "iam-policy-action-allowed",
        (
            "what the healer starts may delete the target",
            "topic",
            starts({"Action": "lambda:DeleteFunction", "Resource": text("orders")}),
        ),
    ),
]
LEVERS = [
    *foreign(
        "dynamodb-healer-writes",
        ("a flag that the service reads", "topic", several(table(READS), moves("dynamodb:PutItem", FLAGS))),
        (
            "a flag by a transaction, and a service that queries",
            "event rule",
            several(
                table({"Action": "dynamodb:Query", "Resource": text("flags", "/index/*")}),
                moves(["dynamodb:UpdateItem", "dynamodb:DeleteItem"], FLAGS),
            ),
        ),
        (
            "a flag that the service reads among all tables",
            "queue",
            several(
                table({"Action": "dynamodb:Get*", "Resource": "*"}),
                moves("dynamodb:PutItem", FLAGS, FLAGS=Ref("flags", "name")),
            ),
        ),
        (
            "a flag in a table named in the code",
            "topic",
            several(
                table({"Action": "dynamodb:*", "Resource": arn("dynamodb.Table", "fl*")}),
                moves("dynamodb:PutItem", FLAGS),
            ),
        ),
        (
            "a flag and a policy that reads all tables",
            "topic",
            several(
                table(),
                put(
                    "orders-role", managedPolicyArns=["arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"]
                ),
                moves("dynamodb:PutItem", FLAGS, FLAGS=Ref("flags", "name")),
            ),
        ),
        (
            "a flag in a table of another stack",
            "alarm action",
            several(
                grant(
                    {"Action": "dynamodb:BatchGetItem", "Resource": arn("dynamodb.Table", "shared")},
                    to=("orders-rights",),
                ),
                moves("dynamodb:PutItem", arn("dynamodb.Table", "shared")),
            ),
        ),
    ),
    *foreign(
        "iam-policy-resource-wildcard",
        (
            "tables that begin so, and one is a flag's",
            "topic",
            several(table(READS), moves("dynamodb:PutItem", arn("dynamodb.Table", "fl*"))),
        ),
        ("the items of every table", "topic", moves("dynamodb:PutItem", "*")),
    ),
    *foreign(
        "iam-policy-action-allowed",
        (
            "a settings file that the service reads",
            "topic",
            several(bucket, moves("s3:PutObject", "arn:aws:s3:::settings-of-orders/settings.json")),
        ),
    ),
]

_ACTIONS = (
    "appconfig:StartDeployment",
    "autoscaling:SetDesiredCapacity",
    "bedrock:InvokeAgent",
    "cloudformation:UpdateStack",
    "cloudwatch:DisableAlarmActions",
    "codebuild:StartBuild",
    "ec2:RebootInstances",
    "ecs:StopTask",
    "ecs:UpdateService",
    "eks:UpdateNodegroupConfig",
    "elasticache:TestFailover",
    "rds:FailoverDBCluster",
    "route53:ChangeResourceRecordSets",
    "sqs:PurgeQueue",
    "ssm:PutParameter",
    "ssm:SendCommand",
    "ssm:StartAutomationExecution",
    "states:TestState",
)
OTHER_SERVICES = [
    *foreign(
        "iam-policy-action-allowed",
        *((f"no right but {action}", "topic", notifier(allow(action, "*"))) for action in _ACTIONS),
        besides="iam-policy-resource-wildcard",
    ),
]
"""What a healer changes need not be a function."""

_ESCAPES = (
    "iam:AttachRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "sts:AssumeRoleWithWebIdentity",
)


def bounds(**statement: Any) -> Change:
    """Let the boundary allow more; the role itself does not."""
    return statements(
        lambda held: held.append({"Effect": "Allow", "Resource": "*", **statement}), "medic-limit"
    )


ESCAPES = [
    *foreign(
        "iam-role-boundary",
        *((f"a boundary that allows {action}", "topic", bounds(Action=action)) for action in _ESCAPES),
        ("a boundary that allows all versions", "topic", bounds(Action="iam:*PolicyVersion")),
        (
            "a boundary that forbids one way out only",
            "topic",
            several(
                bounds(Action=["lambda:*", "iam:*"]),
                bounds(Effect="Deny", Action=["iam:Attach*", "iam:Put*", "iam:PassRole", "iam:Create*"]),
            ),
        ),
    ),
    *foreign(
        "iam-policy-privilege",
        *(
            (f"a healer that may {action}", "topic", allow(action, "*"))
            for action in ("iam:DeleteRolePermissionsBoundary", "iam:SetDefaultPolicyVersion")
        ),
    ),
]
"""Ways out of the permissions boundary."""
