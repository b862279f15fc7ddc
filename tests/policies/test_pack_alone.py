"""The pack in another repository: only its folder is there, and its program knows nothing of us."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from pulumi.runtime.proto import analyzer_pb2

from tests.conftest import ROOT
from tests.policies.support.client import Level, Pack, Violation
from tests.policies.support.recording import record
from tests.policies.support.scene import Scene

pytestmark = pytest.mark.slow

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

ACTIONS = {actions}

def may(*statements):
    return pulumi.Output.json_dumps({{"Version": "2012-10-17", "Statement": list(statements)}})

LAMBDA = {{"Service": "lambda.amazonaws.com"}}
TRUST = may({{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": LAMBDA}})
CODE = pulumi.AssetArchive({{"main.py": pulumi.StringAsset("def run(event, context): pass")}})

def function(name, role):
    return aws.lambda_.Function(name, role=role.arn, runtime="python3.13", handler="main.run", code=CODE)

shop = function("shop", aws.iam.Role("shop-role", assume_role_policy=TRUST))
role = aws.iam.Role("robot-role", assume_role_policy=TRUST)
aws.iam.RolePolicy("robot-may", role=role.name, policy=may(
    {{"Effect": "Allow", "Action": ACTIONS, "Resource": "*"}}))
robot = function("robot", role)
topic = aws.sns.Topic("trouble")
aws.lambda_.Permission("robot-invoke", action="lambda:InvokeFunction", function=robot.name,
    principal="sns.amazonaws.com", source_arn=topic.arn)
aws.sns.TopicSubscription("robot-hears", topic=topic.arn, protocol="lambda", endpoint=robot.arn)
aws.cloudwatch.MetricAlarm("shop-fails", namespace="AWS/Lambda", metric_name="Errors", statistic="Sum",
    dimensions={{"FunctionName": shop.name}}, period=60, evaluation_periods=1, threshold=1,
    comparison_operator="GreaterThanOrEqualToThreshold", alarm_actions=[topic.arn])
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Return another repository, with a copy of the pack and nothing else of this project."""
    ignored = shutil.ignore_patterns("__pycache__", ".venv")
    shutil.copytree(ROOT / "policies", tmp_path / "guard", ignore=ignored)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.live.yaml").write_text("config:\n  aws:region: us-east-1\n")
    return tmp_path


def preview(folder: Path, actions: list[str], config: Mapping[str, str] | None = None) -> list[Violation]:
    """Have the program judged by the copy of the pack as at preview."""
    (folder / "__main__.py").write_text(PROGRAM.format(actions=json.dumps(actions)))
    with Pack(folder / "guard", stack="live", project="shop") as pack:
        pack.configure(config or {})
        return Scene(record("live", root=folder)).judge(pack)


def refusing(found: list[Violation]) -> set[str]:
    return {item.policy for item in found if item.level is Level.MANDATORY}


def test_a_careless_healer_is_refused_at_preview(foreign: Path) -> None:
    found = preview(foreign, ["lambda:*"])
    told = refusing(found)
    assert {
        "iam-policy-action-wildcard",
        "iam-role-boundary",
        "cloudwatch-alarm-reports-recovery",
        "cloudwatch-alarm-reaches-people",
        "lambda-failure-destination",
        "dynamodb-ledger-recovery",
    } <= told
    wildcard = next(item for item in found if item.policy == "iam-policy-action-wildcard")
    assert wildcard.urn == "urn:pulumi:live::shop::aws:iam/rolePolicy:RolePolicy::robot-may"
    assert wildcard.severity == analyzer_pb2.POLICY_SEVERITY_CRITICAL


def test_a_notifier_of_the_same_wiring_is_left_in_peace(foreign: Path) -> None:
    assert refusing(preview(foreign, ["cloudwatch:DescribeAlarms", "logs:PutLogEvents"])) == set()


def test_their_configuration_makes_advice_of_it(foreign: Path) -> None:
    strict = refusing(preview(foreign, ["lambda:*"]))
    lenient = preview(foreign, ["lambda:*"], dict.fromkeys(strict, "advisory"))
    assert refusing(lenient) == set()
    assert strict <= {item.policy for item in lenient}
