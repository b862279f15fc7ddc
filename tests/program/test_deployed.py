"""The unmodified program, deployed in process into the emulator."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from selfheal.functions.shared.contract import FLEET_KEY
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.errors import ProgramError
from selfheal.sandbox.provider.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as running:
        yield running


def client(emulator: Emulator, service: str) -> Any:
    keys = emulator.credentials
    return boto3.client(  # pyright: ignore[reportCallIssue]
        service,  # pyright: ignore[reportArgumentType]
        endpoint_url=emulator.endpoint,
        region_name=emulator.region,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
    )


def test_it_deploys_once_and_refuses_to_run_over_an_open_incident(emulator: Emulator) -> None:
    """Before it registers anything; what `preview` and a second `up` do is shown on Pulumi's own engine."""
    provider = AwsProvider(emulator.clients)
    outputs = deploy(ROOT, provider, stack="dev")
    functions, ledger = client(emulator, "lambda"), client(emulator, "dynamodb")
    name = outputs["functionName"]
    assert live_rate(functions, name) == "0.3"

    # The healer acted: its value is live, and the ledger says so.
    healed = {"Variables": {"FAILURE_RATE": "0", "FAULT_MODE": "exception"}}
    functions.update_function_configuration(FunctionName=name, Environment=healed)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    table = outputs["ledgerTable"]
    ledger.put_item(TableName=table, Item={**FLEET_KEY, "targets": {"SS": ["fragile"]}})
    before = sorted(each["RoleName"] for each in client(emulator, "iam").list_roles()["Roles"])
    with pytest.raises(ProgramError, match="an incident is open on fragile"):
        deploy(ROOT, provider, stack="dev")
    assert live_rate(functions, name) == "0"
    assert sorted(each["RoleName"] for each in client(emulator, "iam").list_roles()["Roles"]) == before


def live_rate(functions: Any, name: Any) -> str:
    return functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]["FAILURE_RATE"]
