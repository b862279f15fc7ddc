"""Pulumi's property names and AWS's: `memorySize` and `MemorySize`, and exceptions that a service lists."""

from collections.abc import Mapping
from typing import Any, cast

USER_MAPS = frozenset(
    {"variables", "Variables", "dimensions", "additionalVersionWeights", "AdditionalVersionWeights"}
    | {"stageVariables", "StageVariables"}
)
"""Properties whose keys belong to the program and are left as they are."""


def pascal(value: Any) -> Any:
    """Return a value with the keys of its objects in AWS's form."""
    return _keys(value, lambda key: key[:1].upper() + key[1:])


def camel(value: Any) -> Any:
    """Return a value with the keys of its objects in Pulumi's form."""
    return _keys(value, lambda key: key[:1].lower() + key[1:])


def to_aws(inputs: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of an AWS call for the inputs that are set; `fields` maps our names to theirs."""
    return {theirs: pascal(inputs[ours]) for ours, theirs in fields.items() if inputs.get(ours) is not None}


def from_aws(answer: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties that an AWS answer holds; `fields` maps our names to theirs."""
    return {ours: camel(answer[theirs]) for ours, theirs in fields.items() if answer.get(theirs) is not None}


def same_names(*names: str) -> dict[str, str]:
    """Return a map of names that differ by their first letter only."""
    return {name: name[:1].upper() + name[1:] for name in names}


def _keys(value: Any, rename: Any) -> Any:
    if isinstance(value, Mapping):
        return {rename(k): v if k in USER_MAPS else _keys(v, rename) for k, v in value.items()}
    if isinstance(value, list):
        return [_keys(v, rename) for v in cast("list[Any]", value)]
    return value
