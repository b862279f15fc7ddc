"""Guards: how much a healer may do in a while, however sure it is."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from selfheal.components.errors import ComponentError

DEFAULT_BUDGET = 12
MAX_BUDGET = 24
"""One act an hour: a healer that needs more is not healing."""


class GuardArgs(TypedDict):
    """Limits that hold in every mode. Each default is meant for production."""

    target_budget: NotRequired[int]
    """Acts on one target in a day, 1 to 24. Default 6."""

    cool_down_seconds: NotRequired[int]
    """From the last act of one incident to the first of the next, 0 to 86,400. Default 60."""

    flapping_limit: NotRequired[int]
    """Incidents of one target in a window, 1 to 50; one more is flapping. Default 3."""

    flapping_window_seconds: NotRequired[int]
    """That window, 60 to 86,400. Default 3,600."""

    flapping_hold_seconds: NotRequired[int]
    """How long a flapping target is left alone unless it is released, 60 to 86,400. Default 3,600."""

    blast_radius: NotRequired[float]
    """Share of the targets under a change at the same time, above 0 to 1; one always may. Default 0.5."""

    stability_seconds: NotRequired[int]
    """How long a target must have been well before its incident closes, 0 to 3,600. Default 60."""


@dataclass(frozen=True)
class _Range:
    name: str
    """What the healer's code calls it."""
    least: int
    most: int
    unit: str


_DAY = 86400
_WHOLE: Mapping[str, _Range] = {
    "target_budget": _Range("target_budget", 1, MAX_BUDGET, "acts in a day"),
    "cool_down_seconds": _Range("cool_down", 0, _DAY, "seconds"),
    "flapping_limit": _Range("flapping_limit", 1, 50, "incidents"),
    "flapping_window_seconds": _Range("flapping_window", 60, _DAY, "seconds"),
    "flapping_hold_seconds": _Range("flapping_hold", 60, _DAY, "seconds"),
    "stability_seconds": _Range("stability", 0, 3600, "seconds"),
}


def check_guards(budget: int, guards: GuardArgs) -> None:
    """Raise unless every limit is one.

    Args:
        budget: Acts on all targets in a day.
        guards: The rest.

    Raises:
        ComponentError: for a limit that is not known, no number or out of its range.

    """
    _check_whole("budget", budget, _Range("budget", 1, MAX_BUDGET, "acts in a day"))
    given: Mapping[str, Any] = {**guards}
    for key, value in given.items():
        if key in _WHOLE:
            _check_whole(f"guards: {key}", value, _WHOLE[key])
        elif key != "blast_radius":
            known = ", ".join(sorted((*_WHOLE, "blast_radius")))
            raise ComponentError(f"guards: {key} is not known. Known are: {known}.")
        elif not _is_number(value) or not 0 < value <= 1:
            raise ComponentError(
                f"guards: blast_radius must be a share of the targets, above 0 and at most 1, got {value!r}. "
                "Half of them is 0.5."
            )


def guards_text(guards: GuardArgs) -> str:
    """Return the limits that were given as JSON, by the names that the healer's code knows."""
    named = {_WHOLE[key].name if key in _WHOLE else key: value for key, value in guards.items()}
    return json.dumps(named, separators=(",", ":"))


def _check_whole(what: str, value: Any, allowed: _Range) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not allowed.least <= value <= allowed.most:
        raise ComponentError(
            f"{what} must be a whole number from {allowed.least} to {allowed.most} ({allowed.unit}), got "
            f"{value!r}."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
