"""The rules on state machines."""

import json
from typing import Any

from tests.policies.rules.points import each, five
from tests.policies.support.changes import Change, add, hide, put
from tests.policies.support.resilience import resilient

RETRY = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 3, "MaxDelaySeconds": 20, "JitterStrategy": "FULL"}
CATCH = {"ErrorEquals": ["States.ALL"], "Next": "After"}
AFTER: dict[str, Any] = {"Type": "Task", "Resource": "arn:x", "Retry": [RETRY], "End": True}


def task(**more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "arn:x", "Retry": [RETRY], "Catch": [CATCH], "End": True} | more


def machine(**states: Any) -> str:
    return json.dumps({"StartAt": "First", "States": {"After": AFTER, **states}})


def runs(**states: Any) -> Change:
    return put("steps", definition=machine(**states))


def retries(*retriers: dict[str, Any], **changes: Any) -> Change:
    return runs(First=task(Retry=[*retriers, RETRY | changes]))


def without(key: str) -> Change:
    return runs(First=task(Retry=[{name: value for name, value in RETRY.items() if name != key}]))


def around(state: dict[str, Any], **more: Any) -> list[Change]:
    """Put a state into a branch and into a map, which catch or do not."""
    inner = {"StartAt": "In", "States": {"In": state}}
    return [
        runs(After={"Type": "Fail"}, First={"End": True, **outer, **more})
        for outer in ({"Type": "Parallel", "Branches": [inner]}, {"Type": "Map", "ItemProcessor": inner})
    ]


def ends(**states: Any) -> Change:
    """Have nothing but a failure after what is caught."""
    return runs(After={"Type": "Fail"}, **states)


BARE = task(Retry=[])
UNCAUGHT = task(Catch=[])

CASES = [
    *five(
        "states-machine-retries",
        start=resilient,
        fine=[
            retries({"ErrorEquals": ["CircuitOpen"], "MaxAttempts": 0}),
            runs(First={"Type": "Pass", "End": True}),
        ],
        wrong=[
            (runs(First=BARE), "task First of state machine steps is never tried again"),
            (runs(First=task(Retry=[{"ErrorEquals": ["X"], "MaxAttempts": 0}])), "is never tried again"),
            (retries(JitterStrategy="NONE"), "without jitter"),
            (without("JitterStrategy"), "without jitter"),
            (without("MaxAttempts"), "without a MaxAttempts"),
            (without("MaxDelaySeconds"), "without a MaxDelaySeconds"),
            (retries(MaxAttempts=99_999_999), "at most 20"),
            *each("task In of", *around(BARE)),
            (runs(First=task(), After=BARE | {"Catch": []}), "task After of state machine steps is never"),
        ],
        elsewhere=[put("steps", definition="{}"), put("steps", definition="no JSON")],
        unknown=[(hide("steps", "definition", "consumer"), "not known at preview")],
        configured=[
            (retries(MaxDelaySeconds=3600), {"maximumDelaySeconds": 3600}, ""),
            (retries(MaxAttempts=25), {"maximumAttempts": 25}, ""),
        ],
    ),
    *five(
        "states-machine-catches",
        start=resilient,
        fine=[
            runs(First=task()),
            *around(UNCAUGHT, Catch=[CATCH]),
            # What deals with a failure has nothing behind it.
            runs(First=task(Catch=[CATCH | {"Next": "Again"}]), Again=UNCAUGHT | {"Next": "After"}),
        ],
        wrong=[
            (ends(First=UNCAUGHT), "no Catch takes every error of task First of state machine steps"),
            (ends(First=task(Catch=[{"ErrorEquals": ["CircuitOpen"], "Next": "After"}])), "task First"),
            (
                runs(
                    First={"Type": "Choice", "Choices": [{"Next": "Second"}], "Default": "Third"},
                    Second=UNCAUGHT,
                    Third=task(),
                ),
                "task Second",
            ),
            *each("task In of", *around(UNCAUGHT)),
            (
                add("sfn.StateMachine", "more", definition=machine(First=UNCAUGHT, After={"Type": "Fail"})),
                "state machine more",
            ),
        ],
        elsewhere=[put("steps", definition="{}"), put("steps", definition="[1]")],
        # states-machine-retries says that it is not known.
        unknown=[(hide("steps", "definition", "consumer"), "")],
        configured=[(ends(First=UNCAUGHT), {"accepted": ["steps"]}, "")],
    ),
]
