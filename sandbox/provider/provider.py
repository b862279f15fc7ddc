"""The provider's operations, implemented by the table."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import InputError, ProviderError, UnfinishedError
from selfheal.sandbox.provider import refusals
from selfheal.sandbox.provider.calls import code_of, or_none
from selfheal.sandbox.provider.invokes import INVOKES
from selfheal.sandbox.provider.spec import LOCAL, Props, Spec, changed, empty, same, whole_numbers
from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.provider.wire import UNKNOWN

Inputs = Mapping[str, Any]

_SEED_DIGITS = 7
_AUTO_NAME = re.compile(rf"-([0-9a-f]{{{_SEED_DIGITS}}})(?:\.fifo)?$")


@dataclass(frozen=True)
class Diff:
    """The difference between recorded and new inputs."""

    changed: list[str] = field(default_factory=list[str])
    """Top-level properties that differ."""
    replace: list[str] = field(default_factory=list[str])
    """Those of `changed` that require a new resource."""
    delete_before_replace: bool = False
    """Whether the old resource must be deleted first, because both cannot exist at once."""


class AwsProvider:
    """AWS resources at one endpoint.

    Every method raises ProviderError: for a type that is not in the table, and, with AWS's
    code and message, for what AWS refuses. Safe to call from several threads.
    """

    def __init__(self, clients: Clients) -> None:
        """Use these clients; nothing is called yet."""
        self._clients = clients

    def check(
        self,
        type_: str,
        urn_name: str,
        inputs: Inputs,
        old_inputs: Inputs | None,
        seed: str,
        /,
        *,
        proposed: str | None = None,
    ) -> Props:
        """Refuse unknown and missing properties; return the inputs with name and defaults.

        `proposed` is the automatic name of the project's `pulumi:autonaming`; "" if that is disabled.
        """
        spec = _spec(type_)
        refusals.check_properties(type_, spec.inputs, inputs)
        refusals.check_required(type_, spec.required, inputs)
        result = {**spec.defaults, **inputs}
        if spec.name and result.get(spec.name) is None:
            old = (old_inputs or {}).get(spec.name)
            digits = _AUTO_NAME.search(old) if isinstance(old, str) else None
            ours = digits and old == spec.naming(f"{urn_name}-{digits[1]}", result)
            if ours or (old and proposed):  # names of a custom pattern cannot be recognized
                result[spec.name] = old
            elif proposed == "":
                raise InputError(
                    f"{type_} needs {spec.name}, since pulumi:autonaming is disabled. Set {spec.name}."
                )
            else:
                automatic = proposed or f"{urn_name}-{seed[:_SEED_DIGITS]}"
                result[spec.name] = spec.naming(automatic, result)
                refusals.check_name(type_, spec, result[spec.name], urn_name)
        return result

    def diff(self, type_: str, old_inputs: Inputs, new_inputs: Inputs, /) -> Diff:
        """Return the difference between two sets of inputs; a value not known yet differs from all others."""
        spec = _spec(type_)
        old = _without_unset(old_inputs, new_inputs, spec.unset, str(old_inputs.get("name")))
        differs = changed(spec.inputs, old, dict(new_inputs))
        replace = [key for key in differs if key in spec.replace]
        # Both resources can exist if they are identified by different values, or by a new automatic name.
        shared = bool(spec.identity) and not spec.identity & set(differs)
        named = spec.name in spec.identity and _AUTO_NAME.search(str(new_inputs.get(str(spec.name), "")))
        return Diff(differs, replace, delete_before_replace=bool(replace) and shared and not named)

    def preview(self, type_: str, inputs: Inputs, old_outputs: Inputs | None, /) -> Props:
        """Return the outputs, with `UNKNOWN` for those that AWS determines."""
        spec = _spec(type_)
        if old_outputs is None:
            return {**dict.fromkeys(spec.computed, UNKNOWN), **inputs}
        known = {key: old_outputs.get(key) for key in spec.inputs}
        differs = {
            key for key in inputs if not same(spec.inputs.get(key, LOCAL), inputs[key], known.get(key))
        }
        unknown = [output for output, causes in spec.recomputed.items() if causes & differs]
        return {**old_outputs, **dict.fromkeys(unknown, UNKNOWN), **inputs}

    def create(self, type_: str, inputs: Inputs, /) -> tuple[str, Props]:
        """Create a resource; return its id and outputs.

        Raises UnfinishedError if it was created, but a later step failed.
        """
        spec, wanted = _spec(type_), whole_numbers(dict(inputs))
        with _errors_converted("creating"):
            id_ = spec.create(self._clients, wanted)
        try:
            with _errors_converted("creating"):
                spec.complete(self._clients, id_, wanted)
                return id_, self._outputs(spec, id_, wanted)
        except ProviderError as error:
            raise UnfinishedError(f"{error} It exists as {id_}, though not as wanted.", id_) from error

    def read(self, type_: str, id_: str, inputs: Inputs, /) -> tuple[Props, Props] | None:
        """Return live inputs and outputs, or None if the resource does not exist.

        A live value that is equivalent to the recorded one is returned as recorded, so that only drift
        differs.
        """
        spec, known = _spec(type_), whole_numbers(dict(inputs))
        with _errors_converted("reading"):
            live = or_none(lambda: spec.read(self._clients, id_, known))
        if live is None:
            return None
        live_inputs: Props = {
            key: known[key] if same(kind, known[key], live.get(key)) else live.get(key)
            for key, kind in spec.inputs.items()
            if key in known and kind is not LOCAL
        }
        kept = {key: known[key] for key in known if spec.inputs.get(key) is LOCAL}
        return live_inputs, {**live, **kept, **live_inputs}

    def lookup(self, type_: str, import_id: str, known: Inputs, /) -> tuple[str, Props, Props] | None:
        """Find a resource by its import id or, if enough of its properties are `known`, by its id.

        Returns the id, the inputs that would create it, and the outputs; None if it does not exist. Raises
        InputError if the import id does not have the form of the AWS provider, or the type has none.
        """
        spec = _spec(type_)
        if spec.import_id is None:
            raise InputError(
                f"{type_} cannot be imported: the AWS provider does not either. Declare it anew."
            )
        where = spec.import_id.parse(import_id) or spec.import_id.among(known, import_id)
        if where is None:
            raise InputError(refusals.import_id(type_, spec.import_id, import_id))
        with _errors_converted("reading"):
            live = or_none(lambda: spec.read(self._clients, where["id"], {**known, **where}))
        if live is None:
            return None
        inputs = {
            key: live[key]
            for key, kind in spec.inputs.items()
            if kind is not LOCAL and not empty(kind, live.get(key))
        }
        id_ = spec.import_id.resolve({**where, **live})
        return id_, inputs, {key: value for key, value in live.items() if key != "id"}

    def update(self, type_: str, id_: str, old_inputs: Inputs, new_inputs: Inputs, /) -> Props:
        """Change a resource from the old inputs to the new ones; return the outputs."""
        spec, wanted = _spec(type_), whole_numbers(dict(new_inputs))
        with _errors_converted("updating"):
            spec.update(self._clients, id_, whole_numbers(dict(old_inputs)), wanted)
            return self._outputs(spec, id_, wanted)

    def delete(self, type_: str, id_: str, inputs: Inputs, /) -> None:
        """Delete a resource, unless it does not exist."""
        with _errors_converted("deleting"):
            or_none(lambda: _spec(type_).delete(self._clients, id_, whole_numbers(dict(inputs))))

    def invoke(self, token: str, args: Inputs, /) -> Props:
        """Call one of the provider's functions."""
        function = INVOKES.get(token)
        if function is None:
            raise ProviderError(refusals.unknown("function", token, INVOKES))
        refusals.check_properties(token, dict.fromkeys(function.arguments, LOCAL), args)
        refusals.check_required(token, function.required, args)
        with _errors_converted("calling"):
            return function.call(self._clients, dict(args))

    def _outputs(self, spec: Spec, id_: str, inputs: Props) -> Props:
        live = or_none(lambda: spec.read(self._clients, id_, inputs))
        if live is None:
            raise ProviderError(
                f"AWS accepted it, but cannot find {id_} now. Something else deleted it, or the endpoint "
                "lost it: run `refresh`, then try again."
            )
        return {**live, **inputs}


