"""What a program registers, at preview or at up, as Pulumi would tell it to a policy pack."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.errors import ProviderError
from selfheal.sandbox.provider import wire
from selfheal.sandbox.provider.provider import AwsProvider
from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.provider.wire import UNKNOWN
from selfheal.sandbox.pulumi.deployer import Monitor, make_urn, run
from selfheal.sandbox.pulumi.project import Project
from tests.conftest import ROOT
from tests.policies.support.client import Analyzed

ACCOUNT = "000000000000"
REGION = "us-east-1"

LAYER = f"arn:aws:lambda:{REGION}:211125607513:layer:aws-fis-extension-arm64:9"
"""What AWS's public parameters of layers hold."""

_DESTINATION = "aws:cloudwatch/eventApiDestination:EventApiDestination"
_FIREHOSE = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"

_ARNS = {
    "aws:apigateway/restApi:RestApi": "apigateway:{region}::/restapis/{name}",
    "aws:apigatewayv2/api:Api": "apigateway:{region}::/apis/{name}",
    "aws:appautoscaling/policy:Policy": "autoscaling:{region}:{account}:scalingPolicy:1:policyName/{name}",
    "aws:autoscaling/group:Group": "autoscaling:{region}:{account}:autoScalingGroup:1:name/{name}",
    "aws:autoscaling/policy:Policy": "autoscaling:{region}:{account}:scalingPolicy:1:policyName/{name}",
    "aws:batch/jobDefinition:JobDefinition": "batch:{region}:{account}:job-definition/{name}:1",
    "aws:batch/jobQueue:JobQueue": "batch:{region}:{account}:job-queue/{name}",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "cloudwatch:{region}:{account}:alarm:{name}",
    _DESTINATION: "events:{region}:{account}:api-destination/{name}/1",
    "aws:cloudwatch/eventArchive:EventArchive": "events:{region}:{account}:archive/{name}",
    "aws:cloudwatch/eventBus:EventBus": "events:{region}:{account}:event-bus/{name}",
    "aws:cloudwatch/eventConnection:EventConnection": "events:{region}:{account}:connection/{name}/1",
    "aws:cloudwatch/eventRule:EventRule": "events:{region}:{account}:rule/{name}",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{region}:{account}:log-group:{name}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "aws:codebuild/project:Project": "codebuild:{region}:{account}:project/{name}",
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": "ce::{account}:anomalymonitor/{name}",
    "aws:dynamodb/table:Table": "dynamodb:{region}:{account}:table/{name}",
    "aws:ecs/cluster:Cluster": "ecs:{region}:{account}:cluster/{name}",
    "aws:ecs/taskDefinition:TaskDefinition": "ecs:{region}:{account}:task-definition/{name}:1",
    "aws:iam/policy:Policy": "iam::{account}:policy/{name}",
    "aws:iam/role:Role": "iam::{account}:role/{name}",
    _FIREHOSE: "firehose:{region}:{account}:deliverystream/{name}",
    "aws:kinesis/stream:Stream": "kinesis:{region}:{account}:stream/{name}",
    "aws:kms/key:Key": "kms:{region}:{account}:key/{name}",
    "aws:lambda/alias:Alias": "lambda:{region}:{account}:function:{name}",
    "aws:lambda/function:Function": "lambda:{region}:{account}:function:{name}",
    "aws:lb/loadBalancer:LoadBalancer": "elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/1",
    "aws:rds/instance:Instance": "rds:{region}:{account}:db:{name}",
    "aws:s3/bucket:Bucket": "s3:::{name}",
    "aws:secretsmanager/secret:Secret": "secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
    "aws:sfn/stateMachine:StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "aws:sns/platformApplication:PlatformApplication": "sns:{region}:{account}:app/GCM/{name}",
    "aws:sns/topic:Topic": "sns:{region}:{account}:{name}",
    "aws:sqs/queue:Queue": "sqs:{region}:{account}:{name}",
    "aws:ssm/document:Document": "ssm:{region}:{account}:document/{name}",
    "aws:ssm/parameter:Parameter": "ssm:{region}:{account}:parameter/{name}",
    "aws:wafv2/webAcl:WebAcl": "wafv2:{region}:{account}:regional/webacl/{name}/0a1b2c3",
}


def arn(type_: str, name: str, region: str = REGION) -> str:
    """Return the ARN that a resource of a type, such as `lambda.Function`, has by its physical name."""
    return "arn:aws:" + _ARNS[token(type_)].format(region=region, account=ACCOUNT, name=name)


