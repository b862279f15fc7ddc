"""Patch operations of API Gateway, as the REST API Reference has them. Pure."""

from typing import Any

import pytest

from selfheal.sandbox.emulator.rest_patches import apply_patch


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        ({"a": "1"}, {"op": "replace", "path": "/a", "value": "2"}, {"a": "2"}),
        ({"a": "1"}, {"op": "remove", "path": "/a"}, {}),
        ({}, {"op": "remove", "path": "/a/b"}, {"a": {}}),
        # `~1` is a slash inside a key.
        (
            {"requestTemplates": {"text/csv": "x"}},
            {"op": "add", "path": "/requestTemplates/application~1json", "value": "{}"},
            {"requestTemplates": {"text/csv": "x", "application/json": "{}"}},
        ),
        # Values are text; flags and numbers become what they are.
        ({}, {"op": "replace", "path": "/apiKeyRequired", "value": "true"}, {"apiKeyRequired": True}),
        ({}, {"op": "replace", "path": "/timeoutInMillis", "value": "50"}, {"timeoutInMillis": 50}),
        (
            {"minimumCompressionSize": 9},
            {"op": "replace", "path": "/minimumCompressionSize"},
            {"minimumCompressionSize": None},
        ),
        (
            {"requestParameters": {}},
            {"op": "add", "path": "/requestParameters/method.request.path.id", "value": "false"},
            {"requestParameters": {"method.request.path.id": False}},
        ),
        # Lists are sets: the path names the member.
        ({"l": ["a"]}, {"op": "add", "path": "/l/image~1png"}, {"l": ["a", "image/png"]}),
        ({"l": ["a", "b"]}, {"op": "remove", "path": "/l/a"}, {"l": ["b"]}),
        ({"a": "1"}, {"op": "copy", "from": "/a", "path": "/b"}, {"a": "1"}),
        ({"l": ["EDGE"]}, {"op": "replace", "path": "/l/EDGE", "value": "REGIONAL"}, {"l": ["REGIONAL"]}),
    ],
)
def test_a_patch(before: dict[str, Any], operation: dict[str, Any], after: dict[str, Any]) -> None:
    assert apply_patch(before, [operation]) == after
