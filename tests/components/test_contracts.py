"""What both sides must agree on although neither imports the other, and what Pulumi must accept."""

import inspect
import json
from enum import StrEnum

import pytest
from pulumi.provider.experimental.analyzer import Analyzer

import selfheal.functions.fragile.core as fragile
import selfheal.functions.healer.words as healer
from selfheal.components import fragile_service, grants, metrics, remedies
from selfheal.components.detection import Detection
from selfheal.components.fragile_service import FragileService
from selfheal.components.healer import Healer
from selfheal.components.wakeups import SCHEDULE_EVENT
from selfheal.functions.healer import wake
from selfheal.functions.shared import emf


@pytest.mark.parametrize(
    ("ours", "theirs"), [(fragile_service.FaultMode, fragile.FaultMode), (remedies.Mode, healer.Mode)]
)
def test_components_and_code_know_the_same_words(ours: type[StrEnum], theirs: type[StrEnum]) -> None:
    assert {member.name: member.value for member in ours} == {member.name: member.value for member in theirs}


def test_the_fast_alarm_reads_what_the_code_emits() -> None:
    assert metrics.INSTRUMENTED_NAMESPACE == emf.NAMESPACE


def test_the_schedule_says_what_the_code_knows() -> None:

    assert wake.wake_of(SCHEDULE_EVENT, "arn:any") == wake.SCHEDULE


def test_every_remedy_says_what_it_calls() -> None:

    calls = json.loads(grants.CALLS.read_text())
    assert set(calls) == {kind.value for kind in remedies.RemedyKind}
    for call in calls.values():
        assert set(call) == {"owner", "reads", "writes"}
        assert call["owner"] in ("pulumi", "runtime")
        assert {each["on"] for each in call["reads"] + call["writes"]} <= {"function", "mapping", "override"}


def test_every_kind_says_what_it_changes_who_owns_it_and_what_keeps_writers_apart() -> None:
    source = inspect.getsource(remedies.RemedyKind)
    calls = json.loads(grants.CALLS.read_text())
    for kind in remedies.RemedyKind:
        said = source.split(f'{kind.name} = "{kind.value}"')[1].split(" = ")[0]
        owner = "Pulumi owns it" if calls[kind.value]["owner"] == "pulumi" else "The healer owns it"
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


@pytest.mark.parametrize(
    ("component", "token"), [(FragileService, "FragileService"), (Detection, "Detection"), (Healer, "Healer")]
)
def test_components_are_named_like_their_tokens(component: type, token: str) -> None:
    assert component.__name__ == token
