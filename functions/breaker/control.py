"""Decides the controller's next step from what is there now. Pure, and level-triggered like the healer.

Each run observes the circuit and its mappings, takes one step, and says how long to wait for the next.
Nothing is remembered between runs, so one that crashed at any line is simply repeated; and a mapping that a
deployment replaced or switched on while the circuit is open is just one that has to be paused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from selfheal.functions.shared.breaker.circuit import Circuit, State
from selfheal.functions.shared.breaker.settings import BreakerSettings

LOOK_SECONDS = 10.0
"""The longest wait, after which mappings are looked at again: a deployment may have switched one on."""

SETTLE_SECONDS = 5.0
"""How soon to look again at a mapping that is changing. On AWS that takes seconds to minutes."""

PROBE_GAP_SECONDS = 1.0
"""Between two probes: successes in the same instant would say no more than one."""

PATIENCE_WINDOWS = 3
"""Windows in which a step of the slow start must have become healthy. Else the circuit opens again: at two
messages at a time a slow dependency may never reach the minimum of calls that opens it by itself."""


class MappingState(StrEnum):
    """State of an event source mapping, as AWS names it."""

    CREATING = "Creating"
    ENABLING = "Enabling"
    ENABLED = "Enabled"
    DISABLING = "Disabling"
    DISABLED = "Disabled"
    UPDATING = "Updating"
    DELETING = "Deleting"

    @property
    def is_changing(self) -> bool:
        """Whether AWS refuses an update now (ResourceInUseException)."""
        return self not in {MappingState.ENABLED, MappingState.DISABLED}


@dataclass(frozen=True)
class Mapping:
    """An event source mapping behind the circuit."""

    id: str
    state: MappingState
    concurrency: int | None
    """Its MaximumConcurrency now."""
    configured: int
    """Its MaximumConcurrency when the circuit is closed, at least 2."""


@dataclass(frozen=True)
class Change:
    """What a mapping is to be set to."""

    id: str
    enabled: bool | None = None
    """None to leave it as it is."""
    concurrency: int | None = None
    """MaximumConcurrency, or None to leave it as it is."""


class Act(StrEnum):
    """What a step does."""

    CHANGE = "change mappings"
    WRITE = "write the circuit"
    PROBE = "probe"
    """Write the circuit with a lease, then probe."""
    EXPIRE = "expire the probe"
    WAIT = "wait"
    DONE = "done"


@dataclass(frozen=True)
class Step:
    """One step: an act, and how long to wait after it."""

    act: Act
    reason: str
    wait: float = 0.0
    """Seconds."""
    changes: tuple[Change, ...] = ()
    circuit: Circuit | None = None
    """With WRITE: the circuit as it shall be."""


def next_step(
    circuit: Circuit,
    mappings: Sequence[Mapping],
    now: float,
    chance: float,
    settings: BreakerSettings,
    *,
    episode: int,
) -> Step:
    """Return the next step.

    Args:
        circuit: As it is now.
        mappings: All mappings behind the circuit, as they are now.
        now: Seconds since the epoch.
        chance: A random number in [0, 1).
        settings: Of this circuit.
        episode: The one that this controller was started for.

    """
    if circuit.episode != episode:
        return Step(Act.DONE, "another episode has its own controller")
    if circuit.at_rest:
        return Step(Act.DONE, "closed, at full concurrency")
    if circuit.state is State.CLOSED:
        return _slow_start(circuit, mappings, now, chance, settings)
    enabled = tuple(Change(each.id, enabled=False) for each in mappings if each.state is MappingState.ENABLED)
    if enabled:
        return Step(Act.CHANGE, "the circuit is not closed: pause", SETTLE_SECONDS, changes=enabled)
    if circuit.state is State.HALF_OPEN:
        return _probe(circuit, now)
    if now < circuit.until:
        # A mapping that is being switched on cannot be paused yet: look again as soon as it can.
        starting = any(
            each.state.is_changing and each.state is not MappingState.DISABLING for each in mappings
        )
        most = SETTLE_SECONDS if starting else LOOK_SECONDS
        return Step(Act.WAIT, "the pause is not over", min(circuit.until - now, most))
    return Step(Act.WRITE, "the pause is over", circuit=circuit.half_opened(now))


def corrections(circuit: Circuit, mappings: Sequence[Mapping]) -> tuple[Change, ...]:
    """Return what to correct while the circuit is at rest: each MaximumConcurrency that is not as configured.

    Pulumi ignores it, so a deployment that configures another one leaves the old one in force, while
    consumers keep the pace of the new one already. Whether a mapping is enabled is left alone: a person may
    have paused it, and a circuit that opens in this moment pauses it.
    """
    if not circuit.at_rest:
        return ()
    return tuple(
        Change(each.id, concurrency=each.configured)
        for each in mappings
        if not each.state.is_changing and each.concurrency != each.configured
    )


def _probe(circuit: Circuit, now: float) -> Step:
    if circuit.lease is None:
        return Step(Act.PROBE, "half-open, no probe under way", PROBE_GAP_SECONDS)
    if now >= circuit.lease.expires:
        return Step(Act.EXPIRE, "the probe did not end in time")
    return Step(Act.WAIT, "a probe is under way", min(circuit.lease.expires - now, SETTLE_SECONDS))


def _slow_start(
    circuit: Circuit, mappings: Sequence[Mapping], now: float, chance: float, settings: BreakerSettings
) -> Step:
    limit = circuit.limit or settings.first_limit
    changes = tuple(
        Change(each.id, enabled=True, concurrency=min(limit, each.configured))
        for each in mappings
        if not each.state.is_changing and not _has(each, limit)
    )
    if changes:
        return Step(Act.CHANGE, f"slow start: at most {limit}", SETTLE_SECONDS, changes=changes)
    if any(each.state.is_changing for each in mappings):
        return Step(Act.WAIT, "a mapping is changing", SETTLE_SECONDS)
    if circuit.settled_at is None:
        return Step(Act.WRITE, "the step is in force", SETTLE_SECONDS, circuit=circuit.settled(now))
    passed = now - circuit.settled_at
    if passed < settings.window_seconds:
        return Step(
            Act.WAIT, "the step has not been judged", min(settings.window_seconds - passed, LOOK_SECONDS)
        )
    # The window is now of this step only.
    healthy = circuit.count(now, settings).rate < settings.failure_rate
    if healthy or circuit.forced_now(now):
        highest = max((each.configured for each in mappings), default=limit)
        return Step(Act.WRITE, "the step is healthy", circuit=circuit.stepped(now, highest))
    if passed < PATIENCE_WINDOWS * settings.window_seconds:
        return Step(Act.WAIT, "the step is not healthy yet", 1.0)
    return Step(Act.WRITE, "the step did not become healthy", circuit=circuit.opened(now, chance, settings))


def _has(mapping: Mapping, limit: int) -> bool:
    """Return whether a mapping runs with what a step of the slow start gives it."""
    return mapping.state is MappingState.ENABLED and mapping.concurrency == min(limit, mapping.configured)
