"""Retries of Step Functions as AWS documents them, and the errors of functions by their names.

Ministack ignores MaxDelaySeconds and JitterStrategy, and accepts any value. Sources: Amazon States Language,
"Retrying after error"; Step Functions developer guide, "Handling errors in Step Functions workflows".
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_MOST = 99_999_999
_LONGEST_DELAY = 31_622_400

_RULES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "ErrorEquals": (
        "a list of at least one error name",
        lambda v: isinstance(v, list) and bool(v) and all(isinstance(name, str) for name in v),
    ),
    "IntervalSeconds": (f"a whole number from 1 to {_MOST}", lambda v: _whole(v) and 1 <= v <= _MOST),
    "MaxAttempts": (f"a whole number from 0 to {_MOST}", lambda v: _whole(v) and 0 <= v <= _MOST),
    "BackoffRate": (
        "a number of at least 1.0",
        lambda v: isinstance(v, int | float) and not isinstance(v, bool) and v >= 1,
    ),
    "MaxDelaySeconds": (
        f"a whole number greater than 0 and less than {_LONGEST_DELAY}",
        lambda v: _whole(v) and 0 < v < _LONGEST_DELAY,
    ),
    "JitterStrategy": ('"FULL" or "NONE"', lambda v: v in {"FULL", "NONE"}),
    "Comment": ("text", lambda v: isinstance(v, str)),
}
"""By field of a retrier, what it must be."""


def retriers_checked(check: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    """Return the replacement of `_validate_definition_jsonata`, which also refuses what AWS does in Retry."""

    def checked(definition: Any) -> str | None:
        if (refusal := check(definition)) is not None:
            return refusal
        try:
            machine = json.loads(definition)
        except (TypeError, ValueError):
            return None  # judged elsewhere
        return next(_wrong_retriers(machine, ""), None)

    return checked


def delays_bounded(
    find: Callable[..., Any], uniform: Callable[[float, float], float] = random.uniform
) -> Any:
    """Return the replacement of `_find_matching_retrier`, which applies the maximum delay and the jitter.

    The delay that it determines is passed on as the interval of a retrier without backoff. Ministack waits
    for 60 s at most.
    """

    def found(retriers: Any, error: str, counts: Mapping[int, int]) -> Any:
        retrier, index = find(retriers, error, counts)
        if retrier is None:
            return retrier, index
        count = counts.get(index, 0)
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** count
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay = uniform(0, delay)
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1.0}, index

    return found


def throttles_named(call: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """Return the replacement of `_call_lambda`: a throttled call is `Lambda.TooManyRequestsException`."""

    def called(function: Any, event: Any) -> Any:
        try:
            return call(function, event)
        except error as raised:
            if (message := _throttled(raised)) is None:
                raise
            raise error("Lambda.TooManyRequestsException", message) from raised

    return called


def _throttled(raised: Any) -> str | None:
    """Return the message of a throttled call; None for any other error."""
    if raised.error != "Lambda.Unknown":
        return None
    try:
        answer = json.loads(raised.cause)
    except (TypeError, ValueError):
        return None
    if not isinstance(answer, dict) or answer.get("__type") != "TooManyRequestsException":  # pyright: ignore[reportUnknownMemberType]
        return None
    return f"{answer['message']} (Service: Lambda, Status Code: 429)"


def _wrong_retriers(machine: Any, path: str) -> Iterator[str]:
    states = machine.get("States") if isinstance(machine, dict) else None
    for name, state in states.items() if isinstance(states, dict) else ():
        where = f"{path}/States/{name}"
        if not isinstance(state, dict):
            continue
        retriers = state.get("Retry") or []
        for index, retrier in enumerate(retriers):
            last = index == len(retriers) - 1
            yield from _wrong_fields(retrier, f"{where}/Retry[{index}]", last=last)
        for index, branch in enumerate(state.get("Branches") or []):
            yield from _wrong_retriers(branch, f"{where}/Branches[{index}]")
        for field in ("ItemProcessor", "Iterator"):
            yield from _wrong_retriers(state.get(field), f"{where}/{field}")


def _wrong_fields(retrier: Any, where: str, *, last: bool) -> Iterator[str]:
    given: dict[str, Any] = retrier if isinstance(retrier, dict) else {}
    if "ErrorEquals" not in given:
        yield f"SCHEMA_VALIDATION_FAILED: The field 'ErrorEquals' is required at {where}"
    for field, value in given.items():
        what, allowed = _RULES.get(field, ("", lambda _: False))
        if not what:
            yield f"SCHEMA_VALIDATION_FAILED: Field '{field}' is not supported at {where}"
        elif not allowed(value):
            yield f"SCHEMA_VALIDATION_FAILED: {field} must be {what}, and is {value!r}, at {where}/{field}"
    names = given.get("ErrorEquals") or []
    if "States.ALL" in names and (len(names) > 1 or not last):
        yield f"SCHEMA_VALIDATION_FAILED: States.ALL must be alone, in the last retrier: {where}/ErrorEquals"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
