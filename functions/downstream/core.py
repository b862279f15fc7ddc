"""Decides what becomes of a call: what was asked for, and which fault it meets. Pure functions."""

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from selfheal.functions.shared.callers import share_of


class Mode(StrEnum):
    """How the downstream fails. Each fault but the first is one that third parties have."""

    HEALTHY = "healthy"
    """Answers at once, up to the stated rate."""
    THROTTLE = "429"
    """Refuses every call with 429, as if others used up the rate."""
    LATENCY = "latency"
    """Does what is asked, and answers after `seconds`: the caller may have given up by then."""
    ERRORS = "errors"
    """Answers 500 to a share of the calls, by chance."""
    OUTAGE = "outage"
    """Answers 503 to every call."""
    PARTIAL_OUTAGE = "partial-outage"
    """Answers 503 to one caller in three, always the same ones."""
    DATA_SHAPE = "data-shape"
    """Takes `seconds` for each kilobyte of the request: fast with a test's data, slow with large data."""


class Outcome(StrEnum):
    """What became of a call."""

    EFFECT = "effect"
    """Done, the only time for this key."""
    DUPLICATE = "duplicate"
    """Done before: the same answer, and no second effect."""
    CONFLICT = "conflict"
    """The key was used with other data: refused, and nothing changed."""
    HEALTH = "health"
    """The health route answered well."""
    INVALID = "invalid"
    """The request is wrong."""
    THROTTLED = "throttled"
    """Above the stated rate, or mode 429."""
    ERROR = "error"
    """Mode errors."""
    UNAVAILABLE = "unavailable"
    """Mode outage or partial outage."""


PARTIAL_SHARE = 1 / 3
"""The share of callers that a partial outage hits."""

LONGEST_PAUSE_SECONDS = 60.0
"""The longest that a call is delayed."""

_RANGES = {
    "seconds": (0.0, LONGEST_PAUSE_SECONDS),
    "share": (0.0, 1.0),
    "rate": (0.1, 1000.0),
    "burst": (1.0, 1000.0),
}

# Visible ASCII: it fits a header, a key of DynamoDB and a log line.
_WORD = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True)
class Setting:
    """How the downstream behaves now."""

    mode: Mode = Mode.HEALTHY
    seconds: float = 2.0
    """With LATENCY the delay, with DATA_SHAPE the delay for each kilobyte. 0 to 60."""
    share: float = 0.5
    """With ERRORS the share of calls that fail. 0 to 1."""
    rate: float = 50.0
    """Calls a second that are served, whatever the number of workers. 0.1 to 1,000."""
    burst: float = 5.0
    """Calls that are served at once after a rest. 1 to 1,000."""


def parse_setting(values: Mapping[str, str], baseline: Setting) -> Setting:
    """Return a setting: the given values, and for the others the baseline's.

    Raises:
        ValueError: when a name is unknown or a value out of range.

    """
    changes: dict[str, Any] = {}
    for name, text in values.items():
        if name == "mode":
            if text not in list(Mode):
                raise ValueError(f"mode must be one of {', '.join(Mode)}, got {text!r}")
            changes[name] = Mode(text)
        elif name in _RANGES:
            changes[name] = _number(name, text)
        else:
            raise ValueError(f"a setting has mode, {', '.join(_RANGES)}, got {name!r}")
    return replace(baseline, **changes)


@dataclass(frozen=True)
class Switch:
    """A setting that was switched on, and until when it counts."""

    setting: Setting
    until: float = math.inf
    """Seconds since the epoch. From then on the baseline counts, so that a switch whose author died ends."""

    def at(self, now: float, baseline: Setting) -> Setting:
        """Return the setting that counts at a moment, in seconds since the epoch."""
        return self.setting if now < self.until else baseline


def parse_switch(values: Mapping[str, str], baseline: Setting) -> Switch:
    """Return a switch: a setting's values, and `until` in seconds since the epoch, by default without end.

    Raises:
        ValueError: when a name is unknown or a value out of range. `until` must be a number of 0 or more.

    """
    setting = parse_setting({name: text for name, text in values.items() if name != "until"}, baseline)
    if "until" not in values:
        return Switch(setting)
    text = values["until"]
    try:
        until = float(text)
    except ValueError:
        until = math.nan
    if not 0 <= until < math.inf:
        raise ValueError(f"until must be seconds since the epoch, a number of 0 or more, got {text!r}")
    return Switch(setting, until)


