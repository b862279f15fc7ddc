"""CloudWatch embedded metric format: metrics as a log line, with no API call and no agent.

Source: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

import json
from collections.abc import Mapping

from selfheal.functions.shared.contract import METRICS_NAMESPACE


def emf_line(function_name: str, values: Mapping[str, float], now_ms: int) -> str:
    """Return the log line that records values of one function, at 1-second resolution.

    Args:
        function_name: The only dimension, so that an alarm on any function finds its metric by name.
        values: Metric name to value. Names that begin with `TimeTo` are seconds, all others counts; zeros
            matter, for a rate needs both its numbers.
        now_ms: The moment of the values, milliseconds since the epoch.

    """
    metrics = [
        {"Name": name, "Unit": "Seconds" if name.startswith("TimeTo") else "Count", "StorageResolution": 1}
        for name in values
    ]
    directive = {"Namespace": METRICS_NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": metrics}
    return json.dumps(
        {
            "_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]},
            "FunctionName": function_name,
            **values,
        }
    )
