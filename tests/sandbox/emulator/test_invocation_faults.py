"""Which fault of AWS FIS an invocation meets, and what it does to it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.sandbox.emulator.invocation_faults import (
    Action,
    InvocationFault,
    Met,
    extended,
    injected,
    met,
    shortened,
)

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
LAYER = "arn:aws:lambda:us-east-1:211125607513:layer:aws-fis-extension-arm64:9"
VARIABLES = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/aws-fis/bootstrap",
    "AWS_FIS_CONFIGURATION_LOCATION": "arn:aws:s3:::bucket/FisConfigs/",
}


def fault(action: Action = Action.ERROR, begins: float = 0, ends: float = 60, **more: Any) -> InvocationFault:
    functions = more.pop("functions", frozenset({(ARN, None)}))
    return InvocationFault(action, functions, begins, ends, **more)


def meets(*faults: InvocationFault, now: float = 30, roll: float = 0.0, version: str = "$LATEST") -> Met:
    return met(faults, ARN, version, now, lambda: roll)


FAULTS = st.lists(
    st.builds(
        InvocationFault,
        st.sampled_from(Action),
        st.sampled_from([frozenset({(ARN, None)}), frozenset({(ARN, "1")}), frozenset({(ARN + "x", None)})]),
        st.floats(0, 100),
        st.floats(0, 100),
        st.floats(1, 100),
        st.floats(0.001, 900),
    )
)


@given(FAULTS, st.floats(0, 100), st.floats(0, 1, exclude_max=True), st.sampled_from(["$LATEST", "1", "2"]))
def test_only_a_fault_of_this_function_at_this_time_is_met(
    faults: list[InvocationFault], now: float, roll: float, version: str
) -> None:
    found = meets(*faults, now=now, roll=roll, version=version)
    here = [f for f in faults if f.begins <= now < f.ends and f.functions & {(ARN, None), (ARN, version)}]
    if found.outcome is not None:
        rivals = [f for f in here if f.action is not Action.DELAY]
        assert found.outcome in rivals
        assert found.outcome.begins == min(f.begins for f in rivals)
    if found.delay_seconds:
        delays = [f for f in here if f.action is Action.DELAY]
        assert found.delay_seconds in {f.delay_seconds for f in delays}
    if not here:
        assert found == Met()


@given(FAULTS, st.floats(0, 1, exclude_max=True))
def test_after_the_last_end_there_is_no_fault(faults: list[InvocationFault], roll: float) -> None:
    last = max((f.ends for f in faults), default=0.0)
    assert meets(*faults, now=last, roll=roll) == Met()


@given(st.floats(1, 100), st.floats(0, 1, exclude_max=True))
def test_the_percentage_is_the_chance_of_an_invocation(percent: float, roll: float) -> None:
    assert (meets(fault(percent=percent), roll=roll).outcome is not None) == (roll * 100 < percent)
    delayed = meets(fault(Action.DELAY, percent=percent), roll=roll).delay_seconds
    assert (delayed == 1.0) == (roll * 100 < percent)


def test_a_delay_and_an_error_are_both_met() -> None:
    error = fault()
    assert meets(error, fault(Action.DELAY, delay_seconds=2)) == Met(2, error)


def test_of_an_error_and_a_response_the_one_that_began_first_counts_until_its_end() -> None:
    error, response = fault(begins=0, ends=120), fault(Action.RESPONSE, begins=60, ends=180)
    outcomes = [meets(response, error, now=now).outcome for now in (59, 60, 119, 120, 179, 180)]
    assert outcomes == [error, error, error, response, response, None]


def test_the_second_of_two_equal_actions_does_not_act_where_chance_spared_the_first() -> None:
    rare, sure = fault(begins=0, percent=1), fault(begins=1, percent=100)
    assert meets(rare, sure, roll=0.5).outcome is None


def test_a_version_is_met_alone() -> None:
    one = fault(functions=frozenset({(ARN, "1")}))
    assert meets(one, version="1").outcome is one
    assert meets(one, version="2").outcome is None
    assert meets(one).outcome is None


def config(**changes: Any) -> dict[str, Any]:
    return {"Layers": [{"Arn": LAYER}], "Environment": {"Variables": VARIABLES}, "Timeout": 3} | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"Layers": [{"Arn": LAYER.replace("arm64", "x86_64")}]}, True),
        ({"Layers": []}, False),
        ({"Layers": [{"Arn": LAYER.replace("aws-fis-extension", "another")}]}, False),
        ({"Environment": {}}, False),
        ({"Environment": {"Variables": VARIABLES | {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}}}, False),
        (
            {"Environment": {"Variables": VARIABLES | {"AWS_FIS_CONFIGURATION_LOCATION": "s3://b/F/"}}},
            False,
        ),
        (
            {"Environment": {"Variables": VARIABLES | {"AWS_FIS_CONFIGURATION_LOCATION": "arn:aws:s3:::b"}}},
            False,
        ),
    ],
)
def test_a_function_needs_layer_wrapper_and_location(changes: dict[str, Any], expected: bool) -> None:
    assert extended(config(**changes)) is expected


class World:
    """A function that counts its runs, and a clock that sleeping advances."""

    def __init__(self, result: dict[str, Any] | None = None) -> None:
        self.runs, self.slept = 0, 0.0
        self.result = result or {"body": "mine", "log": "line"}

    def run(self, found: Met, timeout: float = 3) -> dict[str, Any]:
        return injected(self.execute, lambda _: found, self.sleep)({"config": {"Timeout": timeout}}, {}, "id")

    def execute(self, *_: Any) -> dict[str, Any]:
        self.runs += 1
        return self.result

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


def test_without_a_fault_nothing_changes() -> None:
    world = World()
    assert world.run(Met()) is world.result
    assert (world.runs, world.slept) == (1, 0)


@pytest.mark.parametrize(("prevents", "runs"), [(True, 0), (False, 1)])
@pytest.mark.parametrize("action", [Action.ERROR, Action.RESPONSE])
def test_the_code_runs_unless_it_is_prevented(action: Action, prevents: bool, runs: int) -> None:
    world = World()
    result = world.run(Met(0.5, fault(action, prevents=prevents, status_code=418, content_type="text/plain")))
    assert (world.runs, world.slept) == (runs, 0.5)
    if action is Action.ERROR:
        assert (result["error"], result["body"]["errorType"]) == (True, "FisInjectedError")
    else:
        assert "error" not in result
        assert (result["body"]["statusCode"], result["body"]["headers"]) == (
            418,
            {"Content-Type": "text/plain"},
        )
    assert ("line" in result["log"]) is not prevents


def test_a_delay_as_long_as_the_timeout_is_a_timeout_of_that_length() -> None:
    world = World()
    result = world.run(Met(900, fault()))
    assert (world.runs, world.slept) == (0, 3)
    assert result["body"] == {
        "errorMessage": "Task timed out after 3.00 seconds",
        "errorType": "Sandbox.Timedout",
    }


@pytest.mark.parametrize(
    "result",
    [
        {"throttle": True, "error": True, "body": {}},
        {"error": True, "body": {"errorType": "Sandbox.Timedout", "errorMessage": "x"}},
        {"error": True, "body": {"errorType": "Runtime.ExitError", "errorMessage": "x"}},
    ],
)
def test_what_the_function_did_not_return_is_not_replaced(result: dict[str, Any]) -> None:
    assert World(result).run(Met(outcome=fault()))["body"] == result["body"]


class Worker:
    def __init__(self) -> None:
        self.config: dict[str, Any] = {"Timeout": 3, "Version": "1"}
        self.timeouts: list[float] = []

    def invoke(self, seconds: float) -> dict[str, Any]:
        self.timeouts.append(self.config["Timeout"])
        late = seconds > self.config["Timeout"]
        return (
            {"status": "error", "error": f"Task timed out after {self.config['Timeout']}.00 seconds"}
            if late
            else {}
        )


def test_a_delay_leaves_the_rest_of_the_timeout_for_this_invocation_only() -> None:
    worker = Worker()
    invoke = shortened(Worker.invoke)

    def run(delay: float, seconds: float) -> dict[str, Any]:
        execute = injected(lambda *_: invoke(worker, seconds), lambda _: Met(delay), lambda _: None)
        return execute({"config": worker.config}, {}, "id")

    assert run(1, 2.5)["error"] == "Task timed out after 3.00 seconds"
    assert "error" not in run(1, 1.5)
    assert "error" not in run(0, 2.5)
    assert worker.timeouts == [2, 2, 3]
    assert worker.config == {"Timeout": 3, "Version": "1"}
