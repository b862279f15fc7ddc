"""The order's state machine: its transitions in every order, twice, late, and with lost answers."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from selfheal.functions.orders.order import (
    CONSUMERS,
    MOST_ATTEMPTS,
    Order,
    State,
    Verdict,
    Work,
    accept,
    attempt,
    effect_key,
    exhausted,
    fulfil,
    give_up,
    receive,
    redrive,
    visible_to,
)

BODY = '{"amount": 1}'


def received(caller: str = "ann", order_id: str = "o1", body: str = BODY) -> Order:
    return receive(None, caller, order_id, body, 1.0)


def with_work(**work: Work) -> Order:
    order = accept(received(), 2.0)
    return replace(order, work={**order.work, **work})


DONE, DEAD = Work(attempts=1, done_at=3.0), Work(attempts=5, dead_at=3.0, reason="no stock")


@pytest.mark.parametrize(
    ("order", "state", "reason"),
    [
        (received(), State.RECEIVED, ""),
        (accept(received(), 2.0), State.ACCEPTED, ""),
        (with_work(fulfilment=Work(attempts=1)), State.ATTEMPTED, ""),
        (with_work(fulfilment=DONE), State.ATTEMPTED, ""),
        (with_work(fulfilment=DONE, billing=DONE), State.FULFILLED, ""),
        (with_work(fulfilment=DONE, billing=DEAD), State.DEAD, "billing: no stock"),
        (with_work(fulfilment=DEAD), State.DEAD, "fulfilment: no stock"),
    ],
)
def test_the_state_follows_from_the_fields(order: Order, state: State, reason: str) -> None:
    assert (order.state, order.reason) == (state, reason)


def test_an_order_sent_again_is_the_same_order() -> None:
    order = accept(received(), 2.0)
    assert receive(order, "ann", "o1", BODY, 9.0) is order


@pytest.mark.parametrize(("caller", "body"), [("ann", "{}"), ("bob", "{}"), ("bob", BODY)])
def test_another_body_or_caller_under_a_known_id_is_recorded_and_changes_nothing(
    caller: str, body: str
) -> None:
    order = with_work(fulfilment=Work(attempts=2))
    after = receive(order, caller, "o1", body, 9.0)
    assert after.conflict is not None
    assert (after.conflict.at, after.conflict.number) == (9.0, 1)
    assert replace(after, conflict=None) == order
    assert receive(after, caller, "o1", body, 10.0) is after
    third = receive(after, caller, "o1", "[]", 11.0)
    assert third.conflict is not None
    assert third.conflict.number == 2


def test_an_order_is_accepted_once() -> None:
    order = accept(received(), 2.0)
    assert order.accepted_at == 2.0
    assert accept(order, 9.0) is order


@pytest.mark.parametrize(
    ("work", "verdict"),
    [(DONE, Verdict.DONE), (Work(attempts=1, dead_at=3.0, reason="no such article"), Verdict.GIVE_UP)],
)
def test_what_has_ended_is_not_attempted_again(work: Work, verdict: Verdict) -> None:
    order = with_work(billing=work)
    assert attempt(order, "billing", 4.0) == (order, verdict)


def test_another_callers_order_is_not_there() -> None:
    order = received(caller="ann")
    assert visible_to(order, "ann") is order
    assert visible_to(order, "bob") is None
    assert visible_to(None, "ann") is None


def test_an_effect_has_the_same_key_in_every_attempt_and_no_other_order_has_it() -> None:
    order = received()
    later, _ = attempt(accept(order, 2.0), "billing", 3.0)
    assert effect_key(order, "billing") == effect_key(later, "billing")
    others = [received(caller="bob"), received(order_id="o2")]
    keys = {effect_key(each, name) for each in (order, *others) for name in CONSUMERS}
    assert len(keys) == 6
    longest = received(caller="arn:" + "x" * 500, order_id="i" * 64)
    assert max(len(effect_key(longest, name)) for name in CONSUMERS) <= 128


def test_an_attempt_is_counted_before_the_call_and_the_last_one_that_left_no_answer_is_dead() -> None:
    order = accept(received(), 2.0)
    for number in range(1, MOST_ATTEMPTS + 1):
        assert not exhausted(order, "billing")
        order, verdict = attempt(order, "billing", 3.0)
        assert (verdict, order.work["billing"].attempts) == (Verdict.CALL, number)
    assert exhausted(order, "billing")
    order, verdict = attempt(order, "billing", 4.0)
    assert (verdict, order.reason) == (Verdict.GIVE_UP, "billing: no answer in 8 attempts")
    assert attempt(order, "billing", 5.0) == (order, Verdict.GIVE_UP)


def test_redriven_work_has_all_its_attempts_again_and_a_late_failure_does_not_end_it() -> None:
    order = redrive(with_work(billing=DEAD), "billing")
    assert order.state is State.ACCEPTED
    assert give_up(order, "billing", 0, "late", 5.0) is order
    assert give_up(order, "billing", 1, "again", 5.0).reason == "billing: again"
    assert redrive(order, "billing") is order


def test_what_was_done_counts_although_it_was_given_up_meanwhile() -> None:
    order = fulfil(with_work(fulfilment=DONE, billing=DEAD), "billing", 6.0)
    assert (order.state, order.reason) == (State.FULFILLED, "")


OWNERS: dict[str, tuple[str, Callable[[Order], Order]]] = {
    "resent": ("publisher", lambda order: receive(order, "ann", "o1", BODY, 2.0)),
    "conflict": ("publisher", lambda order: receive(order, "ann", "o1", "{}", 2.0)),
    "accept": ("publisher", lambda order: accept(order, 3.0)),
    "attempt": ("billing", lambda order: attempt(order, "billing", 4.0, 1)[0]),
    "fulfil": ("billing", lambda order: fulfil(order, "billing", 5.0)),
    "give up": ("billing", lambda order: give_up(order, "billing", 0, "failed", 6.0)),
    "redrive": ("billing", lambda order: redrive(order, "billing")),
    "other fulfil": ("fulfilment", lambda order: fulfil(order, "fulfilment", 7.0)),
}


@pytest.mark.slow
def test_in_every_order_of_events_each_writes_its_own_fields_once_and_nothing_is_both_done_and_dead() -> None:
    for events in product(OWNERS, repeat=5):
        order = received()
        for event in events:
            owner, change = OWNERS[event]
            before, order = order, change(order)
            _only_changed_by(owner, before, order)
            _sound(order)
            # What comes twice is as if it came once. An attempt is counted each time; that is its purpose.
            if event != "attempt":
                assert change(order) == order, events


def _only_changed_by(owner: str, before: Order, after: Order) -> None:
    if owner == "publisher":
        assert after.work == before.work
    else:
        assert replace(after, work=before.work) == before
        assert {name for name in CONSUMERS if after.work[name] != before.work[name]} <= {owner}
    assert (after.caller, after.id, after.body) == (before.caller, before.id, before.body)
    # Nothing that happened is taken back.
    assert before.accepted_at in {None, after.accepted_at}
    for name, work in before.work.items():
        assert work.done_at in {None, after.work[name].done_at}


def _sound(order: Order) -> None:
    for work in order.work.values():
        assert work.done_at is None or work.dead_at is None
        assert (work.dead_at is not None) == bool(work.reason)


class Delivered(RuleBasedStateMachine):
    """Deliveries at least once, several at a time, each of which may end at any step.

    What is stored is one order; each transition is one atomic write. The downstream deduplicates by key.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.order: Order | None = None
        self.sent = True
        """The order is in the intake queue."""
        self.waiting: set[str] = set()
        """Consumers with the order's event in their queue, which stays until it is acknowledged."""
        self.letters: set[str] = set()
        self.running: list[dict[str, Any]] = []
        self.effects: dict[str, int] = dict.fromkeys(CONSUMERS, 0)
        self.keys: set[str] = set()
        self.calls = self.counted = 0

    @initialize()
    def begin(self) -> None:
        self.deliver(ends="before the bus has it")

    @property
    def stored(self) -> Order:
        assert self.order is not None
        return self.order

    @rule(ends=st.sampled_from(["before the bus has it", "after the bus has it", "well"]))
    def deliver(self, ends: str) -> None:
        """The publisher gets the order, maybe again."""
        self.now += 1
        self.order = receive(self.order, "ann", "o1", BODY, self.now)
        if self.order.accepted_at is not None or ends == "before the bus has it":
            return
        self.waiting |= set(CONSUMERS)
        if ends == "well":
            self.order = accept(self.order, self.now)

    @rule()
    def conflict(self) -> None:
        self.order = receive(self.stored, "ann", "o1", "{}", self.now)

    @rule(consumer=st.sampled_from(CONSUMERS))
    def replay(self, consumer: str) -> None:
        """An event that is replayed by hand, once it was on the bus."""
        if self.stored.accepted_at is not None:
            self.waiting.add(consumer)

    @rule(consumer=st.sampled_from(CONSUMERS), refused=st.booleans())
    def take(self, consumer: str, refused: bool) -> None:
        """A consumer gets the event; an open circuit refuses it before it is counted."""
        if consumer not in self.waiting or refused:
            return
        self.now += 1
        before = self.stored.work[consumer]
        self.order, verdict = attempt(self.stored, consumer, self.now)
        assert verdict is not Verdict.CALL or (before.done_at is None and before.dead_at is None)
        if verdict is Verdict.CALL:
            self.counted += 1
            generation = self.stored.work[consumer].generation
            self.running.append({"consumer": consumer, "generation": generation, "done": None})
        else:
            self._acknowledge(consumer, letter=verdict is Verdict.GIVE_UP)

    @precondition(lambda self: self.running)
    @rule(
        which=st.integers(0, 20),
        happens=st.sampled_from(["killed", "served", "served, answer lost", "failed", "poison"]),
    )
    def call(self, which: int, happens: str) -> None:
        run = self.running[which % len(self.running)]
        if run["done"] is not None:
            return
        if happens == "killed":
            self.running.remove(run)
            return
        self.calls += 1
        if happens.startswith("served"):
            key = effect_key(self.stored, run["consumer"])
            self.effects[run["consumer"]] += key not in self.keys
            self.keys.add(key)
        if happens == "served, answer lost":
            self.running.remove(run)
        else:
            run["done"] = happens

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 20), acknowledged=st.booleans())
    def finish(self, which: int, acknowledged: bool) -> None:
        """A consumer writes down what came of its call, maybe long after."""
        run = self.running[which % len(self.running)]
        if run["done"] is None:
            return
        self.running.remove(run)
        self.now += 1
        consumer = run["consumer"]
        if run["done"] == "served":
            self.order = fulfil(self.stored, consumer, self.now)
            if acknowledged:
                self._acknowledge(consumer, letter=False)
        elif run["done"] == "poison" or exhausted(self.stored, consumer):
            self.order = give_up(self.stored, consumer, run["generation"], run["done"], self.now)
            if acknowledged and self.stored.work[consumer].dead_at is not None:
                self._acknowledge(consumer, letter=True)

    @rule(consumer=st.sampled_from(CONSUMERS))
    def mend(self, consumer: str) -> None:
        """A person redrives a letter, to the consumer that failed only."""
        if consumer in self.letters:
            self.letters.remove(consumer)
            self.order = redrive(self.stored, consumer)
            self.waiting.add(consumer)

    def _acknowledge(self, consumer: str, *, letter: bool) -> None:
        self.waiting.discard(consumer)
        if letter:
            self.letters.add(consumer)

    @invariant()
    def nothing_is_both_and_no_effect_is_twice(self) -> None:
        if self.order is None:
            return
        _sound(self.order)
        assert self.calls <= self.counted
        assert all(number <= 1 for number in self.effects.values())
        for name, work in self.order.work.items():
            assert work.attempts <= MOST_ATTEMPTS
            assert work.done_at is None or self.effects[name] == 1
            # It is never forgotten: it is done, or in the queue, or a letter, or not on the bus yet.
            ended = work.done_at is not None or name in self.letters
            assert ended or name in self.waiting or self.order.accepted_at is None

    def teardown(self) -> None:
        """Let everything that is still going on end: every order then is fulfilled or dead, with a reason."""
        if self.order is None:
            return
        self.running.clear()
        for _ in range(2 * MOST_ATTEMPTS):
            self.deliver(ends="well")
            for consumer in sorted(self.waiting):
                self.take(consumer, refused=False)
                if self.running:
                    self.call(0, "failed")
                    self.finish(0, acknowledged=True)
        assert not self.waiting
        assert self.stored.state in {State.FULFILLED, State.DEAD}
        assert (self.stored.state is State.DEAD) == bool(self.stored.reason)
        self.nothing_is_both_and_no_effect_is_twice()


TestDelivered = pytest.mark.slow(Delivered.TestCase)
TestDelivered.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
