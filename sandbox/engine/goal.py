"""What a registration of the program asks for, with everything the sandbox leaves out refused by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import alias_pb2, resource_pb2

from sandbox.engine import state
from sandbox.engine import urn as urns
from sandbox.errors import UnsupportedError
from sandbox.provider import wire

Request = resource_pb2.RegisterResourceRequest


@dataclass(frozen=True)
class Goal:
    """One resource as the program wants it."""

    urn: str
    type: str
    name: str
    custom: bool
    """False for a component: recorded, but no provider is asked."""
    parent: str
    inputs: wire.Properties
    secrets: frozenset[str]
    """Top-level inputs and outputs whose values are not shown."""
    dependencies: tuple[str, ...] = ()
    property_dependencies: tuple[tuple[str, tuple[str, ...]], ...] = ()
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    """None leaves it to the provider."""
    version: str = ""
    """Of the package that the resource is from, as the program has it."""
    aliases: tuple[str, ...] = ()
    """URNs under which the state may know it by an earlier name or type."""

    @property
    def label(self) -> str:
        """Type and name, for messages."""
        return urns.label(self.type, self.name)


# What a program may ask for and the sandbox leaves out, with the option's name in the SDK. Aliases are not
# here: the SDK itself sends some for types that were renamed; they are refused only where they would
# matter.
_REFUSED: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("provider", lambda r: bool(r.provider)),
    ("providers", lambda r: bool(r.providers)),
    ("import_", lambda r: bool(r.importId)),
    ("deleted_with", lambda r: bool(r.deletedWith)),
    ("replace_with", lambda r: bool(r.replace_with)),
    ("replacement_trigger", lambda r: r.HasField("replacement_trigger")),
    ("retain_on_delete", lambda r: bool(r.retainOnDelete)),
    ("transforms", lambda r: bool(r.transforms)),
    ("state_migrations", lambda r: bool(r.state_migrations)),
    ("hooks", lambda r: r.HasField("hooks") and bool(r.hooks.ListFields())),
    ("env_var_mappings", lambda r: bool(r.envVarMappings)),
)


def from_request(request: Any, *, stack: str, project: str, folder: Path) -> Goal:
    """Return the goal of a RegisterResourceRequest.

    Raises UnsupportedError naming the option, or AssetError.
    """
    if request.remote:
        raise UnsupportedError(
            "It is a remote component (written in another language); the sandbox runs local ones only."
        )
    if request.type.startswith("pulumi:providers:"):
        raise UnsupportedError(
            "Explicit providers are left out of the sandbox: every resource uses the default provider. "
            "Configure it in the stack file, as `aws:region`, and remove the provider object."
        )
    refused = [name for name, used in _REFUSED if used(request)]
    if refused:
        raise UnsupportedError(
            f"It uses the resource option {', '.join(refused)}, which the sandbox leaves out. Supported are "
            "parent, depends_on, protect, ignore_changes, replace_on_changes, delete_before_replace, "
            "additional_secret_outputs, custom_timeouts and version."
        )
    inputs, secrets = wire.decode(request.object, folder)
    return Goal(
        urn=urns.make(stack, project, request.parent, request.type, request.name),
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs=inputs,
        secrets=secrets | frozenset(request.additionalSecretOutputs),
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies=tuple(
            (key, tuple(sorted(request.propertyDependencies[key].urns)))
            for key in sorted(request.propertyDependencies)
        ),
        protect=request.protect,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        version=request.version,
        aliases=_alias_urns(request, stack, project),
    )


def from_read(
    request: Any, *, stack: str, project: str, folder: Path
) -> tuple[state.Resource, frozenset[str]]:
    """Return what a ReadResourceRequest looks for, and the keys of its secrets. Raises as `from_request`."""
    if request.provider:
        raise UnsupportedError("It names an explicit provider; the sandbox has the default one only.")
    inputs, secrets = wire.decode(request.properties, folder)
    wanted = state.Resource(
        urn=urns.make(stack, project, request.parent, request.type, request.name),
        type=request.type,
        name=request.name,
        custom=True,
        id=request.id,
        parent=request.parent,
        inputs=inputs,
        outputs={},
        dependencies=tuple(sorted(request.dependencies)),
        external=True,
    )
    return wanted, secrets | frozenset(request.additionalSecretOutputs)


def _alias_urns(request: Any, stack: str, project: str) -> tuple[str, ...]:
    return (*request.aliasURNs, *(_alias_urn(alias, request, stack, project) for alias in request.aliases))


def _alias_urn(alias: alias_pb2.Alias, request: Any, stack: str, project: str) -> str:
    if alias.urn:
        return alias.urn
    spec = alias.spec
    parent = "" if spec.noParent else spec.parentUrn or request.parent
    return urns.make(
        spec.stack or stack,
        spec.project or project,
        parent,
        spec.type or request.type,
        spec.name or request.name,
    )
