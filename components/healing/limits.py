"""The arguments that limit how much a healer may do, and their ranges; `healer/guards.py` obeys them."""

import json
import math
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from selfheal.components.errors import ComponentError
from selfheal.functions.shared.contract import LIMIT_RANGES


class GuardArgs(TypedDict):
    """Limits in every mode, named as in `contract.Limits`. The defaults are meant for production."""

    target_budget: NotRequired[int]
    """Remediations of one target in 24 hours, 1 to 24. Default 6."""

    cool_down_seconds: NotRequired[int]
    """Seconds from the last remediation of an incident to the first of the next, 0 to 86,400. Default 60."""

    flapping_limit: NotRequired[int]
    """Incidents of one target within a window, 1 to 50; one more is flapping. Default 3."""

    flapping_window_seconds: NotRequired[int]
    """Length of that window in seconds, 60 to 86,400. Default 3,600."""

    flapping_hold_seconds: NotRequired[int]
    """Seconds for which a flapping target is held unless released, 60 to 86,400. Default 3,600."""

    blast_radius: NotRequired[float]
    """Share of the targets under a change at a time, above 0, at most 1; one always may be. Default 0.5."""

    stability_seconds: NotRequired[int]
    """Seconds for which a target must be healthy before its incident closes, 0 to 3,600. Default 60."""

    remind_seconds: NotRequired[int]
    """Seconds between reminders of what is unresolved, 3,600 to 604,800. Default 86,400."""


def check_guards(budget: int, guards: GuardArgs) -> None:
    """Raise unless every limit is valid.

    Args:
        budget: Remediations of all targets in 24 hours.
        guards: The other limits.

    Raises:
        ComponentError: when a limit is unknown, not a number or out of range.

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
    """Return the given limits as text for the healer's environment."""
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
