"""The points of every rule once more, through the real pack over its own protocol: one process for all.

What the pure tests say of a rule must hold when a proxy, a schema and a level stand between.
"""

from collections.abc import Generator, Mapping
from typing import Any

import pytest
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN

from selfheal.sandbox.provider import wire
from tests.conftest import ROOT
from tests.policies.rules.stacks import careful
from tests.policies.rules.test_points import CASES, Case
from tests.policies.support import WIRES, WIRING, resources, safe
from tests.policies.test_wiring import UNRESOLVED, VIOLATIONS
from tests.support.policy_client import Analyzed, Level, Pack, Violation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pack() -> Generator[Pack]:
    with Pack(ROOT / "policies", project="other") as running:
        yield running


def on_the_wire(value: Any) -> Any:
    if value is UNKNOWN:
        return wire.UNKNOWN
    if isinstance(value, Mapping):
        return {key: on_the_wire(each) for key, each in value.items() if each is not None}
    return [on_the_wire(each) for each in value] if isinstance(value, list | tuple) else value


def _is_given(resource: Resource, key: str) -> bool:
    """The engine sends an entry for what the program gave; what is merely computed has none."""
    computed = resource.props[key] is UNKNOWN or (resource.type, key) == ("aws:sns/topic:Topic", "policy")
    return key in resource.references or not computed


def analyzed(resource: Resource) -> Analyzed:
    properties = on_the_wire(resource.props)
    given = {key: resource.references.get(key, ()) for key in properties if _is_given(resource, key)}
    return Analyzed(
        resource.urn,
        resource.type,
        resource.name,
        properties,
        dependencies=tuple(sorted({urn for urns in given.values() for urn in urns})),
        property_dependencies=given,
    )


def judged(pack: Pack, stack: list[Resource], config: Mapping[str, Any] | None = None) -> list[Violation]:
    pack.configure(config or {})
    sent = [analyzed(resource) for resource in stack]
    return [each for one in sent for each in pack.analyze(one)] + pack.analyze_stack(sent)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.point}")
def test_scope_behaviour_and_advice(pack: Pack, case: Case) -> None:
    stack = careful()
    case.change(stack)
    config = {case.rule: case.config} if case.config else {}
    told = [each for each in judged(pack, stack.resources(), config) if each.policy == case.rule]
    assert len(told) == len(case.finds), told
    for part in case.finds:
        # The pack makes a sentence of a finding, which begins with a capital.
        assert any(part.lower() in each.message.lower() for each in told), told


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("wired", WIRES)
def test_safe_wiring_raises_none_of_the_wiring_rules(pack: Pack, wired: str, preview: bool) -> None:
    told = judged(pack, resources(safe(wired), preview=preview))
    assert [each for each in told if each.policy in WIRING] == []


@pytest.mark.parametrize("literal", [False, True], ids=["output", "literal"])
@pytest.mark.parametrize(("rule", "wired", "change"), VIOLATIONS)
def test_unsafe_wiring_raises_exactly_its_rule(
    pack: Pack, rule: str, wired: str, change: Any, literal: bool
) -> None:
    stack = safe(wired)
    change(stack)
    told = judged(pack, resources(stack, literal=literal))
    assert {each.policy for each in told if each.policy in WIRING} == {rule}
    assert {each.level for each in told if each.policy == rule} == {Level.MANDATORY}


@pytest.mark.parametrize("rule", WIRING)
def test_a_wiring_rule_is_only_advice_where_configuration_says_so(pack: Pack, rule: str) -> None:
    unsafe = [(wired, change) for name, wired, change in VIOLATIONS if name == rule]
    wired, change = (unsafe or [UNRESOLVED[0]])[0]
    stack = safe(wired)
    change(stack)
    told = judged(pack, resources(stack), {rule: {"enforcementLevel": "advisory"}})
    assert {each.level for each in told if each.policy == rule} == {Level.ADVISORY}
