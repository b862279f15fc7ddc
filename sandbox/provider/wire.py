"""Protobuf Structs of the SDK to plain Python values and back.

Differences from the raw Struct: integral numbers become int; null members of an object are left out, as the
real engine does; secrets are unwrapped and their top-level key remembered; assets and archives become their
dataclasses. The unknown sentinel stays what it is: the string `UNKNOWN`.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import struct_pb2

from sandbox.errors import UnsupportedError
from sandbox.provider import assets

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that only the deployment will know (`pulumi.runtime.rpc.UNKNOWN`)."""

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


def encode(properties: Mapping[str, Any], secrets: Collection[str] = ()) -> struct_pb2.Struct:
    """Return the Struct of plain properties, with the values of the keys in `secrets` wrapped as secrets.

    Properties that hold an asset or archive are left out: the program already has them.
    """
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        if holds_blob(value):
            continue
        wrapped = {assets.SIGNATURE_KEY: SECRET_SIGNATURE, "value": value} if key in secrets else value
        struct.update({key: wrapped})
    return struct


def is_unknown(value: Any) -> bool:
    """Tell whether a value is, or holds somewhere inside, the unknown sentinel."""
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    return value == UNKNOWN


def holds_blob(value: Any) -> bool:
    """Tell whether a value is, or holds somewhere inside, an asset or archive."""
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
            return value.string_value, False
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


def _raw(struct: struct_pb2.Struct) -> Properties:
    """Return the members of an asset or archive as they are (nested assets stay wire objects)."""
    return {
        key: _raw(value.struct_value) if value.HasField("struct_value") else value.string_value
        for key, value in struct.fields.items()
    }
