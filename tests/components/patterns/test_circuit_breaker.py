"""The circuit and its breaker on mocks: rights, environment, workflow, wake-ups, alarms, refusals."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.patterns.circuit import Circuit, CircuitArgs
from selfheal.components.patterns.circuit_breaker import CircuitBreaker, CircuitBreakerArgs
from selfheal.functions.breaker.mappings import Consumer
from selfheal.functions.shared.breaker.settings import BreakerSettings
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

pytestmark = pytest.mark.slow

PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:people"
URL = "https://bank.example/health"
ITEM = "breaker#payments"


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


TABLE = arn("dynamodb", "table/payments-circuit-1a2b3c4")
MACHINE = arn("states", "stateMachine:breaker-workflow-1a2b3c4")
MAPPING = arn("lambda", "event-source-mapping:11111111-2222-3333-4444-555555555555")


@dataclass
class Queue:
    """What the breaker needs to know of a consumer."""

    name: str
    maximum_concurrency: int = 5
    timeout_seconds: int = 30

    @property
    def function_name(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(f"{self.name}-function")

    @property
    def queue_arn(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(arn("sqs", self.name))

    @property
    def queue_url(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name}")


FULFIL, BILL = Queue("fulfil", 10), Queue("bill")


def deployed(*, preview: bool = False, settings: dict[str, float] | None = None, **args: Any) -> Deployment:
    def program() -> None:
        circuit_args: CircuitArgs = {} if settings is None else {"settings": settings}
        base: dict[str, Any] = {
            "circuit": Circuit("payments", circuit_args),
            "consumers": [FULFIL, BILL],
            "probe_url": URL,
            "people": PEOPLE,
        }
        all_args: CircuitBreakerArgs = base | args  # pyright: ignore[reportAssignmentType]
        CircuitBreaker("breaker", all_args)

    return deploy(program, preview=preview)


def policy_of(deployment: Deployment, name: str) -> str:
    return str(deployment.named(f"{name}-policy").inputs["policy"])


def environment_of(deployment: Deployment, name: str) -> dict[str, str]:
    return deployment.named(name).inputs["environment"]["variables"]


def test_the_table_is_recoverable_and_its_stream_tells_the_new_state() -> None:
    table = deployed().named("payments-circuit").inputs
    assert (table["hashKey"], table["rangeKey"], table["billingMode"]) == ("pk", "sk", "PAY_PER_REQUEST")
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert (table["streamEnabled"], table["streamViewType"]) == (True, "NEW_IMAGE")
    assert "serverSideEncryption" not in table, "by AWS's own key, which is the default"


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("function", ["breaker-controller", "breaker-wake"])
def test_both_functions_know_circuit_and_settings(function: str, preview: bool) -> None:
    deployment = deployed(preview=preview, settings={"successes": 2, "failure_rate": 0.4})
    known = environment_of(deployment, function)
    assert known["BREAKER_TABLE"] == "payments-circuit-1a2b3c4"
    assert known["CIRCUIT"] == "payments"
    assert json.loads(known["BREAKER"]) == {"failure_rate": 0.4, "successes": 2}


def test_both_are_told_the_consumers_as_their_code_reads_them() -> None:
    deployment = deployed(probe_queue=FULFIL)
    known = environment_of(deployment, "breaker-controller")
    assert environment_of(deployment, "breaker-wake")["CONSUMERS"] == known["CONSUMERS"]
    assert [Consumer(**each) for each in json.loads(known["CONSUMERS"])] == [
        Consumer("fulfil-function", arn("sqs", "fulfil"), 10),
        Consumer("bill-function", arn("sqs", "bill"), 5),
    ]
    assert json.loads(known["PROBE"]) == {
        "url": URL,
        "queue_url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/fulfil",
        "function": "fulfil-function",
    }
    assert json.loads(environment_of(deployed(), "breaker-controller")["PROBE"]) == {"url": URL}


@pytest.mark.parametrize(
    ("action", "resource", "context", "probed", "unprobed"),
    [
        ("dynamodb:GetItem", TABLE, {"dynamodb:LeadingKeys": [ITEM]}, True, True),
        ("dynamodb:UpdateItem", TABLE, {"dynamodb:LeadingKeys": [ITEM]}, True, True),
        ("dynamodb:UpdateItem", TABLE, {"dynamodb:LeadingKeys": ["breaker#other"]}, False, False),
        ("dynamodb:DeleteItem", TABLE, {"dynamodb:LeadingKeys": [ITEM]}, False, False),
        ("lambda:ListEventSourceMappings", "*", {}, True, True),
        (
            "lambda:UpdateEventSourceMapping",
            MAPPING,
            {"lambda:FunctionArn": arn("lambda", "function:bill-function")},
            True,
            True,
        ),
        (
            "lambda:UpdateEventSourceMapping",
            MAPPING,
            {"lambda:FunctionArn": arn("lambda", "function:other")},
            False,
            False,
        ),
        ("lambda:UpdateEventSourceMapping", MAPPING, {}, False, False),
        ("lambda:DeleteEventSourceMapping", MAPPING, {}, False, False),
        ("sqs:ReceiveMessage", arn("sqs", "fulfil"), {}, True, False),
        ("sqs:DeleteMessage", arn("sqs", "fulfil"), {}, True, False),
        ("sqs:ReceiveMessage", arn("sqs", "bill"), {}, False, False),
        ("lambda:InvokeFunction", arn("lambda", "function:fulfil-function"), {}, True, False),
        ("lambda:InvokeFunction", arn("lambda", "function:bill-function"), {}, False, False),
        ("states:StartExecution", MACHINE, {}, False, False),
    ],
)
def test_what_the_controller_may_do(
    action: str, resource: str, context: dict[str, Any], probed: bool, unprobed: bool
) -> None:
    for deployment, allowed in ((deployed(probe_queue=FULFIL), probed), (deployed(), unprobed)):
        policy = policy_of(deployment, "breaker-controller")
        assert iam.allows(policy, action, resource, **context) is allowed


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("dynamodb:UpdateItem", TABLE, False),
        ("dynamodb:GetRecords", f"{TABLE}/stream/2026-11-26T00:00:00.000", True),
        ("dynamodb:GetRecords", f"{TABLE}-other/stream/2026-11-26T00:00:00.000", False),
        ("states:StartExecution", MACHINE, True),
        ("states:ListExecutions", MACHINE, True),
        ("states:StopExecution", MACHINE, False),
        ("lambda:UpdateEventSourceMapping", MAPPING, False),
        ("lambda:InvokeFunction", arn("lambda", "function:fulfil-function"), False),
        ("lambda:ListEventSourceMappings", "*", True),
        ("sns:Publish", PEOPLE, True),
        ("sns:Publish", f"{PEOPLE}-others", False),
    ],
)
def test_what_the_wake_up_may_do(action: str, resource: str, allowed: bool) -> None:
    policy = policy_of(deployed(probe_queue=FULFIL), "breaker-wake")
    assert iam.allows(policy, action, resource, **{"dynamodb:LeadingKeys": [ITEM]}) is allowed


@pytest.mark.parametrize(("function", "allowed"), [("bill-function", True), ("other", False)])
def test_the_wake_up_may_correct_mappings_of_the_consumers_only(function: str, allowed: bool) -> None:
    context = {"lambda:FunctionArn": arn("lambda", f"function:{function}")}
    policy = policy_of(deployed(), "breaker-wake")
    assert iam.allows(policy, "lambda:UpdateEventSourceMapping", MAPPING, **context) is allowed


def test_no_right_is_wider_than_aws_makes_it() -> None:
    deployment = deployed(probe_queue=FULFIL)
    wide = {
        each
        for name in ("breaker-controller", "breaker-wake", "breaker-workflow")
        for each in iam.too_wide(policy_of(deployment, name))
    }
    streams = f"{TABLE}/stream/*"
    assert wide == {
        ("lambda:ListEventSourceMappings", "*"),
        *((f"dynamodb:{name}", streams) for name in ("DescribeStream", "GetRecords", "GetShardIterator")),
        ("dynamodb:ListStreams", streams),
    }


def test_the_workflow_steps_and_waits_and_retries_with_full_jitter_and_an_end() -> None:
    deployment = deployed()
    machine = deployment.named("breaker-workflow").inputs
    assert machine["type"] == "STANDARD"
    states = json.loads(machine["definition"])["States"]
    [retry] = states["Step"]["Retry"]
    assert (retry["JitterStrategy"], retry["MaxAttempts"], retry["ErrorEquals"]) == (
        "FULL",
        7,
        ["States.ALL"],
    )
    assert retry["MaxDelaySeconds"] == 20
    assert states["Step"]["Parameters"] == {
        "FunctionName": arn("lambda", "function:breaker-controller-1a2b3c4"),
        "Payload.$": "$",
    }
    assert states[states["Step"]["Catch"][0]["Next"]]["Type"] == "Fail"
    assert (states["Wait"]["SecondsPath"], states["Wait"]["Next"]) == ("$.wait", "Step")
    assert states["Done?"]["Choices"] == [{"Variable": "$.done", "BooleanEquals": True, "Next": "Done"}]
    [trust] = iam.statements(deployment.named("breaker-workflow-role").inputs["assumeRolePolicy"])
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    [allowed] = iam.statements(policy_of(deployment, "breaker-workflow"))
    assert allowed["Action"] == ["lambda:InvokeFunction"]
    assert allowed["Resource"] == [arn("lambda", "function:breaker-controller-1a2b3c4")]


@pytest.mark.parametrize("lease", [5, 60, 900])
def test_the_controller_ends_before_its_lease(lease: int) -> None:
    deployment = deployed(settings={"lease_seconds": lease})
    timeout = deployment.named("breaker-controller").inputs["timeout"]
    assert timeout == lease - 1
    step = json.loads(deployment.named("breaker-workflow").inputs["definition"])["States"]["Step"]
    assert step["TimeoutSeconds"] > timeout


def test_the_controller_is_woken_by_an_opening_and_each_minute() -> None:
    deployment = deployed()
    mapping = deployment.named("breaker-stream").inputs
    assert mapping["eventSourceArn"] == f"{TABLE}/stream/2026-11-26T00:00:00.000"
    assert mapping["functionName"] == "breaker-wake-1a2b3c4"
    [pattern] = mapping["filterCriteria"]["filters"]
    assert json.loads(pattern["pattern"]) == {"dynamodb": {"NewImage": {"state": {"S": ["open"]}}}}
    assert 0 < mapping["maximumRecordAgeInSeconds"] <= 120
    assert mapping["destinationConfig"] == {"onFailure": {"destinationArn": PEOPLE}}
    rule = deployment.named("breaker-schedule").inputs
    assert rule["scheduleExpression"] == "rate(1 minute)"
    assert "healer" not in rule["description"]
    assert environment_of(deployment, "breaker-wake")["WORKFLOW_ARN"] == MACHINE


def test_people_are_told_of_long_outages_and_of_a_controller_that_fails() -> None:
    alarms = {
        each.name: each.inputs
        for each in deployed(outage_alarm_seconds=600).of("aws:cloudwatch/metricAlarm:MetricAlarm")
    }
    assert alarms.keys() == {
        f"breaker-{what}" for what in ("outage", "controller-errors", "wake-errors", "workflow-failed")
    }
    for each in alarms.values():
        assert each["alarmActions"] == each["okActions"] == [PEOPLE]
        assert "What to do" in each["alarmDescription"]
        assert each["treatMissingData"] == "notBreaching"
    outage = alarms["breaker-outage"]
    assert (outage["namespace"], outage["metricName"], outage["threshold"]) == ("selfheal", "OutageAge", 600)
    assert outage["dimensions"] == {"FunctionName": "breaker-wake-1a2b3c4"}
    failed = alarms["breaker-workflow-failed"]
    assert failed["metricName"] == "ExecutionsFailed"
    assert failed["dimensions"] == {"StateMachineArn": MACHINE}


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"consumers": []}, "consumers must name at least one"),
        (
            {"consumers": [Queue("q", maximum_concurrency=1)]},
            "of a consumer must be a whole number from 2 to 1,000, got 1",
        ),
        ({"probe_queue": Queue("q")}, "probe_queue must be one of the consumers"),
        ({"probe_url": "file:///etc/passwd"}, "probe_url must be a URL that begins with http"),
        (
            {"outage_alarm_seconds": 59},
            "outage_alarm_seconds must be a whole number from 60 to 86,400, got 59",
        ),
        ({"settings": {"successes": 0}}, "payments: successes must be from 1 to 20, got 0"),
        ({"settings": {"sucesses": 3}}, "no breaker setting 'sucesses': known are failure_rate"),
        ({"settings": {"window_seconds": 2.5}}, "window_seconds must be a number, whole"),
    ],
)
@pytest.mark.parametrize("preview", [True, False])
def test_what_cannot_be_is_refused_with_what_is_allowed(
    args: dict[str, Any], error: str, preview: bool
) -> None:
    with pytest.raises(ComponentError, match=error):
        deployed(preview=preview, **args)


@pytest.mark.parametrize(("timeout", "lease", "allowed"), [(54, 60, True), (55, 60, False), (55, 61, True)])
def test_a_probed_consumer_that_could_outlast_its_lease_is_refused(
    timeout: int, lease: int, allowed: bool
) -> None:
    queue = Queue("q", timeout_seconds=timeout)
    args: dict[str, Any] = {"consumers": [queue], "probe_queue": queue, "settings": {"lease_seconds": lease}}
    if allowed:
        assert deployed(**args).named("breaker-controller")
        return
    with pytest.raises(ComponentError, match=r"at most 54 s.*got 55.*lease_seconds to at least 61"):
        deployed(**args)
    # Who is not probed may take as long as it likes.
    assert deployed(consumers=[queue], settings={"lease_seconds": lease}).named("breaker-controller")


@pytest.mark.parametrize("name", ["a b", "x" * 51, "payments/eu"])
def test_a_name_that_no_execution_can_have_is_refused(name: str) -> None:
    with pytest.raises(ComponentError, match="1 to 50 letters"):
        deploy(lambda: Circuit(name) and None)


def test_a_consumers_access_is_its_circuits_item_only() -> None:
    found: list[Circuit] = []
    deploy(lambda: found.append(Circuit("payments")))
    [circuit] = found
    assert circuit.settings == BreakerSettings()
    assert set(circuit.access.environment) == {"BREAKER_TABLE", "CIRCUIT", "BREAKER"}
    [statement] = circuit.access.statements
    assert statement["Action"] == ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    assert statement["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [ITEM]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    [reading] = circuit.reader.statements
    assert reading["Action"] == ["dynamodb:GetItem"]


def test_the_settings_that_the_docstring_lists_are_those_there_are() -> None:
    text = Path(__file__).parents[3].joinpath("components/patterns/circuit.py").read_text()
    listed = re.findall(r"`(\w+)` \(", text)
    assert set(listed) == set(BreakerSettings.__dataclass_fields__)
