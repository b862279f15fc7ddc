"""The pack as the SDK runs it: levels, waivers, the shared graph, and rules that fail."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy import policy as sdk
from selfheal_policies import engine_call, pack
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import AnyRule, Config, Finding, ResourceRule, StackRule

from tests.policies.support.client import Analyzed, Judge, Level
from tests.policies.support.healers import healer
from tests.policies.support.references import Lost, Ref
from tests.policies.support.scene import RULES, Scene

pytestmark = pytest.mark.slow

TODAY = date(2026, 11, 21)
RULE = "test-thing-right"


def servicer(rules: Sequence[AnyRule]) -> Any:
    return sdk._PolicyAnalyzerServicer(  # pyright: ignore[reportPrivateUsage]
        "selfheal", "0.0.1", pack.policies(rules, lambda: TODAY), EnforcementLevel.ADVISORY
    )


def judge(*rules: AnyRule) -> Judge:
    """Return a pack of these rules, called in this process."""
    server = servicer(rules)
    return Judge(lambda method, request: getattr(server, method)(request, None))


def thing(name: str, type_: str = "t:t:T") -> Analyzed:
    return Analyzed(f"urn:pulumi:s::p::{type_}::{name}", type_, name, {})


def rule(check: Any, **more: Any) -> ResourceRule:
    given: dict[str, Any] = {
        "name": RULE,
        "level": "mandatory",
        "severity": "high",
        "what": "Things are right.",
        "why": "Wrong things harm.",
        "fix": "Mend it.",
        "types": ("t:t:T",),
        "check": check,
    }
    return ResourceRule(**{**given, **more})


def stack_rule(name: str, check: Any) -> StackRule:
    return StackRule(name=name, level="mandatory", severity="low", what="W.", why="Y.", fix="F.", check=check)


def wrong(resource: Resource, _: Config) -> list[Finding]:
    return [Finding(resource.urn, "it is wrong")]


def waiver(**changes: Any) -> dict[str, Any]:
    return {"policy": RULE, "resource": "x", "reason": "OPS-1", "expires": "2026-11-21"} | changes


def waived(*waivers: Any) -> dict[str, Any]:
    return {"selfheal-waivers": {"waivers": list(waivers)}}


def test_the_rules_refuse_at_preview_through_the_sdk() -> None:
    every, scene = judge(*RULES.values()), healer(Scene())
    assert scene.judge(every) == []
    scene.find("errors").put("okActions", to=[Ref("people")])
    [found] = scene.judge(every)
    assert (found.policy, found.level) == ("cloudwatch-alarm-reports-recovery", Level.MANDATORY)
    assert "Alarm errors wakes healer medic" in found.message
    assert "\nWhy: " in found.message
    assert "\nFix: " in found.message


def test_a_secret_or_an_unknown_anywhere_switches_no_policy_off() -> None:
    every = judge(*RULES.values())
    for item in healer(Scene()).items:
        for key in item.inputs.properties:
            scene = healer(Scene())
            scene.find(item.name).put(key, to=Lost("x"))
            told = [found.message for found in every.analyze_stack(scene.told())]
            assert not [text for text in told if "can't run" in text or "could not judge" in text]


def test_the_level_of_a_rule_is_said_for_each_and_not_left_to_the_sdk() -> None:
    info = servicer(list(RULES.values())).GetAnalyzerInfo(empty_pb2.Empty(), None)
    levels = {each.name: analyzer_pb2.EnforcementLevel.Name(each.enforcementLevel) for each in info.policies}
    assert {name: levels[name] for name in RULES} == {
        name: each.level.upper() for name, each in RULES.items()
    }
    # An initial configuration without a level would downgrade a policy silently: there is none.
    assert not info.initialConfig
    for each in info.policies:
        assert each.severity
        assert each.remediation_steps
        assert each.url
        for schema in each.configSchema.properties.fields.values():
            assert {"type", "description", "default"} <= set(schema.struct_value.fields)


@pytest.mark.parametrize("level", Level)
def test_configuration_decides_over_the_rule(level: Level) -> None:
    one = judge(rule(wrong))
    one.configure({RULE: str(level)})
    assert [found.level for found in one.analyze(thing("x"))] == [level]


def test_a_disabled_rule_is_silent_and_another_type_not_applicable() -> None:
    one = judge(rule(wrong))
    assert one.analyze(thing("x", "t:t:Other")) == []
    one.configure({RULE: "disabled"})
    assert one.analyze(thing("x")) == []


def test_a_rule_that_fails_is_a_mandatory_finding_and_no_crash() -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("by zero")

    both = judge(rule(fails), stack_rule("test-stack-right", fails))
    [found] = both.analyze(thing("x"))
    assert found.level is Level.MANDATORY
    assert "could not judge this (ZeroDivisionError: by zero)" in found.message
    [found] = both.analyze_stack([])
    assert (found.policy, found.level) == ("test-stack-right", Level.MANDATORY)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"most": "three"}, "must be of type number, got"),
        ({"most": 9}, "must be at most 5, got 9"),
        ({"moast": 3}, "`moast` is not known; known are: most"),
    ],
)
def test_configuration_that_cannot_be_used_is_a_finding(given: dict[str, Any], text: str) -> None:
    schema = {"most": {"type": "number", "description": "d", "default": 3, "maximum": 5}}
    one = judge(rule(wrong, schema=schema))
    one.configure({RULE: given})
    [found] = one.analyze(thing("x"))
    assert text in found.message


def test_defaults_hold_when_the_client_fills_none() -> None:
    seen: list[Any] = []

    def reads(_: Resource, config: Config) -> list[Finding]:
        seen.append(config["most"])
        return []

    schema = {"most": {"type": "number", "description": "d", "default": 3}}
    one = judge(rule(reads, schema=schema))
    one.analyze(thing("x"))
    one.configure({RULE: {"most": 4}})
    one.analyze(thing("x"))
    assert seen == [3, 4]


def test_a_waiver_accepts_one_finding_and_says_so() -> None:
    one = judge(rule(wrong))
    one.configure(waived(waiver()))
    [found] = one.analyze(thing("x"))
    assert (found.policy, found.level) == ("selfheal-waivers-used", Level.ADVISORY)
    assert f"{RULE} is waived on x until 2026-11-21: OPS-1. The finding: it is wrong" in found.message
    # The next resource is another call, and another finding.
    assert [found.policy for found in one.analyze(thing("y"))] == [RULE]


def test_a_waiver_holds_for_stack_rules_too() -> None:
    one = judge(stack_rule(RULE, lambda *_: [Finding("", "no ledger")]))
    one.configure(waived(waiver(resource="stack")))
    assert [found.policy for found in one.analyze_stack([])] == ["selfheal-waivers-used"]


@pytest.mark.parametrize(
    "reason",
    [
        "OPS-1",
        "see https://example.com/decisions/7",
        "deploys previews only",
        "It is replaced by the new API in May.",
        "a drill, OPS-1",
    ],
)
def test_a_reason_says_why_or_where_that_is_written(reason: str) -> None:
    one = judge(rule(wrong))
    one.configure(waived(waiver(reason=reason)))
    assert [found.policy for found in one.analyze(thing("x"))] == ["selfheal-waivers-used"]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (waiver(reason=" "), "has no reason"),
        (waiver(reason=None), "has no reason"),
        *(
            (waiver(reason=reason), "does not say why this is no danger")
            for reason in (
                "x",
                "n/a",
                "todo",
                "TODO: fix later",
                "fix it soon, please",
                "accepted",
                "asdf asdf asdf",
            )
        ),
        (waiver(expires="2026-11-20"), "has expired"),
        (waiver(expires="2027-12-01"), "within a year, at the latest 2027-11-22"),
        (waiver(expires="soon"), "must be a day such as"),
        (waiver(policy="test-thing"), "no such policy"),
        (waiver(resource=None), "has no resource"),
        (waiver(until="2026-12-01"), "until is not known"),
        ("everything", "has no policy"),
    ],
)
def test_a_waiver_that_is_refused_waives_nothing_and_is_reported_once(entry: Any, text: str) -> None:
    one = judge(rule(wrong))
    one.configure(waived(entry))
    assert [found.policy for found in one.analyze(thing("x"))] == [RULE]
    [found] = one.analyze(thing("s", "pulumi:pulumi:Stack"))
    assert (found.policy, found.level) == ("selfheal-waivers", Level.MANDATORY)
    assert text in found.message


def test_the_graph_is_made_once_a_call_and_never_outlives_it() -> None:
    seen: list[Graph] = []

    def looks(graph: Graph, _: Config) -> list[Finding]:
        seen.append(graph)
        return []

    both = judge(stack_rule("test-a", looks), stack_rule("test-b", looks))
    for route in ("topic", "alarm action"):
        both.analyze_stack(healer(Scene(), route).told())
    assert [graph is seen[0] for graph in seen] == [True, True, False, False]
    assert seen[2] is seen[3]
    assert engine_call.once("graph", object) is not seen[2]


def test_other_policies_enabled_in_the_next_call_see_the_next_stack() -> None:
    seen: dict[str, list[int]] = {"test-a": [], "test-b": []}

    def looks(name: str) -> Any:
        def check(graph: Graph, _: Config) -> list[Finding]:
            seen[name].append(len(graph.index.by_urn))
            return []

        return check

    both = judge(*(stack_rule(name, looks(name)) for name in seen))
    told = healer(Scene()).told()
    both.configure({"test-b": "disabled"})
    both.analyze_stack(told[:2])
    both.configure({"test-a": "disabled"})
    both.analyze_stack(told[:5])
    assert seen == {"test-a": [2], "test-b": [5]}


def test_calls_at_the_same_time_do_not_share() -> None:
    def counts(graph: Graph, _: Config) -> list[Finding]:
        return [Finding("", str(len(graph.index.by_urn)))]

    both = judge(stack_rule("test-a", counts), stack_rule("test-b", counts))
    told = healer(Scene()).told()

    def call(size: int) -> set[str]:
        return {found.message.splitlines()[0].rstrip(".") for found in both.analyze_stack(told[:size])}

    sizes = [2, 5, 8, 3] * 10
    with ThreadPoolExecutor(4) as executor:
        assert list(executor.map(call, sizes)) == [{str(size)} for size in sizes]


def test_resources_are_made_once_a_call_and_anew_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the pack's entry has it; each policy still gets every resource, with its own properties."""
    names = ("json_format", "deserialize_properties", "unknown_checking_proxy", "StackValidationArgs")
    for name in names:
        monkeypatch.setattr(sdk, name, getattr(sdk, name))  # put back at the end
    serves = sdk._PolicyAnalyzerServicer  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(serves, "AnalyzeStack", serves.AnalyzeStack)
    convert, converted = json_format.MessageToDict, list[Any]()

    def counted(message: Any) -> Any:
        converted.append(message)
        return convert(message)

    monkeypatch.setattr(json_format, "MessageToDict", counted)
    engine_call.share_conversion()
    seen: list[list[Any]] = []
    lists: list[Any] = []

    def given(args: sdk.StackValidationArgs, _: Any) -> None:
        seen.append([dict(each.props) for each in args.resources])
        lists.append(args.resources)

    policies = engine_call.PolicyList(
        [sdk.StackValidationPolicy(name, "About it.", given) for name in ("test-a", "test-b")]
    )
    server = sdk._PolicyAnalyzerServicer(  # pyright: ignore[reportPrivateUsage]
        "selfheal", "0.0.1", policies, EnforcementLevel.ADVISORY
    )
    both = Judge(lambda method, request: getattr(server, method)(request, None))
    told = [replace(thing(name), properties={"named": name}) for name in ("x", "y")]
    converted.clear()
    both.analyze_stack(told)
    assert seen == [[{"named": "x"}, {"named": "y"}]] * 2
    assert len(converted) == len(told)
    assert lists[0] is lists[1]
    both.analyze_stack([replace(told[0], properties={"named": "z"}), told[1]])
    assert seen[2:] == [[{"named": "z"}, {"named": "y"}]] * 2
    assert len(converted) == 2 * len(told)
    assert lists[2] is lists[3] is not lists[0]


def test_outside_of_a_call_nothing_is_kept() -> None:
    assert engine_call.once("x", object) is not engine_call.once("x", object)
