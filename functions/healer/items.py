"""Conversion of incidents to DynamoDB items and back."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from selfheal.functions.healer.incident import Incident
from selfheal.functions.shared.contract import SCHEMA, incident_key

_NOT_FIELDS = ("pk", "sk", "schema", "expires_at", "plan_digest")


def to_item(incident: Incident) -> dict[str, Any]:
    """Return an incident as a DynamoDB item."""
    item = {key: value for key, value in _plain(incident).items() if value is not None}
    item["schema"] = SCHEMA
    if incident.plan is not None:
        item["plan_digest"] = incident.plan.digest(incident.target)
    return incident_key(incident.target) | TypeSerializer().serialize(item)["M"]


def from_item(item: Mapping[str, Any]) -> Incident:
    """Return the incident that a DynamoDB item holds.

    Raises:
        ValueError: when the item was written by a later schema, or a word in it is none that is known.
        TypeError: when a field is missing, or none of an incident's.

    """
    raw: dict[str, Any] = TypeDeserializer().deserialize({"M": dict(item)})
    if raw["schema"] > SCHEMA:
        raise ValueError(
            f"ledger item of schema {raw['schema']}, this healer knows up to {SCHEMA}: deploy a newer one"
        )
    return _loader(Incident)({key: value for key, value in raw.items() if key not in _NOT_FIELDS})


@cache
def _loader(kind: Any) -> Callable[[Any], Any]:
    """Return what makes values of a field's type: DynamoDB has no integers, tuples or enumerations."""
    if get_origin(kind) is UnionType:
        (kind,) = (each for each in get_args(kind) if each is not NoneType)
    if get_origin(kind) is tuple:
        load = _loader(get_args(kind)[0])
        return lambda raw: tuple(map(load, raw))
    if is_dataclass(kind):
        loaders = {name: _loader(hint) for name, hint in get_type_hints(kind).items()}
        build = cast("Callable[..., Any]", kind)
        return lambda raw: build(
            **{name: None if value is None else loaders.get(name, str)(value) for name, value in raw.items()}
        )
    return kind


def _plain(value: Any) -> Any:
    """Convert dataclasses to dicts, tuples to lists and enums to text, as DynamoDB's serializer requires."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value
