"""The pack in another repository: only its folder is there, and its program knows nothing of us."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine.analyzer_api import Level
from sandbox.engine.engine import Engine
from sandbox.engine.events import Result
from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig
from sandbox.engine.state_file import StateFile
from sandbox.policies.pack import Pack
from sandbox.policies.process import Stack
from tests.conftest import ROOT
from tests.support.policy_recording import EmptyAccount

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


def preview(folder: Path, actions: list[str], config: dict[str, Any] | None = None) -> Result:
    (folder / "__main__.py").write_text(PROGRAM.format(actions=json.dumps(actions)))
    with Pack(folder / "guard", Stack("shop", "live"), config) as pack:
        engine = Engine(
            Project.load(folder),
            StackConfig.load(folder, "live"),
            StateFile(folder / "state.json"),
            EmptyAccount(),
            analyzers=[pack],
        )
        return engine.preview()


def refusing(result: Result) -> set[str]:
    return {item.policy for item in result.violations if item.level is Level.MANDATORY}


def test_a_careless_healer_is_refused_at_preview(foreign: Path) -> None:
    result = preview(foreign, ["lambda:*"])
    assert not result.ok
    told = refusing(result)
    assert {
        "iam-policy-action-wildcard",
        "iam-role-boundary",
        "cloudwatch-alarm-reports-recovery",
        "cloudwatch-alarm-reaches-people",
        "lambda-failure-destination",
        "dynamodb-ledger-recovery",
    } <= told
    wildcard = next(item for item in result.violations if item.policy == "iam-policy-action-wildcard")
    assert wildcard.urn == "urn:pulumi:live::shop::aws:iam/rolePolicy:RolePolicy::robot-may"
    assert wildcard.severity == "critical"


def test_a_notifier_of_the_same_wiring_is_left_in_peace(foreign: Path) -> None:
    result = preview(foreign, ["cloudwatch:DescribeAlarms", "logs:PutLogEvents"])
    assert refusing(result) == set()
    assert result.ok


def test_it_is_configured_by_a_file_of_theirs(foreign: Path) -> None:
    strict = refusing(preview(foreign, ["lambda:*"]))
    lenient = preview(foreign, ["lambda:*"], dict.fromkeys(strict, "advisory"))
    assert lenient.ok
    assert refusing(lenient) == set()
    assert strict <= {item.policy for item in lenient.violations}
