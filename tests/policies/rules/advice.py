"""The rules that advise: what people need to follow a healer."""

from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import Case, five
from tests.policies.support.changes import (
    Change,
    add,
    compute,
    drop,
    hide,
    nothing,
    put,
    remove,
    several,
    text,
)
from tests.policies.support.references import Ref

PASSED_THROUGH = put("medic", tracingConfig={"mode": "PassThrough"})
ONE_DAY = put("medic-logs", retentionInDays=1)


def writes_to(type_: str, **property_: Any) -> Change:
    """Let something write to a log group that keeps its logs for ever."""
    return several(add("cloudwatch.LogGroup", "access"), add(type_, "door", **property_))


CASES = [
    *five(
        "cloudwatch-alarm-description",
        fine=[put("errors", alarmDescription="see http://wiki/orders")],
        wrong=[
            (drop("errors", "alarmDescription"), "no description"),
            (put("errors", alarmDescription="Orders fail"), "no link"),
            (
                add(
                    "cloudwatch.MetricAlarm",
                    "silent",
                    dimensions={"FunctionName": Ref("medic", "name")},
                    alarmActions=[Ref("people")],
                ),
                "alarm silent",
            ),
        ],
        unknown=[(hide("errors", "alarmDescription", "orders"), "not known at preview")],
        configured=[
            (
                several(
                    *(put(name, alarmDescription="RUN-17") for name in ("errors", "medic-lost", "medic-down"))
                ),
                {"link": r"RUN-\d+"},
                "",
            )
        ],
    ),
    *five(
        "cloudwatch-dashboard-present",
        fine=[hide("board", "dashboardBody", "medic")],
        wrong=[
            (remove("board"), "no dashboard"),
            (put("board", dashboardBody='{"widgets": []}'), "no dashboard"),
        ],
        unknown=[(hide("board", "dashboardBody", "orders"), "no dashboard")],
        configured=[(remove("board"), {"shownElsewhere": ["medic"]}, "")],
    ),
    *five(
        "cloudwatch-log-group-retention",
        fine=[
            several(put("medic", loggingConfig={"logGroup": "own"}), put("medic-logs", name="own")),
            hide("medic", "loggingConfig", "medic-logs"),
            hide("medic-logs", "name", "medic"),
            compute("medic", loggingConfig=UNKNOWN),
        ],
        wrong=[
            (remove("medic-logs"), "no log group"),
            (put("medic-logs", retentionInDays=0), "for ever"),
            (drop("medic-logs", "retentionInDays"), "for ever"),
            (ONE_DAY, "1 days"),
            (put("medic", loggingConfig={"logGroup": "other"}), "no log group"),
        ],
        unknown=[(hide("medic-logs", "retentionInDays"), "not known at preview")],
        configured=[(ONE_DAY, {"minimumDays": 1}, ""), (nothing, {"maximumDays": 7}, "14 days")],
    ),
    *five(
        "lambda-healer-tracing",
        fine=[],
        wrong=[
            (drop("medic", "tracingConfig"), "is not traced"),
            (compute("medic", tracingConfig=UNKNOWN), "is not traced"),
            (PASSED_THROUGH, "PassThrough"),
        ],
        unknown=[(hide("medic", "tracingConfig"), "not known at preview")],
        configured=[(PASSED_THROUGH, {"modes": ["PassThrough"]}, "")],
    ),
    # Of logs that are no healer's.
    *(
        Case("cloudwatch-log-group-retention", "violating", change, part)
        for change, part in (
            (
                writes_to("apigateway.Stage", accessLogSettings={"destinationArn": Ref("access")}),
                "log group access of API stage door keeps its logs for ever",
            ),
            (
                writes_to("apigatewayv2.Stage", accessLogSettings={"destinationArn": text("access")}),
                "of API stage door",
            ),
            (
                writes_to("sfn.StateMachine", loggingConfiguration={"logDestination": text("access", ":*")}),
                "of state machine door",
            ),
        )
    ),
]
