"""What a scenario can state numbers about. The unit is in the name: shares are 0 to 1, others are counts.

`selfheal chaos run` takes each measure. One that cannot be taken is unknown, which is never taken for good: a
bound on it neither holds nor fails, and the run is inconclusive.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One number of a run."""

    description: str
    """What it is, as a clause: it stands in reports and refusals."""

    most: float | None = None
    """The highest value that it can have. None: there is none. The lowest is 0."""

    live: bool = False
    """Whether it is known while the fault lasts, so that a run can be stopped by it."""

    when_small: bool = False
    """Whether a small value is the bad one, as of a share of orders that were accepted."""


MEASURES: Mapping[str, Measure] = {
    "accepted_share": Measure(
        "share of the orders sent so far that were answered 202; unknown below 20 orders",
        most=1,
        live=True,
        when_small=True,
    ),
    "answer_p95_seconds": Measure(
        "time within which 95 % of the orders sent so far were answered; unknown below 20 orders", live=True
    ),
    "fulfilled_share": Measure(
        "share of the accepted orders that are fulfilled at the end", most=1, when_small=True
    ),
    "lost_orders": Measure("accepted orders that are neither fulfilled nor dead at the end"),
    "dead_orders": Measure("orders that were given up, each with a reason", live=True),
    "new_letters": Measure("letters that came to the dead-letter queues during the run", live=True),
    "repeated_effects": Measure("effects of the downstream beyond one for each idempotency key", live=True),
    "openings": Measure("times that the circuit opened during the run", live=True),
    "calls_during_fault": Measure("calls that the downstream saw while the fault lasted", live=True),
    "settled_after_seconds": Measure(
        "time from the end of the fault until every accepted order was fulfilled or dead"
    ),
    "open_incidents_at_end": Measure("incidents that are open at the end"),
    "circuit_at_rest_at_end": Measure(
        "1 if the circuit is closed at the end, with its consumers at full concurrency, else 0",
        most=1,
        when_small=True,
    ),
}
"""By name. `selfheal chaos run` computes exactly these."""
