"""Checks on numbers that components take: whole where they must be, and in range."""

import math
from typing import Any

from selfheal.components.errors import ComponentError


def whole(
    what: str, given: Any, allowed: tuple[int, int], *, default: int | None = None, unit: str = ""
) -> int:
    """Return a whole number that is in range.

    Args:
        what: The argument, for the message.
        given: What was given. None stands for the default, where there is one.
        allowed: The least and the most that it may be.
        default: What it is if it is left out.
        unit: What it counts, for the message.

    Raises:
        ComponentError: when it is something else. True and False are no numbers.

    """
    value = default if given is None else given
    if not isinstance(value, int) or not _within(value, allowed):
        raise _refusal(f"{what} must be a whole number", value, allowed, default, unit)
    return value


def number(
    what: str, given: Any, allowed: tuple[float, float], *, default: float | None = None, unit: str = ""
) -> float:
    """Return a number that is in range.

    Args:
        what: The argument, for the message.
        given: What was given. None stands for the default, where there is one.
        allowed: The least and the most that it may be. An infinite most is not allowed itself.
        default: What it is if it is left out.
        unit: What it counts, for the message.

    Raises:
        ComponentError: when it is something else. NaN, True and False are no numbers.

    """
    value = default if given is None else given
    if not isinstance(value, (int, float)) or not math.isfinite(value) or not _within(value, allowed):
        raise _refusal(f"{what} must be a number", value, allowed, default, unit)
    return value


def _within(value: float, allowed: tuple[float, float]) -> bool:
    return not isinstance(value, bool) and allowed[0] <= value <= allowed[1]


def _refusal(
    says: str, given: Any, allowed: tuple[float, float], default: float | None, unit: str
) -> ComponentError:
    least, most = allowed
    bounds = f"from {_text(least)} to {_text(most)}" if math.isfinite(most) else f"of at least {_text(least)}"
    advice = "" if default is None else f" Leave it out for {_text(default)}."
    return ComponentError(f"{says} {bounds}{f' {unit}' if unit else ''}, got {given!r}.{advice}")


def _text(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"
