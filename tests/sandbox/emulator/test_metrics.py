"""Metrics in a function's log lines, without an emulator."""

import json
import time
from typing import Any

import pytest

from selfheal.sandbox.emulator.metrics import emf_data, logs_and_metrics


def _document(**changes: Any) -> dict[str, Any]:
    metrics = [{"Name": "Requests", "Unit": "Count", "StorageResolution": 1}, {"Name": "Latency"}]
    head = {
        "Timestamp": 1_700_000_000_500,
        "CloudWatchMetrics": [
            {"Namespace": "selfheal", "Dimensions": [["FunctionName"]], "Metrics": metrics}
        ],
    }
    return {"_aws": head, "FunctionName": "f", "Requests": 1, "Latency": [3, 4.5], **changes}


def test_a_line_becomes_one_datum_per_metric() -> None:
    common = {"namespace": "selfheal", "dimensions": {"FunctionName": "f"}, "timestamp": 1_700_000_000.5}
    assert emf_data(json.dumps(_document())) == [
        {**common, "name": "Requests", "unit": "Count", "values": [1.0]},
        {**common, "name": "Latency", "unit": "None", "values": [3.0, 4.5]},
    ]


def test_each_dimension_set_gets_its_own() -> None:
    document = _document(Team="a")
    document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [["FunctionName"], ["FunctionName", "Team"]]
    found = [d["dimensions"] for d in emf_data(json.dumps(document)) if d["name"] == "Requests"]
    assert found == [{"FunctionName": "f"}, {"FunctionName": "f", "Team": "a"}]


@pytest.mark.parametrize("dimensions", [[], [[]]])
def test_no_dimensions_are_allowed(dimensions: list[Any]) -> None:
    document = _document()
    document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = dimensions
    assert [d["dimensions"] for d in emf_data(json.dumps(document))] == [{}, {}]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "START RequestId: 1",
        '{"level": "info"}',
        '{"_aws": "broken',
        '{"_aws": {}}',
        '{"_aws": null}',
        json.dumps(_document(Requests="many")),
        json.dumps({k: v for k, v in _document().items() if k != "FunctionName"}),
    ],
)
def test_any_other_line_is_no_metric(line: str) -> None:
    assert emf_data(line) == []


def test_a_call_is_counted_when_it_ends_at_the_time_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[tuple[Any, ...]] = []
    emit = logs_and_metrics(lambda *_, **__: None, lambda *datum: stored.append(datum))
    monkeypatch.setattr(time, "time", lambda: 1_700_000_300.0)
    emit({"FunctionName": "f"}, "id", "", error=True, duration_ms=300_000)
    assert {(datum[1], datum[3], datum[5]) for datum in stored} == {
        ("Invocations", 1_700_000_000.0, 1.0),
        ("Errors", 1_700_000_000.0, 1.0),
        ("Throttles", 1_700_000_000.0, 0.0),
        ("Duration", 1_700_000_000.0, 300_000.0),
    }
