"""The Lambda handler of the downstream: serves or fails calls as set, and writes each of them down."""

import os
import random
import time
from typing import Any

import boto3

from selfheal.functions.downstream.core import (
    Outcome,
    Request,
    RequestError,
    Setting,
    answer,
    fault,
    parse_request,
    parse_setting,
    parse_switch,
)
from selfheal.functions.downstream.store import Store
from selfheal.functions.shared.cached import Cached, FailureLog

# Read once, in the init phase: a configuration change starts new execution environments.
BASELINE = parse_setting(
    {name: os.environ[name.upper()] for name in ("rate", "burst") if name.upper() in os.environ}, Setting()
)
STORE = Store(boto3.client("dynamodb"), os.environ["DOWNSTREAM_TABLE"])

TTL_SECONDS = 1.0
"""How long a setting is cached, which delays a switch."""

TRUST_SECONDS = 60.0
"""How long the last setting holds if the table does not answer, or what it says is wrong."""

_log = FailureLog("setting not read", time.time)

_SWITCH = Cached(
    lambda: parse_switch(STORE.setting(), BASELINE),
    time.time,
    ttl=TTL_SECONDS,
    trust=TRUST_SECONDS,
    pause=lambda _: TTL_SECONDS,
    failed=lambda error: _log(type(error).__name__, detail=str(error)),
)


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Serve one call: of a function URL, an HTTP or REST API, or a direct invocation."""
    now = time.time()
    try:
        request = parse_request(event)
    except RequestError as error:
        STORE.log_call("", "", Outcome.INVALID, now)
        return answer(Outcome.INVALID, error=str(error))
    switch = _SWITCH.get()
    setting = switch.at(now, BASELINE) if switch else BASELINE
    met = fault(setting, request, random.random())  # noqa: S311 - chance, not a secret
    outcome, values = _serve(request, setting, now) if met.refused is None else (met.refused, {})
    # Before the delay: a call that the timeout ends has happened all the same.
    STORE.log_call(request.caller, request.key, outcome, now)
    time.sleep(met.seconds)
    return answer(outcome, **values)


def _serve(request: Request, setting: Setting, now: float) -> tuple[Outcome, dict[str, Any]]:
    """Do what is asked for, if the rate allows it, and return what became of it."""
    wait = STORE.take(setting.rate, setting.burst, now)
    if wait > 0:
        return Outcome.THROTTLED, {"retry_after": wait}
    if not request.key:
        return Outcome.HEALTH, {}
    done = STORE.effect(request, now)
    return done.outcome, {"key": request.key, "at": done.at}
