"""One circuit: its state, and every way it may change. Pure: time and chance are arguments.

    closed -> open        by counts: enough calls in the window, and the share of failures reached
    open -> half-open     the pause is over
    half-open -> closed   enough probes in a row succeeded; the slow start begins
    half-open -> open     a probe failed, or its lease ran out: killed and timed-out probes count
    any -> open, closed   forced by a person, until a stated time

Each method returns the circuit after exactly one more write. *Generation* rises with each change of state,
and what was begun in an older one is ignored. *Version* rises with each write but the counts', and makes
writes conditional. *Episode* rises when a circuit at rest is left, and names one run of the controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from selfheal.functions.shared.breaker.outages import Outages, begun, ended
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.window import Buckets, Count, is_failing, sums, tally

FORCE_SECONDS = 86_400
"""The longest time for which a state may be forced: what people set must have an end."""


class State(StrEnum):
    """What happens to calls."""

    CLOSED = "closed"
    """They are made, and counted."""
    OPEN = "open"
    """They are refused."""
    HALF_OPEN = "half-open"
    """They are refused, except for one probe at a time."""


class Outcome(StrEnum):
    """What a call says about the dependency."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    """Nothing: the call was invalid, or never made."""


@dataclass(frozen=True)
class Lease:
    """The right to the one probe of a half-open circuit."""

    id: str
    """Names this probe. Who presents it may make one call."""
    expires: float
    """Seconds since the epoch. Later the probe counts as failed."""
    claimed: bool = False
    """Whether the call has begun. It begins once."""


@dataclass(frozen=True)
class Forced:
    """A person's decision that holds over what the counts and probes say."""

    state: State
    """OPEN or CLOSED."""
    by: str
    why: str
    until: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class Circuit:
    """A circuit as the store has it. The defaults are those of one that nothing is known of yet."""

    name: str
    state: State = State.CLOSED
    version: int = 0
    generation: int = 0
    episode: int = 0
    openings: int = 0
    """Pauses since the circuit was last stable; each doubles the longest possible next one."""
    changed_at: float = 0.0
    """When the state changed, or, at rest, when the slow start ended."""
    until: float = 0.0
    """When open: the end of the pause."""
    successes: int = 0
    """When half-open: successful probes in a row."""
    lease: Lease | None = None
    """When half-open: the probe that is under way."""
    limit: int | None = None
    """During the slow start: MaximumConcurrency of each mapping. None: as configured."""
    settled_at: float | None = None
    """During the slow start: since when all mappings have that limit."""
    forced: Forced | None = None
    outages: Outages = ()
    """Times in which it was not at rest, as far as they matter; the last one may still last."""
    buckets: Buckets = field(default_factory=dict[int, Count])
    """Counts of this generation."""

    @property
    def at_rest(self) -> bool:
        """Whether it is closed and the slow start is over, so that the controller has nothing to do."""
        return self.state is State.CLOSED and self.limit is None

    def outage_lasts(self, now: float) -> float:
        """Return for how many seconds the present outage lasts; 0 at rest."""
        if not self.outages or self.outages[-1].ended is not None:
            return 0.0
        return max(0.0, now - self.outages[-1].began)

    def forced_now(self, now: float) -> Forced | None:
        """Return the person's decision that holds now."""
        return self.forced if self.forced is not None and now < self.forced.until else None

    def count(self, now: float, settings: BreakerSettings) -> Count:
        """Return the counts of the window that ends now."""
        return tally(self.buckets, now, settings.window_seconds)

    def should_open(self, now: float, settings: BreakerSettings) -> bool:
        """Return whether the counts open it.

        The newest calls decide as soon as they are enough, and at most the whole window: a busy circuit opens
        within a second or two, not after half a window full of earlier successes.
        """
        if self.state is not State.CLOSED or self.forced_now(now):
            return False
        return any(
            is_failing(count, settings.minimum_calls, settings.failure_rate)
            for count in sums(self.buckets, now, settings.window_seconds)
        )

    def opened(self, now: float, chance: float, settings: BreakerSettings) -> Self:
        """Return it open, for a pause that is longer, the more often it opened since it was stable.

        Args:
            now: Seconds since the epoch.
            chance: A random number in [0, 1), for the pause's jitter.
            settings: Of this circuit.

        """
        stable = self.at_rest and now - self.changed_at >= settings.pause_cap_seconds
        openings = 1 if stable else self.openings + 1
        until = now + pause(openings, chance, settings)
        return self._moved(State.OPEN, now, openings=openings, until=until)

    def half_opened(self, now: float) -> Self:
        """Return it half-open.

        Raises:
            ValueError: when it is not open, or its pause is not over.

        """
        if self.state is not State.OPEN or now < self.until:
            raise ValueError(f"{self.name} is {self.state} until {self.until}: it cannot be probed at {now}")
        return self._moved(State.HALF_OPEN, now)

    def leased(self, lease_id: str, now: float, settings: BreakerSettings) -> Self:
        """Return it with a lease for one probe.

        Raises:
            ValueError: when it is not half-open, or a probe is under way.

        """
        if self.state is not State.HALF_OPEN or self.lease is not None:
            raise ValueError(f"{self.name} is {self.state}, its probe is {self.lease}: no other may begin")
        return self._written(lease=Lease(lease_id, now + settings.lease_seconds))

    def claimed(self, lease_id: str, now: float) -> Self | None:
        """Return it with the probe begun, or None if the lease is not, no longer, or already used."""
        lease = self.lease
        if self.state is not State.HALF_OPEN or lease is None or lease.id != lease_id:
            return None
        if lease.claimed or now >= lease.expires:
            return None
        return self._written(lease=replace(lease, claimed=True))

    def probed(
        self, lease_id: str, outcome: Outcome, now: float, chance: float, settings: BreakerSettings
    ) -> Self | None:
        """Return it after a probe, or None if the lease is no longer its own: a late result is ignored."""
        if self.state is not State.HALF_OPEN or self.lease is None or self.lease.id != lease_id:
            return None
        if now >= self.lease.expires or outcome is Outcome.FAILURE:
            return self.opened(now, chance, settings)
        if outcome is Outcome.NEUTRAL:
            return self._written(lease=None)
        if self.successes + 1 < settings.successes:
            return self._written(lease=None, successes=self.successes + 1)
        return self._moved(State.CLOSED, now, limit=settings.first_limit)

    def settled(self, now: float) -> Self:
        """Return it with a step of the slow start in force: all mappings have the limit."""
        return self._written(settled_at=now)

    def stepped(self, now: float, highest: int) -> Self:
        """Return it with the next step of the slow start: twice the limit, or at rest after the last.

        Args:
            now: Seconds since the epoch.
            highest: The largest MaximumConcurrency that is configured behind this circuit.

        """
        if self.limit is None or self.limit >= highest:
            return self._written(
                limit=None, settled_at=None, changed_at=now, outages=ended(self.outages, now)
            )
        return self._written(limit=min(2 * self.limit, highest), settled_at=None)

    def force(self, forced: Forced, now: float, settings: BreakerSettings) -> Self:
        """Return it in the state that a person decided.

        Open, it is probed when the time is over. Closed, nothing opens it, and if it was open it begins with
        a slow start, whose steps then follow from time alone.

        Raises:
            ValueError: when state, name, reason or end is none that is allowed.

        """
        if forced.state is State.HALF_OPEN:
            raise ValueError(
                "a circuit can be forced open or closed, not half-open: release it to have it probed"
            )
        if not forced.by or not forced.why:
            raise ValueError("say who forces the circuit, and why")
        if not now < forced.until <= now + FORCE_SECONDS:
            raise ValueError(
                f"a state can be forced for up to {FORCE_SECONDS // 3600} hours, "
                f"got {forced.until - now:.0f} seconds"
            )
        if forced.state is State.OPEN:
            return self._moved(State.OPEN, now, openings=self.openings, until=forced.until, forced=forced)
        limit = self.limit if self.state is State.CLOSED else settings.first_limit
        # A circuit at rest stays so, and keeps the time since when it has been.
        since = self.changed_at if self.at_rest else now
        return replace(self._moved(State.CLOSED, now, limit=limit, forced=forced), changed_at=since)

    def released(self, now: float) -> Self:
        """Return it without the person's decision. One that was forced open is probed at once."""
        until = min(self.until, now) if self.state is State.OPEN and self.forced else self.until
        return self._written(forced=None, until=until)

    def _moved(
        self,
        state: State,
        now: float,
        *,
        openings: int | None = None,
        until: float = 0.0,
        limit: int | None = None,
        forced: Forced | None = None,
    ) -> Self:
        """Return it in a state, with nothing left of the former one but the pauses and outages it has had."""
        leaves_rest = self.at_rest and state is not State.CLOSED
        return replace(
            self._written(),
            state=state,
            generation=self.generation + 1,
            episode=self.episode + leaves_rest,
            outages=begun(self.outages, now) if leaves_rest else self.outages,
            openings=self.openings if openings is None else openings,
            changed_at=now,
            until=until,
            successes=0,
            lease=None,
            limit=limit,
            settled_at=None,
            forced=forced,
            buckets={},
        )

    def _written(self, **fields: object) -> Self:
        changes: Mapping[str, object] = {"version": self.version + 1, **fields}
        return replace(self, **changes)


def longest_pause(openings: int, settings: BreakerSettings) -> int:
    """Return the longest pause, in seconds, of the n-th opening since the circuit was stable, n from 1."""
    return min(settings.pause_cap_seconds, settings.pause_seconds * 2 ** min(openings, 30))


def pause(openings: int, chance: float, settings: BreakerSettings) -> float:
    """Return a pause in seconds: full jitter between the shortest and the longest, which grows.

    Full jitter as in "Exponential Backoff And Jitter" (AWS Architecture Blog), but not down to zero: the
    dependency has just failed.
    """
    least = settings.pause_seconds
    return least + chance * (longest_pause(openings, settings) - least)
