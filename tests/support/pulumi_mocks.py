"""Runs Pulumi code against a monitor that records every registration and answers as the engine does.

Auto-names are known at preview, ids and computed properties are not. It is stricter than the SDK's own mocks:
two resources with one URN, and a call that no test expects, are errors.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, resource, rpc
from pulumi.runtime.proto import engine_pb2, resource_pb2, source_pb2
from pulumi.runtime.settings import Settings as RuntimeSettings

from selfheal.sandbox.pulumi.deployer import PARALLEL, RefusedError, make_urn, run_sdk

# Printing an output is a mistake: make it one here.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"

# The SDK sends the program's stack with every registration. Nothing here reads it, and making it takes an
# eighth of the time of these tests.
resource._get_stack_trace = source_pb2.StackTrace  # pyright: ignore[reportPrivateUsage]

ACCOUNT = "123456789012"
REGION = "us-east-1"
PROJECT = "selfheal"

NAMED = {
    "aws:apigateway/restApi:RestApi": "name",
    "aws:apigatewayv2/api:Api": "name",
    "aws:cloudfront/originAccessControl:OriginAccessControl": "name",
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": "name",
    "aws:cloudwatch/eventArchive:EventArchive": "name",
    "aws:cloudwatch/eventBus:EventBus": "name",
    "aws:cloudwatch/eventRule:EventRule": "name",
    "aws:cloudwatch/logGroup:LogGroup": "name",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "name",
    "aws:dynamodb/table:Table": "name",
    "aws:iam/policy:Policy": "name",
    "aws:iam/role:Role": "name",
    "aws:iam/rolePolicy:RolePolicy": "name",
    "aws:kinesis/stream:Stream": "name",
    "aws:lambda/function:Function": "name",
    "aws:rds/cluster:Cluster": "clusterIdentifier",
    "aws:rds/subnetGroup:SubnetGroup": "name",
    "aws:sfn/stateMachine:StateMachine": "name",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:secretsmanager/secret:Secret": "name",
    "aws:sns/topic:Topic": "name",
    "aws:sqs/queue:Queue": "name",
    "aws:ssm/document:Document": "name",
    "aws:ssm/parameter:Parameter": "name",
}
"""Types whose name the engine generates, and known at preview: the logical name and seven characters."""

COMPUTED: Mapping[str, Mapping[str, str | list[dict[str, str]]]] = {
    "aws:apigateway/restApi:RestApi": {
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{{id}}",
        "rootResourceId": "{id}-root",
    },
    "aws:apigateway/stage:Stage": {
        "invokeUrl": f"https://{{restApi}}.execute-api.{REGION}.amazonaws.com/{{stageName}}"
    },
    "aws:apigatewayv2/api:Api": {"executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{{id}}"},
    "aws:apigatewayv2/stage:Stage": {"invokeUrl": f"https://{{apiId}}.execute-api.{REGION}.amazonaws.com/"},
    "aws:cloudfront/distribution:Distribution": {"domainName": "d-{id}.cloudfront.net"},
    "aws:dynamodb/table:Table": {
        "streamArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{name}}/stream/2026-11-26T00:00:00.000"
    },
    "aws:iam/policy:Policy": {"arn": f"arn:aws:iam::{ACCOUNT}:policy/{{name}}"},
    "aws:iam/role:Role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{{name}}"},
    "aws:lambda/alias:Alias": {
        "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{functionName}}:{{name}}"
    },
    "aws:lambda/eventSourceMapping:EventSourceMapping": {"uuid": "{id}"},
    "aws:lambda/function:Function": {
        "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}",
        "version": "1",
    },
    "aws:s3/bucket:Bucket": {"bucketRegionalDomainName": f"{{bucket}}.s3.{REGION}.amazonaws.com"},
    "aws:ssm/parameter:Parameter": {"arn": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{{name}}"},
    "aws:sqs/queue:Queue": {"url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{name}}"},
    "aws:rds/cluster:Cluster": {
        "masterUserSecrets": [
            {"secretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!{{clusterIdentifier}}"}
        ]
    },
}
"""Properties that AWS computes: unknown at preview."""


@dataclass(frozen=True)
class Registration:
    """One resource as the program registered it."""

    type: str
    name: str
    urn: str
    parent: str
    inputs: Mapping[str, Any]
    dependencies: frozenset[str]
    property_dependencies: Mapping[str, frozenset[str]]
    ignored: tuple[str, ...]
    """The option `ignore_changes`."""


@dataclass
class Deployment:
    """What one run of a program did."""

    resources: list[Registration] = field(default_factory=list[Registration])
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """URN to what `register_outputs` gave."""
    warnings: list[str] = field(default_factory=list[str])
    infos: list[str] = field(default_factory=list[str])
    calls: list[str] = field(default_factory=list[str])
    """Tokens of the invokes, in order."""
    resources_at_call: dict[str, int] = field(default_factory=dict[str, int])
    """Token to how many resources were registered when it was called first."""

    def of(self, type_: str) -> list[Registration]:
        """Return the resources of one type."""
        return [resource for resource in self.resources if resource.type == type_]

    def named(self, name: str) -> Registration:
        """Return the one resource with a logical name."""
        found = [resource for resource in self.resources if resource.name == name]
        assert len(found) == 1, (
            f"{name}: {len(found)} resources; there are {[r.name for r in self.resources]}"
        )
        return found[0]

    @property
    def exports(self) -> dict[str, Any]:
        """Return the outputs of the stack."""
        return next(outputs for urn, outputs in self.outputs.items() if "pulumi:pulumi:Stack" in urn)


Invokes = Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]


def _no_ledger(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise RefusedError("reading DynamoDB Table Item: couldn't find resource")


_FIRST_DEPLOYMENT: Invokes = {
    "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {"accountId": ACCOUNT},
    "aws:index/getRegion:getRegion": lambda _: {"region": REGION},
    "aws:index/getPartition:getPartition": lambda _: {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:dynamodb/getTableItem:getTableItem": _no_ledger,
}


class _Mocks(mocks.Mocks):
    def __init__(self, deployment: Deployment, invokes: Invokes) -> None:
        self.deployment = deployment
        self.invokes = {**_FIRST_DEPLOYMENT, **invokes}

    def call(self, args: mocks.MockCallArgs) -> Any:
        self.deployment.calls.append(args.token)
        self.deployment.resources_at_call.setdefault(args.token, len(self.deployment.resources))
        if args.token not in self.invokes:
            raise RefusedError(f"no answer for {args.token} in this test")
        return self.invokes[args.token](args.args)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(f"{args.name}: answered by the monitor")


class _Monitor(mocks.MockMonitor):
    def __init__(self, deployment: Deployment, invokes: Invokes, preview: bool) -> None:
        super().__init__(_Mocks(deployment, invokes))
        self.deployment = deployment
        self.preview = preview

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        urn = make_urn(pulumi.get_stack(), PROJECT, request.parent, request.type, request.name)
        if any(resource.urn == urn for resource in self.deployment.resources):
            raise AssertionError(f"duplicate URN {urn}")
        inputs = cast("dict[str, Any]", rpc.deserialize_properties(request.object, keep_unknowns=True))
        if request.type != "pulumi:pulumi:Stack":
            self.deployment.resources.append(
                Registration(
                    request.type,
                    request.name,
                    urn,
                    request.parent,
                    inputs,
                    frozenset(request.dependencies),
                    {key: frozenset(d.urns) for key, d in request.propertyDependencies.items()},
                    tuple(request.ignoreChanges),
                )
            )
        identifier, state = self._answer(request, inputs)
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=identifier, object=_struct(state) if request.custom else request.object
        )

    def _answer(self, request: Any, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        state = dict(inputs)
        if key := NAMED.get(request.type):
            state.setdefault(key, f"{request.name}-1a2b3c4")
        identifier = f"{request.name}-id"
        for key, template in COMPUTED.get(request.type, {}).items():
            known = {**state, "id": identifier}
            state[key] = rpc.UNKNOWN if self.preview else _filled(template, known)
        return ("" if self.preview else identifier), state

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        assert request.urn not in self.deployment.outputs, f"register_outputs twice for {request.urn}"
        self.deployment.outputs[request.urn] = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        return empty_pb2.Empty()


def _filled(template: str | list[dict[str, str]], known: Mapping[str, Any]) -> Any:
    if isinstance(template, str):
        return template.format(**known)
    return [{key: text.format(**known) for key, text in member.items()} for member in template]


class _Engine(mocks.MockEngine):
    def __init__(self, deployment: Deployment) -> None:
        super().__init__(None)
        self.deployment = deployment

    def Log(self, request: Any) -> None:  # noqa: N802 - the protocol's name
        if request.severity == engine_pb2.WARNING:
            self.deployment.warnings.append(request.message)
        elif request.severity == engine_pb2.INFO:
            self.deployment.infos.append(request.message)


def deploy(
    program: Callable[[], Awaitable[None] | None],
    *,
    preview: bool = False,
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    invokes: Invokes | None = None,
) -> Deployment:
    """Run a program as the language host does, and return what it did. What it raises is raised here.

    Args:
        program: Registers resources.
        preview: Whether computed properties are unknown.
        stack: Name of the stack.
        config: Full keys to texts.
        invokes: Token to the answer, or to what raises, beyond account, region, partition and no ledger.

    """
    deployment = Deployment()
    settings = RuntimeSettings(
        project=PROJECT,
        stack=stack,
        monitor=_Monitor(deployment, invokes or {}, preview),
        engine=_Engine(deployment),
        parallel=PARALLEL,
        dry_run=preview,
        root_directory=".",
        organization="organization",
    )
    run_sdk(settings, config or {}, program)
    return deployment


def _struct(state: Mapping[str, Any]) -> Any:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(rpc.serialize_properties(dict(state), {}))
    finally:
        loop.close()
