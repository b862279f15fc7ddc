"""The unmodified orders stack with its experiments, deployed in process into the emulator."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.cli.chaos.fis import Experiment
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from selfheal.scenarios.faults import FunctionFault
from selfheal.scenarios.scenario import load
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator"), iam=True) as running:
        yield running


@pytest.fixture(scope="module")
def outputs(emulator: Emulator) -> Mapping[str, Any]:
    return deploy(ROOT, AwsProvider(emulator.clients), stack="orders", overrides={"chaos": "true"})


@pytest.fixture(scope="module")
def experiments(outputs: Mapping[str, Any]) -> dict[str, str]:
    return dict(outputs["experiments"])


def test_each_scenario_that_aws_can_make_has_a_template(
    emulator: Emulator, experiments: dict[str, str]
) -> None:
    fis = emulator.clients.get("fis")
    found: dict[str, Any] = {
        name: fis.get_experiment_template(id=template)["experimentTemplate"]
        for name, template in experiments.items()
    }
    assert {name: each["tags"]["selfheal:scenario"] for name, each in found.items()} == {
        name: name for name in ("billing-fails", "one-address-in-three", "slow-query", "third-party-out")
    }
    [stop] = {each["stopConditions"][0]["value"] for each in found.values()}
    alarms = emulator.clients.get("cloudwatch").describe_alarms(AlarmNames=[stop.rpartition(":")[2]])
    assert [each["MetricName"] for each in alarms["MetricAlarms"]] == ["5XXError"]


def test_a_fault_of_a_function_runs_and_ends(emulator: Emulator, experiments: dict[str, str]) -> None:
    fis = emulator.clients.get("fis")
    run = fis.start_experiment(experimentTemplateId=experiments["billing-fails"])["experiment"]
    [target] = run["targets"].values()
    assert target["resourceArns"][0].rpartition(":")[2].startswith("orders-billing-task")
    assert fis.get_experiment(id=run["id"])["experiment"]["state"]["status"] in ("initiating", "running")
    fis.stop_experiment(id=run["id"])
    assert fis.get_experiment(id=run["id"])["experiment"]["state"]["status"] in ("stopping", "stopped")


def test_a_deployed_template_is_what_the_command_takes_it_for(
    emulator: Emulator, outputs: Mapping[str, Any]
) -> None:
    scenario = load("billing-fails")
    assert isinstance(scenario.fault, FunctionFault)
    template, function = outputs["experiments"]["billing-fails"], outputs["functions"]["billing"]
    fis = emulator.clients.get("fis")
    found = Experiment(fis, template, scenario.fault, function, scenario.fault_seconds, "a-run")
    assert not found.problem()
    other = replace(found, function=outputs["functions"]["intake"])
    assert f"breaks {function} and the scenario breaks {other.function}" in other.problem()


def test_the_sandbox_says_that_it_runs_no_automation(emulator: Emulator, experiments: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="automation"):
        emulator.clients.get("fis").start_experiment(experimentTemplateId=experiments["third-party-out"])
