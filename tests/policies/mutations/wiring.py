"""Mutations of how alarms reach the healer and people."""

from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.mutations.table import refused_by
from tests.policies.support import healers
from tests.policies.support.changes import (
    OURS,
    Change,
    add,
    allow,
    document,
    drop,
    put,
    remove,
    several,
    statements,
    text,
)
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Ref
from tests.policies.support.scene import Scene

FAST = "healer-fragile-fast"
PERMISSION = "healer-invoke-topic"
WAKE = Ref("healer-topic")
PEOPLE = Ref("healer-escalation")


def rings(alarm: str, *actions: Any) -> Change:
    return put(alarm, alarmActions=list(actions), okActions=list(actions))


def only_alarms(**changes: Any) -> Change:
    return statements(lambda held: held[0].update(changes), "healer-topic-policy")


def two_healers_that_wake_each_other(scene: Scene) -> None:
    """Ours changes checkout, whose alarm wakes the other, which changes fragile, whose alarm wakes ours."""
    healers.function(scene, "checkout")
    healers.function(scene, "mender", healers.acts_on("fragile"))
    healers.topic(scene, "incidents")
    healers.subscribe(scene, "incidents", "mender")
    healers.alarm(scene, "checkout-errors", "checkout", "incidents", "healer-escalation")
    healers.alarm(scene, "fragile-errors", "fragile", "incidents", "healer-escalation")
    healers.alarm(scene, "checkout-wakes-ours", "checkout", "healer-topic", "healer-escalation")
    for name in OURS:
        scene.find(name).document(
            lambda held: [
                each.update(healers.acts_on("checkout")) for each in held if healers.CHANGE in each["Action"]
            ]
        )


TABLE = [
    *refused_by(
        "lambda-permission-scoped",
        ("no permission for the topic", remove(PERMISSION), "up"),
        ("a permission for every topic", drop(PERMISSION, "sourceArn")),
        ("a permission for another topic", put(PERMISSION, sourceArn=PEOPLE), "both"),
        (
            "a permission for a pattern of topics",
            put(PERMISSION, sourceArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:*"),
        ),
        ("a permission for an alias and a subscription without", put(PERMISSION, qualifier="live")),
        ("a permission for everybody", put(PERMISSION, principal="*")),
        (
            "a subscription of an alias and a permission without",
            several(
                add(
                    "lambda.Alias",
                    "live",
                    functionName=Ref("healer", "name"),
                    functionVersion="1",
                    name="live",
                ),
                put("healer-subscription", endpoint=Ref("live")),
                put("healer-events", qualifier="live"),
            ),
            "both",
        ),
    ),
    *refused_by(
        "sns-subscription-unfiltered",
        ("a filtered subscription", put("healer-subscription", filterPolicy='{"severity": ["high"]}')),
    ),
    *refused_by(
        "lambda-healer-woken",
        ("a healer that nothing wakes", remove("healer-subscription", PERMISSION), "both"),
    ),
    *refused_by(
        "cloudwatch-alarm-actions-enabled",
        ("an alarm that is switched off", put(FAST, actionsEnabled=False), "up"),
    ),
    *refused_by(
        "cloudwatch-alarm-reports-recovery",
        ("an alarm that does not report recovery", put(FAST, okActions=[PEOPLE]), "both"),
        ("an alarm without any recovery", drop(FAST, "okActions")),
    ),
    *refused_by(
        "cloudwatch-alarm-reaches-people",
        ("an alarm that tells no one", put(FAST, alarmActions=[WAKE]), "both"),
    ),
    *refused_by(
        "selfheal-reference-resolved",
        ("an action that cannot be followed", put(FAST, alarmActions=[WAKE, PEOPLE, UNKNOWN])),
    ),
    *refused_by(
        "cloudwatch-alarm-wakes-healer",
        ("an alarm that wakes the healer when all is well", put(FAST, alarmActions=[PEOPLE]), "both"),
    ),
    *refused_by(
        "events-rule-enabled",
        ("a schedule that is switched off", put("healer-schedule", state="DISABLED"), "up"),
    ),
    *refused_by(
        "sns-subscription-complete", ("a permission without a subscription", remove("healer-subscription"))
    ),
    *refused_by(
        "lambda-healer-cycle",
        ("a healer that may wake itself", allow("sns:Publish", text("healer-topic"), OURS), "up"),
        ("two healers that wake each other", two_healers_that_wake_each_other, "both"),
    ),
    *refused_by(
        "cloudwatch-alarm-healer-health",
        ("an alarm on the healer that wakes it", rings("healer-errors", WAKE, PEOPLE), "both", "up"),
        ("an alarm on the lost events that wakes it", rings("healer-lost-events", WAKE, PEOPLE), "both"),
    ),
    *refused_by(
        "lambda-failure-destination",
        ("no failure destination", drop("healer-events", "destinationConfig"), "up"),
        (
            "failures that wake the healer",
            put("healer-events", destinationConfig={"onFailure": {"destination": WAKE}}),
            "both",
        ),
    ),
    *refused_by(
        "dynamodb-ledger-recovery",
        ("a ledger without recovery", put("healer-ledger", pointInTimeRecovery={"enabled": False}), "up"),
        ("a ledger that says nothing of recovery", drop("healer-ledger", "pointInTimeRecovery")),
    ),
    *refused_by(
        "sns-topic-key",
        ("the key that silences alarms", put("healer-topic", kmsMasterKeyId="alias/aws/sns"), "up"),
        ("the key that silences the way to people", put("healer-escalation", kmsMasterKeyId="alias/aws/sns")),
        (
            "a key that cloudwatch may not use",
            several(
                add(
                    "kms.Key",
                    "sealed",
                    policy=document(
                        {
                            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                            "Action": "kms:*",
                            "Resource": "*",
                        }
                    ),
                ),
                put("healer-topic", kmsMasterKeyId=Ref("sealed")),
            ),
            "both",
        ),
    ),
    *refused_by(
        "sns-topic-policy-closed",
        ("a topic open to everybody", only_alarms(Principal="*", Condition={}), "up"),
        (
            "a topic open to alarms of every account",
            statements(lambda held: held[0].pop("Condition"), "healer-topic-policy"),
        ),
        ("a topic without a policy", remove("healer-topic-policy")),
        (
            "a topic that another service may publish to",
            only_alarms(Principal={"Service": ["cloudwatch.amazonaws.com", "s3.amazonaws.com"]}),
        ),
    ),
]
