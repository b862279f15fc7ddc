"""The schema: the whole table is in it, and what it refers to exists."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from selfheal.sandbox.provider.invokes import INVOKES
from selfheal.sandbox.provider.spec import Kind
from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.pulumi.plugin import schema
from selfheal.sandbox.pulumi.plugin.configuration import SETTINGS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pulumi_aws about itself, on import

SCALARS = {"string", "integer", "number", "boolean"}


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    return json.loads(schema.text("7.51.1"))


def _properties(node: Any) -> Iterator[dict[str, Any]]:
    """Every type in a part of the schema."""
    if isinstance(node, dict):
        if "$ref" in node or isinstance(node.get("type"), str):
            yield node
        for value in node.values():
            yield from _properties(value)


def _is_whole(kind: Kind, described: Mapping[str, Any], package: Mapping[str, Any]) -> bool:
    """Whether all that a kind has is described, down to its leaves."""
    if isinstance(kind, Mapping):
        members = package["types"][described["$ref"].removeprefix("#/types/")]["properties"]
        return kind.keys() == members.keys() and all(
            _is_whole(kind[key], members[key], package) for key in kind
        )
    if isinstance(kind, list):
        return described["type"] == "array" and _is_whole(kind[0], described["items"], package)
    return True


@pytest.mark.parametrize("type_", sorted(TABLE))
def test_every_property_of_the_table_is_described(type_: str, package: dict[str, Any]) -> None:
    spec, described = TABLE[type_], package["resources"][type_]
    inputs = described["inputProperties"]
    assert inputs.keys() == spec.inputs.keys()
    assert described["properties"].keys() == spec.inputs.keys() | spec.computed
    assert all(_is_whole(kind, inputs[key], package) for key, kind in spec.inputs.items())
    # The AWS provider asks for others only when it acts.
    assert set(described["requiredInputs"]) <= spec.required
    assert {key for key, value in inputs.items() if value.get("willReplaceOnChanges")} == spec.replace
    assert set(described["required"]) <= described["properties"].keys()
    assert {key for key, value in described["properties"].items() if value.get("secret")} == spec.secret


@pytest.mark.parametrize("token", sorted(INVOKES))
def test_every_function_is_described(token: str, package: dict[str, Any]) -> None:
    function, described = INVOKES[token], package["functions"][token]
    assert described["inputs"]["properties"].keys() == function.arguments
    assert described["inputs"]["required"] == sorted(function.required)
    assert described["outputs"]["properties"].keys() == function.results


def test_nothing_else_is_described(package: dict[str, Any]) -> None:
    assert package["resources"].keys() == TABLE.keys()
    assert package["functions"].keys() == INVOKES.keys()
    assert package["config"]["variables"].keys() == SETTINGS.keys()
    assert package["provider"]["inputProperties"].keys() == SETTINGS.keys()


def test_every_type_is_one_of_the_metaschema(package: dict[str, Any]) -> None:
    parts = [package["resources"], package["functions"], package["types"], package["config"]]
    for found in (found for part in parts for found in _properties(part)):
        if "$ref" in found:
            ref = found["$ref"]
            assert ref.startswith("pulumi.json#/") or ref.removeprefix("#/types/") in package["types"]
        elif found["type"] == "array":
            assert found["items"]
        elif found["type"] == "object":
            assert found.keys() & {"properties", "additionalProperties"}
        else:
            assert found["type"] in SCALARS


def test_types_are_those_of_the_sdk(package: dict[str, Any]) -> None:
    function = package["resources"]["aws:lambda/function:Function"]["inputProperties"]
    assert function["timeout"] == {"type": "integer"}
    assert function["publish"] == {"type": "boolean"}
    assert function["code"] == {"$ref": "pulumi.json#/Archive"}
    assert function["architectures"] == {"type": "array", "items": {"type": "string"}}
    environment = package["types"]["aws:lambda/FunctionEnvironment:FunctionEnvironment"]
    variables = {"type": "object", "additionalProperties": {"type": "string"}}
    assert environment["properties"] == {"variables": variables}
    alarm = package["resources"]["aws:cloudwatch/metricAlarm:MetricAlarm"]
    assert alarm["inputProperties"]["threshold"] == {"type": "number"}
    assert package["resources"]["aws:dynamodb/tableItem:TableItem"]["requiredInputs"] == [
        "hashKey",
        "item",
        "tableName",
    ]
