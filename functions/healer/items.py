"""Conversion of incidents to DynamoDB items and back."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from selfheal.functions.healer.incident import Incident
from selfheal.functions.shared.contract import SCHEMA, incident_key
from selfheal.functions.shared.errors import OwnError

_NOT_FIELDS = ("pk", "sk", "schema", "expires_at", "plan_digest", "answered")
"""Attributes that no field is read from: keys, copies for others, and what earlier versions wrote."""


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
        UnreadableItemError: when the item was written by a later schema, or is damaged.

    """
    with reading("incident", item) as raw:
        if "schema" not in raw:
            raise KeyError("schema")
        return _loader(Incident)({key: value for key, value in raw.items() if key not in _NOT_FIELDS})


class UnreadableItemError(OwnError):
    """An item of the ledger is damaged, or was written by a later version. It is not guessed at."""


@contextmanager
def reading(what: str, item: Mapping[str, Any]) -> Generator[dict[str, Any]]:
    """Read an item's attributes, and turn whatever goes wrong with it into an UnreadableItemError.

    Args:
        what: What it is, such as "incident".
        item: The item, as DynamoDB returns it.

    """
    key = "/".join(str(item.get(name, {}).get("S", "?")) for name in ("pk", "sk"))
    try:
        raw: dict[str, Any] = TypeDeserializer().deserialize({"M": dict(item)})
        if raw.get("schema", 0) > SCHEMA:
            raise UnreadableItemError(
                f"the {what} in the ledger's item {key} is of schema {raw['schema']}, and this version "
                f"knows up to {SCHEMA}: deploy a newer healer"
            )
        yield raw
    except OwnError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # The ledger holds no secrets, so what is wrong with it may be said.
        wrong = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UnreadableItemError(f"the {what} in the ledger's item {key} is damaged: {wrong}") from error


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
