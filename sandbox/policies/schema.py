"""Whether a value is what a policy's configuration schema allows. Pure.

The keywords are those of JSON Schema that packs use for configuration. One that is not known here is refused:
a limit that is not enforced would be worse than none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.errors import PolicyPackError

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    ),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
    "null": lambda value: value is None,
}

_LIMITS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "enum": ("must be one of", lambda value, limit: value in limit),
    "const": ("must be", lambda value, limit: value == limit),
    "minimum": ("must be at least", lambda value, limit: value >= limit),
    "maximum": ("must be at most", lambda value, limit: value <= limit),
    "exclusiveMinimum": ("must be above", lambda value, limit: value > limit),
    "exclusiveMaximum": ("must be below", lambda value, limit: value < limit),
    "pattern": ("must match", lambda value, limit: re.search(limit, value) is not None),
    "minLength": ("must be at least this long:", lambda value, limit: len(value) >= limit),
    "maxLength": ("must be at most this long:", lambda value, limit: len(value) <= limit),
    "minItems": ("must have at least this many items:", lambda value, limit: len(value) >= limit),
    "maxItems": ("must have at most this many items:", lambda value, limit: len(value) <= limit),
}

_NESTED = {"type", "items", "properties", "required", "additionalProperties"}
_WORDS = {"default", "description", "title", "examples", "format"}


def problem(schema: Mapping[str, Any], value: Any, where: str) -> str | None:
    """Return what is wrong with a value, beginning with `where`; None if nothing is.

    Raises PolicyPackError for a keyword that is not known here.
    """
    unknown = sorted(schema.keys() - _LIMITS.keys() - _NESTED - _WORDS)
    if unknown:
        raise PolicyPackError(
            f"The schema of {where} uses {', '.join(unknown)}, which the sandbox does not check. Use "
            f"{', '.join(sorted(_NESTED | _LIMITS.keys()))}."
        )
    wanted = schema.get("type", [])
    types = [wanted] if isinstance(wanted, str) else list(wanted)
    if types and not any(_TYPES[name](value) for name in types):
        return f"{where} must be of type {' or '.join(types)}, and is {value!r}"
    for keyword, (words, holds) in _LIMITS.items():
        if keyword in schema and not holds(value, schema[keyword]):
            return f"{where} {words} {schema[keyword]!r}, and is {value!r}"
    if isinstance(value, list):
        return _first(
            problem(schema.get("items", {}), item, f"{where}[{index}]") for index, item in enumerate(value)
        )
    return _object_problem(schema, value, where) if isinstance(value, Mapping) else None


def _object_problem(schema: Mapping[str, Any], value: Mapping[str, Any], where: str) -> str | None:
    known: Mapping[str, Any] = schema.get("properties", {})
    missing = [key for key in schema.get("required", []) if key not in value]
    if missing:
        return f"{where} needs {', '.join(missing)}"
    others = schema.get("additionalProperties", True)
    strange = sorted(value.keys() - known.keys())
    if strange and others is False:
        return f"{where} has the unknown {', '.join(strange)}; known are {', '.join(sorted(known))}"
    rest: Mapping[str, Any] = others if isinstance(others, Mapping) else {}
    return _first(problem(known.get(key, rest), item, f"{where}.{key}") for key, item in value.items())


def _first(problems: Any) -> str | None:
    return next((found for found in problems if found), None)
