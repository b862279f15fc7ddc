"""The pack as the SDK runs it: levels, waivers, the shared graph, and rules that fail."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy import policy as sdk
from selfheal_policies import pack, scope
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, ResourceRule, StackRule
from selfheal_policies.values import UNKNOWN

from tests.policies.support import RULES, WIRING, Lost, Out, resources, safe

SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
TODAY = date(2026, 11, 21)


def servicer(rules: Sequence[Any]) -> Any:
    return sdk._PolicyAnalyzerServicer(  # pyright: ignore[reportPrivateUsage]
        "selfheal", "0.0.1", pack.policies(rules, lambda: TODAY), EnforcementLevel.ADVISORY
    )


def wire(value: Any) -> Any:
    if value is UNKNOWN:
        return SENTINEL
    if isinstance(value, dict):
        return {key: wire(each) for key, each in value.items()}
    return [wire(each) for each in value] if isinstance(value, list) else value


def struct(props: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(wire(dict(props)), struct_pb2.Struct())


def stack_request(found: Sequence[Resource]) -> Any:
    return analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(
                type=each.type,
                urn=each.urn,
                name=each.name,
                properties=struct(each.props),
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in each.references.items()
                },
            )
            for each in found
        ]
    )


def request(type_: str, name: str, **props: Any) -> Any:
    return analyzer_pb2.AnalyzeRequest(
        type=type_, urn=f"urn:pulumi:s::p::{type_}::{name}", name=name, properties=struct(props)
    )


def configure(server: Any, config: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
    server.Configure(
        analyzer_pb2.ConfigureAnalyzerRequest(
            policyConfig={
                name: analyzer_pb2.PolicyConfig(
                    enforcementLevel=analyzer_pb2.EnforcementLevel.Value(level), properties=struct(props)
                )
                for name, (level, props) in config.items()
            }
        ),
        None,
    )


def diagnostics(answer: Any) -> list[tuple[str, str, str]]:
    return [
        (each.policyName, analyzer_pb2.EnforcementLevel.Name(each.enforcementLevel), each.message)
        for each in answer.diagnostics
    ]


def rule(check: Any, **more: Any) -> ResourceRule:
    given: dict[str, Any] = {
        "name": "test-thing-right",
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
    return {
        "policy": "test-thing-right",
        "resource": "x",
        "reason": "OPS-1",
        "expires": "2026-11-21",
    } | changes


def waive(server: Any, *entries: Any) -> None:
    configure(server, {"selfheal-waivers": ("MANDATORY", {"waivers": list(entries)})})


def test_the_wiring_rules_refuse_at_preview_through_the_sdk() -> None:
    server = servicer([RULES[name] for name in WIRING])
    stack = safe()
    assert diagnostics(server.AnalyzeStack(stack_request(resources(stack)), None)) == []
    stack["orders-errors"][1]["okActions"] = [Out("people")]
    found = diagnostics(server.AnalyzeStack(stack_request(resources(stack)), None))
    assert [(name, level) for name, level, _ in found] == [("cloudwatch-alarm-reports-recovery", "MANDATORY")]
    assert "Alarm orders-errors wakes healer medic" in found[0][2]
    assert "\nWhy: " in found[0][2]
    assert "\nFix: " in found[0][2]


def test_a_secret_or_an_unknown_anywhere_switches_no_policy_off() -> None:
    server = servicer([RULES[name] for name in WIRING])
    stack = safe()
    for name, (_, props) in list(stack.items()):
        for key in list(props):
            changed = safe()
            changed[name][1][key] = Lost()
            found = diagnostics(server.AnalyzeStack(stack_request(resources(changed)), None))
            assert not [text for *_, text in found if "can't run" in text or "could not judge" in text]


def test_the_level_of_a_rule_is_said_for_each_and_not_left_to_the_sdk() -> None:
    info = servicer(list(RULES.values())).GetAnalyzerInfo(None, None)
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


@pytest.mark.parametrize("level", ["ADVISORY", "MANDATORY"])
def test_configuration_decides_over_the_rule(level: str) -> None:
    server = servicer([rule(wrong)])
    configure(server, {"test-thing-right": (level, {})})
    assert [found[1] for found in diagnostics(server.Analyze(request("t:t:T", "x"), None))] == [level]


def test_a_disabled_rule_is_silent_and_another_type_not_applicable() -> None:
    server = servicer([rule(wrong)])
    assert diagnostics(server.Analyze(request("t:t:Other", "x"), None)) == []
    configure(server, {"test-thing-right": ("DISABLED", {})})
    assert diagnostics(server.Analyze(request("t:t:T", "x"), None)) == []


def test_a_rule_that_fails_is_a_mandatory_finding_and_no_crash() -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("by zero")

    server = servicer([rule(fails), stack_rule("test-stack-right", fails)])
    (found,) = diagnostics(server.Analyze(request("t:t:T", "x"), None))
    assert found[1] == "MANDATORY"
    assert "could not judge this (ZeroDivisionError: by zero)" in found[2]
    (found,) = diagnostics(server.AnalyzeStack(stack_request([]), None))
    assert found[:2] == ("test-stack-right", "MANDATORY")


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
    server = servicer([rule(wrong, schema=schema)])
    configure(server, {"test-thing-right": ("MANDATORY", given)})
    (found,) = diagnostics(server.Analyze(request("t:t:T", "x"), None))
    assert text in found[2]


def test_defaults_hold_when_the_client_fills_none() -> None:
    seen: list[Any] = []

    def reads(_: Resource, config: Config) -> list[Finding]:
        seen.append(config["most"])
        return []

    schema = {"most": {"type": "number", "description": "d", "default": 3}}
    server = servicer([rule(reads, schema=schema)])
    server.Analyze(request("t:t:T", "x"), None)
    configure(server, {"test-thing-right": ("MANDATORY", {"most": 4})})
    server.Analyze(request("t:t:T", "x"), None)
    assert seen == [3, 4]


def test_a_waiver_accepts_one_finding_and_says_so() -> None:
    server = servicer([rule(wrong)])
    waive(server, waiver())
    (found,) = diagnostics(server.Analyze(request("t:t:T", "x"), None))
    assert found[:2] == ("selfheal-waivers-used", "ADVISORY")
    assert "test-thing-right is waived on x until 2026-11-21: OPS-1. The finding: it is wrong" in found[2]
    # The next resource is another call, and another finding.
    (found,) = diagnostics(server.Analyze(request("t:t:T", "y"), None))
    assert found[0] == "test-thing-right"


def test_a_waiver_holds_for_stack_rules_too() -> None:
    server = servicer([stack_rule("test-thing-right", lambda *_: [Finding("", "no ledger")])])
    waive(server, waiver(resource="stack"))
    assert [each[0] for each in diagnostics(server.AnalyzeStack(stack_request([]), None))] == [
        "selfheal-waivers-used"
    ]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (waiver(reason=" "), "has no reason"),
        (waiver(reason=None), "has no reason"),
        (waiver(expires="2026-11-20"), "has expired"),
        (waiver(expires="soon"), "must be a day such as"),
        (waiver(policy="test-thing"), "no such policy"),
        (waiver(resource=None), "has no resource"),
        (waiver(until="2026-12-01"), "until is not known"),
        ("everything", "has no policy"),
    ],
)
def test_a_waiver_that_is_refused_waives_nothing_and_is_reported_once(entry: Any, text: str) -> None:
    server = servicer([rule(wrong)])
    waive(server, entry)
    (found,) = diagnostics(server.Analyze(request("t:t:T", "x"), None))
    assert found[0] == "test-thing-right"
    (found,) = diagnostics(server.Analyze(request("pulumi:pulumi:Stack", "s"), None))
    assert found[:2] == ("selfheal-waivers", "MANDATORY")
    assert text in found[2]


def test_the_graph_is_made_once_a_call_and_never_outlives_it() -> None:
    seen: list[Graph] = []

    def looks(graph: Graph, _: Config) -> list[Finding]:
        seen.append(graph)
        return []

    server = servicer([stack_rule("test-a", looks), stack_rule("test-b", looks)])
    server.AnalyzeStack(stack_request(resources(safe())), None)
    server.AnalyzeStack(stack_request(resources(safe("direct"))), None)
    assert [graph is seen[0] for graph in seen] == [True, True, False, False]
    assert seen[2] is seen[3]
    assert scope.once("graph", object) is not seen[2]


def test_other_policies_enabled_in_the_next_call_see_the_next_stack() -> None:
    seen: dict[str, list[int]] = {"test-a": [], "test-b": []}

    def looks(name: str) -> Any:
        def check(graph: Graph, _: Config) -> list[Finding]:
            seen[name].append(len(graph.index.by_urn))
            return []

        return check

    server = servicer([stack_rule(name, looks(name)) for name in seen])
    configure(server, {"test-b": ("DISABLED", {})})
    server.AnalyzeStack(stack_request(resources(safe())[:2]), None)
    configure(server, {"test-a": ("DISABLED", {})})
    server.AnalyzeStack(stack_request(resources(safe())[:5]), None)
    assert seen == {"test-a": [2], "test-b": [5]}


def test_calls_at_the_same_time_do_not_share() -> None:
    def counts(graph: Graph, _: Config) -> list[Finding]:
        return [Finding("", str(len(graph.index.by_urn)))]

    server = servicer([stack_rule("test-a", counts), stack_rule("test-b", counts)])
    everything = resources(safe())

    def call(size: int) -> set[str]:
        answer = server.AnalyzeStack(stack_request(everything[:size]), None)
        return {text.splitlines()[1].rstrip(".") for *_, text in diagnostics(answer)}

    sizes = [2, 5, 8, 3] * 10
    with ThreadPoolExecutor(4) as executor:
        assert list(executor.map(call, sizes)) == [{str(size)} for size in sizes]


def test_outside_of_a_call_nothing_is_kept() -> None:
    assert scope.once("x", object) is not scope.once("x", object)
