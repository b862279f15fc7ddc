"""Mutations of how alarms reach the healer and people."""

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.support.policy_healers import acts_on, alarm
from tests.support.policy_healers import healer as another_healer
from tests.support.policy_mutations import Table
from tests.support.policy_recording import ACCOUNT, REGION
from tests.support.policy_scene import Item, Ref, Scene, Spelling

TABLE = Table()


def healer(scene: Scene) -> Item:
    return scene.find("lambda.Function", "healer")


def fast(scene: Scene) -> Item:
    return scene.find("cloudwatch.MetricAlarm", "healer-fragile-fast")


def wake_topic(scene: Scene) -> Item:
    return scene.find("sns.Topic", "healer-topic")


def people(scene: Scene) -> Item:
    return scene.find("sns.Topic", "healer-escalation")


def subscription(scene: Scene) -> Item:
    return scene.find("sns.TopicSubscription", "healer-subscription")


def permission(scene: Scene) -> Item:
    return scene.find("lambda.Permission", "healer-invoke-topic")


@TABLE.refused_by("lambda-permission-scoped", up=True)
def no_permission_for_the_topic(scene: Scene) -> None:
    scene.remove(permission(scene))


@TABLE.refused_by("lambda-permission-scoped")
def a_permission_for_every_topic(scene: Scene) -> None:
    permission(scene).drop("sourceArn")


@TABLE.refused_by("lambda-permission-scoped", both=True)
def a_permission_for_another_topic(scene: Scene) -> None:
    permission(scene).put("sourceArn", to=scene.ref(people(scene)))


@TABLE.refused_by("lambda-permission-scoped")
def a_permission_for_a_pattern_of_topics(scene: Scene) -> None:
    permission(scene).put("sourceArn", to=f"arn:aws:sns:{REGION}:{ACCOUNT}:*")


@TABLE.refused_by("lambda-permission-scoped")
def a_permission_for_an_alias_and_a_subscription_without(scene: Scene) -> None:
    permission(scene).put("qualifier", to="live")


@TABLE.refused_by("lambda-permission-scoped")
def a_permission_for_everybody(scene: Scene) -> None:
    permission(scene).put("principal", to="*")


@TABLE.refused_by("lambda-permission-scoped", both=True)
def a_subscription_of_an_alias_and_a_permission_without(scene: Scene) -> None:
    alias = scene.add(
        "lambda.Alias",
        "live",
        functionName=scene.ref(healer(scene), "name"),
        functionVersion="1",
        name="live",
    )
    called = Ref(f"{scene.text(healer(scene))}:live", None)
    if scene.spelling is Spelling.RESOURCE:
        called = Ref(UNKNOWN, alias.urn)
    subscription(scene).put("endpoint", to=called)
    scene.find("lambda.FunctionEventInvokeConfig", "healer-events").put("qualifier", to="live")


@TABLE.refused_by("sns-subscription-unfiltered")
def a_filtered_subscription(scene: Scene) -> None:
    subscription(scene).put("filterPolicy", to='{"severity": ["high"]}')


@TABLE.refused_by("lambda-healer-woken", both=True)
def a_healer_that_nothing_wakes(scene: Scene) -> None:
    scene.remove(subscription(scene), permission(scene))


@TABLE.refused_by("cloudwatch-alarm-actions-enabled", up=True)
def an_alarm_that_is_switched_off(scene: Scene) -> None:
    fast(scene).put("actionsEnabled", to=False)


@TABLE.refused_by("cloudwatch-alarm-reports-recovery", both=True)
def an_alarm_that_does_not_report_recovery(scene: Scene) -> None:
    fast(scene).put("okActions", to=[scene.ref(people(scene))])


@TABLE.refused_by("cloudwatch-alarm-reports-recovery")
def an_alarm_without_any_recovery(scene: Scene) -> None:
    fast(scene).drop("okActions")


@TABLE.refused_by("cloudwatch-alarm-reaches-people", both=True)
def an_alarm_that_tells_no_one(scene: Scene) -> None:
    fast(scene).put("alarmActions", to=[scene.ref(wake_topic(scene))])


@TABLE.refused_by("selfheal-reference-resolved")
def an_action_that_cannot_be_followed(scene: Scene) -> None:
    kept = fast(scene).get("alarmActions")
    fast(scene).put("alarmActions", to=[*kept, UNKNOWN])


@TABLE.refused_by("cloudwatch-alarm-wakes-healer", both=True)
def an_alarm_that_wakes_the_healer_when_all_is_well(scene: Scene) -> None:
    fast(scene).put("alarmActions", to=[scene.ref(people(scene))])


@TABLE.refused_by("events-rule-enabled", up=True)
def a_schedule_that_is_switched_off(scene: Scene) -> None:
    scene.find("cloudwatch.EventRule", "healer-schedule").put("state", to="DISABLED")


@TABLE.refused_by("sns-subscription-complete")
def a_permission_without_a_subscription(scene: Scene) -> None:
    scene.remove(subscription(scene))


