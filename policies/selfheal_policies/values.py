"""Values of resources as plain Python data, in which a value that is not known yet is a value as well.

The SDK's proxies raise an exception when an unknown value is read, which ends the whole policy. Nothing here
raises: rules compare with UNKNOWN and ABSENT instead.
"""

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, cast

from pulumi_policy import proxy


class Missing(Enum):
    """Why there is no value. Neither is true."""

    UNKNOWN = "unknown"
    """There will be a value, which is not known at preview."""
    ABSENT = "absent"
    """There is none: the property was left out, or is null."""

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = Missing.UNKNOWN
ABSENT: Final = Missing.ABSENT

_SENTINELS = tuple(
    cast("str", getattr(proxy, name)) for name in sorted(vars(proxy)) if name.startswith("UNKNOWN_")
)
"""What the engine sends in place of an unknown value."""

_SENTINEL_LENGTH = 36

_MAX_DEPTH = 60
"""Nothing that AWS accepts is nested deeper; what is, counts as unknown."""


def plain(value: object, depth: int = 0) -> Any:
    """Return a property, or a resource's properties, as dicts, lists and scalars with UNKNOWN inside.

    Text that contains an unknown value is unknown as a whole. Anything else than data (an archive, an asset)
    is returned as it is.
    """
    if isinstance(value, str):
        if len(value) >= _SENTINEL_LENGTH and any(sentinel in value for sentinel in _SENTINELS):
            return UNKNOWN
        return value
    if depth > _MAX_DEPTH:
        return UNKNOWN
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, object]", value)
        return {key: _item(mapping, key, depth) for key in list(mapping)}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        sequence = cast("Sequence[object]", value)
        return [_item(sequence, index, depth) for index in range(len(sequence))]
    return value


def _item(holder: Any, key: Any, depth: int) -> Any:
    try:
        return plain(holder[key], depth + 1)
    except proxy.UnknownValueError:
        return UNKNOWN


def get(value: Any, *path: str | int) -> Any:
    """Return what lies at a path of keys and indices: a value, UNKNOWN, or ABSENT.

    It is UNKNOWN as soon as a step of the path is, and ABSENT when there is no such step or it is null.
    """
    for step in path:
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, dict) and isinstance(step, str):
            value = cast("dict[str, Any]", value).get(step, ABSENT)
        elif isinstance(value, list) and isinstance(step, int):
            entries = cast("list[Any]", value)
            value = entries[step] if -len(entries) <= step < len(entries) else ABSENT
        else:
            return ABSENT
    return ABSENT if value is None else value


def text(value: Any) -> str | Missing:
    """Return text that is not empty; UNKNOWN stays, and everything else is ABSENT."""
    if isinstance(value, str):
        return value or ABSENT
    return UNKNOWN if value is UNKNOWN else ABSENT


def number(value: Any) -> float | Missing:
    """Return a number, also one that is written as text; UNKNOWN stays, and everything else is ABSENT."""
    if value is UNKNOWN:
        return UNKNOWN
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return ABSENT
    try:
        return float(value)
    except (ValueError, OverflowError):
        return ABSENT


def number_or(value: Any, default: float) -> float | Literal[Missing.UNKNOWN]:
    """Return a number, or what AWS takes where there is none; UNKNOWN stays."""
    found = number(value)
    return default if found is ABSENT else found


def flag(value: Any) -> bool | Missing:
    """Return true or false, also written as text; UNKNOWN stays, and everything else is ABSENT."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return UNKNOWN if value is UNKNOWN else ABSENT


def entries(value: Any) -> list[Any]:
    """Return the entries of a list without nulls, a lone value as a list of one, and none for ABSENT.

    An unknown list is a list with one unknown entry, so that a loop over it meets the unknown.
    """
    if isinstance(value, list):
        return [entry for entry in cast("list[Any]", value) if entry is not None]
    return [] if value is None or value is ABSENT else [value]


def parsed(value: Any) -> Any:
    """Return the data of a JSON text; ABSENT for text that is no JSON. Anything else stays as it is."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return ABSENT
    return value
