"""How the provider implements a resource type: its properties and their kinds, and functions on boto3."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias, cast

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.wire import UNKNOWN

Props: TypeAlias = dict[str, Any]
"""Properties in Pulumi's camelCase wire form."""


class Leaf(Enum):
    """How a scalar property, or one that is compared as a whole, is compared with its live value."""

    VALUE = "value"
    """As it is; 3 and 3.0 are equal."""

    JSON = "json"
    """A JSON document as text: equal if the parsed documents are."""

    MAP = "map"
    """Keys chosen by the program, such as environment variables: an additional key is a difference."""

    FLAG = "flag"
    """A boolean for which absence means false."""

    LOCAL = "local"
    """Cannot be read, such as `forceDestroy` or a function's code: keeps its recorded value."""


VALUE, JSON, MAP, FLAG, LOCAL = Leaf

Kind: TypeAlias = "Leaf | Mapping[str, Kind] | Sequence[Kind]"
"""A leaf; an object (a mapping, of which only the keys that the program set are compared); a set, `[kind]`;
or a list whose order counts, `(kind,)`."""


@dataclass(frozen=True)
class Spec:
    """One row of the provider's table."""

    inputs: Mapping[str, Kind]
    """Every property that is implemented; others are refused."""

    create: Callable[[Clients, Props], str]
    """Creates and returns the id. Refuses an existing name if AWS and the AWS provider do."""

    read: Callable[[Clients, str, Props], Props | None]
    """Returns all live properties, for an id and the last known inputs. If the resource does not exist it
    returns None, or raises the error by which AWS says so."""

    delete: Callable[[Clients, str, Props], object]
    """Deletes. If the resource does not exist it may raise the error by which AWS says so."""

    update: Callable[[Clients, str, Props, Props], object] = lambda *_: None
    """Changes a resource, given its id, from old inputs to new ones. Never called for a difference in
    `replace`. Default: for types of which every property is in `replace`."""

    complete: Callable[[Clients, str, Props], object] = lambda *_: None
    """Sets what can only be set once the resource exists. If it fails, the resource stays in the state."""

    required: frozenset[str] = frozenset()
    """Required inputs."""

    computed: frozenset[str] = frozenset()
    """Outputs that AWS determines: unknown at preview until the resource exists."""

    secret: frozenset[str] = frozenset()
    """Properties that hold a secret, whatever the program says."""

    identity: frozenset[str] = frozenset()
    """Properties that two resources cannot share. Empty if AWS assigns an id."""

    replace: frozenset[str] = frozenset()
    """Properties that cannot be changed in place."""

    name: str | None = None
    """The property that is given an automatic name if the program sets none."""

    name_limit: int = 255
    """Longest automatic name, in characters."""

    naming: Callable[[str, Props], str] = lambda name, _: name
    """Makes an automatic name one that AWS allows for the inputs. Default: it is one already."""

    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Defaults of the AWS provider (source: its schemas). Set by check, so that policies see them."""

    import_id: ImportId | None = field(default_factory=ImportId)
    """The form of import ids; None if the AWS provider cannot import the type."""

    unset: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """AWS's defaults for properties that are not set: removing a property with this value is no change.
    `{name}` stands for the resource's name."""

    recomputed: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Computed outputs that an update changes, with the inputs whose change does it."""


def same(kind: Kind, wanted: Any, live: Any) -> bool:
    """Return whether a live value equals the wanted one; of an object, only the keys of `wanted` count."""
    if UNKNOWN in (wanted, live):
        return False  # it may become any value
    if empty(kind, wanted) and empty(kind, live):
        return True
    if kind is JSON:
        return _document(wanted) == _document(live)
    if isinstance(kind, Leaf):
        return bool(wanted == live)
    if isinstance(kind, Mapping):
        if not isinstance(wanted, Mapping) or not isinstance(live, Mapping):
            return False
        return all(same(kind.get(key, VALUE), value, live.get(key)) for key, value in wanted.items())
    if isinstance(kind, tuple):
        first, second = list(wanted or []), list(live or [])
        return len(first) == len(second) and all(map(same, kind * len(first), first, second))
    return _same_members(kind[0], wanted, live)


def changed(inputs: Mapping[str, Kind], old: Props, new: Props) -> list[str]:
    """Return the sorted names of the properties that differ between two sets of inputs."""
    return sorted(
        key
        for key in old.keys() | new.keys()
        if not (
            same(inputs.get(key, VALUE), old.get(key), new.get(key))
            and same(inputs.get(key, VALUE), new.get(key), old.get(key))
        )
    )


def values(*names: str) -> dict[str, Kind]:
    """Return properties that are all plain values."""
    return dict.fromkeys(names, VALUE)


def whole_numbers(value: Any) -> Any:
    """Return a value with 3.0 turned into 3, at any depth: boto3 insists on integers."""
    if isinstance(value, Mapping):
        return {key: whole_numbers(v) for key, v in value.items()}
    if isinstance(value, list):
        return [whole_numbers(v) for v in cast("list[Any]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def empty(kind: Kind, value: Any) -> bool:
    """Return whether a value is equivalent to its absence, as AWS answers for what was never set."""
    if kind is FLAG and value is False:
        return True
    if isinstance(kind, Mapping) and isinstance(value, Mapping):
        return all(empty(kind.get(key, VALUE), member) for key, member in value.items())
    return value is None or value in ("", [], {})


def _document(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _same_members(kind: Kind, wanted: Any, live: Any) -> bool:
    left = list(live or [])
    if len(wanted or []) != len(left):
        return False
    for member in wanted:
        match = next((i for i, other in enumerate(left) if same(kind, member, other)), None)
        if match is None:
            return False
        del left[match]
    return True
