"""Resources and properties in the protobuf form that a pack is sent."""

from collections.abc import Collection, Mapping
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2

from sandbox.engine.analyzer_api import Analyzed
from sandbox.provider import assets, wire


def properties(plain: Mapping[str, Any], secrets: Collection[str] = ()) -> struct_pb2.Struct:
    """Return plain properties as a Struct: secrets wrapped, assets as what the pack's SDK can read.

    Their content is not sent, as it is not by the real engine; the hash stands where the path would.
    """
    struct = struct_pb2.Struct()
    for key, value in plain.items():
        sent = _plain(value)
        if key in secrets:
            sent = {assets.SIGNATURE_KEY: wire.SECRET_SIGNATURE, "value": sent}
        struct.update({key: sent})
    return struct


def resource_request(resource: Analyzed) -> Any:
    """Return the request to judge one resource."""
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=properties(resource.properties, resource.secrets),
        options=_options(resource),
        provider=_provider(resource),
    )


def stack_request(resources: Collection[Analyzed]) -> Any:
    """Return the request to judge a whole stack."""
    return analyzer_pb2.AnalyzeStackRequest(resources=[_stack_resource(item) for item in resources])


def remediated(struct: struct_pb2.Struct, original: Mapping[str, Any]) -> wire.Properties:
    """Return what a remediation made of `original`; assets stay, because their content was not sent."""
    plain = _decode(struct)
    return {key: original[key] if wire.holds_blob(original.get(key)) else plain[key] for key in plain}


def _stack_resource(resource: Analyzed) -> Any:
    return analyzer_pb2.AnalyzerResource(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=properties(resource.properties, resource.secrets),
        options=_options(resource),
        provider=_provider(resource),
        parent=resource.parent,
        dependencies=resource.dependencies,
        propertyDependencies={
            key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
            for key, urns in resource.property_dependencies.items()
        },
    )


def _options(resource: Analyzed) -> Any:
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        deleteBeforeReplace=bool(resource.delete_before_replace),
        deleteBeforeReplaceDefined=resource.delete_before_replace is not None,
        parent=resource.parent,
    )


def _provider(resource: Analyzed) -> Any:
    provider = resource.provider
    return provider and analyzer_pb2.AnalyzerProviderResource(
        type=provider.type,
        urn=provider.urn,
        name=provider.name,
        properties=properties(provider.properties),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, assets.Blob):
        signature = assets.ARCHIVE_SIGNATURE if isinstance(value, assets.Archive) else assets.ASSET_SIGNATURE
        return {assets.SIGNATURE_KEY: signature, "path": value.sha256, "hash": value.sha256}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _decode(value: Any) -> Any:
    """Return a Struct's plain value: whole numbers as int, secrets unwrapped, nulls of objects left out."""
    if isinstance(value, struct_pb2.Struct):
        if assets.SIGNATURE_KEY in value.fields and "value" in value.fields:
            return _decode(value.fields["value"])
        members = {key: _decode(item) for key, item in value.fields.items()}
        return {key: item for key, item in members.items() if item is not None}
    match value.WhichOneof("kind"):
        case "struct_value":
            return _decode(value.struct_value)
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "number_value":
            return int(value.number_value) if value.number_value.is_integer() else value.number_value
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None
