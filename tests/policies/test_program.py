"""The unmodified program's healer is seen for what it is, and none of the settings makes it unsafe.

That the program as it is raises nothing is shown by the real pack, in `mutations/test_table.py`.
"""

import pytest

from tests.policies.support.recording import record
from tests.policies.support.scene import Scene


def test_its_target_is_the_service_and_its_own_health_is_for_people() -> None:
    graph = Scene(record("dev")).graph()
    names = {key: resource.name for key, resource in graph.index.by_urn.items()}
    assert [each.name for each in graph.healers] == ["healer"]
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
    found = Scene(record("dev", config=config)).findings()
    assert set(found) == ({"lambda-healer-concurrency"} if "reserveConcurrency" in config else set())
