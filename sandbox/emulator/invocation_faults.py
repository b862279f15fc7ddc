"""The faults that AWS FIS injects into invocations of Lambda functions: which one meets, and what it does.

Sources: AWS FIS user guide, "AWS FIS Actions reference" (Lambda actions) and "Use the AWS FIS
aws:lambda:function actions" (prerequisites, concurrency, percentage). The text and type of the injected error
are documented nowhere: they are ours.
"""

import re
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What is done to an invocation."""

    DELAY = "aws:lambda:invocation-add-delay"
    ERROR = "aws:lambda:invocation-error"
    RESPONSE = "aws:lambda:invocation-http-integration-response"


@dataclass(frozen=True)
class InvocationFault:
    """One action of a running experiment."""

    action: Action
    functions: frozenset[tuple[str, str | None]]
    """ARN without a qualifier, and the version; None for every version."""
    begins: float
    ends: float
    """In seconds since the epoch."""
    percent: float = 100.0
    """Of the invocations, by chance. 1 to 100."""
    delay_seconds: float = 1.0
    """With DELAY, before the function's code runs."""
    prevents: bool = False
    """With ERROR and RESPONSE, whether the code does not run at all."""
    status_code: int = 200
    content_type: str = ""
    """With RESPONSE."""

    def targets(self, arn: str, version: str, now: float) -> bool:
        """Return whether it acts on the invocations of a version at a moment."""
        return self.begins <= now < self.ends and bool({(arn, None), (arn, version)} & self.functions)


@dataclass(frozen=True)
class Met:
    """What an invocation meets."""

    delay_seconds: float = 0.0
    outcome: InvocationFault | None = None
    """The error or the response that takes the place of what the function returns."""


def met(
    faults: Iterable[InvocationFault], arn: str, version: str, now: float, roll: Callable[[], float]
) -> Met:
    """Return what an invocation meets; `roll` returns a random number in [0, 1).

    A delay and an outcome are both applied. Of several delays, and of several errors and responses, only the
    one counts that began first, whether chance spares the invocation or not.
    """
    acting = sorted((f for f in faults if f.targets(arn, version, now)), key=lambda f: f.begins)
    delay = next((f for f in acting if f.action is Action.DELAY), None)
    outcome = next((f for f in acting if f.action is not Action.DELAY), None)
    return Met(
        delay.delay_seconds if delay and roll() * 100 < delay.percent else 0.0,
        outcome if outcome and roll() * 100 < outcome.percent else None,
    )


_LAYER = re.compile(r"arn:aws[\w-]*:lambda:[^:]+:\d{12}:layer:aws-fis-extension[\w-]*:\d+", re.IGNORECASE)
_LOCATION = re.compile(r"arn:aws[\w-]*:s3:::[^/]+/.+")
WRAPPER = "/opt/aws-fis/bootstrap"
"""What `AWS_LAMBDA_EXEC_WRAPPER` must be."""


def extended(config: Mapping[str, Any]) -> bool:
    """Return whether a function has what faults need: the extension's layer and its two variables."""
    variables = (config.get("Environment") or {}).get("Variables") or {}
    return (
        any(_LAYER.fullmatch(str(layer.get("Arn"))) for layer in config.get("Layers") or [])
        and variables.get("AWS_LAMBDA_EXEC_WRAPPER") == WRAPPER
        and bool(_LOCATION.fullmatch(variables.get("AWS_FIS_CONFIGURATION_LOCATION", "")))
    )


Execute = Callable[[dict[str, Any], Any, str], dict[str, Any]]
"""Ministack's `_execute_function_warm(function, event, request id)`."""

_LOG = "AWS FIS EXTENSION - found active faults"
_NOT_REPLACED = frozenset({"Sandbox.Timedout", "Runtime.ExitError"})
"""What the function did not return: there is no response that the extension could replace."""

_SPENT: ContextVar[float] = ContextVar("seconds of the timeout that a delay used up", default=0.0)


def injected(
    execute: Execute,
    meets: Callable[[Mapping[str, Any]], Met],
    sleep: Callable[[float], None] = time.sleep,
) -> Execute:
    """Return the replacement of `_execute_function_warm`, which injects what `meets` says for a function.

    A delay is a part of the function's time: what it leaves of the timeout is left to the code.
    """

    def executed(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        config = func.get("config") or func
        found = meets(config)
        if found == Met():
            return execute(func, event, request_id)
        timeout = config.get("Timeout", 3)
        sleep(min(found.delay_seconds, timeout))
        if found.delay_seconds >= timeout:
            body = {"errorMessage": _timed_out(timeout), "errorType": "Sandbox.Timedout"}
            return {"body": body, "error": True, "log": f"{_LOG}\n{_timed_out(timeout)}"}
        if found.outcome and found.outcome.prevents:
            return _result(found.outcome, _LOG)
        with _spent(found.delay_seconds):
            result = execute(func, event, request_id)
        log = "\n".join(filter(None, [_LOG, result.get("log", "")]))
        if found.outcome is None or result.get("throttle") or _unreturned(result):
            return {**result, "log": log}
        return _result(found.outcome, log)

    return executed


def shortened(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the replacement of `Worker.invoke`, in which a delay has used up a part of the timeout."""

    def invoked(worker: Any, *args: Any, **options: Any) -> dict[str, Any]:
        seconds = _SPENT.get()
        if not seconds:
            return invoke(worker, *args, **options)
        whole = worker.config
        timeout = whole.get("Timeout", 3)
        worker.config = {**whole, "Timeout": timeout - seconds}  # leased: no other invocation uses it
        try:
            result = invoke(worker, *args, **options)
        finally:
            worker.config = whole
        if str(result.get("error", "")).startswith("Task timed out after "):
            return {**result, "error": _timed_out(timeout)}
        return result

    return invoked


@contextmanager
def _spent(seconds: float) -> Generator[None]:
    token = _SPENT.set(seconds)
    try:
        yield
    finally:
        _SPENT.reset(token)


def _timed_out(timeout: int) -> str:
    return f"Task timed out after {timeout}.00 seconds"


def _unreturned(result: Mapping[str, Any]) -> bool:
    body = result.get("body")
    return bool(result.get("error")) and isinstance(body, dict) and body.get("errorType") in _NOT_REPLACED


def _result(fault: InvocationFault, log: str) -> dict[str, Any]:
    if fault.action is Action.ERROR:
        body = {"errorMessage": "AWS FIS injected an error", "errorType": "FisInjectedError"}
        return {"body": body, "error": True, "log": log}
    headers = {"Content-Type": fault.content_type}
    return {"body": {"statusCode": fault.status_code, "headers": headers, "body": ""}, "log": log}
