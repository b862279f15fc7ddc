"""How a consumer keeps to a rate, and which messages it still handles. Pure: time is an argument.

A cap on concurrency is no cap on the rate: quick messages go through it quickly. Here a message occupies its
place for a fixed time, however quickly it is handled. With c places and c / r seconds a message, the places
together never begin more than r messages a second, beyond one in each place at once, without knowing of each
other: an environment that is new, or a place that is taken away, changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

SPARE_SECONDS = 1.0
"""What must remain of a function's time after a message: to give others back, and to answer."""

LAST_DAY_SECONDS = 86400.0
"""What must remain of a queue's retention when a message is handled or evicted."""


@dataclass
class Pace:
    """The place of one batch. Messages begin `seconds` apart, and the next batch that far behind the last."""

    seconds: float
    """For which a message occupies the place."""
    clock: Callable[[], float]
    """Returns seconds, never fewer than before."""
    sleep: Callable[[float], object]
    free_at: float = float("-inf")

    def busy(self) -> float:
        """Return for how long the place is still occupied, in seconds."""
        return max(0.0, self.free_at - self.clock())

    def wait(self) -> None:
        """Wait until the place is free."""
        # More than once, since a sleep may end a little early.
        while (seconds := self.busy()) > 0:
            self.sleep(seconds)

    def begin(self) -> None:
        """Occupy the place for a message, once it is free."""
        self.wait()
        self.free_at = self.clock() + self.seconds


def has_time(remaining: float, busy: float, seconds: float, longest: float) -> bool:
    """Return whether there is time for another message. All in seconds.

    Args:
        remaining: Until the function is stopped. It is not stopped within the place's time, or the rate
            would not hold: who is stopped leaves its place at once.
        busy: For which the place is still occupied.
        seconds: For which a message occupies it.
        longest: That a message of this batch has taken.

    """
    return remaining >= busy + max(seconds, longest) + SPARE_SECONDS


def too_old(age: float, outages: float, max_age: float, retention: float) -> str | None:
    """Return why a message is not to be handled any more, or None. All in seconds.

    Args:
        age: Since it was sent.
        outages: The part of it in which nothing could be handled, because a circuit was not at rest.
        max_age: The longest that it may have waited beside that.
        retention: How long its queue keeps it. An outage does not make that longer: whoever comes within
            its last day is moved to a queue that keeps it.

    """
    waited = age - outages
    if waited > max_age:
        beside = f", beside {outages:.0f} s in which the circuit was open" if outages else ""
        return f"waited {waited:.0f} s{beside}; {max_age:.0f} s are allowed"
    if age > retention - LAST_DAY_SECONDS:
        return f"is {age:.0f} s old, and its queue deletes it after {retention:.0f} s"
    return None
