"""The rules on alarms that watch nothing, are silenced or always red, and on healers that nobody watches."""

from typing import Any

from tests.policies.mutations.alarms import (
    DOWN,
    LIMIT,
    another,
    asks,
    calls,
    dimensions,
    measures,
    mutes,
    queries,
    scheduled,
)
from tests.policies.mutations.bystanders import website
from tests.policies.rules.points import Case, each, five
from tests.policies.support.changes import Change, allow, drop, hide, put, remove, several, text
from tests.policies.support.healers import healer
from tests.policies.support.references import Lost, Ref, Unknown
from tests.policies.support.scene import Scene, physical

MUTE = "cloudwatch:DisableAlarmActions"
MUTES = website(MUTE, "*")
THROTTLES = several(measures("Throttles"), allow(LIMIT, text("orders")))
SILENT = remove(DOWN, "medic-lost")
NIGHT = mutes(Ref("errors", "name"))
WARM = put("errors", warmUpConfiguration={"warmUpPeriodDurationInMinutes": 30})
CLOCK = put("errors", evaluationWindow={"wallClockWindow": {}})


def composite() -> Scene:
    """Return the stack of a careful healer that a composite alarm wakes."""
    return healer(Scene(), "composite alarm")


def sums(threshold: Any, operator: str = "GreaterThanThreshold", **more: Any) -> Change:
    return measures(threshold=threshold, comparisonOperator=operator, **more)


CASES: list[Case] = [
    *five(
        "cloudwatch-alarm-metric-published",
        fine=[
            dimensions(FunctionName=Ref("orders", "name"), Resource=Ref("orders", "name", ":live")),
            put("errors", namespace="Shop", dimensions={"FunctionName": text("orders")}),
        ],
        wrong=[(dimensions(FunctionName=text("orders")), "is an ARN")],
        elsewhere=[
            another("stock", wakes=False, dimensions={"FunctionName": text("orders")}),
        ],
        unknown=[
            (dimensions(FunctionName=Ref("orders")), "not known at preview"),
            (hide("errors", "dimensions", "orders"), ""),
        ],
        configured=[
            (
                several(put("errors", namespace="AWS/Lambda"), dimensions(FunctionName=text("orders"))),
                {"namespaces": ["AWS/Lambda"]},
                "",
            )
        ],
    ),
    *five(
        "cloudwatch-alarm-rule-readable",
        start=composite,
        fine=[asks(f"AT_LEAST(1, ALARM, ({physical('errors')}, other))"), asks(Unknown(("errors",)))],
        wrong=each("cannot be read", asks("ALARM("), asks(""), drop("either", "alarmRule")),
        unknown=[(asks(Lost("ALARM(x)")), "not known at preview and comes from no alarm")],
        configured=[(asks("ALARM("), {"readElsewhere": ["either"]}, "")],
    ),
    *five(
        "cloudwatch-alarm-both-states",
        fine=[
            sums(0),
            sums(1, "GreaterThanOrEqualToThreshold", treatMissingData="notBreaching"),
            measures(namespace="Shop", threshold=-1),
            sums(5, "LessThanThreshold", namespace="Shop"),
            sums(Lost(0), "GreaterThanOrEqualToThreshold"),
            sums(1, statistic="SampleCount"),
            measures("Invocations", comparisonOperator="LessThanThreshold", treatMissingData="breaching"),
            measures("WriteThrottleEvents", "AWS/DynamoDB", treatMissingData="breaching"),
        ],
        wrong=[
            (
                sums(0, "GreaterThanOrEqualToThreshold"),
                "always red, for Errors GreaterThanOrEqualToThreshold 0",
            ),
            (sums("0", "GreaterThanOrEqualToThreshold"), "always red"),
            (sums(-0.5), "always red"),
            (sums(0, "LessThanThreshold"), "never red"),
            (sums(0, "LessThanOrEqualToThreshold"), "red while nothing fails"),
            (sums(0, statistic="SampleCount"), "red with every call"),
            (sums(0, treatMissingData="breaching"), "red while nothing happens"),
            (
                measures("ApproximateAgeOfOldestMessage", "AWS/SQS", treatMissingData="breaching"),
                "nothing happens",
            ),
        ],
        unknown=[(hide("errors", "threshold"), "")],
        configured=[(sums(-1), {"alarms": ["errors"]}, "")],
    ),
    *five(
        "cloudwatch-alarm-throttles",
        fine=[
            measures("Throttles"),
            allow(LIMIT, text("orders")),
            several(measures("Throttles"), allow(LIMIT, text("people"))),
        ],
        wrong=[(THROTTLES, "its own act makes the alarm ring")],
        unknown=[
            (several(measures("Throttles"), allow(LIMIT, "*")), "on *"),
            (several(queries("m1"), hide("errors", "metricQueries", "orders"), allow(LIMIT, "*")), ""),
        ],
        configured=[(THROTTLES, {"alarms": ["errors"]}, "")],
    ),
    *five(
        "cloudwatch-alarm-silenced",
        fine=[
            mutes("other"),
            calls("listMetrics", "{}"),
            put("errors", evaluationWindow={"slidingWindow": {}}),
            put("errors", warmUpConfiguration={"warmUpPeriodDurationInMinutes": 0}),
        ],
        wrong=[
            (NIGHT, "mute rule nights mutes the actions of alarm errors"),
            (WARM, "for 30 minutes after each change"),
            (CLOCK, "waits for the clock"),
            (put("errors", actionsSuppressor={"alarm": "x"}), "actionsSuppressor is red"),
            (
                calls("setAlarmState", f'{{"AlarmName": "{physical("errors")}"}}'),
                "calls setAlarmState on alarm errors",
            ),
            (MUTES, f"function web may {MUTE} on * by web-policy, and so silence alarm errors"),
            (website("sns:Unsubscribe", text("wake")), "and so silence topic wake, by which a healer is"),
        ],
        elsewhere=[several(SILENT, another("stock", wakes=False), mutes(Ref("stock", "name")))],
        unknown=[
            (mutes(Lost("x")), "alarms that are not known at preview"),
            (mutes(Unknown(("errors",))), "alarm errors"),
            (hide("errors", "warmUpConfiguration"), "length is not known"),
            (hide("errors", "evaluationWindow"), "waits for the clock"),
            (hide("errors", "actionsSuppressor"), "actionsSuppressor is red"),
        ],
        configured=[
            (NIGHT, {"silencers": ["nights"]}, ""),
            (MUTES, {"silencers": ["web"]}, ""),
            (WARM, {"maximumWarmUpMinutes": 30}, ""),
            (CLOCK, {"allowWallClock": True}, ""),
        ],
    ),
    *five(
        "lambda-healer-watched",
        fine=[remove(DOWN), remove("medic-lost")],
        wrong=[(SILENT, "no alarm tells people when healer medic is down")],
        unknown=[
            (several(remove("medic-lost"), hide(DOWN, "dimensions", "medic")), ""),
            (several(remove("medic-lost"), hide(DOWN, "dimensions")), "healer medic is down"),
        ],
        configured=[(SILENT, {"watchedElsewhere": ["medic"]}, "")],
    ),
    *five(
        "events-rule-enabled",
        fine=[
            scheduled("ENABLED"),
            several(scheduled("DISABLED"), put("each-hour", target={"arn": Ref("people")})),
        ],
        wrong=[(scheduled("DISABLED"), "schedule each-hour, which wakes a healer, is in state DISABLED")],
        unknown=[(scheduled(Lost("DISABLED")), "not known at preview")],
        configured=[(scheduled("DISABLED"), {}, "is in state DISABLED")],
    ),
]
