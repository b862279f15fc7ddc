"""Says why a request body does not satisfy the model of a REST API, in the words of API Gateway. Pure.

They are those of the validator that it is known to use, as in `$context.error.validationErrorString`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

Resolve = Callable[[str, Any], tuple[Any, Any]]
"""Returns the schema that a `$ref` names, and the document in which its own are resolved."""

_DEEPEST = 50
"""How deep a body is explained, and how many references in a row are followed: one may refer to itself."""


def validation_errors(schema: Any, value: Any, resolve: Resolve) -> list[str]:
    """Return what is wrong, at least one sentence where the keyword is one that is explained.

    Explained are type, enum, required, additionalProperties, and the bounds and patterns of texts, numbers
    and arrays; not explained are combined schemas (allOf, anyOf, oneOf, not) and formats.
    """
    return list(_errors(schema, value, schema, resolve, 0))


def _errors(schema: Any, value: Any, root: Any, resolve: Resolve, depth: int) -> Iterator[str]:
    rules, root = _followed(schema, root, resolve)
    if depth > _DEEPEST:
        return
    if wrong_type := list(_type(rules, value)):
        yield from wrong_type
        return
    if "enum" in rules and value not in rules["enum"]:
        possible = _listed(rules["enum"])
        yield f"instance value ({json.dumps(value)}) not found in enum (possible values: {possible})"
    if isinstance(value, str):
        yield from _text(rules, value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(rules, value)
    elif isinstance(value, list):
        items = cast("list[Any]", value)
        yield from _array(rules, items)
        for item in items:
            yield from _errors(rules.get("items"), item, root, resolve, depth + 1)
    elif isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        yield from _object(rules, members)
        for name, member in members.items():
            yield from _errors((rules.get("properties") or {}).get(name), member, root, resolve, depth + 1)


def _followed(schema: Any, root: Any, resolve: Resolve) -> tuple[dict[str, Any], Any]:
    """Return the schema behind its references, and the document that it is in."""
    for _ in range(_DEEPEST):
        if not isinstance(schema, dict):
            break
        rules = cast("dict[str, Any]", schema)
        if not isinstance(rules.get("$ref"), str):
            return rules, root
        schema, root = resolve(rules["$ref"], root)
    return {}, root


def _type(rules: Mapping[str, Any], value: Any) -> Iterator[str]:
    given = rules.get("type")
    allowed: list[str] = given if isinstance(given, list) else [given] if given else []
    kind = _kind(value)
    if allowed and kind not in allowed and not (kind == "integer" and "number" in allowed):
        yield (
            f"instance type ({kind}) does not match any allowed primitive type "
            f"(allowed: {_listed(sorted(allowed))})"
        )


def _text(rules: Mapping[str, Any], value: str) -> Iterator[str]:
    shown, length = json.dumps(value), len(value)
    if length < (least := rules.get("minLength", 0)):
        yield f"string {shown} is too short (length: {length}, required minimum: {least})"
    if length > (most := rules.get("maxLength", length)):
        yield f"string {shown} is too long (length: {length}, maximum allowed: {most})"
    pattern = rules.get("pattern")
    if isinstance(pattern, str) and not _matches(pattern, value):
        yield f"ECMA 262 regex {json.dumps(pattern)} does not match input string {shown}"


def _number(rules: Mapping[str, Any], value: float) -> Iterator[str]:
    least, most = rules.get("minimum"), rules.get("maximum")
    if least is not None and rules.get("exclusiveMinimum") and value == least:
        yield f"numeric instance is not strictly greater than the required minimum {least}"
    elif least is not None and value < least:
        yield f"numeric instance is lower than the required minimum (minimum: {least}, found: {value})"
    if most is not None and rules.get("exclusiveMaximum") and value == most:
        yield f"numeric instance is not strictly lower than the required maximum {most}"
    elif most is not None and value > most:
        yield f"numeric instance is greater than the required maximum (maximum: {most}, found: {value})"


def _array(rules: Mapping[str, Any], value: list[Any]) -> Iterator[str]:
    count = len(value)
    if count < (least := rules.get("minItems", 0)):
        yield f"array is too short: must have at least {least} elements but instance has {count} elements"
    if count > (most := rules.get("maxItems", count)):
        yield f"array is too long: must have at most {most} elements but instance has {count} elements"


def _object(rules: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    if missing := sorted(set(rules.get("required") or []) - set(value)):
        yield f"object has missing required properties ({_listed(missing)})"
    if rules.get("additionalProperties") is False:
        patterns = rules.get("patternProperties") or {}
        extra = [
            name
            for name in value
            if name not in (rules.get("properties") or {}) and not any(_matches(p, name) for p in patterns)
        ]
        if extra:
            named = _listed(sorted(extra))
            yield f"object instance has properties which are not allowed by the schema: {named}"


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True  # judged by ministack, which accepts it as well


def _kind(value: Any) -> str:
    kinds: dict[type, str] = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    return kinds.get(type(value), "null")


def _listed(values: list[Any]) -> str:
    return json.dumps(values, separators=(",", ":"))
