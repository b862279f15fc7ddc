"""Tells at preview below which traffic an outage is seen late, or not at all."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import ceil, sqrt

import pulumi

from selfheal.components.healing.detection import AlarmRecord
from selfheal.components.healing.detection_times import Rule, seconds
from selfheal.components.healing.metrics import HOUR, MINUTE

SOON = 5 * MINUTE
LATE = HOUR + 5 * MINUTE
"""The hour of the slow alarm, and what its data and the next evaluation may take."""

_EXACT = 1.02
"""Traffic is told to 2 %."""


def tell_floor(alarms: Mapping[str, Sequence[AlarmRecord]], healer: pulumi.ComponentResource) -> None:
    """Say at preview, in one line, from which traffic on a total outage of the targets rings.

    Args:
        alarms: The alarms of each target, by its name.
        healer: The component that the line is shown at.

    """
    if not pulumi.runtime.is_dry_run():
        return
    targets: dict[str, list[str]] = {}
    for name, own in alarms.items():
        targets.setdefault(floor_text(tuple(Rule.of(alarm) for alarm in own)), []).append(name)
    parts = [f"{', '.join(names)}: {text}" for text, names in targets.items()]
    pulumi.log.info(f"Traffic and detection (docs/detection.md). {'. '.join(parts)}.", healer)


@cache
def floor_text(rules: tuple[Rule, ...]) -> str:
    """Return from which traffic on a total outage rings, and how late."""
    soon, late = least_traffic(rules, SOON), least_traffic(rules, LATE)
    least = min(rule.min_errors for rule in rules if rule.period == HOUR)
    return (
        f"an outage of all requests rings within {SOON // MINUTE} minutes from {_traffic(soon)} on, within "
        f"{LATE // MINUTE} minutes from {_traffic(late)} on, and below {least} an hour by chance only"
    )


def least_traffic(rules: Sequence[Rule], within: int) -> float:
    """Return the fewest requests a minute with which an outage of all rings within so many seconds."""

    def is_enough(per_minute: float) -> bool:
        found = seconds(rules, per_minute, 1.0)
        return found is not None and found <= within

    return _least(is_enough)


def _traffic(per_minute: float) -> str:
    return f"{ceil(per_minute)} requests a minute" if per_minute > 1 else f"{ceil(per_minute * 60)} an hour"


def _least(is_enough: Callable[[float], bool]) -> float:
    low, high = 1e-3, 1.0
    while not is_enough(high):
        low, high = high, 2 * high
    while high / low > _EXACT:
        middle = sqrt(low * high)
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
