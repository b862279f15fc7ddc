"""The faults that a scenario can have, one of them each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from selfheal.scenarios.fields import Fields

_NEEDS: Mapping[str, str] = {"latency": "seconds", "data-shape": "seconds", "errors": "share"}

MODES = ("429", "latency", "errors", "outage", "partial-outage", "data-shape")
"""How a downstream fails: those of `selfheal.functions.downstream.core.Mode`, which a test compares."""

_LOGICAL_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


class FaultKind(StrEnum):
    """What can be broken."""

    DOWNSTREAM = "downstream"
    """What the service calls: by the downstream's switch. FIS cannot refuse an outbound call."""
    FUNCTION = "function"
    """Invocations of a function, by FIS and its extension."""
    THROTTLE = "throttle"
    """Calls of an AWS service, in the sandbox only."""
    KILL = "kill"
    """Workers of a function, in the sandbox only."""


ONLY_IN_SANDBOX = (FaultKind.THROTTLE, FaultKind.KILL)
"""Kinds that AWS offers nothing for."""


class FunctionAction(StrEnum):
    """What FIS does to an invocation."""

    ERROR = "error"
    """It fails: before it ran, or after, as `prevent_execution` says."""
    DELAY = "delay"
    """It starts later."""
    RESPONSE = "response"
    """The extension answers it, in the form of an HTTP integration."""


_FIS_ACTIONS: Mapping[FunctionAction, str] = {
    FunctionAction.ERROR: "aws:lambda:invocation-error",
    FunctionAction.DELAY: "aws:lambda:invocation-add-delay",
    FunctionAction.RESPONSE: "aws:lambda:invocation-http-integration-response",
}


@dataclass(frozen=True)
class DownstreamFault:
    """The downstream is switched."""

    kind = FaultKind.DOWNSTREAM

    mode: str
    """One of MODES."""
    seconds: float | None = None
    """With latency the delay of each answer, with data-shape for each kilobyte of the request. 0 to 60."""
    share: float | None = None
    """With errors the share of calls that fail, 0 to 1."""


@dataclass(frozen=True)
class FunctionFault:
    """FIS breaks invocations of a function."""

    kind = FaultKind.FUNCTION

    target: str
    """Logical name: a key of the stack's output `functions`."""
    action: FunctionAction
    percent: int
    """Share of the invocations, 1 to 100. In production at most 10 are allowed."""
    delay_seconds: float | None = None
    """With DELAY, above 0 to 900."""
    status_code: int | None = None
    """With RESPONSE, 100 to 599."""
    prevent_execution: bool = True
    """With ERROR and RESPONSE: whether the function does not run at all. False is the test of idempotency: it
    has done its work, and its caller sees a failure."""

    @property
    def fis_action(self) -> str:
        """Id of the action of AWS FIS. Source: FIS user guide, "AWS FIS Actions reference"."""
        return _FIS_ACTIONS[self.action]

    @property
    def fis_parameters(self) -> Mapping[str, str]:
        """Parameters of that action, but duration and percentage."""
        if self.action is FunctionAction.DELAY:
            return {"startupDelayMilliseconds": str(round((self.delay_seconds or 0) * 1000))}
        prevent = {"preventExecution": str(self.prevent_execution).lower()}
        if self.action is FunctionAction.ERROR:
            return prevent
        return {**prevent, "statusCode": str(self.status_code), "contentTypeHeader": "application/json"}


@dataclass(frozen=True)
class ThrottleFault:
    """An AWS service refuses calls."""

    kind = FaultKind.THROTTLE

    service: str
    """As boto3 names it, for example `ssm`."""
    operation: str
    """As the API reference names it, for example `GetParameters`."""
    share: float
    """Of the calls, above 0 to 1."""


@dataclass(frozen=True)
class KillFault:
    """Workers of a function die in the middle of their work."""

    kind = FaultKind.KILL

    target: str
    """Logical name: a key of the stack's output `functions`."""
    every_seconds: float
    """From one death to the next, 1 to 600."""


Fault = DownstreamFault | FunctionFault | ThrottleFault | KillFault


def read_fault(fields: Fields) -> Fault:
    """Return the fault that the fields describe.

    Raises:
        ScenarioError: when they describe none.

    """
    fault = _READ[FaultKind(fields.word("kind", FaultKind))](fields)
    fields.finish()
    return fault


def _downstream(fields: Fields) -> DownstreamFault:
    mode = fields.word("mode", MODES)
    # A number that the mode does not look at would say something that does not happen.
    needed = _NEEDS.get(mode)
    return DownstreamFault(
        mode,
        seconds=fields.number("seconds", 0, 60) if needed == "seconds" else None,
        share=fields.number("share", 0, 1, above=True) if needed == "share" else None,
    )


def _function(fields: Fields) -> FunctionFault:
    action = FunctionAction(fields.word("action", FunctionAction))
    is_delay = action is FunctionAction.DELAY
    answers = action is FunctionAction.RESPONSE
    prevents = not is_delay and fields.has("prevent_execution")
    return FunctionFault(
        _target(fields),
        action,
        fields.whole("percent", 1, 100),
        delay_seconds=fields.number("delay_seconds", 0, 900, above=True) if is_delay else None,
        status_code=fields.whole("status_code", 100, 599) if answers else None,
        prevent_execution=fields.boolean("prevent_execution") if prevents else not is_delay,
    )


def _throttle(fields: Fields) -> ThrottleFault:
    return ThrottleFault(
        fields.matching("service", re.compile("[a-z0-9-]{2,40}"), "a service as boto3 names it, such as ssm"),
        fields.matching(
            "operation",
            re.compile("[A-Z][A-Za-z0-9]{2,80}"),
            "an operation of its API reference, such as GetParameters",
        ),
        fields.number("share", 0, 1, above=True),
    )


def _kill(fields: Fields) -> KillFault:
    return KillFault(_target(fields), fields.number("every_seconds", 1, 600))


def _target(fields: Fields) -> str:
    allowed = "the logical name of a function, a key of the stack's output functions, such as billing"
    return fields.matching("target", _LOGICAL_NAME, allowed)


_READ: Mapping[FaultKind, Callable[[Fields], Fault]] = {
    FaultKind.DOWNSTREAM: _downstream,
    FaultKind.FUNCTION: _function,
    FaultKind.THROTTLE: _throttle,
    FaultKind.KILL: _kill,
}
