"""How long a body that a JSON schema (draft 4) allows can be."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from selfheal.components.errors import ComponentError

DRAFT = "http://json-schema.org/draft-04/schema#"
"""The draft that API Gateway's models are of."""

_CHARACTER_BYTES = 12
"""Most bytes of one character in JSON: outside the basic plane, and written as two escapes of six. Without
escapes it is four."""

_INTEGER_DIGITS = 4300
"""Most digits that Python reads of a number by default."""

_FLOAT_BYTES = 25
"""Of the longest text by which Python writes a float: -1.7976931348623157e+308."""

_WORDS = {"boolean": len("false"), "null": len("null")}


def largest(schema: Mapping[str, Any]) -> int:
    """Return the most bytes of a body that the schema allows.

    It is what a program writes that has read the body, whatever it escapes: space between values, digits that
    change nothing and keys that are there twice are not counted. No schema limits those.

    Args:
        schema: Draft 4. Keywords that only narrow further, such as `oneOf` and `pattern`, are not looked at.

    Raises:
        ComponentError: when something has no limit. It says where, and which keyword limits it.

    """
    return _Bound(schema).of(schema, "schema", ())


class _Bound:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def of(self, schema: Any, place: str, within: tuple[str, ...]) -> int:
        """Return the most bytes of a value; `within` are the references that led here."""
        if not isinstance(schema, Mapping):
            raise _refused(place, "a JSON schema of draft 4, which is an object", f"{schema!r}")
        schema = cast("Mapping[str, Any]", schema)
        if "$ref" in schema:  # draft 4 ignores what stands beside it
            return self._referred(schema["$ref"], place, within)
        if "enum" in schema:
            return max(_written(value) for value in schema["enum"])
        types = schema.get("type")
        if not types:
            raise _refused(
                place, "a `type`, an `enum` or a `$ref`", f"keywords {', '.join(schema) or 'none'}"
            )
        names = cast("Sequence[str]", [types] if isinstance(types, str) else types)
        return max(self._typed(name, schema, place, within) for name in names)

    def _typed(self, name: str, schema: Mapping[str, Any], place: str, within: tuple[str, ...]) -> int:
        if name == "string":
            return 2 + _CHARACTER_BYTES * _count(schema, "maxLength", place, "string")
        if name in {"integer", "number"}:
            return _number(schema)
        if name == "array":
            return self._array(schema, place, within)
        if name == "object":
            return self._object(schema, place, within)
        if name in _WORDS:
            return _WORDS[name]
        raise _refused(place, "a type of JSON schema, such as string or object", repr(name))

    def _array(self, schema: Mapping[str, Any], place: str, within: tuple[str, ...]) -> int:
        most = _count(schema, "maxItems", place, "array")
        items = schema.get("items")
        if not isinstance(items, Mapping):
            raise _refused(place, "`items` as one schema, for every item", f"{items!r}")
        return 2 + most * (2 + self.of(items, f"{place}.items", within))

    def _object(self, schema: Mapping[str, Any], place: str, within: tuple[str, ...]) -> int:
        if schema.get("additionalProperties") is not False:
            given = schema.get("additionalProperties", "nothing")
            raise _refused(place, "`additionalProperties` False for an object", repr(given))
        if schema.get("patternProperties"):
            raise _refused(place, "no `patternProperties`: name each property", "some")
        properties = cast("Mapping[str, Any]", schema.get("properties", {}))
        return 2 + sum(
            _written(key) + 4 + self.of(each, f"{place}.properties.{key}", within)
            for key, each in properties.items()
        )

    def _referred(self, reference: str, place: str, within: tuple[str, ...]) -> int:
        start, _, name = reference.rpartition("/")
        definitions = cast("Mapping[str, Any]", self._root.get("definitions", {}))
        if start != "#/definitions" or name not in definitions:
            raise _refused(place, "a `$ref` to `#/definitions/<name>` of this schema", repr(reference))
        if reference in within:
            raise _refused(place, "no `$ref` that leads back to itself: such a value has no end", reference)
        return self.of(definitions[name], f"schema.definitions.{name}", (*within, reference))


def _number(schema: Mapping[str, Any]) -> int:
    try:
        low, high = int(schema["minimum"]), int(schema["maximum"])
    except KeyError:
        return 1 + _INTEGER_DIGITS
    return max(_FLOAT_BYTES, len(str(low)), len(str(high)))


def _count(schema: Mapping[str, Any], keyword: str, place: str, what: str) -> int:
    given = schema.get(keyword)
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise _refused(
            place,
            f"`{keyword}`, a whole number, for {'an' if what[0] in 'aeiou' else 'a'} {what}",
            repr(given),
        )
    return given


def _written(value: Any) -> int:
    return len(json.dumps(value))  # ASCII only: as long as it can be


def _refused(place: str, needed: str, given: str) -> ComponentError:
    return ComponentError(
        f"{place} must have {needed}, got {given}. Every part of a body needs a limit: what is stored must "
        "fit an event and a workflow's input, or it could never be passed on."
    )
