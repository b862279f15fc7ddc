"""Translates between property names of Pulumi and AWS, such as `memorySize` and `MemorySize`."""

from collections.abc import Callable, Mapping
from typing import Any, cast

USER_MAPS = frozenset(
    {"variables", "Variables", "dimensions", "additionalVersionWeights", "AdditionalVersionWeights"}
    | {"stageVariables", "StageVariables"}
)
"""Properties whose keys are chosen by the program and must not be changed."""


def to_aws(inputs: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return an AWS call's arguments for the inputs that are set; `fields` maps Pulumi's names to AWS's."""
    return {
        theirs: _keys(inputs[ours], str.upper)
        for ours, theirs in fields.items()
        if inputs.get(ours) is not None
    }


def from_aws(answer: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties that an AWS answer holds; `fields` maps Pulumi's names to AWS's."""
    return {
        ours: _keys(answer[theirs], str.lower)
        for ours, theirs in fields.items()
        if answer.get(theirs) is not None
    }


def given(inputs: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return an AWS call's arguments for the inputs that are set, with their values as they are."""
    return {theirs: inputs[ours] for ours, theirs in fields.items() if inputs.get(ours) is not None}


def found(answer: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties that an AWS answer holds, with their values as they are."""
    return {ours: answer[theirs] for ours, theirs in fields.items() if answer.get(theirs) is not None}


def same_names(*names: str) -> dict[str, str]:
    """Return a map of names that differ by their first letter only."""
    return {name: name[:1].upper() + name[1:] for name in names}


def _keys(value: Any, letter: Callable[[str], str]) -> Any:
    """Return a value with `letter` applied to the first letter of the keys of its objects."""
    if isinstance(value, Mapping):
        return {letter(k[:1]) + k[1:]: v if k in USER_MAPS else _keys(v, letter) for k, v in value.items()}
    if isinstance(value, list):
        return [_keys(v, letter) for v in cast("list[Any]", value)]
    return value
