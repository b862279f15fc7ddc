"""The rules on how a healer runs, where it may act by itself, and who may wake it."""

from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import each, five, notifying
from tests.policies.support.changes import (
    Change,
    add,
    compute,
    document,
    drop,
    hide,
    nothing,
    put,
    remove,
    several,
    text,
    variables,
)
from tests.policies.support.healers import NOBODY_ELSE, ONLY_ALARMS
from tests.policies.support.recording import ACCOUNT, arn
from tests.policies.support.references import Ref
from tests.policies.support.scene import physical

CONCURRENCY = "reservedConcurrentExecutions"
PEOPLE = text("people")
ELSEWHERE = arn("sns.Topic", "on-call")
WAKE = {"Resource": text("wake")}
OPEN, CLOSED = ONLY_ALARMS | WAKE, NOBODY_ELSE | WAKE


def in_stack(name: str) -> Change:
    return lambda scene: setattr(scene, "stack", name)


def production(**values: Any) -> Change:
    return several(in_stack("prod"), put("medic", environment={"variables": values}))


def acting(**values: Any) -> Change:
    return production(MODE="act", **values)


def rate(value: Any, stack: str = "dev") -> Change:
    return several(in_stack(stack), variables("orders", FAILURE_RATE=value))


def concurrency(value: Any) -> Change:
    return put("medic", **{CONCURRENCY: value})


def limit(**properties: Any) -> Change:
    return put("medic-events", **properties)


def queue(policy: Any) -> Change:
    """Wake the healer by a queue."""
    return several(
        add("sqs.Queue", "inbox", redrivePolicy=policy),
        add(
            "lambda.EventSourceMapping",
            "from-inbox",
            eventSourceArn=Ref("inbox"),
            functionName=Ref("medic", "name"),
        ),
        put("wake-medic", protocol="sqs", endpoint=Ref("inbox")),
    )


def topic(*statements: dict[str, Any]) -> Change:
    return put("wake-policy", policy=document(*statements))


def topic_data(*statements: dict[str, Any]) -> Change:
    """Give the policy as data, in which single entries can be unknown."""
    return put("wake-policy", policy=document(*statements).content)


def opened(**statement: Any) -> Change:
    return topic(OPEN | statement, CLOSED)


def inline(*statements: dict[str, Any]) -> Change:
    return put("wake", policy=document(*statements))


