"""Who is a healer and how it is wired, on healers that share no name, tag or component with ours."""

from typing import Any

import pytest

from tests.policies.mutations.handwritten import ELSEWHERE, OTHER, PARAMETER, TABLE, UNRESOLVED, sealed
from tests.policies.mutations.table import Foreign
from tests.policies.support.changes import (
    Change,
    allow,
    document,
    nothing,
    put,
    remove,
    text,
)
from tests.policies.support.healers import ROUTES, healer
from tests.policies.support.recording import arn
from tests.policies.support.references import Ref, Spelling, Unknown
from tests.policies.support.scene import MANDATORY, RULES, Findings, Scene

MODES = pytest.mark.parametrize(
    ("spelling", "up"),
    [
        pytest.param(spelling, up, id=f"{spelling}-{'up' if up else 'preview'}")
        for spelling in Spelling
        for up in (False, True)
    ],
)


def refused(scene: Scene, config: Any = None) -> Findings:
    return scene.findings(MANDATORY, config)


@MODES
@pytest.mark.parametrize("route", ROUTES)
def test_a_safe_healer_is_found_and_nothing_is_wrong(route: str, spelling: Spelling, up: bool) -> None:
    scene = healer(Scene(spelling=spelling, up=up), route)
    graph = scene.graph()
    assert [each.name for each in graph.healers] == ["medic"]
    assert [graph.index.by_urn[key].name for key in graph.targets_of(graph.healers[0])] == ["orders"]
    assert scene.findings() == {}


@MODES
@pytest.mark.parametrize("route", ROUTES)
def test_a_notifier_is_not_judged_however_badly_it_is_wired(route: str, spelling: Spelling, up: bool) -> None:
    scene = healer(Scene(spelling=spelling, up=up), route)
    may = document(
        {"Action": ["logs:PutLogEvents", "lambda:GetFunction"], "Resource": "*"},
        {"Action": "sns:Publish", "Resource": text("people")},
    )
    scene.find("medic-rights").put("policy", to=may)
    scene.remove(*(name for name in ("may-wake-medic", "medic-events", "memory", "people") if name in scene))
    for item in scene.items:
        if "alarmActions" in item.inputs.properties:
            kept = [each for each in item.get("alarmActions") if each != Ref("people")]
            item.put("alarmActions", to=kept).drop("okActions")
    graph = scene.graph()
    assert graph.healers == []
    # What is only called by a notifier is no notifier itself: nothing is known to reach it.
    assert ("medic" in [each.name for each in graph.notifiers]) == (route != "started machine")
    assert scene.findings([name for name, rule in RULES.items() if not rule.resilience]) == {}


@MODES
@pytest.mark.parametrize("mutation", TABLE, ids=[each.name for each in TABLE])
def test_a_violation_is_refused_by_exactly_its_rule(mutation: Foreign, spelling: Spelling, up: bool) -> None:
    found = refused(mutation.scene(spelling, up=up))
    assert set(found) == {mutation.rule} | mutation.besides, found
    assert all(message for messages in found.values() for message in messages)


@pytest.mark.parametrize("mutation", UNRESOLVED, ids=[each.name for each in UNRESOLVED])
def test_what_cannot_be_resolved_at_preview_is_a_finding(mutation: Foreign) -> None:
    assert mutation.rule in refused(mutation.scene())


@pytest.mark.parametrize(
    ("actions", "rules"),
    [
        (Unknown(("wake", "people")), set[str]()),
        ([Unknown(("wake", "people"))], {"selfheal-reference-resolved"}),
    ],
    ids=[
        "a list that is unknown as a whole is all that it depends on",
        "one value may be either of two topics",
    ],
)
def test_an_unknown_of_two_topics(actions: Any, rules: set[str]) -> None:
    scene = healer(Scene())
    scene.find("errors").put("okActions", to=actions)
    assert set(refused(scene)) == rules


