"""Properties over arbitrary interleavings: what must hold whoever writes when."""

from collections.abc import Generator
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from selfheal.functions.shared.breaker.circuit import Circuit, Forced, Outcome, State, longest_pause, pause
from selfheal.functions.shared.breaker.outages import MOST_OUTAGES
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.breaker.window import Count, bucket_of
from tests.functions.breaker.world import START
from tests.functions.support.memory_table import MemoryTable

S = BreakerSettings()
ENVIRONMENTS = 50
OUTCOMES = st.sampled_from(list(Outcome))
STATES = st.sampled_from([State.OPEN, State.CLOSED])
CHANCE = st.floats(0, 1, exclude_max=True)


class Fleet(RuleBasedStateMachine):
    """Fifty environments that each read, later write what they made of it, and later end their probe.

    Every one of them acts as controller and as consumer, and what it holds may be arbitrarily old.
    """

    def __init__(self) -> None:
        super().__init__()
        self.table = MemoryTable()
        self.now = START
        self.store = Store(self.table, "breakers", "payments")
        self.seen: dict[int, Circuit] = {}
        self.probes: dict[str, float] = {}
        """Probes that have begun and not ended, and when their lease does."""
        self.done: list[tuple[int, Outcome]] = []
        """Probes that were recorded: generation and outcome."""
        self.last = Circuit("payments")
        self.number = 0

    def wrote(self, before: Circuit, after: Circuit) -> bool:
        written, _ = Store(self.table, "breakers", "payments").replace(before, after)
        return written

    @rule(who=st.integers(0, ENVIRONMENTS - 1))
    def read(self, who: int) -> None:
        self.seen[who] = self.store.read()

    @rule(seconds=st.sampled_from([0.1, 1.0, 7.0, 61.0, 301.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), failures=st.integers(0, 30), chance=CHANCE)
    def flush(self, data: st.DataObject, failures: int, chance: float) -> None:
        generation = self.seen[data.draw(st.sampled_from(sorted(self.seen)))].generation
        circuit = self.store.add({bucket_of(self.now): Count(30, failures)}, generation, self.now, 10)
        if circuit.should_open(self.now, S):
            self.wrote(circuit, circuit.opened(self.now, chance, S))

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def half_open(self, data: st.DataObject) -> None:
        circuit = self.seen[data.draw(st.sampled_from(sorted(self.seen)))]
        if circuit.state is State.OPEN and self.now >= circuit.until:
            self.wrote(circuit, circuit.half_opened(self.now))

    @precondition(lambda self: any(each.state is State.HALF_OPEN for each in self.seen.values()))
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        able = [who for who, each in sorted(self.seen.items()) if each.state is State.HALF_OPEN]
        circuit = self.seen[data.draw(st.sampled_from(able))]
        if circuit.lease is None:
            self.number += 1
            leased = circuit.leased(f"lease-{self.number}", self.now, S)
            if self.wrote(circuit, leased):
                assert leased.lease is not None
                self.probes[leased.lease.id] = leased.lease.expires

    @precondition(lambda self: self.probes)
    @rule(data=st.data(), outcome=OUTCOMES, chance=CHANCE)
    def end(self, data: st.DataObject, outcome: Outcome, chance: float) -> None:
        """Also long after its lease: a late result."""
        lease = data.draw(st.sampled_from(sorted(self.probes)))
        expires = self.probes.pop(lease)
        circuit = self.store.read()
        after = circuit.probed(lease, outcome, self.now, chance, S)
        if after is not None and self.wrote(circuit, after) and self.now < expires:
            self.done.append((circuit.generation, outcome))

    @rule(state=STATES, seconds=st.integers(1, 400))
    def force(self, state: State, seconds: int) -> None:
        circuit = self.store.read()
        forced = Forced(state, "ann", "drill", self.now + seconds)
        assert self.wrote(circuit, circuit.force(forced, self.now, S))

    @rule()
    def slow_start(self) -> None:
        circuit = self.store.read()
        if circuit.state is State.CLOSED and circuit.limit is not None:
            self.wrote(circuit, circuit.stepped(self.now, 10))

    @invariant()
    def one_probe_at_a_time(self) -> None:
        assert sum(self.now < expires for expires in self.probes.values()) <= 1 or self._forced_in_between()

    def _forced_in_between(self) -> bool:
        """A person may end a probe's lease while it runs; then it can no longer be recorded."""
        lease = self.store.read().lease
        mine = [each for each, expires in self.probes.items() if self.now < expires]
        return lease is None or sum(each == lease.id for each in mine) <= 1

    @invariant()
    def it_closes_only_by_successes_of_one_generation_or_by_a_person(self) -> None:
        now = self.store.read()
        if now.state is State.CLOSED and self.last.state is not State.CLOSED and not now.forced:
            ended = [outcome for generation, outcome in self.done if generation == now.generation - 1]
            judged = [outcome for outcome in ended if outcome is not Outcome.NEUTRAL]
            assert judged == [Outcome.SUCCESS] * S.successes
        forced = self.last.forced_now(self.now)
        if forced is not None and (now.forced == forced):
            assert now.state is forced.state, "what a person decided wins until it ends"
        assert now.version >= self.last.version
        assert now.generation >= self.last.generation
        if now.state is not self.last.state:
            assert now.generation > self.last.generation
        self.last = now

    @invariant()
    def an_outage_lasts_while_it_is_not_at_rest(self) -> None:
        now = self.store.read()
        assert any(outage.ended is None for outage in now.outages[-1:]) is not now.at_rest
        assert all(outage.ended is not None for outage in now.outages[:-1])
        assert len(now.outages) <= MOST_OUTAGES


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


@given(st.lists(CHANCE, min_size=2, max_size=40), st.integers(1, 60), st.integers(2, 60))
def test_pauses_grow_and_are_bounded(chances: list[float], least: int, factor: int) -> None:
    limits = BreakerSettings(pause_seconds=least, pause_cap_seconds=min(3600, least * factor))
    longest = [longest_pause(n, limits) for n in range(1, len(chances) + 1)]
    assert all(later >= earlier for earlier, later in pairwise(longest))
    assert longest[-1] <= limits.pause_cap_seconds
    for n, chance in enumerate(chances, start=1):
        assert least <= pause(n, chance, limits) <= longest[n - 1]
        if longest[n - 1] < limits.pause_cap_seconds:
            assert longest[n - 1] == least * 2**n


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(ENVIRONMENTS)), st.lists(st.integers(0, ENVIRONMENTS - 1), max_size=200))
def test_of_fifty_that_read_and_write_in_any_order_one_holds_the_lease(
    order: list[int], turns: list[int]
) -> None:
    table = MemoryTable()
    store = Store(table, "breakers", "payments")
    store.replace(Circuit("payments"), Circuit("payments", version=1, state=State.HALF_OPEN))
    probing: set[int] = set()

    def environment(name: int) -> Generator[None, Any, None]:
        own = Store(table, "breakers", "payments")
        circuit = own.read()
        yield
        if circuit.lease is not None or circuit.state is not State.HALF_OPEN:
            return
        leased = circuit.leased(str(name), START, S)
        yield
        written, circuit = own.replace(circuit, leased)
        if not written:
            return
        probing.add(name)
        assert probing == {name}
        yield
        probing.discard(name)
        after = own.read().probed(str(name), Outcome.SUCCESS, START, 0, S)
        assert after is not None
        own.replace(own.read(), after)

    running = {name: environment(name) for name in order}
    for turn in [*turns, *order * 6]:
        next(running[turn], None)
    assert store.read().successes >= 1 or store.read().state is State.CLOSED
