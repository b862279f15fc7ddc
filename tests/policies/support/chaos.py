"""A stack with experiments as they should be, beside a healer: by hand, of raw resources."""

from typing import Any

from tests.policies.support.changes import Change, document, text
from tests.policies.support.healers import alarm, function, healer
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Ref, Spelling
from tests.policies.support.scene import Scene

LOGS: dict[str, Any] = {"Action": ["logs:CreateLogDelivery", "logs:PutResourcePolicy"], "Resource": "*"}
LOOKS: dict[str, Any] = {"Action": ["tag:GetResources", "cloudwatch:DescribeAlarms"], "Resource": "*"}
RUNS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:automation-execution/*"
DOCUMENT = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/switch"
TRUST = {"Action": "sts:AssumeRole", "Principal": {"Service": "fis.amazonaws.com"}}


def experiments(stack: str = "dev", spelling: Spelling = Spelling.RESOURCE, *, up: bool = False) -> Scene:
    """Return a careful healer, and experiments: `fails` breaks `worker`, `out` runs an automation."""
    scene = healer(Scene(spelling=spelling, up=up))
    scene.stack = stack
    _configuration(scene)
    function(
        scene,
        "worker",
        {
            "Action": "s3:ListBucket",
            "Resource": text("faults"),
            "Condition": {"StringLike": {"s3:prefix": ["on/*"]}},
        },
        {"Action": "s3:GetObject", "Resource": text("faults", "/on/*")},
    ).put(
        "environment",
        to={
            "variables": {
                "AWS_FIS_CONFIGURATION_LOCATION": Ref("faults", suffix="/on/"),
                "AWS_LAMBDA_EXEC_WRAPPER": "/opt/aws-fis/bootstrap",
            }
        },
    )
    alarm(scene, "door-failing", "orders", "people")
    # Of an API: no healer is woken by it.
    scene.find("door-failing").put("dimensions", to={"ApiName": "door"})
    alarm(scene, "worker-lost", "worker", "people")
    lost = scene.find("worker-lost").put("dimensions", to={"QueueName": Ref("worker-dead", "name")})
    lost.put("metricName", to="ApproximateNumberOfMessagesVisible")
    _role(
        scene,
        "fails",
        {"Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": text("faults", "/on/*")},
        {"Action": "lambda:GetFunction", "Resource": text("worker")},
    )
    _template(
        scene,
        "fails",
        action("aws:lambda:invocation-error", duration="PT5M", invocationPercentage="10"),
        targets=[
            {
                "name": "functions",
                "resourceType": "aws:lambda:function",
                "selectionMode": "ALL",
                "resourceArns": [Ref("worker")],
            }
        ],
    )
    if stack not in ("prod", "production"):
        _out(scene)
    return scene


def _out(scene: Scene) -> None:
    scene.add(
        "iam.Role",
        "switch-role",
        assumeRolePolicy=document(TRUST | {"Principal": {"Service": "ssm.amazonaws.com"}}),
    )
    writes = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["setting"]}}
    may = {"Action": "dynamodb:PutItem", "Resource": text("memory"), "Condition": writes}
    scene.add("iam.RolePolicy", "switch-rights", role=Ref("switch-role", "name"), policy=document(may))
    _role(
        scene,
        "out",
        {"Action": "ssm:StartAutomationExecution", "Resource": [DOCUMENT, RUNS]},
        {"Action": ["ssm:GetAutomationExecution", "ssm:StopAutomationExecution"], "Resource": RUNS},
        {
            "Action": "iam:PassRole",
            "Resource": text("switch-role"),
            "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
        },
    )
    _template(
        scene, "out", action("aws:ssm:start-automation-execution", documentArn=DOCUMENT, maxDuration="PT6M")
    )


def action(id_: str, **parameters: Any) -> dict[str, Any]:
    """Return an action of a template."""
    pairs = [{"key": key, "value": value} for key, value in parameters.items()]
    return {"name": "fault", "actionId": id_, "parameters": pairs}


def acts(id_: str, **parameters: Any) -> Change:
    """Give the template `fails` another action."""
    return lambda scene: scene.find("fails").put("actions", to=[action(id_, **parameters)])


def _configuration(scene: Scene) -> None:
    """Register the bucket from which functions read which faults are in force."""
    scene.add("s3.Bucket", "faults", bucket="faults-0a1b2c3")
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    block: dict[str, Any] = dict.fromkeys(flags, True)
    scene.add("s3.BucketPublicAccessBlock", "faults-private", bucket=Ref("faults", "name"), **block)
    rule = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    scene.add(
        "s3.BucketServerSideEncryptionConfiguration",
        "faults-encryption",
        bucket=Ref("faults", "name"),
        rules=[rule],
    )
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [text("faults"), text("faults", "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    scene.add(
        "s3.BucketPolicy", "faults-policy", bucket=Ref("faults", "name"), policy=Json({"Statement": [deny]})
    )


def _role(scene: Scene, name: str, *statements: dict[str, Any]) -> None:
    scene.add("iam.Role", f"{name}-role", assumeRolePolicy=document(TRUST))
    may = document(*statements, LOGS, LOOKS)
    scene.add("iam.RolePolicy", f"{name}-rights", role=Ref(f"{name}-role", "name"), policy=may)


def _template(scene: Scene, name: str, does: dict[str, Any], **properties: Any) -> None:
    scene.add(
        "fis.ExperimentTemplate",
        name,
        roleArn=Ref(f"{name}-role"),
        stopConditions=[{"source": "aws:cloudwatch:alarm", "value": Ref("door-failing")}],
        actions=[does],
        **properties,
    )
