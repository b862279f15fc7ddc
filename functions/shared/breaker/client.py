"""What consumers use: a call through the breaker.

    breaker = connect_from_environment(neutral=(InvalidOrderError,))

    with breaker.call():              # raises CircuitOpen
        answer = charge(order)        # an exception is a failure, unless it is one of `neutral`

One object a circuit and environment, used by any number of threads. Nothing runs in the background, because
Lambda freezes an environment between invocations: counts are flushed by the calls themselves.

An environment writes at most once a second. Each answer is the state as well, so it reads only when a call
begins and the last answer is older than READ_SECONDS, and when a first failure follows successes.

A call is never refused, failed or delayed for long because of the store: the last known state holds. When it
is older than TRUST_SECONDS (open: when its pause has been over for as long), the circuit counts as closed,
because a breaker whose store is down must not stop the orders (fail open).
"""

import os
import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock

from selfheal.functions.shared.batch import RefusedError
from selfheal.functions.shared.breaker.changes import claim, settle
from selfheal.functions.shared.breaker.circuit import Circuit, Outcome, State
from selfheal.functions.shared.breaker.outages import seconds_within
from selfheal.functions.shared.breaker.settings import BreakerSettings, parse_settings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.breaker.window import Count, bucket_of, within
from selfheal.functions.shared.log import log

FLUSH_SECONDS = 1.0
"""Minimum time between two flushes of one environment."""

READ_SECONDS = 1.5
"""How old the known state may be when a call begins. Longer than FLUSH_SECONDS: who flushes need not read."""

TRUST_SECONDS = 60.0
"""How long the last known state holds if the store does not answer. As for overrides."""

LOG_SECONDS = 60.0
"""Minimum time between two log lines about a store that does not answer."""

TIMEOUT_SECONDS = 0.5
"""Timeout to connect to the store, and again to read. Delays one call in READ_SECONDS."""


class CircuitOpen(RefusedError):  # noqa: N818 - the name that workflows match: neither retried nor caught there
    """The call was refused: nothing was sent. `sqs_batch` puts the message back until `retry_after`.

    Args:
        name: Name of the circuit.
        retry_after: Seconds until the next probe may succeed; at least 1.

    """

    def __init__(self, name: str, retry_after: float) -> None:
        text = f"the circuit {name!r} is open: the call was not made; try again in {retry_after:.0f} s"
        super().__init__(text, retry_after)


