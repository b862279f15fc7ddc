"""Five points for every rule on scope and behaviour, and every advice: a rule without one of them fails."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.cases import CASES
from tests.policies.rules.points import POINTS, Case
from tests.policies.support.chaos import experiments
from tests.policies.support.healers import healer
from tests.policies.support.scene import RULES, Item, Scene

JUDGED = sorted({case.rule for case in CASES})


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.point}")
def test_a_rule_finds_what_it_is_for_and_nothing_else(case: Case) -> None:
    found = case.scene().findings([case.rule], {case.rule: case.config or {}}).get(case.rule, [])
    assert len(found) == bool(case.part), found
    assert all(case.part in message for message in found), found


@pytest.mark.parametrize("rule", JUDGED)
def test_a_rule_is_tested_on_five_points_and_says_what_it_is(rule: str) -> None:
    assert {case.point for case in CASES if case.rule == rule} == set(POINTS)
    described = RULES[rule]
    assert all(text.endswith(".") for text in (described.what, described.why, described.fix))
    for key, value in described.schema.items():
        assert {"type", "default", "description"} <= set(value), key
    assert json.loads(json.dumps(described.defaults)) == described.defaults


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_a_careful_healer_has_nothing_to_hear(stack: str) -> None:
    scene = healer(Scene())
    scene.stack = stack
    assert scene.findings() == {}


WEIRD = (
    UNKNOWN,
    None,
    "",
    "x",
    "{}",
    "[]",
    '{"Statement": [1, null, {}]}',
    0,
    -1,
    True,
    [],
    {},
    [None],
    [{}],
)


@contextmanager
def changed(item: Item, key: str, value: Any) -> Generator[None]:
    """Give a property a value for as long as the context lasts."""
    before = item.inputs, item.outputs
    item.put(key, to=value)
    try:
        yield
    finally:
        item.inputs, item.outputs = before  # immutable


@pytest.mark.slow
@pytest.mark.parametrize("value", WEIRD, ids=repr)
def test_no_value_of_any_property_makes_a_rule_crash(value: Any) -> None:
    scene = healer(Scene())
    for item in scene.items:
        more = {"inlinePolicies", "managedPolicyArns", "redrivePolicy", "loggingConfig", "policy"}
        for key in sorted(item.inputs.properties.keys() | more):
            with changed(item, key, value):
                scene.findings(JUDGED)


@pytest.mark.slow
@pytest.mark.parametrize("value", WEIRD, ids=repr)
def test_no_value_of_an_experiment_makes_a_rule_crash(value: Any) -> None:
    scene = experiments()
    for name in ("fails", "out", "fails-role", "fails-rights", "faults", "faults-policy", "worker"):
        item = scene.find(name)
        for key in sorted(item.inputs.properties):
            for given in (value, [value], [{"name": value, "resourceArns": [value], "parameters": [value]}]):
                with changed(item, key, given):
                    scene.findings([name for name in JUDGED if name.startswith("fis-")])
