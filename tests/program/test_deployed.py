"""The unmodified program through the sandbox's engine and provider, against the emulator."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.healer.ledger import FLEET_KEY
from sandbox.emulator import Emulator
from sandbox.engine.engine import Engine
from sandbox.engine.events import Result
from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig
from sandbox.engine.state_file import StateFile
from sandbox.provider.provider import AwsProvider
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as running:
        yield running


def engine(emulator: Emulator, state: Path, **changes: Any) -> Engine:
    provider = AwsProvider(emulator.endpoint, emulator.region, emulator.credentials)
    stack = StackConfig.load(ROOT, "dev", changes)
    return Engine(Project.load(ROOT), stack, StateFile(state / "state.json"), provider)


def client(emulator: Emulator, service: str) -> Any:
    keys = emulator.credentials
    return boto3.client(  # pyright: ignore[reportCallIssue]
        service,  # pyright: ignore[reportArgumentType]
        endpoint_url=emulator.endpoint,
        region_name=emulator.region,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
    )


def texts(result: Result) -> str:
    return " ".join([result.error or "", *(diagnostic.message for diagnostic in result.diagnostics)])


def test_it_deploys_changes_nothing_the_second_time_and_respects_an_open_incident(
    emulator: Emulator, tmp_path: Path
) -> None:
    dev = engine(emulator, tmp_path)
    preview = dev.preview()
    assert preview.ok, texts(preview)
    first = dev.up()
    assert first.ok, texts(first)
    assert first.changes == preview.changes
    second = dev.up()
    assert (second.ok, set(second.changes)) == (True, {"same"}), texts(second)

    # The healer acted: its value is live, and the ledger says so.
    functions, ledger = client(emulator, "lambda"), client(emulator, "dynamodb")
    name = first.outputs["functionName"]
    healed = {"Variables": {"FAILURE_RATE": "0", "FAULT_MODE": "exception"}}
    functions.update_function_configuration(FunctionName=name, Environment=healed)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    table = first.outputs["ledgerTable"]
    ledger.put_item(TableName=table, Item={**FLEET_KEY, "targets": {"SS": ["fragile"]}})

    warned = dev.preview()
    assert warned.ok
    assert "an incident is open on fragile" in texts(warned)
    refused = dev.up()
    assert not refused.ok
    assert "an incident is open on fragile" in texts(refused)
    assert live_rate(functions, name) == "0"

    # Closed: the baseline comes back, because `up` refreshes before it compares.
    ledger.delete_item(TableName=table, Key=FLEET_KEY)
    restored = dev.up()
    assert restored.ok, texts(restored)
    assert restored.changes["update"] == 1
    assert live_rate(functions, name) == "0.3"

    # Or people decide to restore it all the same.
    functions.update_function_configuration(FunctionName=name, Environment=healed)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    ledger.put_item(TableName=table, Item={**FLEET_KEY, "targets": {"SS": ["fragile"]}})
    decided = engine(emulator, tmp_path, restoreBaseline=True).up()
    assert decided.ok, texts(decided)
    assert live_rate(functions, name) == "0.3"

    destroyed = dev.destroy()
    assert destroyed.ok, texts(destroyed)


def live_rate(functions: Any, name: Any) -> str:
    return functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]["FAILURE_RATE"]