class Breaker:
    """The breaker of one circuit in one environment.

    Args:
        store: Of this circuit.
        settings: Of this circuit, the same everywhere.
        neutral: Exceptions that say nothing about the dependency, such as those of validation.
        clock: Returns the time in seconds. A wall clock: it also advances while Lambda is frozen.
        chance: Returns a random number in [0, 1).

    """

    def __init__(
        self,
        store: Store,
        settings: BreakerSettings,
        neutral: tuple[type[Exception], ...] = (),
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._settings = settings
        self._neutral = neutral
        self._clock = clock
        self._chance = chance
        self._memory = Lock()  # held for an instant, never while the store is asked
        self._asking = Lock()  # held by the one thread that asks the store
        self._known = Circuit(store.name)
        self._read_at: float | None = None
        self._asked_at: float | None = None
        self._flushed_at: float | None = None
        self._answers = True
        self._asked_once = False
        self._pending: dict[int, Count] = {}
        self._pending_generation = 0
        self._failing = False
        self._logged_at: float | None = None

    @contextmanager
    def call(self, probe: str | None = None, *, counts: bool = True) -> Generator[None]:
        """Make a call inside the `with` block. What the block raises is raised.

        Args:
            counts: Whether the call is counted. False for the second and later attempts of one order:
                orders that fail are called again, and in a partial outage would soon outvote the others.
            probe: The lease that came with a message which the controller sent as probe.

        Raises:
            CircuitOpen: when the circuit is open, or half-open and this is not its probe.

        """
        if probe is not None:
            with self._probe(probe):
                yield
            return
        generation = self._admit()
        outcome = Outcome.NEUTRAL
        try:
            yield
            outcome = Outcome.SUCCESS
        except Exception as error:
            outcome = self._outcome(error)
            raise
        finally:
            self._record(outcome if counts else Outcome.NEUTRAL, generation)

    def outage_seconds(self, since: float, until: float) -> float:
        """Return how many seconds of an interval lay in outages: times in which the circuit was not at rest.

        For the age of a message without the time in which it could not be handled. What is not known counts
        as an outage: nothing may be evicted because the store does not answer, or has not been asked for
        long. It reads when a call would that begins now, which then does not read again.

        Args:
            since: Begin of the interval, seconds since the epoch.
            until: Its end.

        """
        now = self._clock()
        self._refresh(now, starting=True)
        with self._memory:
            known, read_at = self._known, self._read_at
        if read_at is not None and now - read_at < TRUST_SECONDS:
            known_until = until
        else:
            known_until = max(since, min(read_at or since, until))
        return seconds_within(known.outages, since, known_until) + max(0.0, until - known_until)

    def flush(self) -> None:
        """Flush counts if the last flush is a second ago or more, as each call does when it ends."""
        self._refresh(self._clock())

    def _admit(self) -> int:
        """Return the generation in which a call may begin."""
        now = self._clock()
        self._refresh(now, starting=True)
        with self._memory:
            known, trusted = self._known, self._trusted(now)
        if known.state is not State.CLOSED and trusted:
            raise CircuitOpen(known.name, max(1.0, known.until - now))
        return known.generation

    def _trusted(self, now: float) -> bool:
        if self._read_at is None:
            return False
        return now - max(self._read_at, self._known.until) < TRUST_SECONDS

    def _outcome(self, error: Exception) -> Outcome:
        return Outcome.NEUTRAL if isinstance(error, (*self._neutral, CircuitOpen)) else Outcome.FAILURE

    def _record(self, outcome: Outcome, generation: int) -> None:
        """Count a call that has ended. It belongs to the generation in which it began."""
        now = self._clock()
        failed = outcome is Outcome.FAILURE
        with self._memory:
            if outcome is not Outcome.NEUTRAL and generation >= self._pending_generation:
                if generation > self._pending_generation:
                    self._pending, self._pending_generation = {}, generation
                bucket = bucket_of(now)
                self._pending[bucket] = self._pending.get(bucket, Count()) + Count(1, int(failed))
            first_failure = failed and not self._failing
            self._failing = self._failing or failed
        self._refresh(now, at_once=first_failure)

    def _refresh(self, now: float, *, starting: bool = False, at_once: bool = False) -> None:
        """Flush or read, if that is due and no other thread does it.

        A first failure reads at once: others may have opened the circuit meanwhile.
        """
        if self._asked_once and self._next(now, starting=starting, at_once=at_once) is None:
            return
        # Threads wait for the very first answer only; else they go on with what is known.
        if not self._asking.acquire(blocking=not self._asked_once):
            return
        try:
            ask = self._next(now, starting=starting, at_once=at_once)
            if ask is not None:
                ask(now)
        finally:
            self._asked_once = True
            self._asking.release()

    def _next(self, now: float, *, starting: bool, at_once: bool) -> Callable[[float], None] | None:
        """Return what is to be asked of the store now."""

        def due(moment: float | None, seconds: float) -> bool:
            return moment is None or not 0 <= now - moment < seconds

        with self._memory:
            if starting:
                # No flush: that is for the end of this call, whose outcome would wait for the next one.
                return self._read if due(self._asked_at, READ_SECONDS) else None
            # A store that does not answer delays a call when it begins, not also when it ends.
            if self._pending and due(self._flushed_at, FLUSH_SECONDS) and self._answers:
                return self._flush
            if at_once and self._answers:
                return self._read
        return None

    def _read(self, now: float) -> None:
        self._guarded(self._store.read, now)

    def _flush(self, now: float) -> None:
        settings = self._settings
        with self._memory:
            self._flushed_at = now
            sent, generation = self._pending, self._pending_generation
            sent = {
                bucket: each for bucket, each in sent.items() if within(bucket, now, settings.window_seconds)
            }
            self._pending = {}
            self._failing = any(count.failures for count in sent.values())

        def ask() -> Circuit:
            if not sent:
                return self._store.read()
            return self._store.add(sent, generation, now, settings.window_seconds)

        circuit = self._guarded(ask, now)
        if circuit is None:
            # An update that timed out may have been carried out: counting it twice could open the circuit,
            # counting it never only delays that.
            return
        if circuit.should_open(now, settings):
            opened = circuit.opened(now, self._chance(), settings)
            self._guarded(lambda: self._open(circuit, opened), now)

    def _open(self, before: Circuit, after: Circuit) -> Circuit:
        written, circuit = self._store.replace(before, after)
        if written:
            log("warning", "circuit opened", circuit=after.name, openings=after.openings, until=after.until)
        return circuit

    def _guarded(self, ask: Callable[[], Circuit], now: float) -> Circuit | None:
        """Ask the store and remember its answer, or log that there is none."""
        with self._memory:
            self._asked_at = now
        try:
            circuit = ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, calls go on without the store
            if self._logged_at is None or not 0 <= now - self._logged_at < LOG_SECONDS:
                self._logged_at = now
                log(
                    "warning", "breaker store not asked", circuit=self._store.name, error=type(error).__name__
                )
            with self._memory:
                self._answers = False
            return None
        with self._memory:
            self._known, self._read_at, self._answers = circuit, now, True
        return circuit

    @contextmanager
    def _probe(self, lease_id: str) -> Generator[None]:
        """Make the one call of a probe, and record what came of it."""
        try:
            claimed = claim(self._store, lease_id, self._clock())
        except Exception as error:  # noqa: BLE001 - it might not be the only one
            log("warning", "probe not claimed", circuit=self._store.name, error=type(error).__name__)
            claimed = False
        if not claimed:
            raise CircuitOpen(self._store.name, 1.0)
        outcome = Outcome.NEUTRAL
        try:
            yield
            outcome = Outcome.SUCCESS
        except Exception as error:
            outcome = self._outcome(error)
            raise
        finally:
            try:
                self._settle(lease_id, outcome)
            except Exception as error:  # noqa: BLE001 - the lease runs out instead
                log("warning", "probe not settled", circuit=self._store.name, error=type(error).__name__)

    def _settle(self, lease_id: str, outcome: Outcome) -> None:
        now, chance = self._clock(), self._chance()
        settle(self._store, lease_id, outcome, now=now, chance=chance, settings=self._settings)


def connect(
    table: str, name: str, settings: BreakerSettings, neutral: tuple[type[Exception], ...] = ()
) -> Breaker:
    """Return the breaker of a circuit, with credentials and region from the function's environment."""
    # Imported here, so that tests and tools which never connect start without boto3.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return Breaker(Store(boto3.client("dynamodb", config=config), table, name), settings, neutral)


def connect_from_environment(neutral: tuple[type[Exception], ...] = ()) -> Breaker:
    """Return the breaker that BREAKER_TABLE, CIRCUIT and BREAKER describe, as `Circuit.access` sets them.

    Raises:
        KeyError: when one of them is missing.
        ValueError: when BREAKER names an unknown setting, or a value out of its range.

    """
    settings = parse_settings(os.environ["BREAKER"])
    return connect(os.environ["BREAKER_TABLE"], os.environ["CIRCUIT"], settings, neutral)
