"""What a program gave and what AWS has yet to choose, told apart as the engine tells of a stack."""

from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2
from selfheal_policies.given import Given

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.conftest import ROOT
from tests.policies.support.client import Level, Pack
from tests.policies.support.references import Lost, Ref
from tests.policies.support.scene import Scene

URN = "urn:pulumi:dev::other::aws:iam/role:Role::r"


def told(**dependencies: str) -> Any:
    request = analyzer_pb2.AnalyzeStackRequest()
    resource = request.resources.add(urn=URN)
    resource.properties.update({"assumeRolePolicy": "{}", "path": UNKNOWN, "inlinePolicies": UNKNOWN})
    for key, urn in dependencies.items():
        resource.propertyDependencies[key].urns.append(urn)
    return request


@pytest.mark.parametrize("dependencies", [{}, {"path": "urn:x"}])
def test_every_input_has_a_key_and_nothing_else_has(dependencies: dict[str, str]) -> None:
    given, request = Given(), told(**dependencies)
    inputs = analyzer_pb2.AnalyzeRequest(urn=URN)
    inputs.properties.update({"assumeRolePolicy": "{}", "path": UNKNOWN})
    given.note(inputs)
    given.complete(request)
    needs = {key: list(each.urns) for key, each in request.resources[0].propertyDependencies.items()}
    assert needs == {"assumeRolePolicy": [], "path": []} | {key: [urn] for key, urn in dependencies.items()}


def test_without_its_inputs_every_property_counts_as_given() -> None:
    request = told()
    Given().complete(request)
    assert set(request.resources[0].propertyDependencies) == {"assumeRolePolicy", "path", "inlinePolicies"}


@pytest.mark.parametrize(
    ("inputs", "said"), [({}, "has no policy"), ({"policy": Lost("{}")}, "not known at preview")]
)
def test_of_a_resource_without_inputs_the_missing_one_is_named(inputs: dict[str, Any], said: str) -> None:
    scene = Scene()
    scene.add("iam.Role", "medic-role", assumeRolePolicy="{}")
    may = {"Statement": {"Effect": "Allow", "Action": "ecs:StopTask", "Resource": "*"}}
    scene.add("iam.RolePolicy", "medic-rights", role=Ref("medic-role", "name"), policy=may)
    scene.add("lambda.Function", "medic", role=Ref("medic-role"))
    scene.add("sns.Topic", "wake", **inputs).drop("name")
    scene.add("sns.TopicSubscription", "s", topic=Ref("wake"), protocol="lambda", endpoint=Ref("medic"))
    scene.add("cloudwatch.MetricAlarm", "errors", alarmActions=[Ref("wake")])
    with Pack(ROOT / "policies") as pack:
        [found] = (each for each in scene.judge(pack) if each.policy == "sns-topic-policy-closed")
    assert said in found.message


def test_an_unknown_policy_beside_a_known_role_is_seen() -> None:
    """The engine names the role only, for it alone depends on something."""
    scene = Scene()
    scene.add("iam.Role", "medic-role", assumeRolePolicy="{}")
    lost = Lost("arn:aws:iam::aws:policy/AdministratorAccess")
    scene.add("iam.RolePolicyAttachment", "a", role=Ref("medic-role", "name"), policyArn=lost)
    scene.add("lambda.Function", "medic", role=Ref("medic-role"))
    scene.add("cloudwatch.MetricAlarm", "errors", alarmActions=[Ref("medic")])
    with Pack(ROOT / "policies") as pack:
        found = {each.policy for each in scene.judge(pack) if each.level is Level.MANDATORY}
    assert found & {"iam-policy-readable", "iam-role-managed-policies"}
