"""A service that takes batches and counts what it could not do.

Poison makes a whole batch fail: weak poison while FEATURE is on, strong poison always.
"""

import os
import time
from typing import Any

from selfheal.functions.shared.emf import emf_line
from selfheal.functions.shared.overrides import connect

TABLE = os.environ.get("OVERRIDES_TABLE")
OVERRIDES = connect(TABLE, os.environ["OVERRIDES_TARGET"], time.time) if TABLE else None


def handle(event: dict[str, Any], context: Any) -> dict[str, int]:
    baseline = os.environ["FEATURE"]
    feature = OVERRIDES.get("FEATURE", baseline) if OVERRIDES else baseline
    failing = event["poison"] == "strong" or (event["poison"] == "weak" and feature == "on")
    failed = event["requests"] if failing else 0
    counts = {"Requests": event["requests"], "Errors": failed}
    print(emf_line(context.function_name, counts, int(time.time() * 1000)))  # noqa: T201 - metrics come out of the log
    return {"failed": failed}
