r"""An order: its fields, who owns each, its states, and every transition between them. Pure functions.

    received ---> accepted ---> attempted n ---> fulfilled
                                         \----> dead, with a reason ---> (redriven) attempted n

received    the publisher has taken the order from the queue and written it down
accepted    it is on the event bus: from here on it ends fulfilled or dead
attempted   a consumer is about to call the downstream for the n-th time
fulfilled   all work is done
dead        some work was given up, for a reason. A person can mend the cause and redrive it

One item an order, and one owner a field: the publisher owns everything but `work`, and of `work` each
consumer owns its own entry. So two writers never want the same field, and each transition is one conditional
update. The state is derived from the fields and never stored: it cannot contradict them.

Each transition may come twice, late, or in any order, and returns the same order when there is nothing to
change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256


class State(StrEnum):
    """Where an order is."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    ATTEMPTED = "attempted"
    FULFILLED = "fulfilled"
    DEAD = "dead"


class Verdict(StrEnum):
    """What a consumer does with a delivery."""

    CALL = "call"
    """Call the downstream: the attempt is counted."""
    DONE = "done"
    """Nothing: the work is done."""
    GIVE_UP = "give up"
    """Move the message to the dead-letter queue: the work is dead."""


CONSUMERS = ("fulfilment", "billing")
"""Who does work for an order. It is fulfilled when all of them have."""

MOST_ATTEMPTS = 8
"""Attempts of one consumer before it gives an order up, by default. A call that a circuit refuses is none.
With the pauses between them, they take two minutes on average: where there is too little traffic to open a
circuit, that is how long an outage may last."""


@dataclass(frozen=True)
class Work:
    """What one consumer did for an order. That consumer alone writes it, except that people redrive it."""

    attempts: int = 0
    """Attempts since the last redrive, counted before the call: one that was killed counts."""
    done_at: float | None = None
    """When the downstream had done it, in seconds since the epoch."""
    dead_at: float | None = None
    """When it was given up. Never set together with `done_at`."""
    reason: str = ""
    """Why it was given up. Never empty when `dead_at` is set."""
    generation: int = 0
    """How often it was redriven. A failure of an older generation changes nothing."""


@dataclass(frozen=True)
class Conflict:
    """The last attempt to use an order's id for something else."""

    digest: str
    """Identifies what came."""
    at: float
    """When, in seconds since the epoch."""
    number: int
    """How many there were."""


@dataclass(frozen=True)
class Order:
    """One order."""

    caller: str
    """Who ordered. It travels with the order, and nobody else sees it."""
    id: str
    """The caller's id for it."""
    body: str
    """What was ordered, as it came."""
    received_at: float
    """Seconds since the epoch."""
    accepted_at: float | None = None
    """When the event bus had it. None: publish it, maybe again."""
    conflict: Conflict | None = None
    work: Mapping[str, Work] = field(default_factory=lambda: dict.fromkeys(CONSUMERS, Work()))
    """By consumer."""

    @property
    def digest(self) -> str:
        """Identifies what was ordered."""
        return digest_of(self.body)

    @property
    def state(self) -> State:
        """Where the order is."""
        if any(each.dead_at is not None for each in self.work.values()):
            return State.DEAD
        if all(each.done_at is not None for each in self.work.values()):
            return State.FULFILLED
        if any(each.attempts or each.done_at is not None for each in self.work.values()):
            return State.ATTEMPTED
        return State.RECEIVED if self.accepted_at is None else State.ACCEPTED

    @property
    def reason(self) -> str:
        """Why the order is dead: who gave up, and for what reason. Empty if it is not."""
        return "; ".join(
            f"{name}: {each.reason}" for name, each in self.work.items() if each.dead_at is not None
        )


def digest_of(body: str) -> str:
    """Return what identifies a body."""
    return sha256(body.encode()).hexdigest()


def effect_key(order: Order, consumer: str) -> str:
    """Return the idempotency key of a consumer's call: the same for every attempt, and no other order's.

    At most 108 characters for an id of 64. It tells the id, but not the caller.
    """
    whose = sha256(order.caller.encode()).hexdigest()[:32]
    return f"{consumer}.{order.id}.{whose}"


def visible_to(order: Order | None, caller: str) -> Order | None:
    """Return the order if it is the caller's. Another's is not there: 404, as if it did not exist."""
    return order if order is not None and order.caller == caller else None


def receive(known: Order | None, caller: str, order_id: str, body: str, now: float) -> Order:
    """Take an order from the queue: new, sent again, or in conflict with the one that is known.

    A conflict (another body, or another caller) is recorded, and changes nothing else of the order. The same
    one again, delivered twice, is the same conflict.
    """
    if known is None:
        return Order(caller, order_id, body, now)
    came = digest_of(body)
    if (known.caller, known.digest) == (caller, came):
        return known
    last = known.conflict
    if last is not None and last.digest == came:
        return known
    return replace(known, conflict=Conflict(came, now, 1 if last is None else last.number + 1))


def accept(order: Order, now: float) -> Order:
    """Write down that the event bus has the order. Consumers may have seen it before that."""
    return order if order.accepted_at is not None else replace(order, accepted_at=now)


def attempt(
    order: Order, consumer: str, now: float, most_attempts: int = MOST_ATTEMPTS
) -> tuple[Order, Verdict]:
    """Begin an attempt: count it, to be written before the call, and say whether to call.

    Ask the circuit breaker first: a call that it refuses is no attempt.
    """
    work = order.work[consumer]
    if work.done_at is not None:
        return order, Verdict.DONE
    if work.dead_at is not None:
        return order, Verdict.GIVE_UP
    if work.attempts >= most_attempts:
        # The last one neither succeeded nor failed: it was killed, or its answer could not be written down.
        reason = f"no answer in {work.attempts} attempts"
        return give_up(order, consumer, work.generation, reason, now), Verdict.GIVE_UP
    return _with(order, consumer, replace(work, attempts=work.attempts + 1)), Verdict.CALL


def exhausted(order: Order, consumer: str, most_attempts: int = MOST_ATTEMPTS) -> bool:
    """Return whether a failure now is the last: give it up with that failure's reason."""
    return order.work[consumer].attempts >= most_attempts


def fulfil(order: Order, consumer: str, now: float) -> Order:
    """Write down that the downstream did it.

    It counts also when the work was given up meanwhile: what happened is a fact, giving up was an assumption.
    """
    work = order.work[consumer]
    if work.done_at is not None:
        return order
    return _with(order, consumer, replace(work, done_at=now, dead_at=None, reason=""))


def give_up(order: Order, consumer: str, generation: int, reason: str, now: float) -> Order:
    """Write down that a consumer gives up.

    Args:
        order: The order as it is now.
        consumer: Who gives up.
        generation: The generation of the work when its attempt began. An older one changes nothing.
        reason: Why, for people.
        now: Seconds since the epoch.

    """
    work = order.work[consumer]
    if work.done_at is not None or work.dead_at is not None or work.generation != generation:
        return order
    return _with(order, consumer, replace(work, dead_at=now, reason=reason or "no reason given"))


def redrive(order: Order, consumer: str) -> Order:
    """Open dead work again, with all its attempts. Work that is not dead is left alone."""
    work = order.work[consumer]
    if work.dead_at is None:
        return order
    return _with(order, consumer, Work(generation=work.generation + 1))


def _with(order: Order, consumer: str, work: Work) -> Order:
    return replace(order, work={**order.work, consumer: work})
