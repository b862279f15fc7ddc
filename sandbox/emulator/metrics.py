"""Emits the CloudWatch metrics of Lambda functions, and those in their logs, where ministack does not."""

import json
import time
from collections.abc import Callable
from typing import Any

Store = Callable[..., None]
"""Ministack's `_store_datum(namespace, name, dimensions, time, unit, value, values, counts, statistics)`."""


def emf_data(line: str) -> list[dict[str, Any]]:
    """Return the metric data in one log line in embedded metric format; empty for any other line.

    Each is `{namespace, name, dimensions, timestamp (s), unit, values}`, one per metric and dimension set.
    Source: CloudWatch user guide, "Specification: Embedded metric format".
    """
    text = line.strip()
    if not (text.startswith("{") and '"_aws"' in text):
        return []
    data: list[dict[str, Any]] = []
    try:
        document = json.loads(text)
        timestamp = float(document["_aws"]["Timestamp"]) / 1000.0
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for keys in directive.get("Dimensions") or [[]]:
                dimensions = {key: str(document[key]) for key in keys}
                for metric in directive["Metrics"]:
                    value = document[metric["Name"]]
                    data.append(
                        {
                            "namespace": directive["Namespace"],
                            "name": metric["Name"],
                            "dimensions": dimensions,
                            "timestamp": timestamp,
                            "unit": metric.get("Unit", "None"),
                            "values": [float(v) for v in (value if isinstance(value, list) else [value])],
                        }
                    )
    except (KeyError, TypeError, ValueError):
        # As in CloudWatch, a malformed document stays a plain log line.
        return []
    return data


def throttles_only(store: Store) -> Callable[..., None]:
    """Return the replacement of `_emit_lambda_metrics`, which emits throttles only.

    Ministack calls it for the Invoke API only, not for API Gateway, SNS or EventBridge; so invocations are
    counted by `logs_and_metrics`. Throttled calls are counted here, as they write no log. The concurrency
    check reports them without a duration; the Invoke API then reports the same throttle with one.
    """

    def emit(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: ARG001
        if throttle and duration_ms == 0:
            dimensions = {"FunctionName": function_name}
            store("AWS/Lambda", "Throttles", dimensions, time.time(), "Count", 1.0, None, None, None)

    return emit


def logs_and_metrics(original: Callable[..., None], store: Store) -> Callable[..., None]:
    """Return the replacement of `_emit_lambda_logs`, which also emits the metrics of the invocation.

    Ministack calls it once for every invocation, whatever the source. AWS/Lambda gets one datapoint each of
    Invocations, Errors, Throttles (0, as on AWS for a call that ran) and Duration. Log lines in embedded
    metric format become metrics with the timestamp they state.

    As on AWS a call is counted when it ends, at the time at which it began (AWS Lambda developer guide,
    "Types of metrics for Lambda functions").
    """

    def emit(
        func: dict[str, Any],
        request_id: str,
        log_text: str,
        error: bool,
        duration_ms: int,
        *,
        log_source: str | None = None,
    ) -> None:
        original(func, request_id, log_text, error, duration_ms, log_source=log_source)
        began = time.time() - duration_ms / 1000
        dimensions = {"FunctionName": (func.get("config") or func).get("FunctionName", "unknown")}
        for name, value, unit in (
            ("Invocations", 1.0, "Count"),
            ("Errors", float(error), "Count"),
            ("Throttles", 0.0, "Count"),
            ("Duration", float(duration_ms), "Milliseconds"),
        ):
            store("AWS/Lambda", name, dimensions, began, unit, value, None, None, None)
        for line in (log_text or "").splitlines():
            for d in emf_data(line):
                where = d["namespace"], d["name"], d["dimensions"], d["timestamp"], d["unit"]
                store(*where, None, d["values"], None, None)

    return emit
