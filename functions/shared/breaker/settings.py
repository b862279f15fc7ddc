"""Settings of a circuit breaker, with ranges and the sources of the defaults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

OUTAGE_METRIC = "OutageAge"
"""Metric of the function that wakes the controller: for how long the circuit has not been at rest."""


@dataclass(frozen=True)
class BreakerSettings:
    """How one circuit decides. Consumers and controller of a circuit must have the same.

    Raises:
        ValueError: when a value is out of its range, or values contradict each other.

    """

    failure_rate: float = 0.5
    """The circuit opens at this share of failures, above 0 to 1. Two thirds of it never open it. Default of
    Resilience4j (failureRateThreshold) and Hystrix (errorThresholdPercentage)."""
    minimum_calls: int = 20
    """Calls in the window below which nothing is judged. Resilience4j and Polly take 100 for one process;
    Hystrix took 20 (requestVolumeThreshold), which suits queues with few consumers."""
    window_seconds: int = 10
    """Length of the sliding window, at most: see `Circuit.should_open`. Default of Hystrix
    (rollingStats.timeInMilliseconds)."""
    successes: int = 3
    """Successful probes in a row that close the circuit. Powertools' success_threshold."""
    pause_seconds: int = 5
    """The shortest pause before a probe. Powertools and Polly wait 30 s and 5 s."""
    pause_cap_seconds: int = 300
    """The longest pause. Also how long a circuit must have been closed at full concurrency before its pauses
    start from the shortest again: a shorter time would let a partial outage forget what it has shown."""
    lease_seconds: int = 60
    """How long a probe may take. Longer than the time-outs of the controller and of the probed consumer, or
    a second probe could start beside a slow first one."""
    first_limit: int = 2
    """MaximumConcurrency of the first step of the slow start. AWS allows 2 to 1,000."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.failure_rate <= 1:
            raise ValueError(f"failure_rate must be above 0 and at most 1, got {self.failure_rate}")
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} must be from {least} to {most}, got {value}")
        if self.pause_cap_seconds < 2 * self.pause_seconds:
            raise ValueError(
                f"pause_cap_seconds must be at least twice pause_seconds, so that pauses can grow, got "
                f"{self.pause_cap_seconds} and {self.pause_seconds}"
            )


RANGES: Mapping[str, tuple[int, int]] = {
    "minimum_calls": (10, 10_000),  # nine failures in a row may still be a partial outage: see is_failing
    "window_seconds": (2, 120),
    "successes": (1, 20),
    "pause_seconds": (1, 600),
    "pause_cap_seconds": (2, 3600),
    "lease_seconds": (5, 900),
    "first_limit": (2, 1000),
}
"""Smallest and largest value of each setting that is a whole number."""


def parse_settings(text: str) -> BreakerSettings:
    """Return the settings in a JSON object; what it does not name has its default.

    Raises:
        ValueError: when it is no JSON object, or names an unknown setting or a value out of its range.

    """
    raw: Any = json.loads(text)
    known = [field.name for field in fields(BreakerSettings)]
    if not isinstance(raw, dict):
        raise ValueError(f"breaker settings must be a JSON object, got {text[:60]!r}")  # noqa: TRY004 - bad input
    values = cast("dict[str, Any]", raw)
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"there is no breaker setting {name!r}: known are {', '.join(known)}")
        kinds = (int, float) if name == "failure_rate" else (int,)
        if isinstance(value, bool) or not isinstance(value, kinds):
            wrong = f"{name} must be a number, whole unless it is failure_rate, got {value!r}"
            raise ValueError(wrong)  # noqa: TRY004 - the same
    return BreakerSettings(**values)
