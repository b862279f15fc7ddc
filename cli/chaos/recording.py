"""What one run recorded, from which verdict and report are derived."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from selfheal.cli.operator.orders_view import Call
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.orders.order import Order, State
from selfheal.functions.status.picture import CircuitNow, Picture
from selfheal.scenarios.scenario import Scenario

OrderKey = tuple[str, str]
"""Caller and id."""

ACCEPTED = 202
"""HTTP: stored, and from here on never lost."""

SETTLED = (State.FULFILLED, State.DEAD)
"""States in which an order stays."""


class Phase(StrEnum):
    """Where a run is."""

    BEFORE = "before"
    """Orders are sent, and nothing is broken."""
    FAULT = "fault"
    """Orders are sent, and the fault lasts."""
    AFTER = "after"
    """No order is sent, and what was accepted is worked off."""


@dataclass(frozen=True)
class Put:
    """One order that was sent. Times are in seconds since the run began."""

    caller: str
    id: str
    sent: float
    done: float
    """When it was answered or given up."""
    status: int | None
    """The HTTP status; None when there was no answer."""

    @property
    def key(self) -> OrderKey:
        """Names the order."""
        return self.caller, self.id

    @property
    def accepted(self) -> bool:
        """Whether the API said that it has the order."""
        return self.status == ACCEPTED


@dataclass(frozen=True)
class Look:
    """The stack at one moment."""

    at: float
    """Seconds since the run began."""
    picture: Picture

    @property
    def circuits(self) -> Mapping[str, CircuitNow]:
        """The circuits by name."""
        return {each.name: each for each in self.picture.circuits}

    @property
    def letters(self) -> Mapping[str, int | None]:
        """Numbers of letters by place; None where they could not be counted."""
        return {each.name: each.letters for each in self.picture.dead_letters}


@dataclass(frozen=True)
class Recording:
    """Everything that was seen in one run; times in seconds since it began unless they say otherwise."""

    scenario: Scenario
    stack: str
    by: str
    """ARN of whoever ran it."""
    began: datetime
    """UTC."""
    how: str
    """How the fault was made, for people."""
    puts: tuple[Put, ...] = ()
    """Every order that was sent, in the order of their answers."""
    skipped: int = 0
    """Orders that were due and not sent, because too many were unanswered."""
    orders: Mapping[OrderKey, Order] = field(default_factory=dict[OrderKey, Order])
    """The accepted orders as they were read last. One that is missing was never there."""
    calls: tuple[Call, ...] | None = None
    """The downstream's log since the run began; None where it could not be read."""
    looks: tuple[Look, ...] = ()
    """The oldest first."""
    fault_began: float | None = None
    """When it had been made. None: it was not."""
    fault_ended: float | None = None
    """When it had been undone, and was seen to be gone."""
    ended: float = 0.0
    not_started: str = ""
    """Why nothing was broken; empty otherwise."""
    stopped: str = ""
    """Why it ended early, or that the fault could not be undone; empty otherwise."""
    notes: tuple[str, ...] = ()
    """What a reader must know to judge the figures."""
    setting: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where and with what it ran, by name."""

    @property
    def accepted(self) -> tuple[Put, ...]:
        """The orders that the API said it has."""
        return tuple(put for put in self.puts if put.accepted)

    def settled_at(self, key: OrderKey) -> float | None:
        """Return when an order was fulfilled or given up; None where it is neither."""
        order = self.orders.get(key)
        if order is None or order.state not in SETTLED:
            return None
        times = [moment for work in order.work.values() for moment in (work.done_at, work.dead_at) if moment]
        return self.since_began(max(times))

    def since_began(self, moment: float | str) -> float:
        """Turn seconds since the epoch, or a time in ISO 8601, into seconds since the run began."""
        when = parse_iso(moment) if isinstance(moment, str) else datetime.fromtimestamp(moment, UTC)
        return (when - self.began).total_seconds()
