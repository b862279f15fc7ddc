import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.functions.fragile.core import fails, parse_rate, share_of
from selfheal.functions.shared.contract import FaultMode

CONTEXT = SimpleNamespace(function_name="shop", get_remaining_time_in_millis=lambda: 3000)


@pytest.mark.parametrize("text", ["1.5", "-1", "nan", "inf", "abc", ""])
def test_a_rate_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number from 0 to 1, got"):
        parse_rate(text)


@given(st.floats(0, 1, exclude_max=True), st.text())
def test_a_rate_of_0_never_fails_and_of_1_always(roll: float, caller: str) -> None:
    for mode in FaultMode:
        assert not fails(mode, 0, roll, caller)
        assert fails(mode, 1, roll, caller)


def test_partial_fails_the_same_share_of_callers_whatever_the_dice_say() -> None:
    callers = [f"10.0.{high}.{low}" for high in range(10) for low in range(200)]
    failing = [caller for caller in callers if fails(FaultMode.PARTIAL, 1 / 3, 0.0, caller)]
    assert failing == [caller for caller in callers if fails(FaultMode.PARTIAL, 1 / 3, 0.999, caller)]
    assert 0.28 < len(failing) / len(callers) < 0.39
    assert all(0 <= share_of(caller) < 1 for caller in callers)


slept: list[float] = []


class Service:
    """The handler's module in a new execution environment, and what it prints."""

    def __init__(self, patch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self._patch, self._output = patch, output
        self.module = ModuleType("not started")

    def start(self, rate: str, mode: str) -> None:
        self._patch.setenv("FAILURE_RATE", rate)
        self._patch.setenv("FAULT_MODE", mode)
        self._patch.delenv("OVERRIDES_TABLE", raising=False)
        from selfheal.functions.fragile import handler

        self.module = importlib.reload(handler)
        slept.clear()
        self._patch.setattr(self.module.time, "sleep", slept.append)  # pyright: ignore[reportUnknownArgumentType]

    def start_with_overrides(self, connect: Any) -> None:
        from selfheal.functions.shared import overrides

        self.start("0.3", "exception")
        self._patch.setenv("OVERRIDES_TABLE", "ledger")
        self._patch.setenv("OVERRIDES_TARGET", "fragile")
        self._patch.setattr(overrides, "connect", connect)
        importlib.reload(self.module)

    def override(self, value: str | None) -> "Overridden":
        overrides = Overridden(value)
        self._patch.setattr(self.module, "_OVERRIDES", overrides)
        return overrides

    def handle(self) -> dict[str, Any]:
        return self.module.handle({}, CONTEXT)

    def printed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.readouterr().out.splitlines()]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Service:
    return Service(monkeypatch, capsys)


def test_a_good_request_is_answered_and_counted(service: Service) -> None:
    service.start("0", "exception")
    assert service.handle()["statusCode"] == 200
    (line,) = service.printed()
    assert (line["FunctionName"], line["Requests"], line["Errors"]) == ("shop", 1, 0)
    directive = line["_aws"]["CloudWatchMetrics"][0]
    assert directive["Dimensions"] == [["FunctionName"]]
    assert {metric["StorageResolution"] for metric in directive["Metrics"]} == {1}


@pytest.mark.parametrize(
    ("mode", "sleeps"), [("exception", []), ("latency", [2.0]), ("timeout", [4.0]), ("partial", [])]
)
def test_a_failing_request_is_counted_even_though_it_raises(
    service: Service, mode: str, sleeps: list[float]
) -> None:
    service.start("1", mode)
    with pytest.raises(service.module.InjectedFaultError):
        service.handle()
    assert slept == sleeps
    assert [line["Errors"] for line in service.printed()] == [1]


def test_a_failing_status_code_raises_nothing_but_is_counted(service: Service) -> None:
    service.start("1", "status-code")
    assert service.handle()["statusCode"] == 503
    assert [line["Errors"] for line in service.printed()] == [1]


def test_a_misconfigured_function_does_not_start(service: Service) -> None:
    with pytest.raises(ValueError, match="FAILURE_RATE"):
        service.start("2", "exception")


class Overridden:
    """What the ledger would say, whatever the key."""

    def __init__(self, value: str | None) -> None:
        self.value = value
        self.keys: list[str] = []

    def get(self, key: str, baseline: str) -> str:
        self.keys.append(key)
        return baseline if self.value is None else self.value


def test_an_override_holds_from_the_next_request_on(service: Service) -> None:
    service.start("1", "status-code")
    overrides = service.override(None)
    assert service.handle()["statusCode"] == 503
    overrides.value = "0"
    answer = service.handle()
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"status": "ok", "failureRate": 0}
    assert overrides.keys == ["FAILURE_RATE", "FAILURE_RATE"]
    assert [line["Errors"] for line in service.printed()] == [1, 0]


def test_overrides_are_read_before_the_first_request(service: Service) -> None:
    """The init phase pays for the first connection, so that no request does."""
    known, asked = Overridden("0"), list[tuple[str, str]]()

    def connect(table: str, name: str, _: Any) -> Overridden:
        asked.append((table, name))
        return known

    service.start_with_overrides(connect)
    assert (asked, known.keys) == ([("ledger", "fragile")], ["FAILURE_RATE"])
    assert service.handle()["statusCode"] == 200


def test_without_an_override_the_answer_names_the_baseline(service: Service) -> None:
    service.start("0.0", "exception")
    service.override(None)
    assert json.loads(service.handle()["body"])["failureRate"] == 0


def test_an_override_that_is_no_rate_is_ignored_and_logged_once(service: Service) -> None:
    service.start("0", "exception")
    service.override("off")
    for _ in range(3):
        assert json.loads(service.handle()["body"])["failureRate"] == 0
    assert [line["message"] for line in service.printed() if "message" in line] == ["override ignored"]


def test_the_error_names_the_rate_that_held(service: Service) -> None:
    service.start("0", "exception")
    service.override("1")
    with pytest.raises(service.module.InjectedFaultError, match=r"rate 1\.0"):
        service.handle()


@pytest.mark.parametrize("table", ["", "ledger"])
def test_only_a_function_that_reads_overrides_pays_for_boto3(table: str) -> None:
    code = "import sys; from selfheal.functions.fragile import handler; print('boto3' in sys.modules)"
    environment = {
        "FAILURE_RATE": "0",
        "OVERRIDES_TARGET": "shop",
        "AWS_DEFAULT_REGION": "us-east-1",
        # It reads them before the first request, and cannot here.
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(Path(__file__).parent.parent.parent),
    }
    if table:
        environment["OVERRIDES_TABLE"] = table
    shown = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[-1] == str(bool(table))
