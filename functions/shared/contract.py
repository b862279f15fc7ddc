"""What components, healer and CLI must agree on: modes, kinds, keys and limits. Standard library only.

Components import only this module of `functions/`; the CLI also imports the healer's pure functions. The
policy pack does not import it: a check that shares code with what it checks shares its mistakes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Literal, TypedDict, cast


class Mode(StrEnum):
    """How much a healer may do on its own, from the most to the least restrictive."""

    OBSERVE = "observe"
    """Record what it would do."""
    SUGGEST = "suggest"
    """Send the plan to people, and carry it out once a person has approved exactly that plan."""
    ACT = "act"
    """Apply remedies without an approval."""

    @property
    def rank(self) -> int:
        """0 for the most restrictive mode."""
        return list(Mode).index(self)


def most_restrictive(baseline: Mode, override: Mode | None) -> Mode:
    """Return the mode in effect: the more restrictive of the baseline and an override, if there is one."""
    return min(baseline, override or baseline, key=lambda mode: mode.rank)


class FaultMode(StrEnum):
    """How the fragile service fails."""

    EXCEPTION = "exception"
    """The handler raises an exception: Lambda counts an error, the caller gets a 5xx."""
    LATENCY = "latency"
    """A delay, then an exception, as with a slow dependency that times out."""
    STATUS_CODE = "status-code"
    """The handler answers 503. Lambda counts no error; only the function's own metric does."""
    TIMEOUT = "timeout"
    """The handler sleeps until Lambda stops it at its timeout."""
    PARTIAL = "partial"
    """The same callers always fail, as with a partial outage. The rate is their share."""


class RemedyKind(StrEnum):
    """What a remedy changes, who owns it, and how concurrent writers are kept apart."""

    ENVIRONMENT = "environment"
    """One variable of the function's environment. Only for traffic on $LATEST.

    Pulumi owns it: `up` restores the baseline. Compare-and-swap on the function's RevisionId."""

    OVERRIDE = "override"
    """One item in the ledger that the service reads. Nothing restarts, and no write access to the function.

    The healer owns it: `up` leaves it alone. Compare-and-swap on the item's version."""

    ROLLBACK_ALIAS = "rollback_alias"
    """The version that the target's alias points to: rolled back to the previous one.

    Pulumi owns it: `up` restores what is declared. Compare-and-swap on the alias's RevisionId."""

    LIMIT_CONCURRENCY = "limit_concurrency"
    """The reserved concurrency of the function: the maximum number of concurrent requests; 0 stops all.

    Pulumi owns it: `up` restores what is declared. AWS has no revision of it: there is a lease on
    the target for at least the healer's timeout, a read immediately before and a comparison after."""

    PAUSE_CONSUMER = "pause_consumer"
    """An event source mapping of the function: disabled for a while. Events wait in their source.

    The healer owns it: declare the mapping with `ignore_changes=["enabled"]`. AWS has no revision of it: a
    lease, a read immediately before and a comparison after, as for LIMIT_CONCURRENCY.
    Refused where the function calls through a circuit: there the circuit breaker owns the mapping."""

    FORCE_BREAKER = "force_breaker"
    """The circuit that the function calls through: forced open for a while, for all its consumers.

    The healer owns it: `up` leaves it alone. Compare-and-swap on the circuit's version. It ends by itself,
    `FORCED_MARGIN_SECONDS` after it expires, should the healer not come to release it."""


class Calls(TypedDict):
    """IAM actions that a remedy needs, and the kind of resource."""

    actions: list[str]
    """IAM actions, such as `lambda:GetAlias`."""
    on: Literal["function", "versions", "mapping", "override", "circuit"]


class Remedy(TypedDict):
    """The entry of a kind of remedy in `remedies.json`, from which IAM permissions are derived."""

    owner: Literal["pulumi", "runtime"]
    """Who owns what it changes. "pulumi": `up` restores the baseline, so it is refused while a change by the
    healer is in place. "runtime": `up` does not touch it."""
    reads: list[Calls]
    writes: list[Calls]


