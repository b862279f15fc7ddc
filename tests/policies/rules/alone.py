"""The rule on two healers of one function."""

from functools import partial

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.mutations.identity import a_second_healer, a_second_topic
from tests.policies.rules.points import five, notifying
from tests.policies.support import healers
from tests.policies.support.changes import grant, put, remove, several, text
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Scene

BOTH = "healers medic and nurse may both change function orders"
INVOKES = {"Action": "lambda:InvokeFunction"}


def of_a_workflow(scene: Scene) -> None:
    """Two steps of one workflow, which the alarm's topic starts by the first healer."""
    healers.function(scene, "nurse", healers.acts_on("orders"))
    trust = healers.TRUST | {"Principal": {"Service": "states.amazonaws.com"}}
    scene.add("iam.Role", "steps-role", assumeRolePolicy=Json({"Statement": [trust]}))
    may = INVOKES | {"Effect": "Allow", "Resource": [text("medic"), text("nurse")]}
    scene.add(
        "iam.RolePolicy", "steps-rights", role=Ref("steps-role", "name"), policy=Json({"Statement": [may]})
    )
    states = {name: {"Type": "Task", "Resource": text(name), "End": True} for name in ("medic", "nurse")}
    scene.add("sfn.StateMachine", "steps", roleArn=Ref("steps-role"), definition=Json({"States": states}))
    scene.add("cloudwatch.EventRule", "changes", eventPattern=healers.pattern())
    scene.add("cloudwatch.EventTarget", "to-steps", rule=Ref("changes", "name"), arn=Ref("steps"))


CASES = five(
    "lambda-healer-alone",
    fine=[
        of_a_workflow,
        # It calls the other, which is a part of it.
        several(a_second_healer, grant(INVOKES | {"Resource": text("nurse")})),
        # Of another function, and a breaker, which pauses only.
        several(a_second_healer, put("nurse-rights", policy=Json({"Statement": []}))),
        partial(a_second_healer, action="lambda:UpdateEventSourceMapping"),
    ],
    wrong=[(a_second_healer, BOTH), (a_second_topic, BOTH)],
    elsewhere=[
        several(a_second_healer, notifying),
        several(a_second_healer, remove("wake-nurse", "may-wake-nurse")),
    ],
    unknown=[(several(a_second_healer, put("wake-nurse", endpoint=UNKNOWN)), BOTH)],
    configured=[(a_second_healer, {"shared": ["orders"]}, "")],
)
