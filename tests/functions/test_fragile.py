import importlib
import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.fragile.core import FaultMode, fails, parse_rate, share_of

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


def load(monkeypatch: pytest.MonkeyPatch, rate: str, mode: str) -> ModuleType:
    """Start a new execution environment with this configuration."""
    monkeypatch.setenv("FAILURE_RATE", rate)
    monkeypatch.setenv("FAULT_MODE", mode)
    from functions.fragile import handler

    module = importlib.reload(handler)
    monkeypatch.setattr(module.time, "sleep", slept.append)  # pyright: ignore[reportUnknownArgumentType]
    slept.clear()
    return module


slept: list[float] = []


def emitted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


def test_a_good_request_is_answered_and_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = load(monkeypatch, "0", "exception").handle({}, CONTEXT)
    assert answer["statusCode"] == 200
    line = emitted(capsys)
    assert (line["FunctionName"], line["Requests"], line["Errors"]) == ("shop", 1, 0)
    directive = line["_aws"]["CloudWatchMetrics"][0]
    assert directive["Dimensions"] == [["FunctionName"]]
    assert {metric["StorageResolution"] for metric in directive["Metrics"]} == {1}


@pytest.mark.parametrize(
    ("mode", "sleeps"), [("exception", []), ("latency", [2.0]), ("timeout", [4.0]), ("partial", [])]
)
def test_a_failing_request_is_counted_even_though_it_raises(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mode: str, sleeps: list[float]
) -> None:
    handler = load(monkeypatch, "1", mode)
    with pytest.raises(handler.InjectedFaultError):
        handler.handle({}, CONTEXT)
    assert slept == sleeps
    assert emitted(capsys)["Errors"] == 1


def test_a_failing_status_code_raises_nothing_but_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = load(monkeypatch, "1", "status-code").handle({}, CONTEXT)
    assert answer["statusCode"] == 503
    assert emitted(capsys)["Errors"] == 1


def test_a_misconfigured_function_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="FAILURE_RATE"):
        load(monkeypatch, "2", "exception")