def _spec(type_: str) -> Spec:
    spec = TABLE.get(type_)
    if spec is None:
        raise ProviderError(refusals.unknown("resource type", type_, TABLE))
    return spec


def _without_unset(old: Inputs, new: Inputs, unset: Mapping[str, Any], name: str) -> Props:
    """Return old inputs without those that are equal to AWS's default and removed in the new ones."""
    result: Props = {}
    for key, value in old.items():
        usual, wanted = unset.get(key), new.get(key)
        if isinstance(usual, Mapping) and isinstance(value, Mapping):
            parts = cast("Mapping[str, Any]", value)
            others = cast("Mapping[str, Any]", wanted if isinstance(wanted, Mapping) else {})
            result[key] = _without_unset(parts, others, cast("Mapping[str, Any]", usual), name)
        elif wanted is not None or value != (
            usual.replace("{name}", name) if isinstance(usual, str) else usual
        ):
            result[key] = value
    return result


@contextmanager
def _errors_converted(doing: str) -> Generator[None]:
    """Convert errors of boto3 into ProviderError."""
    try:
        yield
    except ClientError as error:
        message = error.response.get("Error", {}).get("Message", "")
        raise ProviderError(f"{doing}: {error.operation_name}: {code_of(error)}: {message}") from error
    except WaiterError as error:
        raise ProviderError(f"{doing}: waited in vain: {error}") from error
    except BotoCoreError as error:
        raise ProviderError(f"{doing}: {error}") from error
