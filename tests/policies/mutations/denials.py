"""Denials that leave a way from what a healer wakes back to it: text messages that may be notifications."""

from typing import Any

from tests.policies.mutations.table import Foreign
from tests.policies.support import healers
from tests.policies.support.changes import Change
from tests.policies.support.recording import ACCOUNT
from tests.policies.support.scene import Scene

DENY: dict[str, Any] = {"Effect": "Deny", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:*"}
BESIDES = frozenset({"cloudwatch-alarm-healer-health", "sns-topic-policy-closed"})


def texts(**denial: Any) -> Change:
    """Add a function to the topic of people that may publish anywhere, but for a denial."""

    def change(scene: Scene) -> None:
        denied = {key: value for key, value in {**DENY, **denial}.items() if value is not None}
        healers.function(scene, "texter", {"Action": "sns:Publish", "Resource": "*"}, denied)
        healers.subscribe(scene, "people", "texter")

    return change


TABLE = [
    Foreign(name, "lambda-healer-cycle", "topic", change, BESIDES)
    for name, change in (
        ("a denial of one account's topics", texts(Resource="arn:aws:sns:*:111122223333:*")),
        ("a denial of topics that begin so", texts(Resource=f"arn:aws:sns:*:{ACCOUNT}:other-*")),
        ("a denial on a condition", texts(Condition={"Bool": {"aws:ViaAWSService": "true"}})),
        ("a denial of another action", texts(Action="sns:Subscribe")),
        ("a denial of all but publishing", texts(Action=None, NotAction="sns:Publish")),
        ("a denial of all but topics", texts(Resource=None, NotResource="arn:aws:sns:*:*:*")),
    )
]