@pytest.mark.parametrize(
    ("rule", "config", "change"),
    [
        (
            "iam-policy-writes-on-targets",
            {"allowedTargets": ["other"]},
            allow("lambda:PutFunctionConcurrency", OTHER),
        ),
        (
            "iam-policy-writes-on-targets",
            {"allowedTargets": ["arn:aws:ssm:*:parameter/x"]},
            allow("ssm:PutParameter", PARAMETER),
        ),
        ("sns-topic-key", {"allowedKeys": [ELSEWHERE]}, put("wake", kmsMasterKeyId=ELSEWHERE)),
        ("dynamodb-ledger-recovery", {"ledgers": ["platform-ledger"]}, remove("memory")),
        ("lambda-healer-woken", {"deployers": ["medic"]}, remove("wake-medic", "may-wake-medic")),
    ],
)
def test_configuration_decides(rule: str, config: dict[str, Any], change: Change) -> None:
    scene = healer(Scene())
    change(scene)
    assert set(scene.findings([rule])) == {rule}
    assert scene.findings([rule], {rule: config}) == {}


@pytest.mark.parametrize("actions", [["kms:Decrypt", "kms:GenerateDataKey*"], ["kms:*"]])
def test_a_key_that_cloudwatch_may_use_is_fine(actions: list[str]) -> None:
    scene = healer(Scene())
    sealed(*actions)(scene)
    assert scene.findings() == {}


def test_people_on_the_same_topic_are_people() -> None:
    scene = healer(Scene())
    scene.find("errors").put("alarmActions", to=[Ref("wake")])
    scene.add(
        "sns.TopicSubscription", "mail", topic=Ref("wake"), protocol="email", endpoint="oncall@example.com"
    )
    assert scene.findings() == {}


def test_a_stack_without_alarms_is_not_judged() -> None:
    scene = Scene()
    scene.add("iam.Role", "orders-role")
    scene.add("lambda.Function", "orders", role=Ref("orders-role"))
    scene.add("sns.Topic", "ticks", kmsMasterKeyId="alias/aws/sns")
    assert scene.findings() == {}


def test_a_topic_of_the_same_name_in_another_region_is_another_topic() -> None:
    scene = healer(Scene(up=True))
    other = arn("sns.Topic", scene.find("wake").physical).replace("us-east-1", "eu-west-1")
    scene.find("may-wake-medic").put("sourceArn", to=other)
    assert set(refused(scene)) == {"lambda-permission-scoped"}


# What a role may change is found by whichever resource gives it the right.

ROLE = Ref("medic-role", "name")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
WAYS = {
    "in the role": lambda scene, policy: scene.find("medic-role").put("managedPolicyArns", to=[policy]),
    "one attachment": lambda scene, policy: scene.add(
        "iam.RolePolicyAttachment", "more", role=ROLE, policyArn=policy
    ),
    "to many roles": lambda scene, policy: scene.add(
        "iam.PolicyAttachment", "more", roles=["other", ROLE], policyArn=policy
    ),
    "exclusively": lambda scene, policy: scene.add(
        "iam.RolePolicyAttachmentsExclusive", "more", roleName=ROLE, policyArns=[policy]
    ),
}


def without_rights(change: Change) -> Scene:
    scene = healer(Scene())
    scene.remove("medic-rights")
    change(scene)
    return scene


def healers(scene: Scene) -> list[str]:
    return [each.name for each in scene.graph().healers]


def test_a_function_whose_role_allows_nothing_is_no_healer() -> None:
    assert healers(without_rights(nothing)) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_managed_policy_makes_a_healer_however_it_is_attached(way: str) -> None:
    scene = without_rights(lambda scene: WAYS[way](scene, ADMINISTRATOR))
    assert healers(scene) == ["medic"]
    [message] = refused(scene)["iam-role-managed-policies"]
    assert ADMINISTRATOR in message


@pytest.mark.parametrize("way", WAYS)
def test_a_harmless_managed_policy_makes_none(way: str) -> None:
    assert healers(without_rights(lambda scene: WAYS[way](scene, BASIC))) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_policy_of_the_stack_is_read_however_it_is_attached(way: str) -> None:
    fix = document({"Action": "lambda:UpdateFunctionConfiguration", "Resource": text("orders")})
    scene = without_rights(lambda scene: scene.add("iam.Policy", "fix", policy=fix))
    WAYS[way](scene, text("fix"))
    assert healers(scene) == ["medic"]
