"""Metrics out of a function's log lines and calls, without an emulator."""

import json
from typing import Any

import pytest

from selfheal.sandbox.emulator.metrics import emf_data, logs_and_metrics, throttles_only


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


def test_one_call_is_one_datapoint_of_each_and_its_lines() -> None:
    stored: list[tuple[Any, ...]] = []
    logged: list[tuple[Any, ...]] = []
    emit = logs_and_metrics(lambda *a, **k: logged.append((*a, k)), lambda *a: stored.append(a))
    text = f"hello\n{json.dumps(_document())}"
    emit({"config": {"FunctionName": "f"}}, "id", text, True, 12, log_source="rie")
    assert logged == [({"config": {"FunctionName": "f"}}, "id", text, True, 12, {"log_source": "rie"})]
    assert [(s[0], s[1], s[5], s[6]) for s in stored] == [
        ("AWS/Lambda", "Invocations", 1.0, None),
        ("AWS/Lambda", "Errors", 1.0, None),
        ("AWS/Lambda", "Throttles", 0.0, None),
        ("AWS/Lambda", "Duration", 12.0, None),
        ("selfheal", "Requests", None, [1.0]),
        ("selfheal", "Latency", None, [3.0, 4.5]),
    ]
    assert {tuple(s[2].items()) for s in stored} == {(("FunctionName", "f"),)}


def test_a_throttle_is_counted_once_where_it_happens() -> None:
    stored: list[tuple[Any, ...]] = []
    emit = throttles_only(lambda *a: stored.append(a))
    emit("f", duration_ms=0.0, error=False, throttle=True)
    emit("f", duration_ms=3.0, error=True, throttle=True)  # the Invoke API's report of the same one
    emit("f", duration_ms=9.0, error=False, throttle=False)
    assert [(s[1], s[2], s[5]) for s in stored] == [("Throttles", {"FunctionName": "f"}, 1.0)]
