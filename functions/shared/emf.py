"""CloudWatch embedded metric format (EMF): metrics in log lines, without API calls or an agent.

Source: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

import json
from collections.abc import Mapping

from selfheal.functions.shared.contract import METRICS_NAMESPACE


def emf_line(function_name: str, values: Mapping[str, float], now_ms: int) -> str:
    """Return the log line that records metrics of one function, at 1-second resolution.

    Args:
        function_name: The only dimension. An alarm finds the metric by the function's name.
        values: The values by metric name. Names that begin with `TimeTo` or end with `Age` are in seconds,
            all others are counts. Include zeros: a rate needs both of its numbers.
        now_ms: Time of the values, in milliseconds since the epoch.

    """
    metrics = [
        {
            "Name": name,
            "Unit": "Seconds" if name.startswith("TimeTo") or name.endswith("Age") else "Count",
            "StorageResolution": 1,
        }
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
