"""The Lambda handler of the fragile service: answers or fails requests as configured, and counts them."""

import json
import os
import random
import time
from functools import lru_cache
from typing import Any

from selfheal.functions.fragile.core import fails, parse_rate
from selfheal.functions.shared.contract import FaultMode
from selfheal.functions.shared.emf import emf_line
from selfheal.functions.shared.log import log
from selfheal.functions.shared.overrides import Overrides, connect

# Read once, in the init phase: a configuration change starts new execution environments.
BASELINE = os.environ["FAILURE_RATE"]
FAILURE_RATE = parse_rate(BASELINE)
FAULT_MODE = FaultMode(os.environ.get("FAULT_MODE", FaultMode.EXCEPTION))

LATENCY_SECONDS = 2.0
"""The delay before the exception in mode LATENCY: below the function's timeout of 3 s."""


class InjectedFaultError(Exception):
    """A failure that the configuration asked for."""


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Serve one HTTP API request (payload format 2.0)."""
    caller = event.get("requestContext", {}).get("http", {}).get("sourceIp", "")
    rate = _rate()
    failing = fails(FAULT_MODE, rate, random.random(), caller)  # noqa: S311 - chance, not a secret
    # Before the fault, because a function cannot emit anything after its timeout.
    counts = {"Requests": 1, "Errors": int(failing)}
    print(emf_line(context.function_name, counts, int(time.time() * 1000)), flush=True)
    if failing:
        return _fail(context, rate)
    return _answer(200, {"status": "ok", "failureRate": rate})


def _overrides() -> Overrides | None:
    table = os.environ.get("OVERRIDES_TABLE")
    return connect(table, os.environ["OVERRIDES_TARGET"], time.time) if table else None


_OVERRIDES = _overrides()
if _OVERRIDES is not None:
    # In the init phase, so that no request waits for the first connection. It never raises.
    _OVERRIDES.get("FAILURE_RATE", BASELINE)


def _rate() -> float:
    """Return the failure rate for this request: the override, or the baseline if there is none."""
    if _OVERRIDES is None:
        return FAILURE_RATE
    return _parsed(_OVERRIDES.get("FAILURE_RATE", BASELINE))


@lru_cache(maxsize=8)  # so that an invalid one is logged once, and not with every request
def _parsed(text: str) -> float:
    try:
        return parse_rate(text)
    except ValueError as error:
        log("warning", "override ignored", error=str(error))
        return FAILURE_RATE


def _fail(context: Any, rate: float) -> dict[str, Any]:
    if FAULT_MODE is FaultMode.STATUS_CODE:
        return _answer(503, {"status": "injected fault"})
    if FAULT_MODE is FaultMode.TIMEOUT:
        time.sleep(context.get_remaining_time_in_millis() / 1000 + 1)
    if FAULT_MODE is FaultMode.LATENCY:
        time.sleep(LATENCY_SECONDS)
    raise InjectedFaultError(f"injected fault: mode {FAULT_MODE.value}, rate {rate}")


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
