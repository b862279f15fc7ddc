"""The catalogue of remedies is whole, and Pulumi accepts the components."""

import inspect

from pulumi.provider.experimental.analyzer import Analyzer

from selfheal.components.healing.detection import Detection
from selfheal.components.healing.healer import Healer
from selfheal.components.services.fragile_service import FragileService
from selfheal.functions.shared.contract import REMEDIES, RemedyKind


def test_every_remedy_says_what_it_calls() -> None:
    assert set(REMEDIES) == set(RemedyKind)
    for call in REMEDIES.values():
        assert set(call) == {"owner", "reads", "writes"}
        assert call["owner"] in ("pulumi", "runtime")
        on = {each["on"] for each in call["reads"] + call["writes"]}
        assert on <= {"function", "versions", "mapping", "override", "circuit"}


def test_every_kind_says_what_it_changes_who_owns_it_and_what_keeps_writers_apart() -> None:
    source = inspect.getsource(RemedyKind)
    for kind in RemedyKind:
        said = source.split(f'{kind.name} = "{kind.value}"')[1].split(" = ")[0]
        owner = "Pulumi owns it" if REMEDIES[kind]["owner"] == "pulumi" else "The healer owns it"
        assert owner in said, kind
        assert "Compare-and-swap" in said or "lease" in said, kind


def test_the_component_analyzer_accepts_them() -> None:
    found = Analyzer("selfheal").analyze([FragileService, Detection, Healer])
    definitions = found["component_definitions"]
    assert set(definitions) == {"FragileService", "Detection", "Healer"}
    required = {
        name: {key for key, prop in definition.inputs.items() if not prop.optional}
        for name, definition in definitions.items()
    }
    assert required == {
        "FragileService": {"failureRate"},
        "Detection": {"functionName", "actions"},
        "Healer": {"targets", "ledgerName"},
    }
    assert set(definitions["Healer"].outputs) == {
        "functionName",
        "ledgerTable",
        "topicArn",
        "escalationTopicArn",
        "approverPolicyArn",
        "operatorPolicyArn",
        "alarmNames",
    }
    given = {
        name: prop for each in found["type_definitions"].values() for name, prop in each.properties.items()
    }
    assert all(prop.description for prop in given.values())
    for definition in definitions.values():
        for name, prop in {**definition.inputs, **definition.outputs}.items():
            assert prop.description, f"{definition.name}.{name} has no docstring"
