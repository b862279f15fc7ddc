"""The orders stack that can be broken on purpose: which functions, by which experiments, and where not."""

from typing import Any

import pytest

from settings import Settings, SettingsError
from tests.components.patterns.support.extension import INVOKES, LAYER
from tests.program.test_program import run
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

pytestmark = pytest.mark.slow

TEMPLATE = "aws:fis/experimentTemplate:ExperimentTemplate"
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:orders-api-failing-1a2b3c4"
SCENARIOS = {"billing-fails", "one-address-in-three", "slow-query", "third-party-out"}


def chaos(stack: str = "orders", preview: bool = False, **changes: str) -> Deployment:
    given = {"service": "orders", "chaos": "true", **changes}
    return run(stack, preview=preview, changes=given, invokes=INVOKES)


def templates(deployment: Deployment) -> dict[str, Any]:
    return {each.inputs["tags"]["selfheal:scenario"]: each.inputs for each in deployment.of(TEMPLATE)}


@pytest.mark.parametrize("preview", [True, False])
def test_there_is_an_experiment_for_each_scenario_that_aws_can_make(preview: bool) -> None:
    deployment = chaos(preview=preview)
    found = templates(deployment)
    assert found.keys() == SCENARIOS
    assert {each["stopConditions"][0]["value"] for each in found.values()} == {ALARM}
    if not preview:
        assert deployment.exports["experiments"] == {name: f"orders-{name}-id" for name in SCENARIOS}


def test_the_alarm_that_stops_them_works_at_low_traffic() -> None:
    """The Average of 5XXError is the share of requests that fail: one of two fires it, none is no alarm."""
    alarm = chaos().named("orders-api-failing").inputs
    assert (alarm["metricName"], alarm["statistic"], alarm["threshold"]) == ("5XXError", "Average", 0.01)
    assert (alarm["period"], alarm["evaluationPeriods"]) == (60, 1)
    assert alarm["treatMissingData"] == "notBreaching"


def test_three_functions_fail_on_command_and_the_healer_does_not() -> None:
    functions = chaos().of("aws:lambda/function:Function")
    assert {each.name for each in functions if each.inputs.get("layers") == [LAYER % "arm64"]} == {
        "orders-intake-consumer",
        "orders-fulfilment-consumer",
        "orders-billing-task",
    }
    for each in functions:
        wrapped = "AWS_LAMBDA_EXEC_WRAPPER" in each.inputs["environment"]["variables"]
        assert wrapped == ("layers" in each.inputs), each.name


def test_without_it_nothing_is_there() -> None:
    deployment = run("orders")
    assert deployment.of(TEMPLATE) == []
    assert deployment.exports["experiments"] == {}
    assert "aws:ssm/getParameter:getParameter" not in deployment.calls
    assert not [each for each in deployment.of("aws:lambda/function:Function") if "layers" in each.inputs]


@pytest.mark.parametrize("stack", ["prod", "live", "dev"])
def test_in_production_a_percentage_above_ten_is_refused(stack: str) -> None:
    # What a stack is called does not count.
    config = {"selfheal:failureRate": "0", "selfheal:chaos": "true", "selfheal:chaosPercent": "11"}
    with pytest.raises(SettingsError) as caught:
        loaded(stack, config)
    assert str(caught.value) == (
        "configuration key selfheal:chaosPercent must be a whole number from 1 to 10, got '11'. Set it with: "
        "pulumi config set chaosPercent 10"
    )
    assert loaded(stack, config | {"selfheal:chaosPercent": "10"}) == (True, 10)
    assert loaded(stack, config | {"selfheal:chaos": "false", "selfheal:chaosPercent": "100"}) == (False, 100)
    assert loaded(stack, config | {"selfheal:sandbox": "true"}) == (True, 11)


def loaded(stack: str, config: dict[str, str]) -> tuple[bool, int]:
    """Return the settings `chaos` and `chaosPercent` of a stack."""
    found: list[Settings] = []
    deploy(lambda: found.append(Settings.load()), stack=stack, config=config)
    return found[0].orders.chaos, found[0].orders.chaos_percent


def test_in_production_there_are_only_experiments_that_can_be_limited() -> None:
    found = templates(chaos("prod", chaosPercent="10"))
    assert found.keys() == {"billing-fails"}
    [action] = found["billing-fails"]["actions"]
    parameters = {each["key"]: each["value"] for each in action["parameters"]}
    assert parameters["invocationPercentage"] == "10"
