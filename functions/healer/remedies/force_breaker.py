"""Remedy `force_breaker`: the circuit that a target calls through, forced open for a while.

While it is open nobody calls the dependency, and the circuit breaker pauses the mappings of all consumers
behind it. This is the remedy where a breaker owns the mappings, and the only one that stops all of them.

Reads and writes: GetItem (consistent) and a conditional UpdateItem of breaker#<circuit> in the circuit's
    table, and GetFunctionConfiguration, whose variables BREAKER_TABLE and CIRCUIT name both. A circuit that
    the target's function does not call through counts as gone.
Value before: None, which means that nothing is forced. Only then is the remedy applied.
Already applied: this target's healer has forced it open, and the time is not over. What somebody else has
    forced, open or closed, is theirs and not overwritten. A circuit that is open, half-open or in its slow
    start by itself, or was so two minutes ago, is none to force either: the breaker is at work, and the
    healer waits for it as for a target that is being changed. With any other remedy of such a target too.
Reverts: by releasing it, if it is still the one that was forced. The breaker then probes the dependency one
    call at a time, and closes by its own rules, so releasing is safe while the dependency is still down.
Concurrency guarantee: compare-and-swap on the circuit's version. A write whose answer was lost is recognised
    as applied.

There is no evidence while it is open: what can fail then is a refused call. The end of the item's own force
lies FORCED_MARGIN_SECONDS after the remedy's expiry, for the case that no healer comes to release it.
"""

import time

from botocore.exceptions import ClientError

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Configuration, Live
from selfheal.functions.healer.remedies.common import (
    CHANGED_MEANWHILE,
    DYNAMODB_NOT_NOW,
    GONE,
    look,
    rejected,
)
from selfheal.functions.healer.states import Reason
from selfheal.functions.healer.target import Setting, Target
from selfheal.functions.shared.breaker.circuit import FORCE_SECONDS, Circuit, Forced, State
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.contract import (
    BREAKER_TABLE,
    CIRCUIT,
    FORCED_MARGIN_SECONDS,
    PAUSE_SECONDS,
    RemedyKind,
)

OPEN = State.OPEN.value

QUIET_SECONDS = 120.0
"""For how long after an outage the breaker counts as at work: two periods of the slowest alarm, which may
still ring because of it."""


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read what is forced. The value is None if nothing is, or if the environment is unreadable.

    Raises:
        ValueError: when the circuit's item has a later schema.

    """
    seen = look(aws, target)
    if seen is None:
        return GONE
    if not seen.readable:
        return Live(None, "", seen)
    store = _store(aws, seen, setting)
    if store is None:
        return GONE
    circuit, now = store.read(), time.time()
    forced, token = circuit.forced_now(now), str(circuit.version)
    if forced is None:
        return Live(None, token, seen, breaker_at_work=_is_at_work(circuit, now))
    if _is_own(forced, target):
        return Live(OPEN, token, seen)
    return Live(f"{forced.state} by {forced.by}", token, seen, obstacle=Reason.CIRCUIT_FORCED)


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Force the circuit open, or release it if the value is None, if its version is the one that was read.

    Raises:
        ValueError: when the target's environment, as it was read, does not name the circuit, the value is
            neither "open" nor None, or no incident in the ledger intends it.

    """
    if value not in (OPEN, None):
        raise ValueError(f"{target.name}: {setting} is only ever forced {OPEN} or released, not {value!r}")
    store = _store(aws, live.configuration, setting) if live.configuration else None
    if store is None:
        raise ValueError(f"{target.function}: it is not known to call through {setting}")
    circuit, now = store.read(), time.time()
    forced = circuit.forced_now(now)
    if str(circuit.version) != live.token:
        return CHANGED_MEANWHILE
    if value is None:
        owned = forced is not None and _is_own(forced, target)
        return _replace(store, circuit, circuit.released(now)) if owned else CHANGED_MEANWHILE
    if forced is not None or _is_at_work(circuit, now):
        return CHANGED_MEANWHILE
    incident = aws.ledger.read(target.name)
    if incident is None:
        raise ValueError(f"{target.name}: no incident intends to force {setting}")
    lasts = _expiry(target, setting) + FORCED_MARGIN_SECONDS
    decision = Forced(State.OPEN, _by(target), f"incident {incident.id}", now + min(lasts, FORCE_SECONDS))
    # Of the settings only the first step of a slow start matters to `force`, and none begins here.
    return _replace(store, circuit, circuit.force(decision, now, BreakerSettings()))


def at_work(aws: Aws, target: Target, seen: Configuration) -> bool:
    """Return whether a circuit that a target may force is dealing with an outage by itself, or just has."""
    settings = [each.setting for each in target.remedies if each.kind == RemedyKind.FORCE_BREAKER]
    stores = [store for each in settings if (store := _store(aws, seen, each)) is not None]
    circuits, now = [store.read() for store in stores], time.time()
    return any(not each.forced_now(now) and _is_at_work(each, now) for each in circuits)


def _store(aws: Aws, seen: Configuration, setting: Setting) -> Store | None:
    """Return the store of a circuit, unless the function is not known to call through it."""
    table = seen.variables.get(BREAKER_TABLE)
    known = seen.readable and table and seen.variables.get(CIRCUIT) == setting.name
    return Store(aws.dynamodb, table, setting.name) if known and table else None


def _is_at_work(circuit: Circuit, now: float) -> bool:
    return not circuit.at_rest or now - circuit.changed_at < QUIET_SECONDS


def _replace(store: Store, before: Circuit, after: Circuit) -> str | None:
    try:
        written, _ = store.replace(before, after)
    except ClientError as error:
        return rejected(error, DYNAMODB_NOT_NOW)
    return None if written else CHANGED_MEANWHILE


def _by(target: Target) -> str:
    """Return as whom the healer forces a circuit. Another target's incident may not release it."""
    return f"healer of {target.name}"


def _is_own(forced: Forced, target: Target) -> bool:
    return forced.state is State.OPEN and forced.by == _by(target)


def _expiry(target: Target, setting: Setting) -> int:
    remedy = target.remedy_of(setting)
    return (remedy.expires_after if remedy else None) or PAUSE_SECONDS
