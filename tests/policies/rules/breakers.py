"""The rule on what a circuit breaker owns."""

from typing import Any

from tests.policies.rules.points import five
from tests.policies.support.changes import Change, document, hide, put, remove, several, text
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.resilience import resilient

WORK = "from-work"
MAPPINGS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*"


def ignores(*paths: str) -> Change:
    return lambda scene: scene.find(WORK).ignore(*paths)


def pauses(resource: Any, action: str = "lambda:UpdateEventSourceMapping", **condition: Any) -> Change:
    held = {"Condition": condition} if condition else {}
    return put("breaker-rights", policy=document({"Action": action, "Resource": resource, **held}))


def of(function: Any) -> dict[str, Any]:
    return {"ArnEquals": {"lambda:FunctionArn": function}}


CASES = [
    *five(
        "lambda-mapping-owned",
        start=resilient,
        fine=[ignores("*"), ignores("enabled", "scalingConfig.maximumConcurrency")],
        wrong=[
            (
                ignores(),
                "may pause event source mapping from-work, and Pulumi does not ignore its enabled, scaling",
            ),
            (ignores("enabled"), "ignore its scalingConfig"),
            (ignores("scalingConfig"), "ignore its enabled"),
            (ignores("scaling_config", "enabled"), "ignore its scalingConfig"),
            (
                pauses(MAPPINGS, **of(text("counter"))),
                "function breaker may pause event source mapping from-clicks",
            ),
        ],
        elsewhere=[
            several(ignores(), remove("breaker-rights")),
            several(ignores(), pauses(MAPPINGS, **of(arn("lambda.Function", "other")))),
            several(ignores(), pauses(MAPPINGS, "lambda:GetEventSourceMapping")),
        ],
        unknown=[
            (several(ignores(), hide("breaker-rights", "policy", "consumer")), "may pause"),
            (several(ignores(), hide("breaker-rights", "policy", WORK)), "may pause"),
            (several(ignores(), hide("breaker-rights", "policy", "work")), ""),
        ],
        configured=[(ignores(), {"deployers": ["breaker"]}, "")],
    ),
]
