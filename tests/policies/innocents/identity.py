"""Programs of several regions, in which one name stands for several things."""

from tests.policies.innocents.table import Innocent
from tests.policies.mutations.identity import EUROPE, PROVIDER, at_home
from tests.policies.support import healers
from tests.policies.support.references import Ref
from tests.policies.support.scene import Scene, physical


def everything_elsewhere(scene: Scene) -> None:
    """A careful healer, all of it made by an explicit provider."""
    healers.healer(scene, "queue")
    made = scene.add(PROVIDER, "europe", region=EUROPE)
    for item in scene.items:
        if item is not made:
            item.by(made)


def a_twin_that_only_people_hear_of(scene: Scene) -> None:
    """Beside a healed function, one of the same name in another region, whose alarm is for people."""
    healers.healer(scene)
    at_home(scene)
    before = list(scene.items)
    made = scene.add(PROVIDER, "europe", region=EUROPE)
    healers.function(scene, "twin").put("name", to=physical("orders"))
    scene.add("sns.Topic", "europeans")
    scene.add(
        "sns.TopicSubscription",
        "to-europeans",
        topic=Ref("europeans"),
        protocol="email",
        endpoint="oncall@example.com",
    )
    for name in ("twin-errors", "twin-lost"):
        healers.alarm(scene, name, "twin", "europeans")
    lost = scene.find("twin-lost").put("dimensions", to={"QueueName": Ref("twin-dead", "name")})
    lost.put("metricName", to="ApproximateNumberOfMessagesVisible")
    for item in scene.items:
        if item not in before and item is not made:
            item.by(made)


def two_regions_by_a_property(scene: Scene) -> None:
    """As with release 7 of pulumi-aws: one provider, and a property that says the region."""
    healers.healer(scene, "event rule")
    at_home(scene)
    for item in scene.items:
        if not item.type.startswith(("aws:iam", PROVIDER)):
            item.put("region", to=EUROPE)


REGIONS = "a program in several regions, with explicit providers as in Pulumi's guide to multi-region"

INNOCENTS = [
    Innocent("a healer whose provider is explicit", everything_elsewhere, REGIONS),
    Innocent("a function of the same name in another region", a_twin_that_only_people_hear_of, REGIONS),
    Innocent("a healer whose resources say their region", two_regions_by_a_property, REGIONS),
]
