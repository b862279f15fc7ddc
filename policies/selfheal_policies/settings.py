"""Configuration of a rule: defaults filled in, types checked. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from selfheal_policies.rule import Config, Rule

_TYPES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
"""The engine hands every number over as a float."""


class ConfigurationError(Exception):
    """The configuration of a rule cannot be used. The text is for people."""


def configured(rule: Rule, given: Mapping[str, Any] | None) -> Config:
    """Return a rule's configuration with defaults filled in.

    Raises:
        ConfigurationError: for a property that the rule does not know, or a value that its schema forbids.

    """
    config = dict(rule.defaults)
    for key, value in (given or {}).items():
        if key == "enforcementLevel":
            continue
        if key not in rule.schema:
            known = ", ".join(rule.schema) or "none"
            raise ConfigurationError(f"configuration property `{key}` is not known; known are: {known}")
        problem = _problem(rule.schema[key], value)
        if problem:
            raise ConfigurationError(f"configuration property `{key}` {problem}, got {json.dumps(value)}")
        config[key] = value
    return config


def _problem(schema: Mapping[str, Any], value: Any) -> str:
    kind = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (kind in ("integer", "number") and isinstance(value, bool)):
        return f"must be of type {kind}"
    if kind == "integer" and not float(value).is_integer():
        return "must be a whole number"
    for bound, fails in (("minimum", float.__lt__), ("maximum", float.__gt__)):
        if bound in schema and fails(float(value), float(schema[bound])):
            return f"must be at {'least' if bound == 'minimum' else 'most'} {schema[bound]}"
    if "enum" in schema and value not in schema["enum"]:
        return f"must be one of {', '.join(map(str, schema['enum']))}"
    if kind == "array" and "items" in schema:
        return next(
            (f"has an entry that {bad}" for each in value if (bad := _problem(schema["items"], each))), ""
        )
    return ""
