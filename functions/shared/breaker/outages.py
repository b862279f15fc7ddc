"""Outages of a circuit: the times in which it was not at rest. Pure."""

from dataclasses import dataclass, replace
from itertools import pairwise

MOST_OUTAGES = 10
"""Outages that a circuit remembers. Its item is written each second, and costs more beyond each kilobyte."""

MEMORY_SECONDS = 14 * 86_400
"""How long an outage matters: no queue keeps a message for longer. Source: SQS quotas."""


@dataclass(frozen=True)
class Outage:
    """From an opening until the circuit was at rest again, at full concurrency."""

    began: float
    """Seconds since the epoch."""
    ended: float | None = None
    """Seconds since the epoch. None: it lasts."""

    def within(self, since: float, until: float) -> float:
        """Return how many seconds of an interval lay in this outage."""
        end = until if self.ended is None else min(self.ended, until)
        return max(0.0, end - max(self.began, since))


Outages = tuple[Outage, ...]
"""The oldest first. They do not overlap, and only the last one may still last."""


def begun(outages: Outages, now: float) -> Outages:
    """Return them with one that begins now.

    When they are too many, the two with the shortest time between them become one. A message then seems to
    have waited for less time than it did, and is kept rather than evicted.
    """
    kept = [each for each in outages if each.ended is None or now - each.ended < MEMORY_SECONDS]
    kept.append(Outage(now))
    if len(kept) > MOST_OUTAGES:
        gaps = [later.began - (earlier.ended or later.began) for earlier, later in pairwise(kept)]
        place = gaps.index(min(gaps))
        kept[place : place + 2] = [replace(kept[place], ended=kept[place + 1].ended)]
    return tuple(kept)


def ended(outages: Outages, now: float) -> Outages:
    """Return them with the last one ended now, if it lasts."""
    if not outages or outages[-1].ended is not None:
        return outages
    return (*outages[:-1], replace(outages[-1], ended=now))


def seconds_within(outages: Outages, since: float, until: float) -> float:
    """Return how many seconds of an interval lay in outages."""
    return sum(each.within(since, until) for each in outages)