def token(type_: str) -> str:
    """Return the type token of `lambda.Function`; a token is returned as it is."""
    if ":" in type_:
        return type_
    module, name = type_.split(".")
    return f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"


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


class Recorder(Monitor):
    """Takes down what is registered, in that order, and nothing is created."""

    def __init__(self, project: Project, *, up: bool) -> None:
        super().__init__(project, EmptyAccount())
        self.up = up
        self.inputs: dict[str, Analyzed] = {}
        self.outputs: dict[str, Analyzed] = {}

    def create(self, request: Any, urn: str, inputs: wire.Properties) -> tuple[str, wire.Properties]:
        provider = self._note_provider(request) if request.custom else None
        outputs, id_ = inputs, ""
        if request.custom and self.up:
            id_, outputs = self.provider.create(request.type, inputs)
        elif request.custom:
            outputs = self.provider.preview(request.type, inputs, None)
        noted = Analyzed(
            urn,
            request.type,
            request.name,
            inputs,
            secrets=wire.decode(request.object, self.project.folder)[1]
            | set(request.additionalSecretOutputs),
            parent=request.parent,
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies={
                key: tuple(sorted(value.urns)) for key, value in sorted(request.propertyDependencies.items())
            },
            ignores=tuple(request.ignoreChanges),
            provider=provider,
        )
        shown = answered(request.type, {"id": id_ or UNKNOWN, **outputs} if request.custom else outputs)
        self.inputs[urn], self.outputs[urn] = noted, replace(noted, properties=shown)
        return id_, outputs

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        outputs = wire.decode(request.outputs, self.project.folder)[0]
        self.outputs[request.urn] = replace(self.outputs[request.urn], properties=outputs)
        return super().RegisterResourceOutputs(request)

    def _note_provider(self, request: Any) -> Analyzed:
        type_, name = "pulumi:providers:aws", f"default_{request.version.replace('.', '_')}"
        urn = make_urn(self.project.stack, self.project.name, "", type_, name)
        item = Analyzed(urn, type_, name, {"region": REGION, "version": request.version})
        self.outputs.setdefault(urn, item)
        return self.inputs.setdefault(urn, item)


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
        super().__init__(Clients("http://127.0.0.1:9", REGION, Credentials("test", "test")))

    def invoke(self, token: str, args: Mapping[str, Any], /) -> dict[str, Any]:
        answers = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "id": ACCOUNT},
            "aws:index/getRegion:getRegion": {"region": REGION, "id": REGION},
            "aws:index/getPartition:getPartition": {
                "partition": "aws",
                "id": "aws",
                "dnsSuffix": "amazonaws.com",
            },
            "aws:ssm/getParameter:getParameter": {"value": LAYER, "type": "String"},
        }
        if token not in answers:
            raise ProviderError(f"reading {token}: couldn't find resource")
        return {**args, **answers[token]}

    def create(self, type_: str, inputs: Mapping[str, Any], /) -> tuple[str, dict[str, Any]]:
        outputs = known(type_, dict.fromkeys(TABLE[type_].computed, UNKNOWN) | dict(inputs))
        return str(outputs.get("name") or outputs.get("arn") or type_), outputs


def known(type_: str, outputs: dict[str, Any]) -> dict[str, Any]:
    """Return outputs with each unknown replaced by what AWS would put there."""
    name = str(outputs.get("name") or outputs.get("bucket") or outputs.get("statementId") or "generated")
    if type_ == "aws:lambda/alias:Alias":
        name = f"{outputs['functionName']}:{name}"
    own = arn(type_, name) if type_ in _ARNS else f"arn:aws:other:{REGION}:{ACCOUNT}:{name}"
    made_up = {
        key: own if key.lower().endswith("arn") else f"{name}-{key}"
        for key, value in outputs.items()
        if value == UNKNOWN
    }
    urls = {key: f"https://{name.strip('$')}.example.com/" for key in made_up if key.endswith("Url")}
    return outputs | made_up | urls


def record(
    stack: str, *, up: bool = False, root: Path = ROOT, config: Mapping[str, str] | None = None
) -> Recorder:
    """Return what a project's program registers for a stack, at preview or at up.

    `config` wins over the stack's file; its keys are the project's own.
    """
    project = Project.load(root, stack, config or {})
    recorder = Recorder(project, up=up)
    run(project, recorder, preview=not up)
    return recorder
