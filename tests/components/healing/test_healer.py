"""The healer as it is registered: what it is told, what wakes it, who watches it."""

import json

import pytest
from pulumi.runtime import rpc

from selfheal.components.errors import ComponentError
from selfheal.components.healing.healer import Healer
from selfheal.functions.shared.contract import Mode
from tests.components.support.deployments import healer, target
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, Registration, deploy

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:healer-topic-1a2b3c4"
PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:healer-escalation-1a2b3c4"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:healer-1a2b3c4"
OWN = {"healer-errors", "healer-silent", "healer-lost-events", "healer-dropped-events"}


def function(deployment: Deployment) -> Registration:
    return deployment.of("aws:lambda/function:Function")[0]


@pytest.mark.parametrize("preview", [True, False])
def test_the_function(preview: bool) -> None:
    inputs = function(healer(preview)).inputs
    assert inputs["timeout"] == 30
    # A new account, whose quota is 10, cannot reserve any: `up` would stop half-way.
    assert inputs["reservedConcurrentExecutions"] == -1


def test_a_concurrency_of_1_is_reserved_on_request() -> None:
    assert function(healer(reserve_concurrency=True)).inputs["reservedConcurrentExecutions"] == 1


@pytest.mark.parametrize("preview", [True, False])
def test_alarms_on_targets_wake_the_healer_and_tell_people(preview: bool) -> None:
    deployment = healer(preview, targets=[target(instrumented=True)])
    watching = [alarm for alarm in deployment.of(ALARM) if alarm.name not in OWN]
    assert len(watching) == 3
    policies = {policy.urn for policy in deployment.of("aws:sns/topicPolicy:TopicPolicy")}
    topics = {topic.urn for topic in deployment.of("aws:sns/topic:Topic")}
    for alarm in watching:
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [TOPIC, PEOPLE]
        # An alarm that fires before its topic accepts it would tell nobody.
        assert policies | topics <= alarm.dependencies


@pytest.mark.parametrize("preview", [True, False])
def test_alarms_on_the_healer_tell_people_only(preview: bool) -> None:
    deployment = healer(preview)
    own = [alarm for alarm in deployment.of(ALARM) if alarm.name in OWN]
    assert {alarm.name for alarm in own} == OWN
    for alarm in own:
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [PEOPLE]
        assert "https://" in alarm.inputs["alarmDescription"]


def test_the_healers_errors_and_its_silence_are_alarms() -> None:
    deployment = healer()
    errors, silent = deployment.named("healer-errors").inputs, deployment.named("healer-silent").inputs
    dimensions = {"FunctionName": "healer-1a2b3c4"}
    assert (errors["metricName"], errors["threshold"], errors["period"]) == ("Errors", 1, 60)
    assert errors["treatMissingData"] == "notBreaching"
    assert (silent["metricName"], silent["comparisonOperator"]) == ("Invocations", "LessThanThreshold")
    assert silent["period"] * silent["evaluationPeriods"] == 300
    assert silent["treatMissingData"] == "breaching"
    assert errors["dimensions"] == silent["dimensions"] == dimensions
    lost = deployment.named("healer-lost-events").inputs
    assert lost["dimensions"] == {"QueueName": "healer-failures-1a2b3c4"}
    dropped = deployment.named("healer-dropped-events").inputs
    assert (dropped["metricName"], dropped["threshold"], dropped["period"]) == ("AsyncEventsDropped", 1, 60)
    assert (dropped["namespace"], dropped["dimensions"]) == ("AWS/Lambda", dimensions)
    assert dropped["treatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("partition", "region", "page"),
    [
        ("aws", "eu-west-1", "https://console.aws.amazon.com/lambda/home?region=eu-west-1"),
        ("aws-cn", "cn-north-1", "https://console.amazonaws.cn/lambda/home?region=cn-north-1"),
        (
            "aws-us-gov",
            "us-gov-west-1",
            "https://console.amazonaws-us-gov.com/lambda/home?region=us-gov-west-1",
        ),
    ],
)
def test_alarms_link_to_the_function_in_the_console_of_the_partition_and_region(
    partition: str, region: str, page: str
) -> None:
    def program() -> None:
        Healer("healer", {"targets": [target(instrumented=True)], "ledger_name": "ledger"})

    answers = {
        "aws:index/getPartition:getPartition": lambda _: {"partition": partition, "dnsSuffix": "example.com"},
        "aws:index/getRegion:getRegion": lambda _: {"region": region},
    }
    alarms = deploy(program, preview=True, invokes=answers).of(ALARM)
    for alarm in alarms:
        name = "healer-1a2b3c4" if alarm.name in OWN else "orders-fn"
        assert alarm.inputs["alarmDescription"].endswith(f"{page}#/functions/{name}?tab=monitoring")


