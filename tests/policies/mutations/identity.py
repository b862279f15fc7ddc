"""Names that mean something else elsewhere, ledgers that others write, and production by another name."""

from typing import Any

from tests.policies.mutations.table import Foreign, foreign
from tests.policies.support.changes import THEIRS, Change, allow, put, several, statements, variables
from tests.policies.support.healers import CHANGE, ROUTES
from tests.policies.support.recording import arn
from tests.policies.support.references import Ref
from tests.policies.support.scene import Scene, physical

EUROPE, OTHERS = "eu-west-1", "999999999999"
PROVIDER = "pulumi:providers:aws"
WATCHED = ("orders", "errors", "orders-lost", "wake", "wake-policy", "people")
"""The target, its alarms and their topics."""


def at_home(scene: Scene) -> None:
    """Let the default provider, which is in us-east-1, make all that is there."""
    default = scene.add(PROVIDER, "default_7_51_1", region="us-east-1", version="7.51.1")
    for item in scene.items:
        if item is not default:
            item.by(default)


def moved(provider: dict[str, Any], *names: str) -> Change:
    """Let an explicit provider make these resources, and the default one all others."""

    def change(scene: Scene) -> None:
        at_home(scene)
        made = scene.add(PROVIDER, "elsewhere", **provider)
        for name in names:
            scene.find(name).by(made)

    return change


def at_home_too(name: str) -> Change:
    """Let the healer change what has this name in its own region."""
    return statements(lambda held: held[0].update(Resource=arn("lambda.Function", physical(name))), *THEIRS)


def twin(type_: str, name: str, *, region: str = "", account: str = "") -> str:
    """Return the ARN of what has the name of a resource of the stack, in another region or account."""
    parts = arn(type_, physical(name)).split(":")
    parts[3], parts[4] = region or parts[3], account or parts[4]
    return ":".join(parts)


def on_twins(**elsewhere: str) -> Change:
    """Let the healer change, beside its target, the function of the same name elsewhere."""
    return allow(CHANGE, twin("lambda.Function", "orders", **elsewhere))


def fires_at(**elsewhere: str) -> Change:
    topic = twin("sns.Topic", "wake", **elsewhere)
    return put("errors", alarmActions=[topic, Ref("people")], okActions=[topic, Ref("people")])


def in_stack(name: str) -> Change:
    return lambda scene: setattr(scene, "stack", name)


def without(*names: str) -> Change:
    """Take these variables from the healer's environment."""

    def change(scene: Scene) -> None:
        held = scene.find("medic").get("environment")["variables"]
        kept = {key: value for key, value in held.items() if key not in names}
        scene.find("medic").put("environment", to={"variables": kept})

    return change


TABLE: list[Foreign] = [
    *foreign(
        "lambda-healer-production",
        *(
            (
                f"a healer without a budget in a stack called {name}",
                route,
                several(in_stack(name), without("BUDGET")),
            )
            for name, route in (("live", "topic"), ("production", "queue"), ("eu-prod", "alarm action"))
        ),
        (
            "a healer without people in a stack of a name",
            "topic",
            several(in_stack("main"), without("ESCALATION_TOPIC_ARN")),
        ),
        (
            "a budget that is none in a stack of a name",
            "event rule",
            several(in_stack("devel"), variables("medic", BUDGET="1000")),
        ),
    ),
    *foreign(
        "lambda-function-failure-rate",
        (
            "failures in a stack called live",
            "topic",
            several(in_stack("live"), variables("orders", FAILURE_RATE="0.1")),
        ),
    ),
    *foreign(
        "iam-policy-writes-on-targets",
        *(
            (f"its target's twin in another region by {route}", route, on_twins(region=EUROPE))
            for route in ROUTES
        ),
        ("its target's twin in another account", "topic", on_twins(account=OTHERS)),
        ("its target's twin, with providers", "queue", several(at_home, on_twins(region=EUROPE))),
    ),
    *foreign(
        "iam-policy-writes-on-targets",
        (
            "a target that an explicit provider makes elsewhere",
            "topic",
            several(moved({"region": EUROPE}, *WATCHED), at_home_too("orders")),
        ),
        (
            "a target that a second provider makes, with a region of its own",
            "topic",
            several(
                moved({}, *WATCHED), *(put(name, region=EUROPE) for name in WATCHED), at_home_too("orders")
            ),
        ),
        besides="cloudwatch-alarm-healer-health",  # its people are elsewhere as well
    ),
    *foreign(
        "lambda-healer-woken",
        ("an alarm of the topic's twin in another region", "topic", fires_at(region=EUROPE)),
        ("an alarm of the topic's twin in another account", "topic", fires_at(account=OTHERS)),
        ("a topic in another region than its alarm", "topic", moved({"region": EUROPE}, "errors")),
    ),
]