CASES = [
    *five(
        "lambda-healer-concurrency",
        # A new account cannot reserve any, so none is fine by default.
        fine=[concurrency("1"), concurrency(-1), drop("medic", CONCURRENCY)],
        wrong=[
            (concurrency(0), "never runs"),
            (concurrency(2), "is 2"),
            (concurrency("x"), "no number"),
            (concurrency("nan"), "nan"),
        ],
        unknown=[(hide("medic", CONCURRENCY), "not known at preview")],
        configured=[
            (concurrency(5), {"maximum": 5}, ""),
            (drop("medic", CONCURRENCY), {"allowUnreserved": False}, "is not set"),
            (concurrency(-1), {"allowUnreserved": False}, "not set"),
            (concurrency(9), {"allowUnreserved": False}, "is 9"),
        ],
    ),
    *five(
        "lambda-healer-timeout",
        fine=[drop("medic", "timeout"), put("medic", timeout=60)],
        wrong=[(put("medic", timeout=900), "is 900 s"), (put("medic", timeout="soon"), "no number")],
        unknown=[(hide("medic", "timeout"), "not known at preview")],
        configured=[
            (put("medic", timeout=120), {"maximumSeconds": 120}, ""),
            (nothing, {"maximumSeconds": 10}, "at most 10 s"),
        ],
    ),
    *five(
        "lambda-healer-retries",
        fine=[
            limit(functionName=text("medic")),
            limit(qualifier="$LATEST"),
            queue('{"maxReceiveCount": 3}'),
            queue('{"maxReceiveCount": "2"}'),
        ],
        wrong=[
            *each(
                "allows 2 retries",
                limit(maximumRetryAttempts=2),
                drop("medic-events", "maximumRetryAttempts"),
            ),
            *each(
                "allows 21600 seconds",
                limit(maximumEventAgeInSeconds=21600),
                limit(maximumEventAgeInSeconds=0),
                drop("medic-events", "maximumEventAgeInSeconds"),
            ),
            (limit(maximumRetryAttempts="few"), "no number"),
            *each(
                "no FunctionEventInvokeConfig",
                limit(qualifier="live"),
                put("wake-medic", endpoint=text("medic", ":live")),
            ),
            (queue('{"maxReceiveCount": 100}'), "tried 100 times"),
            (queue("{"), "has no maxReceiveCount"),
        ],
        unknown=each(
            "not known at preview",
            hide("medic-events", "maximumRetryAttempts"),
            hide("medic-events", "maximumEventAgeInSeconds"),
            several(queue("{}"), hide("inbox", "redrivePolicy")),
        ),
        configured=[
            (limit(maximumRetryAttempts=2), {"maximumRetries": 2}, ""),
            (limit(maximumEventAgeInSeconds=120), {"maximumAgeSeconds": 60}, "at most 60"),
            (queue('{"maxReceiveCount": 3}'), {"maximumReceives": 1}, "tried 3 times"),
        ],
    ),
    *five(
        "lambda-function-failure-rate",
        fine=[rate("0.3"), rate("1"), rate("0", "prod"), rate(0.0, "staging")],
        wrong=[
            *((rate(value), "number from 0 to 1") for value in ("1.5", "-0.1", "some", "nan", "", True)),
            (rate("0.3", "prod"), "in stack prod"),
            (rate("0.001", "staging"), "in stack staging"),
        ],
        elsewhere=[drop("orders", "environment"), hide("orders", "environment")],
        unknown=[(rate(UNKNOWN), "not known at preview")],
        configured=[
            (rate("0.3"), {"maximum": 0.2}, "at most 0.2"),
            (rate("7"), {"variable": "OTHER"}, ""),
        ],
    ),
    *five(
        "lambda-healer-production",
        fine=[
            production(MODE="observe"),
            acting(BUDGET="3", ESCALATION_TOPIC_ARN=PEOPLE),
            acting(BUDGET=3, ESCALATION_TOPIC_ARN=Ref("people")),
        ],
        wrong=[
            (acting(ESCALATION_TOPIC_ARN=PEOPLE), "declares no BUDGET"),
            (production(ESCALATION_TOPIC_ARN=PEOPLE), "declares no BUDGET"),
            *(
                (acting(BUDGET=value, ESCALATION_TOPIC_ARN=PEOPLE), "whole number")
                for value in ("0", "1.5", "99", "many", "nan", "inf")
            ),
            (acting(BUDGET="3"), "declares no ESCALATION_TOPIC_ARN"),
            *each(
                "nobody is subscribed",
                acting(BUDGET="3", ESCALATION_TOPIC_ARN=text("wake")),
                several(
                    acting(BUDGET="3", ESCALATION_TOPIC_ARN=text("wake")),
                    put("to-people", topic=Ref("wake")),
                ),
                acting(BUDGET="3", ESCALATION_TOPIC_ARN=ELSEWHERE),
                several(acting(BUDGET="3", ESCALATION_TOPIC_ARN=PEOPLE), put("to-people", protocol="sqs")),
            ),
        ],
        elsewhere=[variables("medic", MODE="act"), several(production(), notifying)],
        unknown=[
            (production(MODE=UNKNOWN, ESCALATION_TOPIC_ARN=PEOPLE), "declares no BUDGET"),
            (acting(BUDGET=UNKNOWN, ESCALATION_TOPIC_ARN=PEOPLE), "BUDGET is not known"),
            (acting(BUDGET="3", ESCALATION_TOPIC_ARN=UNKNOWN), "comes from no topic"),
        ],
        configured=[
            (production(STANCE="watch"), {"modeVariable": "STANCE", "passiveModes": ["watch"]}, ""),
            (
                production(ACTS="50", PAGER=ELSEWHERE),
                {
                    "budgetVariable": "ACTS",
                    "maximumBudget": 50,
                    "escalationVariable": "PAGER",
                    "topicsElsewhere": [ELSEWHERE],
                },
                "",
            ),
        ],
    ),
    *five(
        "sns-topic-policy-closed",
        fine=[
            topic(OPEN, CLOSED, {"Action": "SNS:*", "Principal": {"AWS": ACCOUNT}} | WAKE),
            topic(OPEN, CLOSED, {"Action": "sns:Subscribe", "Principal": {"AWS": ACCOUNT}} | WAKE),
            # AWS's default, which nobody gave.
            compute("wake", policy=document(OPEN | {"Principal": "*"})),
            several(remove("wake-policy"), inline(OPEN, CLOSED)),
        ],
        wrong=[
            (remove("wake-policy"), "has no policy"),
            (topic(OPEN), "does not deny"),
            (inline(OPEN | {"Principal": "*"}), "every AWS service (*)"),
            # What an attached policy replaces closes nothing.
            (several(topic(OPEN), inline(OPEN, CLOSED)), "does not deny"),
            (opened(Principal="*"), "every AWS service (*)"),
            (opened(Principal={"AWS": "*"}), "every AWS service (*)"),
            # Only services speak for an account: nobody is let in, and no alarm either.
            (opened(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), "does not let cloudwatch"),
            (
                opened(Principal={"Service": ["cloudwatch.amazonaws.com", "s3.amazonaws.com"]}),
                "s3.amazonaws.com",
            ),
            (opened(Condition={}), "any account"),
            (opened(Condition={"StringLike": {"aws:SourceAccount": "*"}}), "any account"),
            (
                topic(OPEN, CLOSED, {"Action": "SNS:*", "Principal": {"AWS": "999999999999"}} | WAKE),
                "open to AWS 999999999999",
            ),
            (put("wake-policy", policy="{"), "is no JSON"),
        ],
        unknown=[
            (hide("wake-policy", "policy", "wake"), "not known at preview"),
            # An action that is not known may be allowed, and denies nothing.
            (topic_data(OPEN, CLOSED | {"Action": [UNKNOWN]}), "does not deny"),
            (topic_data(OPEN | {"Action": [UNKNOWN], "Principal": "*"}, CLOSED), "every AWS service (*)"),
        ],
        configured=[
            (topic(OPEN), {"requireDeny": False}, ""),
            (
                opened(Principal={"Service": "events.amazonaws.com"}),
                {"publishers": ["events.amazonaws.com"]},
                "does not let cloudwatch",
            ),
            (
                topic(OPEN, CLOSED, OPEN | {"Principal": {"Service": "events.amazonaws.com"}}),
                {"publishers": ["events.amazonaws.com"]},
                "",
            ),
            (remove("wake"), {}, "not part of this stack"),
            (remove("wake"), {"topicsElsewhere": [arn("sns.Topic", physical("wake"))]}, ""),
        ],
    ),
]
