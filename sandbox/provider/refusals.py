"""How the provider refuses properties, ids and, asked by `provider.py`, types: what is allowed instead."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, cast

from selfheal.sandbox.errors import InputError
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.spec import Kind, Leaf, Spec
from selfheal.sandbox.provider.wire import UNKNOWN


def unknown(what: str, given: str, allowed: Iterable[str]) -> str:
    """Return the text that refuses a type, property or function, with the closest of those allowed."""
    known = sorted(allowed)
    close = get_close_matches(given, known, n=3, cutoff=0.6)
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    return (
        f"the sandbox has no {what} {given}. {hint}It knows: {', '.join(known) or 'none'}. "
        "Correct the name, or use the real AWS provider, which knows all of them."
    )


def import_id(type_: str, allowed: ImportId, given: str) -> str:
    """Return the text that refuses an import id."""
    forms = " or ".join(form.replace("{", "<").replace("}", ">") for form in allowed.forms)
    return f"{type_} is looked up by {forms}; given was {given!r}. Give an id of that form."


def check_properties(type_: str, kinds: Mapping[str, Kind], given: Mapping[str, Any], path: str = "") -> None:
    """Raise InputError for a key, at any depth, that the type's row does not list."""
    for key, value in given.items():
        if key not in kinds:
            allowed = [f"{path}{known}" for known in kinds]
            raise InputError(unknown(f"property of {type_} named", f"{path}{key}", allowed))
        _check_value(type_, kinds[key], value, f"{path}{key}")


def check_required(type_: str, required: Iterable[str], given: Mapping[str, Any]) -> None:
    """Raise InputError naming every required property that is missing."""
    missing = sorted(key for key in required if given.get(key) is None)
    if missing:
        raise InputError(
            f"{type_} needs {', '.join(missing)}; given were: {', '.join(sorted(given)) or 'none'}. "
            "Set what is missing."
        )


def check_name(type_: str, spec: Spec, name: str, urn_name: str) -> None:
    """Raise InputError if an automatic name is too long for AWS."""
    if len(name) > spec.name_limit:
        allowed = spec.name_limit - (len(name) - len(urn_name))
        raise InputError(
            f"the automatic {spec.name} {name!r} of this {type_} has {len(name)} characters, AWS allows "
            f"{spec.name_limit}. Shorten the resource's name to {allowed} characters, or set {spec.name}."
        )


def _check_value(type_: str, kind: Kind, value: Any, path: str) -> None:
    if value in (None, UNKNOWN) or isinstance(kind, Leaf):
        return
    if isinstance(kind, Mapping):
        if not isinstance(value, Mapping):
            raise InputError(
                f"{path} of {type_} must be an object with the keys {', '.join(sorted(kind))}; "
                f"given was {value!r}. Put the value under its key."
            )
        check_properties(type_, kind, cast("Mapping[str, Any]", value), f"{path}.")
        return
    if not isinstance(value, list):
        raise InputError(f"{path} of {type_} must be a list; given was {value!r}. Put it into a list.")
    for index, member in enumerate(cast("list[Any]", value)):
        _check_value(type_, kind[0], member, f"{path}[{index}]")
