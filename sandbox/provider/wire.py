"""Converts Pulumi's protobuf Structs to plain Python values and back.

Integral numbers become int; null members of objects are omitted, as by the engine; secrets are unwrapped and
their top-level keys returned; assets and archives become their dataclasses. A value that is not known yet is
the string `UNKNOWN`.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import struct_pb2

from selfheal.sandbox.errors import UnsupportedError
from selfheal.sandbox.provider import assets

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Sentinel for a value that is not known yet (`pulumi.runtime.rpc.UNKNOWN`)."""

_TYPED_UNKNOWNS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # of a boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # of a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # of a list
        "030794c1-ac77-496b-92df-f27374a8bd58",  # of an asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # of an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # of an object
    }
)
"""Sentinels that the engine may send instead (its sdk/go/common/resource/plugin/rpc.go)."""

SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  (a marker, not a password)

Properties = dict[str, Any]
"""Plain JSON-like values in Pulumi's camelCase, with `assets.Asset` and `assets.Archive` as leaves."""


def decode(struct: struct_pb2.Struct, folder: Path) -> tuple[Properties, frozenset[str]]:
    """Return the plain properties and the top-level keys that hold a secret.

    `folder` is the program's working directory, for asset paths. Raises AssetError, UnsupportedError.
    """
    properties: Properties = {}
    secrets: set[str] = set()
    for key, value in struct.fields.items():
        plain, secret = _decode(value, folder)
        if plain is not None:
            properties[key] = plain
        if secret:
            secrets.add(key)
    return properties, frozenset(secrets)


def encode(
    properties: Mapping[str, Any], secrets: Collection[str] = (), *, blobs: bool = False
) -> struct_pb2.Struct:
    """Return the Struct of plain properties, with the values of the keys in `secrets` wrapped as secrets.

    Properties with an asset or archive are omitted, as programs have them already; with `blobs`, for the
    engine, they are included by their hash.
    """
    struct = struct_pb2.Struct()
    for key, given in properties.items():
        value = given
        if holds_blob(value):
            if not blobs:
                continue
            value = _hashes(value)
        wrapped = {assets.SIGNATURE_KEY: SECRET_SIGNATURE, "value": value} if key in secrets else value
        struct.update({key: wrapped})
    return struct


def is_unknown(value: Any) -> bool:
    """Return whether a value is, or contains, one that is not known yet."""
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    return value == UNKNOWN


def holds_blob(value: Any) -> bool:
    """Return whether a value is, or contains, an asset or archive."""
    if isinstance(value, dict):
        return any(holds_blob(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_blob(item) for item in value)
    return isinstance(value, assets.Blob)


def _decode(value: struct_pb2.Value, folder: Path) -> tuple[Any, bool]:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _decode_object(value.struct_value, folder)
        case "list_value":
            items = [_decode(item, folder) for item in value.list_value.values]
            return [item for item, _ in items], any(secret for _, secret in items)
        case "number_value":
            number = value.number_value
            return (int(number) if number.is_integer() else number), False
        case "string_value":
            text = value.string_value
            return (UNKNOWN if text in _TYPED_UNKNOWNS else text), False
        case "bool_value":
            return value.bool_value, False
        case _:
            return None, False


def _decode_object(struct: struct_pb2.Struct, folder: Path) -> tuple[Any, bool]:
    signature = (
        struct.fields[assets.SIGNATURE_KEY].string_value if assets.SIGNATURE_KEY in struct.fields else ""
    )
    if signature == SECRET_SIGNATURE:
        return _decode(struct.fields["value"], folder)[0], True
    if signature in {assets.ASSET_SIGNATURE, assets.ARCHIVE_SIGNATURE}:
        return assets.decode(_raw(struct), folder), False
    if signature:
        raise UnsupportedError(
            f"A property carries the signature {signature}, which the sandbox does not read "
            "(resource references and output values are not offered to programs)."
        )
    plain: Properties = {}
    secret = False
    for key, member in struct.fields.items():
        item, item_secret = _decode(member, folder)
        secret = secret or item_secret
        if item is not None:
            plain[key] = item
    return plain, secret


def _hashes(value: Any) -> Any:
    """Return a value with its assets and archives replaced by objects with their hash."""
    if isinstance(value, dict):
        return {key: _hashes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hashes(item) for item in value]
    return assets.encode(value) if isinstance(value, assets.Blob) else value


def _raw(struct: struct_pb2.Struct) -> Properties:
    """Return the members of an asset or archive, with nested assets unconverted."""
    return {
        key: _raw(value.struct_value) if value.HasField("struct_value") else value.string_value
        for key, value in struct.fields.items()
    }
