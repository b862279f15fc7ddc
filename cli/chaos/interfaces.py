"""What a run needs: of the stack, of the orders that are sent, and of whoever watches."""

from collections.abc import Sequence
from typing import Protocol

from selfheal.cli.chaos.recording import OrderKey, Phase, Put, Recording
from selfheal.cli.operator.orders_view import Call
from selfheal.functions.orders.order import Order
from selfheal.functions.status.picture import Picture


class Observed(Protocol):
    """The stack, as `selfheal.cli.chaos.stack.Stack` reads it."""

    @property
    def options(self) -> str:
        """The options with which another command finds its ledger, with a space before them."""
        ...

    def picture(self) -> Picture:
        """Return how it is now."""
        ...

    def orders(self, keys: Sequence[OrderKey]) -> dict[OrderKey, Order]:
        """Return those of these orders that are there."""
        ...

    def calls_made(self) -> int:
        """Return how many calls the downstream has seen."""
        ...

    def calls_since(self, number: int) -> tuple[Call, ...] | None:
        """Return the downstream's log after the call of a number."""
        ...


class Sent(Protocol):
    """The orders, as `selfheal.cli.chaos.orders_sent.OrdersSent` sends them."""

    def first(self) -> tuple[Put, ...]:
        """Send some that are not of the traffic, one after the other, and return what became of them."""
        ...

    def start(self, since: float) -> None:
        """Begin, this many seconds after the run began."""
        ...

    def stop(self) -> None:
        """Send no more, and wait for the answers that are due."""
        ...

    def end(self) -> None:
        """Send no more, and wait for nothing."""
        ...

    @property
    def skipped(self) -> int:
        """Orders that were due and not sent."""
        ...

    def puts(self) -> tuple[Put, ...]:
        """Return what was answered so far."""
        ...


class Progress(Protocol):
    """Who is told how the run goes on."""

    def phase(self, phase: Phase, seconds: float) -> None:
        """Begin a phase that lasts at most this long."""
        ...

    def seen(self, recording: Recording) -> None:
        """Show what was recorded so far."""
        ...

    def say(self, text: str) -> None:
        """Tell a line."""
        ...
