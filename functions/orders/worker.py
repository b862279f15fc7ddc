"""What a consumer does with an order: ask the breaker, count the attempt, call, write down what came of it.

    redriven?  the work is open again
    done?      nothing: it was delivered twice
    dead?      the letter once more: it may have been lost
    breaker    refuses: the message goes back, and no attempt is counted
    attempt    written down before the call, so that one which is killed counts
    call       done | failed, another attempt | failed for good: dead, with the reason

A probe of the breaker counts as no attempt and gives nothing up: it is sent while the circuit is open, and no
order may die because of that.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, cast

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.functions.orders.delivery import Delivery
from selfheal.functions.orders.downstream import Downstream, DownstreamError, RejectedError
from selfheal.functions.orders.order import (
    MOST_ATTEMPTS,
    Order,
    Verdict,
    attempt,
    effect_key,
    exhausted,
    fulfil,
    give_up,
    redrive,
)
from selfheal.functions.orders.store import LostRaceError, Store
from selfheal.functions.shared.batch import PoisonError


class AlreadyDoneError(Exception):
    """Another delivery of the same message was quicker."""


NEUTRAL = (AlreadyDoneError, BotoCoreError, ClientError, LostRaceError, PoisonError, RejectedError)
"""Exceptions that say nothing about the downstream: of orders, and of our own table."""


class Breaker(Protocol):
    """What a worker needs of the circuit breaker."""

    def call(self, probe: str | None = None, *, counts: bool = True) -> AbstractContextManager[None]:
        """Make a call in the `with` block, or raise CircuitOpen."""
        ...


@dataclass(frozen=True)
class Worker:
    """One consumer of orders."""

    consumer: str
    """One of CONSUMERS."""
    store: Store
    breaker: Breaker
    downstream: Downstream
    clock: Callable[[], float]
    """Returns seconds since the epoch."""
    data: Callable[[Order], object]
    """Returns what is asked of the downstream for an order. May raise PoisonError."""
    most_attempts: int = MOST_ATTEMPTS

    def run(self, delivery: Delivery, probe: str | None = None) -> None:
        """Do the work for one delivery.

        Args:
            delivery: What was delivered.
            probe: The lease, if the message came as the breaker's probe.

        Raises:
            PoisonError: when the work is dead: the message is to be moved to the dead-letter queue.
            CircuitOpen: when the breaker refuses the call: the message goes back.
            DownstreamError: when it failed and another attempt is left: the message goes back.

        """
        order = self._open(delivery)
        if order is None:
            return
        try:
            data = self.data(order)
            order = self._call(order, data, probe)
        except AlreadyDoneError:
            return
        except (PoisonError, RejectedError) as error:
            self._give_up(order, str(error))
        else:
            self.store.change(order, lambda each: fulfil(each, self.consumer, self.clock()))

    def _open(self, delivery: Delivery) -> Order | None:
        """Return the order, or None if its work is done. Raises PoisonError if it is dead."""
        order = self.store.read(delivery.caller, delivery.id)
        if order is None:
            raise PoisonError(f"there is no order {delivery.id} of {delivery.caller}")
        if delivery.redriven > order.work[self.consumer].generation:
            order = self.store.change(order, lambda each: redrive(each, self.consumer))
        work = order.work[self.consumer]
        if work.dead_at is not None:
            raise PoisonError(work.reason)
        return None if work.done_at is not None else order

    def _call(self, order: Order, data: object, probe: str | None) -> Order:
        """Call the downstream through the breaker, and return the order with the attempt.

        Raises:
            RejectedError: also when this was the last attempt.

        """
        # Later attempts do not count: in a partial outage they would soon make most of the calls.
        counts = order.work[self.consumer].attempts == 0
        try:
            with self.breaker.call(probe, counts=counts):
                if probe is None:
                    order = self._attempt(order)
                self.downstream.do(effect_key(order, self.consumer), order.caller, data)
        except DownstreamError as error:
            if probe is not None or not exhausted(order, self.consumer, self.most_attempts):
                raise
            tried = order.work[self.consumer].attempts
            raise RejectedError(f"{error} (attempt {tried} of {self.most_attempts})") from error
        return order

    def _attempt(self, order: Order) -> Order:
        """Write an attempt down, and return the order."""
        verdicts: list[Verdict] = []

        def begin(each: Order) -> Order:
            after, verdict = attempt(each, self.consumer, self.clock(), self.most_attempts)
            verdicts.append(verdict)
            return after

        order = self.store.change(order, begin)
        if verdicts[-1] is Verdict.DONE:
            raise AlreadyDoneError
        if verdicts[-1] is Verdict.GIVE_UP:
            raise PoisonError(order.work[self.consumer].reason)
        return order

    def _give_up(self, order: Order, reason: str) -> None:
        """Write down that the work is dead, and raise PoisonError, unless it was done meanwhile.

        First the order and then the letter: a letter alone would be a dead order that looks alive.
        """
        generation = order.work[self.consumer].generation
        after = self.store.change(
            order, lambda each: give_up(each, self.consumer, generation, reason, self.clock())
        )
        if after.work[self.consumer].done_at is None:
            raise PoisonError(reason)


def ordered(order: Order) -> Mapping[str, Any]:
    """Return what was ordered."""
    return cast("Mapping[str, Any]", json.loads(order.body))