@TABLE.refused_by("lambda-healer-cycle", up=True)
def a_healer_that_may_wake_itself(scene: Scene) -> None:
    own = {"Effect": "Allow", "Action": "sns:Publish", "Resource": scene.text(wake_topic(scene))}
    for item in (scene.find("iam.RolePolicy", "healer-policy"), scene.find("iam.Policy", "healer-boundary")):
        item.document(lambda held: held.append(own))


@TABLE.refused_by("lambda-healer-cycle", both=True)
def two_healers_that_wake_each_other(scene: Scene) -> None:
    """Ours changes checkout, whose alarm wakes the other, which changes fragile, whose alarm wakes ours."""
    fragile = scene.find("lambda.Function", "fragile")
    another_healer(scene, "second topic", acts_on(scene, fragile))
    incidents = scene.find("sns.Topic", "incidents")
    alarm(scene, fragile, scene.ref(incidents), name="fragile-errors")
    checkout = scene.find("lambda.Function", "checkout")
    alarm(scene, checkout, scene.ref(wake_topic(scene)), name="checkout-wakes-ours")
    for item in (scene.find("iam.RolePolicy", "healer-policy"), scene.find("iam.Policy", "healer-boundary")):
        item.document(
            lambda held: [
                each.update(acts_on(scene, checkout))
                for each in held
                if "lambda:UpdateFunctionConfiguration" in each["Action"]
            ]
        )


@TABLE.refused_by("cloudwatch-alarm-healer-health", both=True, up=True)
def an_alarm_on_the_healer_that_wakes_it(scene: Scene) -> None:
    errors = scene.find("cloudwatch.MetricAlarm", "healer-errors")
    errors.put("alarmActions", to=[scene.ref(wake_topic(scene)), scene.ref(people(scene))])
    errors.put("okActions", to=[scene.ref(wake_topic(scene)), scene.ref(people(scene))])


@TABLE.refused_by("cloudwatch-alarm-healer-health", both=True)
def an_alarm_on_the_lost_events_that_wakes_it(scene: Scene) -> None:
    lost = scene.find("cloudwatch.MetricAlarm", "healer-lost-events")
    lost.put("alarmActions", to=[scene.ref(wake_topic(scene)), scene.ref(people(scene))])
    lost.put("okActions", to=[scene.ref(wake_topic(scene)), scene.ref(people(scene))])


@TABLE.refused_by("lambda-failure-destination", up=True)
def no_failure_destination(scene: Scene) -> None:
    scene.find("lambda.FunctionEventInvokeConfig", "healer-events").drop("destinationConfig")


@TABLE.refused_by("lambda-failure-destination", both=True)
def failures_that_wake_the_healer(scene: Scene) -> None:
    limits = scene.find("lambda.FunctionEventInvokeConfig", "healer-events")
    limits.put("destinationConfig", to={"onFailure": {"destination": scene.ref(wake_topic(scene))}})


@TABLE.refused_by("dynamodb-ledger-recovery", up=True)
def a_ledger_without_recovery(scene: Scene) -> None:
    scene.find("dynamodb.Table", "healer-ledger").put("pointInTimeRecovery", to={"enabled": False})


@TABLE.refused_by("dynamodb-ledger-recovery")
def a_ledger_that_says_nothing_of_recovery(scene: Scene) -> None:
    scene.find("dynamodb.Table", "healer-ledger").drop("pointInTimeRecovery")


@TABLE.refused_by("sns-topic-key", up=True)
def the_key_that_silences_alarms(scene: Scene) -> None:
    wake_topic(scene).put("kmsMasterKeyId", to="alias/aws/sns")


@TABLE.refused_by("sns-topic-key")
def the_key_that_silences_the_way_to_people(scene: Scene) -> None:
    people(scene).put("kmsMasterKeyId", to="alias/aws/sns")


@TABLE.refused_by("sns-topic-key", both=True)
def a_key_that_cloudwatch_may_not_use(scene: Scene) -> None:
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": '
        f'{{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}, "Action": "kms:*", "Resource": "*"}}]}}'
    )
    key = scene.add("kms.Key", "sealed", policy=policy)
    wake_topic(scene).put("kmsMasterKeyId", to=scene.ref(key))


@TABLE.refused_by("sns-topic-policy-closed", up=True)
def a_topic_open_to_everybody(scene: Scene) -> None:
    held = scene.find("sns.TopicPolicy", "healer-topic-policy")
    held.document(lambda statements: statements[0].update(Principal="*", Condition={}))


@TABLE.refused_by("sns-topic-policy-closed")
def a_topic_open_to_alarms_of_every_account(scene: Scene) -> None:
    held = scene.find("sns.TopicPolicy", "healer-topic-policy")
    held.document(lambda statements: statements[0].pop("Condition"))


@TABLE.refused_by("sns-topic-policy-closed")
def a_topic_without_a_policy(scene: Scene) -> None:
    scene.remove(scene.find("sns.TopicPolicy", "healer-topic-policy"))


@TABLE.refused_by("sns-topic-policy-closed")
def a_topic_that_another_service_may_publish_to(scene: Scene) -> None:
    held = scene.find("sns.TopicPolicy", "healer-topic-policy")
    services = {"Service": ["cloudwatch.amazonaws.com", "s3.amazonaws.com"]}
    held.document(lambda statements: statements[0].update(Principal=services))
