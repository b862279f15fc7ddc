"""What a stack consists of, in memory, and its JSON form.

Secrets are plain in the file, with the keys that hold them listed beside; that is why the file is for its
owner only (mode 0600). Of assets only the hash is kept.
"""

import secrets as random_source
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.urn import label
from sandbox.errors import StateError
from sandbox.provider import assets

FORMAT = 1
"""Version of the JSON form; a file with another one is refused, never guessed at."""


@dataclass(frozen=True)
class Resource:
    """One resource that exists (or, in a pending step, is about to)."""

    urn: str
    type: str
    name: str
    custom: bool
    id: str
    """Given by the provider; empty for components and before creation."""
    parent: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    secrets: tuple[str, ...] = ()
    protect: bool = False
    external: bool = False
    """Looked up by the program, not created by it: never deleted."""
    replaced: bool = False
    """Its replacement exists; it is deleted at the end of the next run that goes well."""

    @property
    def label(self) -> str:
        """Type and name, for messages."""
        return label(self.type, self.name)

    def needs(self) -> set[str]:
        """Return the URNs that must exist as long as this one does."""
        named = {urn for urns in self.property_dependencies.values() for urn in urns}
        return {*self.dependencies, *named, self.parent} - {"", self.urn}


@dataclass(frozen=True)
class Pending:
    """A step that was begun and whose end was not recorded yet."""

    op: str
    """create, update or delete."""
    resource: Resource
    """As it will be after a create or update; as it was before a delete."""


@dataclass
class State:
    """Everything known about one stack."""

    project: str
    stack: str
    seed: str = field(default_factory=lambda: random_source.token_hex(16))
    """Hex; auto-names are derived from it, so that a repeated create asks for the same name."""
    resources: list[Resource] = field(default_factory=list[Resource])
    """In the order of creation."""
    pending: list[Pending] = field(default_factory=list[Pending])
    generations: dict[str, int] = field(default_factory=dict[str, int])
    """Per URN, how often it was replaced or deleted: each generation has an auto-name of its own."""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    secret_outputs: tuple[str, ...] = ()

    def live(self, urn: str) -> Resource | None:
        """Return the current resource with this URN, never a replaced one."""
        return next((item for item in self.resources if item.urn == urn and not item.replaced), None)


def to_json(state: State) -> dict[str, Any]:
    """Return the JSON form of a state."""
    return {
        "format": FORMAT,
        "project": state.project,
        "stack": state.stack,
        "seed": state.seed,
        "resources": [_resource_to_json(item) for item in state.resources],
        "pending": [{"op": item.op, "resource": _resource_to_json(item.resource)} for item in state.pending],
        "generations": state.generations,
        "outputs": _plain(state.outputs),
        "secretOutputs": list(state.secret_outputs),
    }


def from_json(raw: Mapping[str, Any], contents: Mapping[str, bytes]) -> State:
    """Return the state of a JSON form; `contents` holds the bytes of blobs by hash, as far as they are kept.

    Raises StateError for another format or a missing part.
    """
    if raw.get("format") != FORMAT:
        raise StateError(
            f"The state has format {raw.get('format')!r}; this version reads format {FORMAT}. "
            "Use the version that wrote it, or destroy the stack with that one."
        )
    try:
        return State(
            project=raw["project"],
            stack=raw["stack"],
            seed=raw["seed"],
            resources=[_resource_from_json(item, contents) for item in raw["resources"]],
            pending=[
                Pending(item["op"], _resource_from_json(item["resource"], contents))
                for item in raw["pending"]
            ],
            generations=dict(raw["generations"]),
            outputs=_revive(raw["outputs"], contents),
            secret_outputs=tuple(raw["secretOutputs"]),
        )
    except (KeyError, TypeError) as error:
        raise StateError(f"The state is incomplete: {error!r} is missing or has the wrong type.") from error


def _resource_to_json(item: Resource) -> dict[str, Any]:
    return {
        "urn": item.urn,
        "type": item.type,
        "name": item.name,
        "custom": item.custom,
        "id": item.id,
        "parent": item.parent,
        "inputs": _plain(item.inputs),
        "outputs": _plain(item.outputs),
        "dependencies": list(item.dependencies),
        "propertyDependencies": {key: list(urns) for key, urns in item.property_dependencies.items()},
        "secrets": list(item.secrets),
        "protect": item.protect,
        "external": item.external,
        "replaced": item.replaced,
    }


def _resource_from_json(raw: Mapping[str, Any], contents: Mapping[str, bytes]) -> Resource:
    return Resource(
        urn=raw["urn"],
        type=raw["type"],
        name=raw["name"],
        custom=raw["custom"],
        id=raw["id"],
        parent=raw["parent"],
        inputs=_revive(raw["inputs"], contents),
        outputs=_revive(raw["outputs"], contents),
        dependencies=tuple(raw["dependencies"]),
        property_dependencies={key: tuple(urns) for key, urns in raw["propertyDependencies"].items()},
        secrets=tuple(raw["secrets"]),
        protect=raw["protect"],
        external=raw["external"],
        replaced=raw["replaced"],
    )


def _plain(value: Any) -> Any:
    if isinstance(value, assets.Blob):
        signature = assets.ARCHIVE_SIGNATURE if isinstance(value, assets.Archive) else assets.ASSET_SIGNATURE
        return {assets.SIGNATURE_KEY: signature, "hash": value.sha256}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _revive(value: Any, contents: Mapping[str, bytes]) -> Any:
    if isinstance(value, dict):
        if assets.SIGNATURE_KEY in value:
            kind = assets.Archive if value[assets.SIGNATURE_KEY] == assets.ARCHIVE_SIGNATURE else assets.Asset
            return kind(value["hash"], contents.get(value["hash"]))
        return {key: _revive(item, contents) for key, item in value.items()}
    return [_revive(item, contents) for item in value] if isinstance(value, list) else value
