"""Structured logs: one JSON object per line on standard output, which Lambda sends to CloudWatch Logs."""

import json
from datetime import UTC, datetime


def log(level: str, message: str, **fields: object) -> None:
    """Print one log line.

    Args:
        level: "info", "warning" or "error".
        message: What happened, in a constant text that can be searched for.
        fields: Details of this occurrence. Never an environment, which may contain secrets.

    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    print(json.dumps({"level": level, "message": message, "time": now, **fields}, default=str), flush=True)
