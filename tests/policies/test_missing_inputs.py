"""What a program left out is missing, and not unknown, also where it gave nothing at all."""

from dataclasses import replace
from typing import Any

import pytest

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.support.changes import add, put, remove, several
from tests.policies.support.healers import healer
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene


def given_nothing(scene: Scene, name: str, *computed: str) -> None:
    """Leave a resource the inputs that the provider adds, as the engine tells of one without any."""
    item = scene.find(name)
    known = {key: item.inputs.properties[key] for key in ("name", "tagsAll") if key in item.inputs.properties}
    shown: dict[str, Any] = dict.fromkeys(("arn", "id", *computed), UNKNOWN) | known
    item.inputs = replace(item.inputs, properties=known, property_dependencies={})
    item.outputs = replace(item.outputs, properties=shown, property_dependencies={})


@pytest.mark.parametrize(
    ("change", "name", "computed", "rule", "told"),
    [
        (remove("wake-policy"), "wake", "policy", "sns-topic-policy-closed", "has no policy"),
        (
            several(
                add("sqs.Queue", "inbox"),
                add(
                    "sns.TopicSubscription",
                    "wake-inbox",
                    topic=Ref("wake"),
                    protocol="sqs",
                    endpoint=Ref("inbox"),
                ),
                add(
                    "lambda.EventSourceMapping",
                    "from-inbox",
                    eventSourceArn=Ref("inbox"),
                    functionName=Ref("medic", "name"),
                ),
            ),
            "inbox",
            "redrivePolicy",
            "sqs-queue-dead-letters",
            "queue inbox has no dead-letter queue",
        ),
        (
            put("medic-logs", retentionInDays=0),
            "medic-logs",
            "retentionInDays",
            "cloudwatch-log-group-retention",
            "log",
        ),
        (
            several(add("kms.Key", "key"), put("wake", kmsMasterKeyId=Ref("key"))),
            "key",
            "policy",
            "sns-topic-key",
            "key",
        ),
    ],
)
def test_what_was_left_out_is_called_missing(
    change: Any, name: str, computed: str, rule: str, told: str
) -> None:
    scene = healer(Scene())
    change(scene)
    given_nothing(scene, name, computed)
    found = scene.findings([rule])[rule]
    assert any(told in each for each in found), found
    assert not any("not known at preview" in each for each in found), found


def test_what_was_given_and_is_not_known_is_called_unknown() -> None:
    scene = healer(Scene())
    scene.find("wake-policy").put("policy", to=Json({"Statement": [Ref("people")]}))
    [told] = scene.findings(["sns-topic-policy-closed"])["sns-topic-policy-closed"]
    assert "not known at preview" in told
