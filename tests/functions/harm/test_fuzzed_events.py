"""Whatever wakes the healer: three shapes do, and nothing makes it raise."""

import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

OWN = "arn:aws:sns:us-east-1:000000000000:healer"
RECORD = {"EventSource": "aws:sns", "Sns": {"TopicArn": OWN, "Message": "anything"}}

keys = (
    st.sampled_from(["Records", "Sns", "wake", "TopicArn", "EventSource", "Message", "__proto__"]) | st.text()
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text()
    | st.sampled_from([OWN, "aws:sns", "schedule", "operator", "topic", OWN.upper(), f"{OWN} "])
)
anything = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)
record = st.just(RECORD) | st.fixed_dictionaries(
    {},
    optional={
        "EventSource": st.just("aws:sns") | leaves,
        "Sns": st.fixed_dictionaries({}, optional={"TopicArn": leaves, "Message": anything}) | anything,
        "EventVersion": leaves,
    },
)
events = (
    anything
    | st.fixed_dictionaries({"wake": leaves}, optional={"Records": anything})
    | st.fixed_dictionaries({"Records": st.lists(record, max_size=3) | anything}, optional={"wake": leaves})
)


def expected(event: Any) -> str | None:
    """The three shapes, spelled out anew."""
    for name in ("schedule", "operator"):
        if json.dumps(event) == json.dumps({"wake": name}):
            return name
    match event:
        case {"Records": [_, *_] as records} if all(is_own(each) for each in records):
            return "topic"
        case _:
            return None


def is_own(record: Any) -> bool:
    match record:
        case {"EventSource": "aws:sns", "Sns": {"TopicArn": str(topic)}}:
            return topic == OWN
        case _:
            return False


@settings(
    derandomize=True,
    max_examples=500,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events)
@example({"wake": "schedule"})
@example({"wake": "operator"})
@example({"Records": [RECORD]})
@example({"Records": [RECORD, RECORD]})
@example({"Records": [RECORD, None]})
@example({"Records": (RECORD,), "wake": "schedule"})
@example("wake")
@example({"wake": "now"})
@example({"wake": "schedule", "more": 1})
@example({"Records": []})
@example({"Records": [{"EventSource": "aws:sqs", "Sns": {"TopicArn": OWN}}]})
@example({"Records": [RECORD, {"EventSource": "aws:sns", "Sns": {"TopicArn": f"{OWN}-forged"}}]})
def test_only_the_three_known_shapes_wake_it(handler: ModuleType, event: Any) -> None:
    before = repr(event)
    woke = handler.wake_of(event, OWN)
    if isinstance(event, dict) and isinstance(event.get("Records"), tuple):
        assert woke is None
        return
    assert woke == expected(event)
    assert repr(event) == before
