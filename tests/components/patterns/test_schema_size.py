"""No body that a schema allows is longer than what was computed of it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.components.errors import ComponentError
from selfheal.components.patterns.schema_size import largest

WORST = st.sampled_from(["😀", "é", "\x01", '"', "\\", "a", "\ud7ff", "\uffff"])


@st.composite
def schemas(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    kinds = ["string", "integer", "number", "boolean", "null", "enum", "array", "object", "either"]
    kind = draw(st.sampled_from(kinds if depth else kinds[:6]))
    if kind == "string":
        return {"type": "string", "maxLength": draw(st.integers(0, 6))}
    if kind in {"integer", "number"}:
        low = draw(st.integers(-(10**40), 10**40))
        limits = {"minimum": low, "maximum": low + draw(st.integers(0, 10**40))}
        return {"type": kind, **(limits if draw(st.booleans()) else {})}
    if kind == "enum":
        return {"enum": draw(st.lists(st.text(WORST, max_size=5) | st.integers(), min_size=1, max_size=3))}
    if kind == "array":
        return {"type": "array", "maxItems": draw(st.integers(0, 3)), "items": draw(schemas(depth - 1))}
    if kind == "object":
        keys = draw(st.lists(st.text(WORST, max_size=4), max_size=3, unique=True))
        properties = {key: draw(schemas(depth - 1)) for key in keys}
        return {"type": "object", "additionalProperties": False, "properties": properties}
    if kind == "either":
        return {**draw(schemas(0)), "type": ["string", "null"], "maxLength": 3} | {"description": "either"}
    return {"type": kind}


@st.composite
def bodies(draw: st.DrawFn, schema: dict[str, Any]) -> Any:
    """Return a value that the schema allows, mostly a large one."""
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = draw(st.sampled_from(types))
    if kind == "string":
        size = schema["maxLength"]
        return draw(st.text(WORST, min_size=size, max_size=size))
    if kind in {"integer", "number"}:
        whole = st.integers(schema.get("minimum", -(10**4299)), schema.get("maximum", 10**4299))
        real = st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False)
        return draw(whole if kind == "integer" or "minimum" in schema else whole | real)
    if kind == "array":
        items = bodies(schema["items"])
        return draw(st.lists(items, min_size=schema["maxItems"], max_size=schema["maxItems"]))
    if kind == "object":
        return {key: draw(bodies(each)) for key, each in schema["properties"].items()}
    return {"boolean": False, "null": None}[kind]


@pytest.mark.slow
@settings(max_examples=150)
@given(st.data())
def test_no_body_is_longer(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    body = data.draw(bodies(schema))
    bound = largest(schema)
    assert len(json.dumps(body).encode()) <= bound
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= bound


def test_the_longest_text_is_met_exactly() -> None:
    """Otherwise it would be a limit that refuses what is harmless."""
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"é": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 3}}},
    }
    body = {"é": ["😀😀😀", "😀😀😀"]}
    assert 0 <= largest(schema) - len(json.dumps(body)) <= 4  # of the separators that the last ones lack


TEXT = {"type": "string", "maxLength": 5}


@pytest.mark.parametrize(
    ("schema", "place", "what"),
    [
        ({"type": "string"}, "schema", "maxLength"),
        ({"type": "string", "maxLength": True}, "schema", "maxLength"),
        ({"type": "string", "maxLength": -1}, "schema", "maxLength"),
        ({"type": "array", "items": TEXT}, "schema", "maxItems"),
        ({"type": "array", "maxItems": 1}, "schema", "items"),
        ({"type": "array", "maxItems": 1, "items": [TEXT]}, "schema", "items"),
        ({"type": "object", "properties": {"a": TEXT}}, "schema", "additionalProperties"),
        ({"type": "object", "additionalProperties": {"type": "null"}}, "schema", "additionalProperties"),
        (
            {"type": "object", "additionalProperties": False, "patternProperties": {"^x": TEXT}},
            "schema",
            "patternProperties",
        ),
        (
            {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}},
            "schema.properties.a",
            "maxLength",
        ),
        ({"type": ["null", "string"]}, "schema", "maxLength"),
        ({"oneOf": [TEXT]}, "schema", "type"),
        ({}, "schema", "type"),
        ({"type": "text"}, "schema", "type"),
        ({"$ref": "#/definitions/missing"}, "schema", "definitions"),
        ({"$ref": "https://example.com/x"}, "schema", "definitions"),
        (
            {"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}},
            "schema.definitions.a",
            "leads back",
        ),
        (
            {
                "type": "array",
                "maxItems": 2,
                "items": {"$ref": "#/definitions/a"},
                "definitions": {"a": {"type": "array", "maxItems": 1, "items": {"$ref": "#/definitions/a"}}},
            },
            "schema.definitions.a.items",
            "leads back",
        ),
    ],
)
def test_what_has_no_limit_is_refused_by_place_and_keyword(
    schema: dict[str, Any], place: str, what: str
) -> None:
    with pytest.raises(ComponentError) as caught:
        largest(schema)
    assert str(caught.value).startswith(f"{place} must have ")
    assert what in str(caught.value)


def test_references_are_followed() -> None:
    schema = {"$ref": "#/definitions/a", "maxLength": 1, "definitions": {"a": TEXT}}
    assert largest(schema) == largest(TEXT)
