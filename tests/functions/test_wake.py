import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.functions.healer.wake import wake_of

OWN = "arn:aws:sns:us-east-1:000000000000:healer"


def notification(topic: str) -> dict[str, object]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": topic, "Message": "anything"}}]}


@pytest.mark.parametrize(
    ("event", "wake"),
    [
        ({"wake": "schedule"}, "schedule"),
        ({"wake": "operator"}, "operator"),
        (notification(OWN), "topic"),
        (notification(OWN + "-forged"), None),
        ({}, None),
        (None, None),
        ([], None),
        ("wake", None),
        ({"wake": "now"}, None),
        ({"wake": "schedule", "more": 1}, None),
        ({"Records": []}, None),
        ({"Records": [None]}, None),
        ({"Records": [{"EventSource": "aws:sqs", "Sns": {"TopicArn": OWN}}]}, None),
        ({"Records": [*notification(OWN)["Records"], *notification("other")["Records"]]}, None),  # pyright: ignore[reportGeneralTypeIssues]
    ],
)
def test_only_the_own_topic_the_schedule_and_an_operator_wake_it(event: object, wake: str | None) -> None:
    assert wake_of(event, OWN) == wake


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["Records", "Sns", "wake", "TopicArn"]), inner)
    ),
)


@given(json_values)
def test_no_event_makes_it_raise(event: object) -> None:
    assert wake_of(event, OWN) in (None, "schedule", "operator")