def test_it_is_woken_by_its_topic() -> None:
    deployment = healer()
    [subscription] = deployment.of("aws:sns/topicSubscription:TopicSubscription")
    assert subscription.inputs == {"topic": TOPIC, "protocol": "lambda", "endpoint": FUNCTION_ARN}
    assert deployment.named("healer-invoke-topic").urn in subscription.dependencies


def test_it_is_woken_every_minute() -> None:
    deployment = healer()
    [rule] = deployment.of("aws:cloudwatch/eventRule:EventRule")
    assert rule.inputs["scheduleExpression"] == "rate(1 minute)"
    [scheduled] = deployment.of("aws:cloudwatch/eventTarget:EventTarget")
    assert json.loads(scheduled.inputs["input"]) == {"wake": "schedule"}
    assert scheduled.inputs["rule"] == "healer-schedule-1a2b3c4"
    assert deployment.named("healer-invoke-schedule").urn in scheduled.dependencies


def test_events_fail_once_and_end_in_a_queue_of_their_own() -> None:
    deployment = healer()
    [limits] = deployment.of("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
    assert limits.inputs["maximumRetryAttempts"] == 0
    assert limits.inputs["maximumEventAgeInSeconds"] == 60
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:healer-failures-1a2b3c4"
    assert limits.inputs["destinationConfig"] == {"onFailure": {"destination": queue_arn}}
    [queue] = deployment.of("aws:sqs/queue:Queue")
    assert queue.inputs["sqsManagedSseEnabled"] is True
    assert deployment.of("aws:lambda/eventSourceMapping:EventSourceMapping") == []
    # What wakes it comes after what limits it.
    for name in ("healer-subscription", "healer-schedule-target"):
        assert limits.urn in deployment.named(name).dependencies


@pytest.mark.parametrize(("given", "protected"), [({}, True), ({"protect_ledger": False}, False)])
def test_the_ledger_is_protected_by_default(given: dict[str, bool], protected: bool) -> None:
    [table] = healer(**given).of("aws:dynamodb/table:Table")
    assert table.inputs["name"] == "ledger"
    assert (table.inputs["hashKey"], table.inputs["rangeKey"]) == ("pk", "sk")
    assert table.inputs["billingMode"] == "PAY_PER_REQUEST"
    assert table.inputs["ttl"] == {"attributeName": "expires_at", "enabled": True}
    assert table.inputs["pointInTimeRecovery"] == {"enabled": True}
    assert table.inputs["deletionProtectionEnabled"] is protected


def test_the_ledger_says_which_healer_mode_targets_and_alarms_were_deployed() -> None:
    deployment = healer(
        mode=Mode.SUGGEST, targets=[target(name="b"), target(name="a", function_name="other")]
    )
    [item] = deployment.of("aws:dynamodb/tableItem:TableItem")
    written = json.loads(item.inputs["item"])
    assert (written["pk"], written["sk"]) == ({"S": "deployment"}, {"S": "healer"})
    assert written["mode"] == {"S": "suggest"}
    assert written["targets"] == {"L": [{"S": "b"}, {"S": "a"}]}
    assert {name: [each["S"] for each in of["L"]] for name, of in written["alarms"]["M"].items()} == {
        "b": ["healer-b-backstop-1a2b3c4", "healer-b-slow-1a2b3c4"],
        "a": ["healer-a-backstop-1a2b3c4", "healer-a-slow-1a2b3c4"],
    }
    assert written["budget"] == {"N": "12"}
    assert function(deployment).urn in item.dependencies


def test_people_are_subscribed_by_e_mail() -> None:
    deployment = healer(escalation_emails=["a@example.com", "b@example.com"])
    mails = [s for s in deployment.of("aws:sns/topicSubscription:TopicSubscription") if "email" in s.name]
    assert {(mail.inputs["topic"], mail.inputs["protocol"]) for mail in mails} == {(PEOPLE, "email")}
    addresses = [mail.inputs["endpoint"] for mail in mails]
    assert [rpc.is_rpc_secret(address) for address in addresses] == [True, True]
    assert {rpc.unwrap_rpc_secret(address) for address in addresses} == {"a@example.com", "b@example.com"}
    assert not any("example" in resource.name for resource in deployment.resources)


@pytest.mark.parametrize(
    ("emails", "text"),
    [(["oncall"], r"must hold e-mail addresses .* got 'oncall'"), (["a@b.c", "a@b.c"], "more than once")],
)
def test_what_is_no_address_is_refused(emails: list[str], text: str) -> None:
    with pytest.raises(ComponentError, match=text):
        healer(escalation_emails=emails)


@pytest.mark.parametrize("preview", [True, False])
def test_the_dashboard_shows_rates_alarms_and_the_healer(preview: bool) -> None:
    deployment = healer(
        preview, targets=[target(instrumented=True), target(name="users", function_name="users-fn")]
    )
    [dashboard] = deployment.of("aws:cloudwatch/dashboard:Dashboard")
    assert dashboard.inputs["dashboardName"] == "healer-1a2b3c4"
    widgets = json.loads(dashboard.inputs["dashboardBody"])["widgets"]
    healing, times, states, *graphs = [widget["properties"] for widget in widgets]
    own = {("selfheal", "FunctionName", "healer-1a2b3c4")}
    assert healing["title"] == "Healing or hurting"
    assert [line[1] for line in healing["metrics"]] == [
        "Recovered",
        "Ineffective",
        "Escalated",
        "Acts",
        "Reverted",
    ]
    assert [line[1] for line in times["metrics"]] == ["TimeToDetect", "TimeToAct", "TimeToRecover"]
    assert {(line[0], *line[2:4]) for line in healing["metrics"] + times["metrics"]} == own
    assert len(states["alarms"]) == 9
    assert [graph["title"] for graph in graphs] == [
        "orders: error rate, fast (10 s)",
        "orders: error rate, backstop (60 s)",
        "orders: error rate, slow (3600 s)",
        "users: error rate, backstop (60 s)",
        "users: error rate, slow (3600 s)",
        "The healer",
    ]
    assert graphs[0]["annotations"]["horizontal"] == [{"label": "alarm", "value": 0.05}]
    spots = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(spots)) == len(spots)


def test_every_resource_belongs_to_the_component_and_outputs_are_registered() -> None:
    deployment = healer()
    [component] = deployment.of("selfheal:index:Healer")
    [detection] = deployment.of("selfheal:index:Detection")
    assert detection.parent == component.urn
    others = [resource for resource in deployment.resources if resource not in (component, detection)]
    assert {resource.parent for resource in others} == {component.urn, detection.urn}
    assert component.inputs["targets"][0]["remedies"][0]["kind"] == "environment"
    assert deployment.outputs[component.urn] == {
        "functionName": "healer-1a2b3c4",
        "ledgerTable": "ledger",
        "topicArn": TOPIC,
        "escalationTopicArn": PEOPLE,
        "approverPolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/healer-approver-1a2b3c4",
        "operatorPolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/healer-operator-1a2b3c4",
        "alarmNames": ["healer-orders-backstop-1a2b3c4", "healer-orders-slow-1a2b3c4"],
    }


def test_every_logical_name_starts_with_the_healers_so_that_two_fit_one_stack() -> None:
    names = {resource.name for resource in healer().resources}
    assert all(name == "healer" or name.startswith("healer-") for name in names)