# As a package resource and not by path: in Lambda the package may be imported from its archive.
REMEDIES = cast(
    "Mapping[str, Remedy]",
    json.loads(files("selfheal.functions.shared").joinpath("remedies.json").read_text(encoding="utf-8")),
)
"""Owner and calls of each kind of remedy."""


def owner(kind: str) -> str:
    """Return the owner of what a kind of remedy changes: "pulumi" or "runtime".

    Raises:
        ValueError: when the kind is unknown.

    """
    if kind not in REMEDIES:
        raise ValueError(f"there is no remedy of kind {kind!r}: known are {', '.join(REMEDIES)}")
    return REMEDIES[kind]["owner"]


@dataclass(frozen=True)
class Limits:
    """Limits on how much a healer may do. The defaults are meant for production."""

    budget: int = 12
    """Remediations of all targets in 24 hours."""
    target_budget: int = 6
    """Remediations of one target in 24 hours."""
    cool_down_seconds: int = 60
    """Minimum time from the last remediation of one incident to the first of the next."""
    flapping_limit: int = 3
    """Incidents of one target within a window. One more is flapping."""
    flapping_window_seconds: int = 3600
    """Length of that window."""
    flapping_hold_seconds: int = 3600
    """How long a flapping target is held, unless a person releases it."""
    blast_radius: float = 0.5
    """Share of the targets that may be under a change at the same time. One target always may."""
    stability_seconds: int = 60
    """How long a target must have been healthy before its incident closes."""
    remind_seconds: int = 86400
    """How often people are reminded of what is unresolved."""


DAY_SECONDS = 86400

LIMIT_RANGES: Mapping[str, tuple[int, int, str]] = {
    # More than one remediation an hour is not healing.
    "budget": (1, 24, "acts in a day"),
    "target_budget": (1, 24, "acts in a day"),
    "cool_down_seconds": (0, DAY_SECONDS, "seconds"),
    "flapping_limit": (1, 50, "incidents"),
    "flapping_window_seconds": (60, DAY_SECONDS, "seconds"),
    "flapping_hold_seconds": (60, DAY_SECONDS, "seconds"),
    "stability_seconds": (0, 3600, "seconds"),
    "remind_seconds": (3600, 7 * DAY_SECONDS, "seconds"),
}
"""Minimum, maximum and unit of each limit that is a whole number. `blast_radius` is above 0, at most 1."""

EXPIRY_SECONDS = (60, DAY_SECONDS)
"""Minimum and maximum time until a remedy expires. In less than an alarm period it cannot show an effect."""

PAUSE_SECONDS = 300
"""Default for how long a consumer is paused, or a circuit forced open."""

FORCED_MARGIN_SECONDS = 300
"""How much longer than its expiry a circuit stays forced open if the healer does not release it: five runs
of the schedule. With the same end for both, the healer could not tell its own from a change by others."""

BREAKER_TABLE = "BREAKER_TABLE"
"""Variable of every function that calls through a circuit: the circuit's table."""

CIRCUIT = "CIRCUIT"
"""Likewise: the circuit's name."""

HEALER_TIMEOUT_SECONDS = 30
"""Timeout of the healer's function, by which a run that recorded an intent has ended."""

METRICS_NAMESPACE = "selfheal"
"""CloudWatch namespace of the functions' own metrics. Their only dimension is FunctionName."""


class Invocation(StrEnum):
    """Who invokes a function, and so what becomes of a request that Lambda throttles."""

    SYNCHRONOUS = "synchronous"
    """A caller waits for the answer, as behind an API. A throttled request fails: the caller gets a 429."""
    ASYNCHRONOUS = "asynchronous"
    """Lambda queues the event, as from SNS, S3 or EventBridge, and tries a throttled one again for hours."""
    QUEUED = "queued"
    """An event source mapping polls a queue or a stream. What is throttled waits in its source."""


DEFAULT_INVOCATION = Invocation.SYNCHRONOUS
"""It counts throttles as failures: for other functions that is too much rather than too little."""

TIMEOUT_SECONDS = (1, 900)
"""Minimum and maximum timeout of a Lambda function (AWS Lambda developer guide, "Lambda quotas")."""

