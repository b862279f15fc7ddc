"""Generates the package schema from the table, for YAML programs and for the code of imports."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin

from pulumi import Archive, Asset

from selfheal.sandbox.provider.invokes import INVOKES
from selfheal.sandbox.provider.spec import LOCAL, Kind
from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.pulumi.plugin import sdk_types
from selfheal.sandbox.pulumi.plugin.configuration import SECRET, SETTINGS

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
_FILES = {Archive: "pulumi.json#/Archive", Asset: "pulumi.json#/Asset"}

Json = dict[str, Any]


def text(version: str) -> str:
    """Return the schema of the whole table as JSON, in the format of Pulumi's pulumi.json metaschema."""
    types: Json = {}
    settings = {name: _setting(name, says) for name, says in SETTINGS.items()}
    package: Json = {
        "name": "aws",
        "version": version,
        "description": "The sandbox's AWS provider: the types of its table, on an emulator of this machine.",
        "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
        "config": {"variables": settings},
        "provider": {"inputProperties": settings, "properties": settings},
        "resources": {type_: _resource(type_, types) for type_ in TABLE},
        "functions": {token: _function(token, types) for token in INVOKES},
        "types": types,
    }
    return json.dumps(package)


def _setting(name: str, says: str) -> Json:
    if name == "endpoints":
        kind: Json = {
            "type": "array",
            "items": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    else:
        kind = {"type": "boolean" if name.startswith("skip") or name == "s3UsePathStyle" else "string"}
    return {**kind, "description": says, **({"secret": True} if name in SECRET else {})}


def _resource(type_: str, types: Json) -> Json:
    spec, sdk = TABLE[type_], sdk_types.of_resource(type_)
    inputs = {key: _property(type_, kind, sdk.types[key], types) for key, kind in spec.inputs.items()}
    outputs = {key: _property(type_, LOCAL, sdk.types[key], types) for key in spec.computed}
    inputs = {
        key: {**value, "secret": True} if key in spec.secret else value for key, value in inputs.items()
    }
    replaced = {
        key: {**value, "willReplaceOnChanges": True} if key in spec.replace else value
        for key, value in inputs.items()
    }
    return {
        "inputProperties": replaced,
        "requiredInputs": sorted(sdk.required),
        "properties": {**outputs, **inputs},
        "required": sorted(spec.computed | sdk.required | spec.defaults.keys()),
    }


def _function(token: str, types: Json) -> Json:
    function = INVOKES[token]
    arguments, results = sdk_types.of_function(token)
    return {
        "inputs": _object(token, dict.fromkeys(sorted(function.arguments), LOCAL), arguments.types, types)
        | {"required": sorted(function.required)},
        "outputs": _object(token, dict.fromkeys(sorted(function.results), LOCAL), results.types, types)
        | {"required": sorted(function.results - function.arguments)},
    }


def _object(owner: str, kinds: Mapping[str, Kind], sdk: Mapping[str, Any], types: Json) -> Json:
    return {
        "type": "object",
        "properties": {key: _property(owner, kind, sdk[key], types) for key, kind in kinds.items()},
    }


def _property(owner: str, kind: Kind, python: Any, types: Json) -> Json:
    """Return the schema of a property of this kind, whose type in the SDK is `python`."""
    if python in _SCALARS:
        return {"type": _SCALARS[python]}
    if python in _FILES:
        return {"$ref": _FILES[python]}
    if sdk_types.is_object(python):
        return {"$ref": f"#/types/{_type(owner, kind, python, types)}"}
    arguments = get_args(python)
    match get_origin(python):
        case origin if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": _property(owner, LOCAL, arguments[1], types)}
        case origin if isinstance(origin, type) and issubclass(origin, Sequence):
            member = kind[0] if isinstance(kind, Sequence) else kind
            return {"type": "array", "items": _property(owner, member, arguments[0], types)}
        case _ if _FILES.keys() & set(arguments):  # either
            return {"$ref": _FILES[Asset]}
        case _:
            raise TypeError(f"{owner} has a property of type {python}, which the schema cannot express.")


def _type(owner: str, kind: Kind, python: type, types: Json) -> str:
    """Add an object's type to `types`; return its token."""
    folder, name = owner.split(":")[1].split("/", maxsplit=1)[0], python.__name__
    token = f"aws:{folder}/{name}:{name}"
    if not isinstance(kind, Mapping):
        raise TypeError(f"{owner} holds a {name}, of which the table does not name the members.")
    sdk = sdk_types.of_object(python)
    types[token] = _object(owner, kind, sdk.types, types) | {"required": _given(sdk.required, kind)}
    return token


def _given(required: Iterable[str], kinds: Mapping[str, Kind]) -> list[str]:
    return sorted(key for key in required if key in kinds)
