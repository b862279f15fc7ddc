"""What the unmodified program registers, taken down by an analyzer that judges nothing."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.engine.analyzer_api import Analyzed, Violation
from sandbox.engine.engine import Engine
from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig
from sandbox.engine.state_file import StateFile
from sandbox.errors import ProviderError
from sandbox.provider.clients import Credentials
from sandbox.provider.provider import AwsProvider
from sandbox.provider.table import TABLE
from sandbox.provider.wire import UNKNOWN
from tests.conftest import ROOT

ACCOUNT = "000000000000"
REGION = "us-east-1"

_ARNS = {
    "aws:cloudwatch/eventRule:EventRule": "events:{region}:{account}:rule/{name}",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{region}:{account}:log-group:{name}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "aws:dynamodb/table:Table": "dynamodb:{region}:{account}:table/{name}",
    "aws:iam/policy:Policy": "iam::{account}:policy/{name}",
    "aws:iam/role:Role": "iam::{account}:role/{name}",
    "aws:kms/key:Key": "kms:{region}:{account}:key/{name}",
    "aws:lambda/alias:Alias": "lambda:{region}:{account}:function:{name}",
    "aws:lambda/function:Function": "lambda:{region}:{account}:function:{name}",
    "aws:sfn/stateMachine:StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "aws:sns/topic:Topic": "sns:{region}:{account}:{name}",
    "aws:sqs/queue:Queue": "sqs:{region}:{account}:{name}",
}


def arn(type_: str, name: str) -> str:
    """Return the ARN that a resource has, as a person would write it down."""
    return "arn:aws:" + _ARNS[type_].format(region=REGION, account=ACCOUNT, name=name)


DEFAULT_TOPIC_POLICY = json.dumps(
    {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:SetTopicAttributes", "SNS:AddPermission"],
                "Resource": f"arn:aws:sns:{REGION}:{ACCOUNT}:topic",
                "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
            }
        ],
    }
)
"""What SNS gives a new topic; a policy that is attached later replaces it."""

COMPUTED_UNLESS_GIVEN: dict[str, dict[str, Any]] = {
    "aws:iam/role:Role": {"inlinePolicies": [], "managedPolicyArns": []},
    "aws:lambda/function:Function": {
        "tracingConfig": {"mode": "PassThrough"},
        "ephemeralStorage": {"size": 512},
    },
    "aws:sns/topic:Topic": {"policy": DEFAULT_TOPIC_POLICY},
    "aws:sqs/queue:Queue": {"policy": "", "redrivePolicy": "", "redriveAllowPolicy": ""},
}
"""Properties that AWS answers for if a program does not give them: unknown at preview, then these.

The sandbox leaves them out; a guard meets them with the real provider."""


@dataclass
class Recorder:
    """An analyzer that remembers what it is asked, in the order of the questions."""

    inputs: dict[str, Analyzed] = field(default_factory=dict[str, Analyzed])
    outputs: dict[str, Analyzed] = field(default_factory=dict[str, Analyzed])
    guard: threading.Lock = field(default_factory=threading.Lock)

    def remediate(self, _: Analyzed, /) -> None:
        return None

    def analyze(self, resource: Analyzed, /) -> list[Violation]:
        with self.guard:
            self.inputs[resource.urn] = resource
        return []

    def analyze_stack(self, resources: list[Analyzed], /) -> list[Violation]:
        self.outputs = {resource.urn: _answered(resource) for resource in resources}
        return []


def _answered(resource: Analyzed) -> Analyzed:
    return replace(resource, properties=answered(resource.type, resource.properties))


def answered(type_: str, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return outputs with what AWS adds of its own: unknown as long as the resource's ARN is."""
    unknown = outputs.get("arn") == UNKNOWN
    added = COMPUTED_UNLESS_GIVEN.get(type_, {})
    return {key: UNKNOWN if unknown else value for key, value in added.items()} | dict(outputs)


class EmptyAccount(AwsProvider):
    """The sandbox's provider in an account without anything, reached without a single call.

    The checks, defaults, names and unknowns of a preview are the provider's own; a creation answers with
    what AWS would call the resource.
    """

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", REGION, Credentials("test", "test"))

    def invoke(self, token: str, args: Mapping[str, Any], /) -> dict[str, Any]:
        answers = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "id": ACCOUNT},
            "aws:index/getRegion:getRegion": {"region": REGION, "id": REGION},
            "aws:index/getPartition:getPartition": {"partition": "aws", "id": "aws"},
        }
        if token not in answers:
            raise ProviderError(f"reading {token}: couldn't find resource")
        return {**args, **answers[token]}

    def create(self, type_: str, inputs: Mapping[str, Any], /) -> tuple[str, dict[str, Any]]:
        outputs = known(type_, dict.fromkeys(TABLE[type_].computed, UNKNOWN) | dict(inputs))
        return str(outputs.get("name") or outputs.get("arn") or type_), outputs


def known(type_: str, outputs: dict[str, Any]) -> dict[str, Any]:
    """Return outputs with each unknown replaced by what AWS would put there."""
    name = str(outputs.get("name") or outputs.get("statementId") or "generated")
    own = arn(type_, name) if type_ in _ARNS else f"arn:aws:other:{REGION}:{ACCOUNT}:{name}"
    return {
        key: value if value != UNKNOWN else own if key.lower().endswith("arn") else f"{name}-{key}"
        for key, value in outputs.items()
    }


def record(folder: Path, stack: str, *, up: bool = False) -> Recorder:
    """Return what the program registers for a stack, at preview or at up, with the state under `folder`."""
    recorder = Recorder()
    engine = Engine(
        Project.load(ROOT),
        StackConfig.load(ROOT, stack),
        StateFile(folder / f"{stack}.json"),
        EmptyAccount(),
        analyzers=[recorder],
    )
    result = engine.up(refresh=False) if up else engine.preview(refresh=False)
    assert result.ok, result.error
    return recorder
