"""Functions and services that tell people of alarms."""

from tests.policies.innocents.shapes import errors, function, secret, service, subscribe, topic
from tests.policies.innocents.table import Innocent
from tests.policies.support.references import Ref
from tests.policies.support.scene import Scene


def slack(scene: Scene) -> None:
    service(scene)
    topic(scene, "alerts")
    function(scene, "slack", secret(scene, "webhook"), environment={"variables": {"CHANNEL": "#alerts"}})
    subscribe(scene, "alerts", "slack")
    errors(scene, "orders-errors", "orders", Ref("alerts"), okActions=[Ref("alerts")])


INNOCENTS = [
    Innocent("slack webhook", slack, "notify-slack modules: SNS topic, function, webhook in a secret"),
]
