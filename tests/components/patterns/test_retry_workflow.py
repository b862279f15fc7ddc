"""The workflow as it is registered. What it does is in test_retry_workflow_with_emulator.py."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.components.access import Access
from selfheal.components.errors import ComponentError
from selfheal.components.function import code
from selfheal.components.iam import allow
from selfheal.components.patterns.retry_definition import LONGEST_SECONDS, POISON, REFUSED, longest_pauses
from selfheal.components.patterns.retry_workflow import RetryWorkflow, RetryWorkflowArgs
from selfheal.functions.shared.backoff import longest_pause
from selfheal.functions.shared.batch import PoisonError, RefusedError
from selfheal.functions.shared.breaker.client import CircuitOpen
from selfheal.functions.workflow_starter import core
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

TASK = Path(__file__).parent / "support" / "billing" / "task"
ACCESS = Access({"BREAKER_TABLE": "circuits"}, [allow(["dynamodb:UpdateItem"], ["arn:circuits"])])
HERE = f"{REGION}:{ACCOUNT}"
MACHINE = f"arn:aws:states:{HERE}:stateMachine:billing-workflow-1a2b3c4"
FUNCTION = f"arn:aws:lambda:{HERE}:function:billing-task-1a2b3c4"
QUEUE = f"arn:aws:sqs:{HERE}:billing-1a2b3c4"
DEAD = f"arn:aws:sqs:{HERE}:billing-dead-letters-1a2b3c4"


@dataclass
class Breaker:
    """A circuit."""

    access: Access = ACCESS


def registered(
    *, preview: bool = False, task: dict[str, Any] | None = None, **args: Any
) -> tuple[Deployment, RetryWorkflow]:
    base: dict[str, Any] = {
        "task": {"code": code(TASK, "task.handle"), **(task or {})},
        "rate": 10,
        "people": f"arn:aws:sns:{HERE}:people",
    }
    given: RetryWorkflowArgs = base | args  # pyright: ignore[reportAssignmentType]
    made: list[RetryWorkflow] = []

    def program() -> None:
        made.append(RetryWorkflow("billing", given))

    return deploy(program, preview=preview), made[0]


def definition_of(deployment: Deployment) -> dict[str, Any]:
    return json.loads(deployment.named("billing-workflow").inputs["definition"])


def most_receives(deployment: Deployment) -> int:
    [queue] = [each for each in deployment.of("aws:sqs/queue:Queue") if each.name == "billing"]
    return json.loads(queue.inputs["redrivePolicy"])["maxReceiveCount"]


@pytest.mark.parametrize("preview", [True, False])
def test_the_definition_is_known_at_preview(preview: bool) -> None:
    deployment, _ = registered(preview=preview)
    definition = definition_of(deployment)
    assert definition["TimeoutSeconds"] == 4 * 30 + (1 + 2 + 4) + 15
    attempt, letter, back = (definition["States"][name] for name in ("Try", "Letter", "GoBack"))
    assert definition["StartAt"] == "Try"
    assert attempt["Resource"] == "arn:aws:states:::lambda:invoke"
    assert attempt["Arguments"]["FunctionName"] == FUNCTION
    assert attempt["Retry"] == [
        {"ErrorEquals": ["CircuitOpen", "RefusedError", "PoisonError"], "MaxAttempts": 0},
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 1,
            "BackoffRate": 2.0,
            "MaxDelaySeconds": 20,
            "MaxAttempts": 3,
            "JitterStrategy": "FULL",
        },
    ]
    assert [(catcher["ErrorEquals"][0], catcher["Next"]) for catcher in attempt["Catch"]] == [
        ("CircuitOpen", "GoBack"),
        ("States.ALL", "Letter"),
    ]
    # Nor is it the message's fault if the function was throttled or not reached; but poison is.
    assert {name.partition(".")[0] for name in attempt["Catch"][0]["ErrorEquals"][2:]} == {"Lambda"}
    assert attempt["Catch"][0]["ErrorEquals"][:2] == ["CircuitOpen", "RefusedError"]
    assert "Lambda.TooManyRequestsException" in attempt["Catch"][0]["ErrorEquals"]
    assert (letter["Resource"], letter["End"]) == ("arn:aws:states:::sqs:sendMessage", True)
    # As SQS names it: https://sqs.<region>.amazonaws.com/<account>/<name>
    name = DEAD.rpartition(":")[2]
    assert letter["Arguments"]["QueueUrl"] == f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
    assert f"'{QUEUE}'" in letter["Arguments"]["MessageAttributes"]
    assert back["Type"] == "Fail"


def test_the_names_of_errors_are_those_of_the_classes_that_functions_raise() -> None:
    assert (CircuitOpen.__name__, RefusedError.__name__) == REFUSED == core.REFUSED
    assert PoisonError.__name__ == POISON


@pytest.mark.parametrize("preview", [True, False])
def test_the_starter_waits_longer_than_the_workflow_takes_and_starts_no_other(preview: bool) -> None:
    deployment, workflow = registered(preview=preview)
    starter = deployment.named("billing-consumer")
    assert starter.inputs["handler"] == "selfheal.functions.workflow_starter.handler.handle"
    variables = starter.inputs["environment"]["variables"]
    assert variables["STATE_MACHINE"] == MACHINE
    assert deployment.named("billing-workflow").urn in starter.dependencies
    seconds = definition_of(deployment)["TimeoutSeconds"]
    assert seconds < int(variables["READ_TIMEOUT_SECONDS"]) < starter.inputs["timeout"]
    assert deployment.named("billing-mapping").inputs["batchSize"] == 1
    text = deployment.named("billing-consumer-policy").inputs["policy"]
    assert iam.allows(text, "states:StartSyncExecution", MACHINE)
    assert not iam.allows(text, "states:StartSyncExecution", f"{MACHINE}2")
    assert not iam.allows(text, "lambda:InvokeFunction", FUNCTION)
    [component] = deployment.of("selfheal:index:RetryWorkflow")
    assert deployment.outputs[component.urn] == {
        "functionName": "billing-task-1a2b3c4",
        "stateMachineArn": MACHINE,
    }
    assert workflow.dead_letters is workflow.queue.dead_letters


def test_a_task_that_was_cut_off_goes_back_only_if_it_counts_its_attempts() -> None:
    cut_off = {"Runtime.ExitError", "Sandbox.Timedout", "States.Timeout", "Lambda.Unknown"}
    for counts in (False, True):
        deployment, _ = registered(counts_attempts=counts)
        back, letter = definition_of(deployment)["States"]["Try"]["Catch"]
        assert cut_off & set(back["ErrorEquals"]) == (cut_off if counts else set())
        assert (back["Next"], letter["ErrorEquals"], letter["Next"]) == ("GoBack", ["States.ALL"], "Letter")


def test_the_workflow_may_call_its_function_and_send_to_its_dead_letters_and_no_more() -> None:
    deployment, _ = registered()
    text = deployment.named("billing-workflow-policy").inputs["policy"]
    assert iam.allows(text, "lambda:InvokeFunction", FUNCTION)
    assert iam.allows(text, "sqs:SendMessage", DEAD)
    for action, resource in (
        ("lambda:InvokeFunction", f"{FUNCTION}:1"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:billing-consumer-1a2b3c4"),
        ("sqs:SendMessage", QUEUE),
        ("sqs:ReceiveMessage", DEAD),
        ("states:StartSyncExecution", MACHINE),
    ):
        assert not iam.allows(text, action, resource)
    assert {action.partition(":")[0] for action, _ in iam.too_wide(text)} == {"logs"}
    trust = deployment.named("billing-workflow-role").inputs["assumeRolePolicy"]

    def assumes(service: str, account: str) -> iam.Verdict:
        [statement] = iam.statements(trust)
        document = json.dumps({"Statement": [{**statement, "Resource": "*"}]})
        context = {"aws:SourceAccount": account}
        request = iam.Request("sts:AssumeRole", "role", service=service, context=context)
        return iam.resource_policy(document, request)

    assert assumes("states.amazonaws.com", ACCOUNT) is iam.Verdict.ALLOWED
    assert assumes("states.amazonaws.com", "999999999999") is iam.Verdict.NOT_ALLOWED
    assert assumes("lambda.amazonaws.com", ACCOUNT) is iam.Verdict.NOT_ALLOWED


def test_an_express_workflow_logs_errors_without_data_and_traces() -> None:
    deployment, _ = registered(task={"log_retention_days": 30})
    machine = deployment.named("billing-workflow")
    assert machine.inputs["type"] == "EXPRESS"
    assert machine.inputs["loggingConfiguration"] == {
        "level": "ERROR",
        "includeExecutionData": False,
        "logDestination": f"arn:aws:logs:{HERE}:log-group:billing-workflow-logs-1a2b3c4:*",
    }
    assert machine.inputs["tracingConfiguration"] == {"enabled": True}
    assert deployment.named("billing-workflow-policy").urn in machine.dependencies
    assert {
        group.inputs["retentionInDays"] for group in deployment.of("aws:cloudwatch/logGroup:LogGroup")
    } == {30}


def test_what_is_said_about_the_queue_reaches_it() -> None:
    deployment, _ = registered(maximum_concurrency=7, max_age_seconds=60, most_receives=9)
    assert deployment.named("billing-mapping").inputs["scalingConfig"] == {"maximumConcurrency": 7}
    assert deployment.named("billing-consumer").inputs["environment"]["variables"]["MAX_AGE_SECONDS"] == "60"
    assert most_receives(deployment) == 9


@pytest.mark.parametrize("uses", [[], [ACCESS]])
def test_with_a_circuit_the_task_calls_through_it(uses: list[Access]) -> None:
    deployment, _ = registered(circuit=Breaker(), task={"uses": uses})
    for function in ("billing-task", "billing-consumer"):
        assert deployment.named(function).inputs["environment"]["variables"]["BREAKER_TABLE"] == "circuits"
        text = deployment.named(f"{function}-policy").inputs["policy"]
        assert sum("dynamodb:UpdateItem" in statement["Action"] for statement in iam.statements(text)) == 1
    assert most_receives(deployment) == 1000


@pytest.mark.parametrize("preview", [True, False])
def test_with_an_alias_the_workflow_calls_and_may_call_that_only(preview: bool) -> None:
    deployment, workflow = registered(preview=preview, alias=True)
    assert deployment.named("billing-task").inputs["publish"] is True
    alias = deployment.named("billing-task-live").inputs
    assert (alias["name"], alias["functionName"]) == ("live", "billing-task-1a2b3c4")
    called = f"{FUNCTION}:live"
    assert definition_of(deployment)["States"]["Try"]["Arguments"]["FunctionName"] == called
    text = deployment.named("billing-workflow-policy").inputs["policy"]
    assert iam.allows(text, "lambda:InvokeFunction", called)
    assert not iam.allows(text, "lambda:InvokeFunction", FUNCTION)
    assert workflow.alias_name is not None
    plain, without = registered(preview=preview)
    assert without.alias_name is None
    assert not plain.named("billing-task").inputs.get("publish")


@given(
    interval=st.integers(1, 300),
    rate=st.floats(1, 50),
    cap=st.integers(1, 300),
    attempts=st.integers(0, 10),
)
def test_the_longest_pauses_are_those_of_the_backoff_for_code(
    interval: int, rate: float, cap: int, attempts: int
) -> None:
    cap = max(interval, cap)
    retrier = {
        "IntervalSeconds": interval,
        "BackoffRate": rate,
        "MaxDelaySeconds": cap,
        "MaxAttempts": attempts,
    }
    expected = sum(longest_pause(n, base=interval, factor=rate, cap=cap) for n in range(1, attempts + 2))
    assert longest_pauses(retrier) == pytest.approx(expected)


def test_attempts_and_pauses_that_just_fit_are_allowed() -> None:
    deployment, _ = registered(task={"timeout_seconds": 285}, retry={"max_attempts": 0})
    assert definition_of(deployment)["TimeoutSeconds"] == LONGEST_SECONDS
    assert deployment.named("billing-consumer").inputs["timeout"] == 315


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            {"task": {"timeout_seconds": 70}},
            r"need 302 s: 4 attempts of 70 s, 7 s of pauses .*, and 15 s for .* task to at most 69, or max",
        ),
        (
            {"retry": {"max_attempts": 10, "interval_seconds": 60, "max_delay_seconds": 60}},
            r"would need 945 s: 11 attempts of 30 s, 600 s of pauses .* Set max_attempts or",
        ),
        (
            {"task": {"timeout_seconds": 286}, "retry": {"max_attempts": 0}},
            r"need 301 s: 1 attempts of 286 s",
        ),
        ({"task": {"timeout_seconds": 0}}, "timeout_seconds must be a whole number from 1 to 900, got 0"),
        (
            {"retry": {"interval_seconds": 0}},
            "retry: interval_seconds must be a whole number from 1 to 300, got 0",
        ),
        ({"retry": {"interval_seconds": 1.5}}, "interval_seconds must be a whole number"),
        ({"retry": {"interval_seconds": True}}, "interval_seconds must be a whole number"),
        (
            {"retry": {"interval_seconds": 5, "max_delay_seconds": 4}},
            r"retry: max_delay_seconds must be a whole number from 5 to 300, got 4\. Leave it out for 20\.",
        ),
        ({"retry": {"max_attempts": -1}}, "retry: max_attempts must be a whole number from 0 to 10, got -1"),
        ({"retry": {"max_attempts": 11}}, "retry: max_attempts must be a whole number from 0 to 10, got 11"),
        *(
            ({"retry": {"backoff_rate": rate}}, "retry: backoff_rate must be a number of at least 1, got")
            for rate in (0.99, float("nan"), float("inf"), True)
        ),
        ({"rate": 0}, "rate must be a number from"),
        ({"circuit": Breaker(), "most_receives": 5}, "most_receives must be 1000 with a circuit"),
    ],
)
def test_what_is_out_of_range_or_does_not_fit_is_refused_with_figures(
    args: dict[str, Any], text: str
) -> None:
    with pytest.raises(ComponentError, match=text):
        registered(**args)
