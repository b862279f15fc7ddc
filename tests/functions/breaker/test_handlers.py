import importlib
import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functions.breaker.world import CONSUMERS, World

ENVIRONMENT = {
    "BREAKER_TABLE": "breakers",
    "CIRCUIT": "payments",
    "CONSUMERS": json.dumps(
        [{"function": "fulfil", "source_arn": "arn:queue:fulfil", "maximum_concurrency": 10}]
    ),
    "PROBE": '{"url": "http://127.0.0.1:9/health"}',
    "BREAKER": '{"successes": 2}',
    "WORKFLOW_ARN": "arn:workflow",
    "AWS_DEFAULT_REGION": "us-east-1",
}

CONTEXT = SimpleNamespace(function_name="payments-wake")


def load(name: str, monkeypatch: pytest.MonkeyPatch, **environment: str) -> ModuleType:
    for key, value in (ENVIRONMENT | environment).items():
        monkeypatch.setenv(key, value)
    module = importlib.import_module(f"selfheal.functions.breaker.{name}")
    return importlib.reload(module)


def loaded(name: str, monkeypatch: pytest.MonkeyPatch, **environment: str) -> ModuleType:
    """Its first import reads the environment, too."""
    for key, value in ENVIRONMENT.items():
        monkeypatch.setenv(key, value)
    return load(name, monkeypatch, **environment)


def test_a_step_answers_what_the_workflow_needs_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = loaded("handler", monkeypatch)
    assert handler.CONTROLLER.settings.successes == 2
    world = World()
    world.open()
    monkeypatch.setattr(handler, "CONTROLLER", world.controller())
    answer = handler.handle({"episode": 1}, None)
    assert answer == {"done": False, "wait": 5, "episode": 1, "steps": 1}
    answer = handler.handle({**answer, "steps": handler.MOST_STEPS - 1}, None)
    assert answer["done"], "an execution ends before its history is full"
    assert handler.handle({"episode": 0}, None)["done"], "its episode is over"


@pytest.mark.parametrize(
    ("variable", "value", "error"),
    [
        (
            "CONSUMERS",
            '[{"function": "f", "source_arn": "a", "maximum_concurrency": 1}]',
            "from 2 to 1000, got 1",
        ),
        ("PROBE", '{"queue_url": "q", "function": "f"}', "got function, queue_url"),
        ("PROBE", '{"url": "http://x", "queue_url": "q"}', "got queue_url, url"),
        ("PROBE", "{}", "got nothing"),
        ("BREAKER", '{"successes": 0}', "successes must be from 1 to 20"),
    ],
)
def test_an_environment_that_cannot_be_fails_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, error: str
) -> None:
    with pytest.raises(ValueError, match=error):
        loaded("handler", monkeypatch, **{variable: value})


def test_a_probe_by_message_is_configured_with_its_queue_and_consumer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = {"url": "http://127.0.0.1:9/health", "queue_url": "q", "function": "fulfil"}
    handler = loaded("handler", monkeypatch, PROBE=json.dumps(parts))
    assert handler.CONTROLLER.probe.__qualname__ == "message.<locals>.probe"


class States:
    """Step Functions, as far as executions go."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.names: list[str] = []
        self.inputs: list[str] = []

    def start_execution(self, **arguments: str) -> None:
        assert arguments["stateMachineArn"] == "arn:workflow"
        if arguments["name"] in self.names:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": ""}}, "StartExecution")
        self.names.append(arguments["name"])
        self.running.append(arguments["name"])
        self.inputs.append(arguments["input"])

    def list_executions(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["statusFilter"] == "RUNNING"
        return {"executions": self.running[:1]}


def waker(wake: ModuleType, world: World, states: States) -> Any:
    return wake.Waker(world.store(), states, "arn:workflow", world.clock, world.mappings, CONSUMERS)


def test_the_workflow_is_started_once_an_episode_and_again_if_it_ended_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wake = loaded("wake", monkeypatch)
    world, states = World(), States()
    monkeypatch.setattr(wake, "WAKER", waker(wake, world, states))
    assert wake.handle({}, CONTEXT)["started"] is None, "at rest"
    world.open()
    assert wake.handle({}, CONTEXT)["started"] == "payments-1"
    assert states.inputs == ['{"episode": 1}']
    assert wake.handle({}, CONTEXT)["started"] is None, "it is running"
    states.running.clear()
    again = wake.handle({}, CONTEXT)["started"]
    assert again == f"payments-1-{int(world.clock.now // 60)}"
    states.running.clear()
    assert wake.handle({}, CONTEXT)["started"] is None, "once a minute is enough"
    world.control()
    assert world.circuit.at_rest
    assert wake.handle({}, CONTEXT)["started"] is None
    world.open()
    assert wake.handle({}, CONTEXT)["started"] == "payments-2"


def test_an_error_of_step_functions_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    class Denied(States):
        def start_execution(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "StartExecution")

    wake = loaded("wake", monkeypatch)
    world = World()
    world.open()
    monkeypatch.setattr(wake, "WAKER", waker(wake, world, Denied()))
    with pytest.raises(ClientError, match="AccessDenied"):
        wake.handle({}, CONTEXT)


def test_each_wake_up_records_for_how_long_the_circuit_has_not_been_at_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wake = loaded("wake", monkeypatch)
    world = World()

    def recorded() -> float:
        monkeypatch.setattr(wake, "WAKER", waker(wake, world, States()))
        capsys.readouterr()
        wake.handle({}, CONTEXT)
        line = next(line for line in capsys.readouterr().out.splitlines() if "_aws" in line)
        told = json.loads(line)
        assert told["FunctionName"] == "payments-wake"
        [metric] = told["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        assert (metric["Name"], metric["Unit"]) == ("OutageAge", "Seconds")
        return told["OutageAge"]

    assert recorded() == 0
    world.open()
    opened = world.circuit.changed_at
    world.clock.now = opened + 90
    assert recorded() == 90
    world.control()
    assert world.circuit.at_rest
    assert recorded() == 0


def test_at_rest_a_wake_up_corrects_what_a_deployment_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi ignores MaximumConcurrency of these mappings, so an old one stays in force."""
    wake = loaded("wake", monkeypatch)
    assert [each.maximum_concurrency for each in wake.WAKER.consumers] == [10]
    world = World()
    monkeypatch.setattr(wake, "WAKER", waker(wake, world, States()))
    assert wake.handle({}, CONTEXT)["corrected"] == []
    assert world.mappings.updates == []
    world.mappings.of["fulfil"].concurrency = 20
    world.mappings.of["bill"].state = "Disabled"
    world.mappings.of["bill"].concurrency = 3
    assert wake.handle({}, CONTEXT)["corrected"] == ["fulfil-0", "bill-0"]
    assert world.mappings.states == [("Enabled", 10), ("Disabled", 5)]
    assert all("Enabled" not in update for update in world.mappings.updates)


def test_while_an_outage_lasts_a_wake_up_leaves_the_mappings_to_the_controller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wake = loaded("wake", monkeypatch)
    world = World()
    world.open()
    world.mappings.of["fulfil"].concurrency = 20
    monkeypatch.setattr(wake, "WAKER", waker(wake, world, States()))
    assert wake.handle({}, CONTEXT)["corrected"] == []
    assert world.mappings.updates == []
