"""What the owner says of a stack: who only tells, for how long, and what is a lever."""

from datetime import date
from typing import Any

import pytest
from selfheal_policies import pack, types
from selfheal_policies.recognition import read
from selfheal_policies.recognition_policy import RECOGNITION

from tests.policies.support.client import Judge, Level
from tests.policies.support.healers import healer
from tests.policies.support.scene import MANDATORY, RULES, TODAY, Scene
from tests.policies.test_pack import judge as judged_by
from tests.policies.test_pack import thing

NAME = RECOGNITION.name


def voucher(**changes: Any) -> dict[str, Any]:
    given = {"name": "medic", "reason": "OPS-123: it opens tickets only", "expires": "2027-03-31"}
    return {key: value for key, value in (given | changes).items() if value is not None}


def said(*notifiers: Any, **more: Any) -> dict[str, Any]:
    return {NAME: {"notifiers": list(notifiers), **more}}


def test_what_is_said_is_read() -> None:
    config = {"notifiers": [voucher()], "levers": ["flags"], "sandboxStacks": ["dev"]}
    found, refused = read(config, TODAY)
    assert refused == []
    assert found.notifiers["medic"].expires == date(2027, 3, 31)
    assert (found.levers, found.sandbox_stacks) == ({"flags"}, {"dev"})


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (voucher(reason=None), "it has no reason"),
        (voucher(reason=" ", expires=None), "it has no reason, no expires"),
        (voucher(name=""), "it has no name"),
        (voucher(expires="2026-11-25"), "it has expired"),
        (voucher(expires="soon"), "expires must be a day such as 2027-03-31, got 'soon'"),
        (voucher(expires="2028-01-01"), "expires must be within a year, got 2028-01-01"),
        (voucher(resource="medic"), "resource is not known"),
        ({}, "notifier 1 (empty) is refused"),
    ],
)
def test_a_voucher_without_a_reason_or_beyond_its_day_is_refused(given: dict[str, Any], problem: str) -> None:
    found, [refused] = read({"notifiers": [given], "levers": [], "sandboxStacks": []}, TODAY)
    assert found.notifiers == {}
    assert problem in refused


def test_whom_the_owner_vouches_for_is_no_healer_as_long_as_it_holds() -> None:
    scene = healer(Scene())
    scene.find("medic").put("timeout", to=600)
    assert set(scene.findings(MANDATORY)) == {"lambda-healer-timeout"}
    assert scene.findings(MANDATORY, said(voucher())) == {}
    graph = scene.graph(said(voucher()))
    assert [each.name for each in graph.notifiers] == ["medic"]
    for other in (voucher(name="another"), voucher(expires="2026-11-25")):
        assert set(scene.findings(MANDATORY, said(other))) == {"lambda-healer-timeout"}


def test_whom_the_owner_vouches_for_may_be_unreadable() -> None:
    scene = healer(Scene())
    scene.find("medic-role").put("managedPolicyArns", to=["arn:aws:iam::1:policy/team"])
    assert "iam-role-managed-policies" in scene.findings(MANDATORY)
    assert scene.findings(MANDATORY, said(voucher())) == {}


class Configured:
    """The pack as the SDK runs it, in this process, with what the owner says."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.pack: Judge = judged_by(*RULES.values())
        self.pack.configure(config)

    def judge(self, scene: Scene) -> list[tuple[str, Level, str]]:
        found = [*self.pack.analyze(thing("root", types.STACK)), *scene.judge(self.pack)]
        return [(each.policy, each.level, each.message) for each in found]


@pytest.fixture
def slow() -> Scene:
    scene = healer(Scene())
    scene.find("medic").put("timeout", to=600)
    return scene


def test_each_use_is_reported(slow: Scene) -> None:
    [(policy, level, message)] = Configured(said(voucher())).judge(slow)
    assert (policy, level) == ("selfheal-waivers-used", Level.ADVISORY)
    assert "medic is taken for a notifier until 2027-03-31: OPS-123: it opens tickets only" in message
    assert "may lambda:UpdateFunctionConfiguration on arn:aws:lambda:" in message


def test_a_refusal_is_a_mandatory_finding_and_the_rules_judge_on(slow: Scene) -> None:
    found = Configured(said(voucher(reason=""))).judge(slow)
    assert [(policy, level) for policy, level, _ in found if policy == NAME] == [(NAME, Level.MANDATORY)]
    assert "lambda-healer-timeout" in {policy for policy, _, _ in found}


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"levers": "flags"}, "must be of type array"),
        ({"levers": [1]}, "must be of type string"),
        ({"lever": ["flags"]}, "property `lever` is not known; known are: notifiers"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(config: dict[str, Any], problem: str, slow: Scene) -> None:
    found = Configured({NAME: config}).judge(slow)
    assert any(policy == NAME and problem in message for policy, _, message in found)


def test_levers_are_said_to_the_running_pack() -> None:
    scene = healer(Scene())
    for name in ("medic-rights", "medic-limit"):
        scene.find(name).document(lambda held: held.pop(0))
    assert Configured({}).judge(scene) == []
    scene.find("medic").put("timeout", to=600)
    assert Configured({}).judge(scene) == []
    found = Configured({NAME: {"levers": ["memory"]}}).judge(scene)
    assert {policy for policy, _, _ in found} == {"lambda-healer-timeout"}


def test_the_pack_has_the_policy_before_every_rule() -> None:
    names = [each.name for each in pack.policies()]
    assert names.index(NAME) < min(names.index(rule) for rule in RULES)
