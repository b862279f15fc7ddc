"""Changes that begin with a read: of a probe's lease, and by people. They raise what the store raises."""

from collections.abc import Callable

from selfheal.functions.shared.breaker.circuit import Circuit, Forced, Outcome
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.log import log

ATTEMPTS = 10
"""Attempts to write while others do. A circuit changes a few times a minute."""


class LostRaceError(Exception):
    """Others wrote the circuit each time it was tried. Nothing was changed: try again."""


def change(store: Store, how: Callable[[Circuit], Circuit | None]) -> Circuit | None:
    """Read, change and write a circuit, again if another writer came between.

    Args:
        store: Of the circuit.
        how: Returns the changed circuit, or None where there is nothing to change.

    Returns:
        The circuit as it was written, or None.

    Raises:
        LostRaceError: when it could not be written.

    """
    circuit = store.read()
    for _ in range(ATTEMPTS):
        after = how(circuit)
        if after is None:
            return None
        written, circuit = store.replace(circuit, after)
        if written:
            return circuit
    raise LostRaceError(f"the circuit {store.name!r} was written by others {ATTEMPTS} times: try again")


def claim(store: Store, lease: str, now: float) -> bool:
    """Begin a probe: return whether its lease holds and nobody has begun it."""
    return change(store, lambda circuit: circuit.claimed(lease, now)) is not None


def settle(
    store: Store, lease: str, outcome: Outcome, *, now: float, chance: float, settings: BreakerSettings
) -> None:
    """Record what came of a probe, unless its lease is over. `chance` is a random number in [0, 1)."""
    after = change(store, lambda circuit: circuit.probed(lease, outcome, now, chance, settings))
    if after is None:
        log("info", "probe already recorded, or late", circuit=store.name, outcome=outcome)
    else:
        log("info", "probed", circuit=store.name, outcome=outcome, state=after.state)


def force(store: Store, forced: Forced, now: float, settings: BreakerSettings) -> None:
    """Force a circuit open or closed. Raises ValueError for what cannot be forced."""
    change(store, lambda circuit: circuit.force(forced, now, settings))
    log("warning", "circuit forced", circuit=store.name, state=forced.state, by=forced.by, until=forced.until)


def release(store: Store, by: str, now: float) -> bool:
    """End what a person forced, and return whether anything was."""
    done = change(store, lambda circuit: circuit.released(now) if circuit.forced else None) is not None
    if done:
        log("warning", "circuit released", circuit=store.name, by=by)
    return done
