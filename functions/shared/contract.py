"""What the components, the healer and the command line must agree on. Standard library only.

Components and commands import this module of `functions/` (commands also the healer's pure core): each word,
key and limit is written once. The policy pack does not: a guard that shares code with what it guards
shares its mistakes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Literal, TypedDict, cast


class Mode(StrEnum):
    """How much a healer may do by itself, from the most to the least restrictive."""

    OBSERVE = "observe"
    """Record what it would do."""
    SUGGEST = "suggest"
    """Send the plan to people, and do it once one of them approved exactly that plan."""
    ACT = "act"
    """Do it."""

    @property
    def rank(self) -> int:
        """0 for the most restrictive mode."""
        return list(Mode).index(self)


def most_restrictive(baseline: Mode, override: Mode | None) -> Mode:
    """Return the mode in effect: the more restrictive of the baseline and an override, if there is one."""
    return min(baseline, override or baseline, key=lambda mode: mode.rank)


class FaultMode(StrEnum):
    """How an injected fault of the fragile service shows itself."""

    EXCEPTION = "exception"
    """An exception escapes the handler: Lambda counts an error, the caller sees a 5xx."""
    LATENCY = "latency"
    """A delay, then an exception, as from a slow dependency that gives up."""
    STATUS_CODE = "status-code"
    """The handler answers 503: Lambda counts no error, only the function's own metric shows it."""
    TIMEOUT = "timeout"
    """The handler sleeps past its own timeout, and Lambda ends it."""
    PARTIAL = "partial"
    """The same callers always fail, as when one address of three is allowed: the rate is their share."""


class RemedyKind(StrEnum):
    """What a remedy changes, who owns that, and what keeps two writers from undoing each other."""

    ENVIRONMENT = "environment"
    """One variable of the function's environment; for traffic on $LATEST only.

    Pulumi owns it: `up` restores the baseline. Compare-and-swap on the function's RevisionId."""

    OVERRIDE = "override"
    """One item of the ledger that the service reads: nothing restarts, and no right over the function.

    The healer owns it: `up` leaves it alone. Compare-and-swap on the item's version."""

    ROLLBACK_ALIAS = "rollback_alias"
    """The version behind the alias of the target: back to the one before.

    Pulumi owns it: `up` restores what is declared. Compare-and-swap on the alias's RevisionId."""

    LIMIT_CONCURRENCY = "limit_concurrency"
    """The reserved concurrency of the function: at most so many requests at a time, 0 for none.

    Pulumi owns it: `up` restores what is declared. AWS has no revision of it: a lease of the target for at
    least the healer's timeout, a read immediately before and a comparison after."""

    PAUSE_CONSUMER = "pause_consumer"
    """An event source mapping of the function: disabled for a while, and events wait in their source.

    The healer owns it: declare the mapping with `ignore_changes=["enabled"]`. AWS has no revision of it: a
    lease, a read immediately before and a comparison after, as for LIMIT_CONCURRENCY."""


class Calls(TypedDict):
    """Actions of the AWS API that a remedy calls, and on what."""

    actions: list[str]
    """IAM actions, such as `lambda:GetAlias`."""
    on: Literal["function", "mapping", "override"]


class Remedy(TypedDict):
    """What `remedies.json` says of a kind of remedy; IAM permissions are made of it."""

    owner: Literal["pulumi", "runtime"]
    """Who owns what it changes. "pulumi": `up` puts the baseline back, so it is refused while a change of the
    healer's stands. "runtime": `up` leaves it alone."""
    reads: list[Calls]
    writes: list[Calls]


# By resource, not by path: in Lambda the package may be imported from its archive.
REMEDIES = cast(
    "Mapping[str, Remedy]",
    json.loads(files("selfheal.functions.shared").joinpath("remedies.json").read_text(encoding="utf-8")),
)
"""The catalogue: each kind of remedy to its owner and its calls."""


def owner(kind: str) -> str:
    """Return who owns what a kind of remedy changes, "pulumi" or "runtime".

    Raises:
        ValueError: when the kind is unknown.

    """
    if kind not in REMEDIES:
        raise ValueError(f"there is no remedy of kind {kind!r}: known are {', '.join(REMEDIES)}")
    return REMEDIES[kind]["owner"]


@dataclass(frozen=True)
class Limits:
    """How much a healer may do in a while, however sure it is. The defaults are meant for production."""

    budget: int = 12
    """Acts on all targets in a day."""
    target_budget: int = 6
    """Acts on one target in a day."""
    cool_down_seconds: int = 60
    """From the last act of one incident to the first of the next."""
    flapping_limit: int = 3
    """Incidents of one target in a window; one more is flapping."""
    flapping_window_seconds: int = 3600
    """That window."""
    flapping_hold_seconds: int = 3600
    """How long a flapping target is left alone, unless it is released."""
    blast_radius: float = 0.5
    """Share of the targets that may be under a change at the same time; one target always may."""
    stability_seconds: int = 60
    """How long a target must have been well before its incident closes."""


DAY_SECONDS = 86400

LIMIT_RANGES: Mapping[str, tuple[int, int, str]] = {
    # More than an act an hour is not healing.
    "budget": (1, 24, "acts in a day"),
    "target_budget": (1, 24, "acts in a day"),
    "cool_down_seconds": (0, DAY_SECONDS, "seconds"),
    "flapping_limit": (1, 50, "incidents"),
    "flapping_window_seconds": (60, DAY_SECONDS, "seconds"),
    "flapping_hold_seconds": (60, DAY_SECONDS, "seconds"),
    "stability_seconds": (0, 3600, "seconds"),
}
"""Least, most and unit of each limit that is a whole number. `blast_radius` is above 0 and at most 1."""

EXPIRY_SECONDS = (60, DAY_SECONDS)
"""Shortest and longest time after which a remedy is reverted: below one alarm period it has shown nothing."""

HEALER_TIMEOUT_SECONDS = 30
"""Timeout of the healer's function: a run that recorded an intent is over by then."""

METRICS_NAMESPACE = "selfheal"
"""CloudWatch namespace of what our functions count of themselves; the only dimension is FunctionName."""

SCHEDULE_EVENT: Mapping[str, str] = {"wake": "schedule"}
OPERATOR_EVENT: Mapping[str, str] = {"wake": "operator"}

SCHEMA = 2
"""Of the ledger's items. An item of a later schema is refused: guessing at it could repeat an act."""

Key = dict[str, dict[str, str]]
"""Primary key of an item of the ledger, in DynamoDB's typed form."""


def _key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}


FLEET_KEY = _key("fleet", "open")
"""What the targets share: who is under a change, and the budget."""

MODE_KEY = _key("mode", "override")
"""The mode that people decided on."""

DEPLOYMENT_KEY = _key("deployment", "healer")
"""Which healer and which mode `up` deployed, for people's commands."""


def incident_key(target: str, closed: str = "") -> Key:
    """Return the key of a target's current or last incident, or of the copy of a closed one by its id."""
    return _key(f"target#{target}", f"closed#{closed}" if closed else "incident")


def request_key(kind: Literal["approval", "command"], target: str) -> Key:
    """Return the key of what a person asks for: an approval or a command."""
    return _key(f"{kind}#{target}", kind)


def override_key(target: str, name: str) -> Key:
    """Return the key of a value that the service of a target reads."""
    return _key(f"override#{target}", name)
