"""CloudWatch embedded metric format: metrics as a log line, with no API call and no agent.

Source: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

import json

NAMESPACE = "selfheal"


def emf_line(function_name: str, counts: dict[str, int], now_ms: int) -> str:
    """Return the log line that records counts of one function, at 1-second resolution.

    Args:
        function_name: The only dimension, so that an alarm on any function finds its metric by name.
        counts: Metric name to count; zeros matter, for a rate needs both its numbers.
        now_ms: The moment of the counts, milliseconds since the epoch.

    """
    metrics = [{"Name": name, "Unit": "Count", "StorageResolution": 1} for name in counts]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": metrics}
    return json.dumps(
        {
            "_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]},
            "FunctionName": function_name,
            **counts,
        }
    )
