"""The unmodified program's healer is seen for what it is, and none of the settings makes it unsafe.

That the program as it is raises nothing is shown by the real pack, in `mutations/test_table.py`.
"""

import json

import pytest

from tests.components.support.key import BOUNDARY, KEY, key_policy
from tests.policies.support.recording import ACCOUNT, record
from tests.policies.support.references import Ref
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
        "healer-dropped-events",
    }
    assert [topic.name for topic, _ in graph.wake_topics.values()] == ["healer-topic"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        {"traffic": "alias", "remedies": '["rollback_alias", "override"]'},
        {"remedies": '["override", "environment"]'},
        {"remedies": "[]"},
        {"mode": "suggest"},
        {"reserveConcurrency": "true"},
    ],
)
def test_its_other_settings_raise_nothing(config: dict[str, str]) -> None:
    found = Scene(record("dev", config=config)).findings()
    assert found == {}


@pytest.mark.slow
@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
@pytest.mark.parametrize("stack", ["dev", "orders"])
def test_with_a_key_it_raises_only_that_the_keys_policy_is_not_seen(stack: str, up: bool) -> None:
    # In mode observe, as the orders stack is, the healer only records: it is no healer yet.
    config = {"encryptionKeyArn": KEY, "mode": "act"}
    scene = Scene(record(stack, up=up, config=config), up=up)
    found = scene.findings()
    assert set(found) == {"sns-topic-key"}
    assert all(f"key {KEY}, of which this stack says nothing" in each for each in found["sns-topic-key"])
    assert scene.findings(config={"sns-topic-key": {"allowedKeys": [KEY]}}) == {}


def test_the_key_policy_of_the_documentation_lets_alarms_publish() -> None:
    scene = Scene(record("dev"))
    # As who copies it has to, for their own account.
    policy = key_policy().replace("123456789012", ACCOUNT)
    scene.add("kms.Key", "ours", policy=policy)
    for topic in ("healer-topic", "healer-escalation"):
        scene.find(topic).put("kmsMasterKeyId", to=Ref("ours"))
    assert scene.findings() == {}
    document = json.loads(policy)
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != "AlarmsPublish"]
    scene.find("ours").put("policy", to=json.dumps(document))
    assert set(scene.findings()) == {"sns-topic-key"}


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
def test_a_boundary_of_the_organisation_has_to_be_trusted(up: bool) -> None:
    scene = Scene(record("dev", up=up, config={"permissionsBoundaryArn": BOUNDARY}), up=up)
    assert set(scene.findings()) == {"iam-role-boundary"}
    assert scene.findings(config={"iam-role-boundary": {"accepted": [BOUNDARY]}}) == {}
