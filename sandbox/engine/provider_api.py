"""What the engine asks of a provider.

Properties are plain JSON-like values in Pulumi's camelCase; assets and archives are `assets.Asset` and
`assets.Archive`; at preview a value may be `wire.UNKNOWN`. Inputs remembered from an earlier run hold
archives whose hash is known and whose content is not: compare them, do not read them.

The engine calls from several threads at once. An error to be shown is a `sandbox.errors.ProviderError`; the
engine puts the resource's type and name in front of its text.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from sandbox.provider.provider import Diff

Inputs = Mapping[str, Any]
Outputs = Mapping[str, Any]


class Provider(Protocol):
    """A table of resource types, each with its create, read, update and delete."""

    def check(
        self, type_: str, urn_name: str, inputs: Inputs, old_inputs: Inputs | None, seed: str, /
    ) -> dict[str, Any]:
        """Return the inputs with defaults and the auto-name filled in.

        The auto-name is `urn_name`, a hyphen and the first 7 hex digits of `seed`; it is the old one if
        `old_inputs` has one and the program gave none. `seed` is hex, at least 32 digits, stable for a
        resource until it is replaced or deleted. Raises UnknownTypeError, UnknownPropertyError,
        ProviderError.
        """
        ...

    def diff(self, type_: str, old_inputs: Inputs, new_inputs: Inputs, /) -> Diff:
        """Compare checked inputs with those of the state (after a refresh: the live ones)."""
        ...

    def preview(self, type_: str, inputs: Inputs, old_outputs: Outputs | None, /) -> Outputs:
        """Return the outputs as far as they are known before acting; `wire.UNKNOWN` for the rest.

        `old_outputs` is None for a resource that would be created.
        """
        ...

    def create(self, type_: str, inputs: Inputs, /) -> tuple[str, Outputs]:
        """Create and return (id, outputs).

        Must be idempotent for the same name: a run that was killed between the creation and its record is
        finished by calling this again with the same inputs, and then it adopts what is there.
        """
        ...

    def read(self, type_: str, id_: str, inputs: Inputs, /) -> tuple[Inputs, Outputs] | None:
        """Return (live inputs, outputs), or None if it is gone.

        The live inputs hold keys of `inputs` only. A key that is left out keeps its recorded value (a thing
        that cannot be read back, as an archive); one whose live value is absent is given as None.
        """
        ...

    def update(self, type_: str, id_: str, old_inputs: Inputs, new_inputs: Inputs, /) -> Outputs:
        """Bring it from the old inputs to the new ones; called again with both after a crash."""
        ...

    def delete(self, type_: str, id_: str, inputs: Inputs, /) -> None:
        """Delete it; that it is gone already is success."""
        ...

    def invoke(self, token: str, args: Inputs, /) -> dict[str, Any]:
        """Call a function such as `aws:index/getCallerIdentity:getCallerIdentity`."""
        ...
