"""Structured logs: one JSON object a line on standard output, which Lambda ships to CloudWatch Logs."""

import json
from datetime import UTC, datetime


def log(level: str, message: str, **fields: object) -> None:
    """Print one log line.

    Args:
        level: "info", "warning" or "error".
        message: What happened, in a few words that stay the same, so that it can be searched for.
        fields: The facts of this occurrence. Never an environment: it may hold secrets.

    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    print(json.dumps({"level": level, "message": message, "time": now, **fields}, default=str), flush=True)
