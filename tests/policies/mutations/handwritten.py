"""Unsafe healers of other teams, by every route: whoever wrote them and however they are wired."""

import json
from collections.abc import Callable

from tests.support.policy_healers import ROUTES, acts_on, healer, lambda_arn
from tests.support.policy_mutations import Change, Table
from tests.support.policy_recording import ACCOUNT
from tests.support.policy_scene import SUFFIX, Scene

TABLE = Table()


def wide_open(route: str) -> Change:
    def change(scene: Scene) -> None:
        healer(scene, route, {"Action": "lambda:*", "Resource": lambda_arn(f"checkout-{SUFFIX}")})

    return change


def stray(route: str) -> Change:
    def change(scene: Scene) -> None:
        grants = acts_on(scene, scene.find("lambda.Function", "fragile"))
        healer(scene, route, grants)

    return change


def by_every_route(kind: str, rule: str, make: Callable[[str], Change]) -> None:
    for route in ROUTES:
        change = make(route)
        change.__name__ = f"{kind} by {route}"
        TABLE.refused_by(rule, both=True, up=route == "queue")(change)


@TABLE.refused_by("lambda-mapping-complete")
def a_mapping_that_is_switched_off(scene: Scene) -> None:
    healer(scene, "queue")
    scene.find("lambda.EventSourceMapping", "mender-takes").put("enabled", to=False)


@TABLE.refused_by("lambda-mapping-complete")
def a_mapping_that_filters(scene: Scene) -> None:
    healer(scene, "queue")
    filters = {"filters": [{"pattern": '{"body": {"x": ["y"]}}'}]}
    scene.find("lambda.EventSourceMapping", "mender-takes").put("filterCriteria", to=filters)


@TABLE.refused_by("events-rule-enabled", both=True)
def a_rule_on_alarms_that_is_switched_off(scene: Scene) -> None:
    healer(scene, "event rule")
    scene.find("cloudwatch.EventRule", "alarm-changes").put("state", to="DISABLED")


@TABLE.refused_by("lambda-permission-scoped", both=True)
def an_alarm_that_may_not_invoke_it(scene: Scene) -> None:
    healer(scene, "alarm action")
    scene.remove(scene.find("lambda.Permission", "mender-may"))


@TABLE.refused_by("lambda-permission-scoped", both=True)
def a_rule_that_may_not_invoke_it(scene: Scene) -> None:
    healer(scene, "event rule")
    scene.remove(scene.find("lambda.Permission", "mender-may"))


@TABLE.refused_by("lambda-permission-scoped", both=True)
def a_rule_that_may_and_so_may_every_other(scene: Scene) -> None:
    healer(scene, "event rule")
    scene.find("lambda.Permission", "mender-may").drop("sourceArn")


@TABLE.refused_by("lambda-failure-destination", both=True)
def a_queue_that_gives_the_same_message_for_ever(scene: Scene) -> None:
    healer(scene, "queue")
    scene.find("sqs.Queue", "incidents-waiting").drop("redrivePolicy")


@TABLE.refused_by("cloudwatch-alarm-actions-enabled", both=True)
def a_composite_alarm_that_is_switched_off(scene: Scene) -> None:
    healer(scene, "composite alarm")
    scene.find("cloudwatch.CompositeAlarm", "checkout-bad").put("actionsEnabled", to=False)


@TABLE.refused_by("cloudwatch-alarm-reports-recovery", both=True)
def a_composite_alarm_that_does_not_report_recovery(scene: Scene) -> None:
    healer(scene, "composite alarm")
    scene.find("cloudwatch.CompositeAlarm", "checkout-bad").drop("okActions")


@TABLE.refused_by("cloudwatch-alarm-reports-recovery")
def a_rule_that_passes_on_failures_only(scene: Scene) -> None:
    healer(scene, "event rule")
    waker = scene.find("cloudwatch.MetricAlarm", "checkout-errors")
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [waker.name], "state": {"value": ["ALARM"]}},
    }
    scene.find("cloudwatch.EventRule", "alarm-changes").put("eventPattern", to=json.dumps(pattern))


@TABLE.refused_by("cloudwatch-alarm-reaches-people", both=True)
def an_alarm_that_only_the_healer_hears(scene: Scene) -> None:
    healer(scene, "second topic")
    waker = scene.find("cloudwatch.MetricAlarm", "checkout-errors")
    incidents = scene.ref(scene.find("sns.Topic", "incidents"))
    waker.put("alarmActions", to=[incidents]).put("okActions", to=[incidents])


@TABLE.refused_by("sns-topic-policy-closed", both=True)
def a_second_topic_that_is_open(scene: Scene) -> None:
    healer(scene, "second topic")
    scene.remove(scene.find("sns.TopicPolicy", "incidents-closed"))


@TABLE.refused_by("lambda-healer-timeout", both=True)
def a_healer_that_runs_for_minutes(scene: Scene) -> None:
    healer(scene, "event rule").put("timeout", to=600)


@TABLE.refused_by("iam-role-boundary", both=True)
def a_healer_without_bounds(scene: Scene) -> None:
    healer(scene, "alarm action")
    scene.find("iam.Role", "mender-identity").drop("permissionsBoundary")


@TABLE.refused_by("iam-policy-readable", both=True)
def a_healer_whose_role_is_elsewhere(scene: Scene) -> None:
    healer(scene, "queue").put("role", to=f"arn:aws:iam::{ACCOUNT}:role/made-by-hand")


by_every_route("a wide open healer", "iam-policy-action-wildcard", wide_open)
by_every_route("a healer of something else", "iam-policy-writes-on-targets", stray)
