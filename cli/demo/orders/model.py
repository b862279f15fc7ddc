"""What a run of the orders demonstration recorded, from which everything else is derived."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from selfheal.cli.demo.model import AlarmChange, Sample
from selfheal.cli.demo.orders.bad_version import BadVersion
from selfheal.cli.operator.orders_view import Call
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.orders.order import State
from selfheal.functions.shared.breaker.circuit import State as CircuitState

TARGET = "intake"
"""The healer's target that gets the bad version: what it does is not behind the circuit, so that the outage
and the healing are two things."""


class MomentKey(StrEnum):
    """The moments of a run, in the order in which they are expected."""

    DEPLOYED = "deployed"
    OUTAGE = "outage"
    OPENED = "opened"
    BAD_VERSION = "bad_version"
    ALARM = "alarm"
    ACT = "act"
    MENDED = "mended"
    AT_REST = "at_rest"
    DRAINED = "drained"
    RECOVERED = "recovered"


@dataclass(frozen=True)
class Fate:
    """What became of one order; times in seconds since traffic began."""

    id: str
    state: State
    reason: str
    """Why it is dead; empty if it is not."""
    fulfilled: float | None
    """When all its work was done."""
    keys: tuple[str, ...]
    """Idempotency keys of the work that was done."""


@dataclass(frozen=True)
class CircuitChange:
    """The circuit as it was first seen in a state."""

    at: float
    """When it got into it, in seconds since traffic began."""
    state: CircuitState
    at_rest: bool
    """Closed, and the slow start is over."""


@dataclass(frozen=True)
class Outage:
    """When the downstream refused every call, in seconds since traffic began."""

    began: float
    ended: float | None = None
    """None while it lasts."""


@dataclass(frozen=True)
class OrdersRecording:
    """Everything that was seen in one run; times in seconds since traffic began unless they say otherwise."""

    stack: str
    began: datetime
    """When traffic began, UTC."""
    deployed: float
    """When the `up` ended; zero or negative, as traffic began right after."""
    deploy_seconds: float
    """How long preview and `up` took."""
    samples: tuple[Sample, ...] = ()
    """Every request that placed an order, in the order of the answers."""
    skipped: int = 0
    """Orders that were due and not sent, because all workers were waiting for an answer."""
    fates: tuple[Fate, ...] = ()
    """Every order in the service's table."""
    calls: tuple[Call, ...] = ()
    """The downstream's own log. Its times are seconds since the epoch."""
    effects: int = 0
    """Effects that the downstream counted."""
    letters: dict[str, int] = field(default_factory=dict[str, int])
    """Messages by queue of dead letters."""
    alarm_changes: tuple[AlarmChange, ...] = ()
    """Every state change of the healer's alarms, oldest first."""
    circuit: tuple[CircuitChange, ...] = ()
    """Every change of the circuit, oldest first."""
    incidents: tuple[Incident, ...] = ()
    """Every incident of the ledger, open ones first."""
    bad: BadVersion | None = None
    """What was deployed by hand; None when it was not reached."""
    bad_at: float | None = None
    """When it was live."""
    alias_at_end: str | None = None
    """The version that the alias pointed to at the end."""
    outage: Outage | None = None
    stopped_because: str | None = None
    """Why the run ended early. None when it ran to its end."""
    ended: float = 0.0
    """When the run ended."""
    iam_enforced: bool = False
    left_out: tuple[str, ...] = ()
    until_closed: bool = False
    """Whether the run waited until evidence closed the incident."""
    """What this run could not do for want of a Pulumi CLI, in words."""
    versions: dict[str, str] = field(default_factory=dict[str, str])
    setting: dict[str, str] = field(default_factory=dict[str, str])

    def since_began(self, iso: str) -> float:
        """Turn one of the ledger's times into seconds since traffic began."""
        return (parse_iso(iso) - self.began).total_seconds()

    def called_at(self, call: Call) -> float:
        """Turn the time of a call into seconds since traffic began."""
        return call.at - self.began.timestamp()

    @property
    def incident(self) -> Incident | None:
        """The incident of the target with the bad version."""
        return next((each for each in self.incidents if each.target == TARGET), None)

    @property
    def stored(self) -> tuple[Sample, ...]:
        """The requests that were answered with 202: from then on the order must not be lost."""
        return tuple(sample for sample in self.samples if sample.status == STORED)

    @property
    def fulfilled(self) -> int:
        """How many of the orders that were stored are fulfilled.

        Those that only started the functions, before traffic began, are not among them.
        """
        done = {fate.id for fate in self.fates if fate.fulfilled is not None}
        return sum(order_id(sample.number) in done for sample in self.stored)


STORED = 202
"""The answer once an order is stored."""


PREFIX = "demo"
"""Of the ids of orders."""


def order_id(number: int, prefix: str = PREFIX) -> str:
    """Return the id of the order that a request placed."""
    return f"{prefix}-{number:05}"
