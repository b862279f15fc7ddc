"""The arguments that limit how much a healer may do, and their ranges; `healer/guards.py` obeys them."""

import json
import math
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from selfheal.components.errors import ComponentError
from selfheal.functions.shared.contract import LIMIT_RANGES


class GuardArgs(TypedDict):
    """Limits that hold in every mode, by the names of `contract.Limits`. The defaults are for production."""

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


def check_guards(budget: int, guards: GuardArgs) -> None:
    """Raise unless every limit is one.

    Args:
        budget: Acts on all targets in a day.
        guards: The rest.

    Raises:
        ComponentError: for a limit that is not known, no number or out of its range.

    """
    _check_whole("budget", budget, LIMIT_RANGES["budget"])
    given: Mapping[str, Any] = {**guards}
    for key, value in given.items():
        if key == "blast_radius":
            _check_share(value)
        elif key in LIMIT_RANGES and key != "budget":
            _check_whole(f"guards: {key}", value, LIMIT_RANGES[key])
        else:
            known = ", ".join(sorted((*LIMIT_RANGES.keys() - {"budget"}, "blast_radius")))
            raise ComponentError(f"guards: {key} is not known. Known are: {known}.")


def guards_text(guards: GuardArgs) -> str:
    """Return the limits that were given, as the healer reads them from its environment."""
    return json.dumps(guards, separators=(",", ":"))


def _check_whole(what: str, value: Any, allowed: tuple[int, int, str]) -> None:
    least, most, unit = allowed
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ComponentError(f"{what} must be a whole number from {least} to {most} ({unit}), got {value!r}.")


def _check_share(value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not 0 < value <= 1:
        raise ComponentError(
            f"guards: blast_radius must be a share of the targets, above 0 and at most 1, got {value!r}. "
            "Half of them is 0.5."
        )