def _number(name: str, text: str) -> float:
    least, most = _RANGES[name]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least:g} to {most:g}, got {text!r}")
    return value


class RequestError(ValueError):
    """The request is wrong. The text says in what."""


@dataclass(frozen=True)
class Request:
    """One call."""

    caller: str
    key: str
    """The idempotency key. Empty on the health route, which has no effect."""
    data: str = ""
    """The request's data as canonical JSON."""

    @property
    def digest(self) -> str:
        """Identifies the data."""
        return sha256(self.data.encode()).hexdigest()


def parse_request(event: Mapping[str, Any]) -> Request:
    """Return what an event asks for.

    Over HTTP (function URL, HTTP API or REST API), GET is the health route, and any other method asks for an
    effect: headers `idempotency-key` and `x-caller` (by default the source address), and a JSON body. A
    direct invocation passes `{"key", "caller", "data"}`, or `{"health": true, "caller"}`.

    Raises:
        RequestError: when the request is wrong.

    """
    context = event.get("requestContext")
    if not isinstance(context, Mapping):
        caller = _word("caller", event.get("caller"))
        if event.get("health") is True:
            return Request(caller, "")
        return Request(caller, _word("key", event.get("key")), _canonical(event.get("data")))
    http: Mapping[str, Any] = context.get("http") or {}
    headers = {str(name).lower(): value for name, value in (event.get("headers") or {}).items()}
    source = http.get("sourceIp") or (context.get("identity") or {}).get("sourceIp")
    caller = _word("header x-caller", headers.get("x-caller", source))
    if (http.get("method") or event.get("httpMethod")) == "GET":
        return Request(caller, "")
    return Request(caller, _word("header idempotency-key", headers.get("idempotency-key")), _body(event))


def _word(name: str, value: object) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise RequestError(f"{name} must be 1 to 128 characters of visible ASCII, got {value!r}")
    return value


def _body(event: Mapping[str, Any]) -> str:
    body: str = event.get("body") or ""
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body
        return _canonical(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise RequestError("the body must be JSON") from error


def _canonical(data: object) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Fault:
    """What a call meets."""

    seconds: float = 0.0
    """Delay of the answer."""
    refused: Outcome | None = None
    """What the call is refused with. None: it is served, if the rate allows it."""


def fault(setting: Setting, request: Request, roll: float) -> Fault:
    """Return what a call meets.

    Args:
        setting: How the downstream behaves.
        request: The call.
        roll: A random number in [0, 1).

    """
    match setting.mode:
        case Mode.HEALTHY:
            return Fault()
        case Mode.THROTTLE:
            return Fault(refused=Outcome.THROTTLED)
        case Mode.LATENCY:
            return Fault(seconds=setting.seconds)
        case Mode.ERRORS:
            return Fault(refused=Outcome.ERROR if roll < setting.share else None)
        case Mode.OUTAGE:
            return Fault(refused=Outcome.UNAVAILABLE)
        case Mode.PARTIAL_OUTAGE:
            hit = share_of(request.caller) < PARTIAL_SHARE
            return Fault(refused=Outcome.UNAVAILABLE if hit else None)
        case Mode.DATA_SHAPE:
            kilobytes = len(request.data.encode()) / 1000
            return Fault(seconds=min(setting.seconds * kilobytes, LONGEST_PAUSE_SECONDS))


STATUS: Mapping[Outcome, int] = {
    Outcome.EFFECT: 200,
    Outcome.DUPLICATE: 200,
    Outcome.HEALTH: 200,
    Outcome.INVALID: 400,
    # Source: IETF draft "The Idempotency-Key HTTP Header Field", on a key that is used with other data.
    Outcome.CONFLICT: 422,
    Outcome.THROTTLED: 429,
    Outcome.ERROR: 500,
    Outcome.UNAVAILABLE: 503,
}
"""The HTTP status of each outcome."""


def answer(outcome: Outcome, *, retry_after: float = 0.0, **body: object) -> dict[str, Any]:
    """Return the HTTP answer of an outcome.

    Args:
        outcome: What became of the call.
        retry_after: Seconds after which another try makes sense, for 429. Rounded up, and at least 1.
        body: Further values of the body.

    """
    headers = {"content-type": "application/json"}
    if outcome is Outcome.THROTTLED:
        headers["retry-after"] = str(max(1, math.ceil(retry_after)))
    return {
        "statusCode": STATUS[outcome],
        "headers": headers,
        "body": json.dumps({"outcome": outcome.value, **body}),
    }
