"""What one period may hold, missing datapoints included, and what alarm and healer must both make of it.

At least 5 errors at a rate of at least 0.05. `None` is no datapoint. Every combination of missing, 0 and some
in each metric is here; a test says so.
"""

from dataclasses import dataclass

from selfheal.functions.healer.evidence import Count

MIN_ERRORS, ERROR_RATE = 5, 0.05


@dataclass(frozen=True)
class Case:
    """One period of a series."""

    values: tuple[float | None, ...]
    """One for each metric of the series, in their order."""
    counted: Count | None
    """What it shows. None: its data says nothing, or is not complete yet."""
    rings: bool = False


LATE = None
"""What is there does not fit together: the rest has yet to arrive."""

NO_DATA = None

LAMBDA = (
    # Invocations, Throttles, Errors
    Case((None, None, None), NO_DATA),
    # Everything is throttled: reserved concurrency 0. Nothing was invoked, so nothing failed either.
    Case((None, 600, None), Count(600, 600), rings=True),
    Case((0, 600, 0), Count(600, 600), rings=True),
    Case((None, 0, None), Count(0, 0)),
    Case((0, 0, 0), Count(0, 0)),
    Case((0, None, 0), Count(0, 0)),
    Case((None, 4, None), Count(4, 4)),  # too few to be more than chance
    # Invocations without Errors, or the other way round: Lambda publishes both, so one is late.
    Case((100, None, None), LATE),
    Case((100, 0, None), LATE),
    Case((100, 600, None), LATE),
    Case((0, None, None), LATE),
    Case((0, 0, None), LATE),
    Case((0, 600, None), LATE),
    Case((None, None, 30), LATE),
    Case((None, 0, 30), LATE),
    Case((None, 600, 30), LATE),
    Case((None, None, 0), LATE),
    Case((None, 0, 0), LATE),
    Case((None, 600, 0), LATE),  # some throttled among many whose count is late
    # More errors than invocations: some of those are late.
    Case((0, None, 30), LATE),
    Case((0, 0, 30), LATE),
    Case((0, 600, 30), LATE),
    Case((20, None, 30), LATE),
    Case((20, 600, 30), LATE),
    Case((100, None, 0), Count(100, 0)),
    Case((100, 0, 0), Count(100, 0)),
    Case((100, None, 30), Count(100, 30), rings=True),
    Case((100, 0, 30), Count(100, 30), rings=True),
    Case((100, 0, 5), Count(100, 5), rings=True),
    Case((100, 0, 4), Count(100, 4)),  # too few
    Case((101, 0, 5), Count(101, 5)),  # too small a share
    Case((5, 0, 5), Count(5, 5), rings=True),
    Case((4, 0, 4), Count(4, 4)),
    # A throttled request is no invocation.
    Case((100, 600, 0), Count(700, 600), rings=True),
    Case((90, 10, 0), Count(100, 10), rings=True),
    Case((96, 4, 0), Count(100, 4)),
    Case((97, 3, 2), Count(100, 5), rings=True),  # each alone would be too few
    Case((100, 600, 30), Count(700, 630), rings=True),
)
"""Lambda's metrics of a function whose callers wait."""

PAIR = (
    # Requests, Errors; or Invocations, Errors
    Case((None, None), NO_DATA),
    Case((0, 0), Count(0, 0)),
    Case((100, 0), Count(100, 0)),
    Case((100, 30), Count(100, 30), rings=True),
    Case((100, 5), Count(100, 5), rings=True),
    Case((100, 4), Count(100, 4)),
    Case((101, 5), Count(101, 5)),
    Case((5, 5), Count(5, 5), rings=True),
    Case((4, 4), Count(4, 4)),
    Case((100, None), LATE),
    Case((0, None), LATE),
    Case((None, 0), LATE),
    Case((None, 30), LATE),
    Case((0, 30), LATE),
    Case((20, 30), LATE),
)
"""A function's own metrics; or Lambda's, where whoever invokes it tries what was throttled again."""
