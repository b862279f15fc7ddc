"""Retries and errors of Step Functions."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator.workflows import delays_bounded, retriers_checked
from tests.support.emulator_functions import deploy
from tests.support.processes import until

RETRIER: dict[str, Any] = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "BackoffRate": 3}


def _delays(**fields: Any) -> list[float]:
    retrier = RETRIER | fields
    found = delays_bounded(lambda *_: (retrier, 0), uniform=lambda low, high: low + high / 4)
    delays: list[float] = []
    for count in range(4):
        chosen, _ = found([], "E", {0: count})
        delays.append(chosen["IntervalSeconds"] * chosen["BackoffRate"] ** count)  # as ministack waits
    return delays


def test_the_delay_grows_to_its_maximum_and_jitter_shortens_it_afterwards() -> None:
    assert _delays() == [2, 6, 18, 54]
    assert _delays(MaxDelaySeconds=10) == [2, 6, 10, 10]
    assert _delays(MaxDelaySeconds=10, JitterStrategy="FULL") == [0.5, 1.5, 2.5, 2.5]
    assert _delays(JitterStrategy="NONE") == [2, 6, 18, 54]


def _refusal(*retriers: dict[str, Any], nested: bool = False) -> str | None:
    machine: dict[str, Any] = {"States": {"s": {"Type": "Task", "Retry": list(retriers)}}}
    if nested:
        machine = {
            "States": {"p": {"Branches": [{"States": {"m": {"ItemProcessor": machine}}}]}},
        }
    return retriers_checked(lambda _: None)(json.dumps(machine))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"MaxAttempts": 0, "MaxDelaySeconds": 31_622_399, "JitterStrategy": "NONE", "Comment": "why"},
        {"BackoffRate": 1.0, "IntervalSeconds": 99_999_999, "MaxAttempts": 99_999_999},
    ],
)
def test_what_aws_accepts_is_accepted(fields: dict[str, Any]) -> None:
    assert _refusal({"ErrorEquals": ["A", "B"]}, RETRIER | fields) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("MaxDelaySeconds", 0), ("MaxDelaySeconds", -1), ("MaxDelaySeconds", 31_622_400)),
        *(("MaxDelaySeconds", 1.5), ("MaxDelaySeconds", "5"), ("MaxDelaySeconds", True)),
        *(("JitterStrategy", "HALF"), ("JitterStrategy", "full"), ("JitterStrategy", None)),
        *(("IntervalSeconds", 0), ("MaxAttempts", -1), ("BackoffRate", 0.9), ("ErrorEquals", [])),
        ("MaximumDelaySeconds", 5),
    ],
)
def test_what_aws_refuses_is_refused_by_name_and_place(field: str, value: Any) -> None:
    for nested in (False, True):
        refusal = _refusal(RETRIER | {field: value}, nested=nested)
        assert refusal
        assert field in refusal
        assert "/States/s/Retry[0]" in refusal


def test_states_all_is_alone_and_last() -> None:
    assert _refusal(RETRIER, {"ErrorEquals": ["A"]})
    assert _refusal(RETRIER | {"ErrorEquals": ["A", "States.ALL"]})


FAILING = """
class Busy(Exception):
    pass
def handle(event, context):
    raise Busy("no")
"""


def _machine(clients: Clients, name: str, **state: Any) -> str:
    states = {
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": name, "Payload": {}},
            "End": True,
            **state,
        }
    }
    return clients.get("stepfunctions").create_state_machine(
        name=name,
        definition=json.dumps({"StartAt": "Call", "States": states}),
        roleArn="arn:aws:iam::000000000000:role/r",
    )["stateMachineArn"]


def _run(clients: Clients, machine: str) -> dict[str, Any]:
    api = clients.get("stepfunctions")
    execution = api.start_execution(stateMachineArn=machine)["executionArn"]
    until(lambda: api.describe_execution(executionArn=execution)["status"] != "RUNNING")
    return api.describe_execution(executionArn=execution)


@pytest.mark.slow
def test_a_workflow_retries_by_the_name_of_an_exception_within_its_maximum_delay(clients: Clients) -> None:
    deploy(clients, "busy", FAILING)
    retrier = {"ErrorEquals": ["Busy"], "MaxAttempts": 2, "BackoffRate": 5, "MaxDelaySeconds": 1}
    machine = _machine(clients, "busy", Retry=[retrier])
    start = time.monotonic()
    outcome = _run(clients, machine)
    assert 2 <= time.monotonic() - start < 5  # 6 s without the maximum
    assert (outcome["status"], outcome["error"]) == ("FAILED", "Busy")
    assert json.loads(outcome["cause"])["errorMessage"] == "no"


@pytest.mark.slow
def test_a_throttled_function_is_named_so(clients: Clients) -> None:
    deploy(clients, "full", FAILING)
    clients.get("lambda").put_function_concurrency(FunctionName="full", ReservedConcurrentExecutions=0)
    outcome = _run(clients, _machine(clients, "full"))
    assert outcome["error"] == "Lambda.TooManyRequestsException"
    assert "Rate Exceeded" in outcome["cause"]


@pytest.mark.slow
def test_a_wrong_retrier_is_refused_at_creation_and_at_update(clients: Clients) -> None:
    wrong = [RETRIER | {"JitterStrategy": "HALF"}]
    with pytest.raises(ClientError, match=r"InvalidDefinition.*JitterStrategy must be \"FULL\" or \"NONE\""):
        _machine(clients, "wrong", Retry=wrong)
    machine = _machine(clients, "right", Retry=[RETRIER])
    definition = json.dumps({"StartAt": "s", "States": {"s": {"Type": "Task", "Retry": wrong}}})
    with pytest.raises(ClientError, match="InvalidDefinition"):
        clients.get("stepfunctions").update_state_machine(stateMachineArn=machine, definition=definition)