DEFAULT_NATURAL_ERROR_RATE = 0.001
"""Share of a target's requests that fail when it is well, unless it states another."""

DEFAULT_TIMEOUT_SECONDS = 60
"""Timeout of a target that states none."""


class AlarmKind(StrEnum):
    """The alarms on a target."""

    FAST = "fast"
    """On the function's own metrics, every 10 s."""
    BACKSTOP = "backstop"
    """On Lambda's metrics, every minute."""
    SLOW = "slow"
    """On Lambda's metrics of the last hour: an outage of a function with little traffic."""


@dataclass(frozen=True)
class Series:
    """The metrics that tell requests and errors of a function. Their only dimension is FunctionName."""

    namespace: str
    requests: tuple[str, ...]
    """Metrics whose sum is the number of requests."""
    errors: tuple[str, ...]
    """Metrics whose sum is the number of errors."""
    period: int
    """Seconds between their datapoints."""
    late_seconds: int
    """How long after the end of a period its datapoint may still change. A call is counted when it ends, in
    the period in which it began: AWS/Lambda's datapoints change for the function's timeout besides."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric once, in order."""
        return tuple(dict.fromkeys((*self.requests, *self.errors)))


_OWN = Series(METRICS_NAMESPACE, ("Requests",), ("Errors",), period=10, late_seconds=30)
_LAMBDA = Series("AWS/Lambda", ("Invocations", "Throttles"), ("Errors", "Throttles"), 60, late_seconds=60)

SERIES: Mapping[AlarmKind, Series] = {
    AlarmKind.FAST: _OWN,
    AlarmKind.BACKSTOP: _LAMBDA,
    AlarmKind.SLOW: _LAMBDA,
}
"""The metrics of each kind of alarm, for a function whose callers wait."""


PERIODS: Mapping[AlarmKind, int] = {AlarmKind.FAST: 10, AlarmKind.BACKSTOP: 60, AlarmKind.SLOW: 3600}
"""Seconds that one datapoint of each kind of alarm covers."""


def series_of(kind: AlarmKind, invocation: Invocation) -> Series:
    """Return the metrics of a kind of alarm. Throttles count only where nobody tries the request again."""
    every = SERIES[kind]
    if invocation is Invocation.SYNCHRONOUS:
        return every
    kept = [tuple(name for name in names if name != "Throttles") for names in (every.requests, every.errors)]
    return Series(every.namespace, kept[0], kept[1], every.period, every.late_seconds)


SCHEDULE_EVENT: Mapping[str, str] = {"wake": "schedule"}
OPERATOR_EVENT: Mapping[str, str] = {"wake": "operator"}
REHEARSE_EVENT: Mapping[str, str] = {"wake": "rehearse"}
"""With `"tell": true` besides, people are sent a message as well."""

SCHEMA = 2
"""Schema of the ledger's items. A later schema is refused, because misreading it could repeat a change."""

Key = dict[str, dict[str, str]]
"""Primary key of an item in the ledger, in DynamoDB's typed form."""


def _key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}


FLEET_KEY = _key("fleet", "open")
"""State that the targets share: changes in progress, and the budget."""

MODE_KEY = _key("mode", "override")
"""The override of the mode."""

DEPLOYMENT_KEY = _key("deployment", "healer")
"""The healer and the mode that `up` deployed, for the CLI."""


def incident_key(target: str, closed: str = "") -> Key:
    """Return the key of a target's current or last incident, or, by its id, of the copy of a closed one."""
    return _key(f"target#{target}", f"closed#{closed}" if closed else "incident")


def request_key(kind: Literal["approval", "command"], target: str) -> Key:
    """Return the key of a person's request: an approval or a command."""
    return _key(f"{kind}#{target}", kind)


def override_key(target: str, name: str) -> Key:
    """Return the key of a value that the service of a target reads."""
    return _key(f"override#{target}", name)


def breaker_key(circuit: str) -> Key:
    """Return the key of a circuit, in the table of the circuit breakers."""
    return _key(f"breaker#{circuit}", "breaker")
