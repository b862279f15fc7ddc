"""The unmodified program raises nothing, in any stack, and its healer is seen for what it is."""

import pytest
from selfheal_policies.graph import Graph

from tests.policies.program import STACKS, registered
from tests.policies.support import WIRING, judge


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("preview", [True, False])
def test_the_clean_program_raises_nothing(stack: str, preview: bool) -> None:
    graph = Graph(registered(stack, preview=preview))
    assert [healer.name for healer in graph.healers] == ["healer"]
    assert judge(graph, WIRING) == {}


def test_its_target_is_the_service_and_its_own_health_is_for_people() -> None:
    graph = Graph(registered("dev", preview=True))
    names = {key: resource.name for key, resource in graph.index.by_urn.items()}
    assert {names[key] for key in graph.targets_of(graph.healers[0])} == {"fragile"}
    assert {alarm.name for alarm in graph.health_alarms.values()} == {
        "healer-errors",
        "healer-silent",
        "healer-lost-events",
    }
    assert [topic.name for topic, _ in graph.wake_topics.values()] == ["healer-topic"]


@pytest.mark.parametrize(
    "config",
    [
        {"traffic": "alias", "remedies": '["rollback_alias", "override"]'},
        {"remedies": '["override", "environment"]'},
        {"remedies": "[]"},
        {"mode": "suggest"},
        {"reserveConcurrency": "false"},
    ],
)
def test_its_other_settings_raise_nothing(config: dict[str, str]) -> None:
    assert judge(Graph(registered("dev", preview=True, **config)), WIRING) == {}
