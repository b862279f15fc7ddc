"""Targets and remedies: what a healer may look after and do, checked, and turned into IAM statements."""

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from components.arns import Arns
from components.code import FUNCTIONS
from components.errors import ComponentError
from components.iam import Statement, allow

MAX_TARGET_NAME = 40
"""A target's name becomes part of resource names, of which the shortest limit is 64 characters."""

_TARGET_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{MAX_TARGET_NAME - 2}}}[a-z0-9])?")

_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
"""Source: AWS Lambda API reference, Environment."""

_RESERVED_PREFIXES = ("AWS_", "LAMBDA_")
"""Lambda's own; among them AWS_LAMBDA_EXEC_WRAPPER, which runs any program in front of the function."""

_LOADERS = frozenset(
    {"BASH_ENV", "DOTNET_STARTUP_HOOKS", "GEM_PATH", "JAVA_TOOL_OPTIONS", "LD_LIBRARY_PATH", "LD_PRELOAD"}
    | {"NODE_OPTIONS", "NODE_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "RUBYLIB", "RUBYOPT"}
)  # fmt: skip
"""Variables that decide which code runs. A healer that may set them could run anything as its target."""


CALLS = FUNCTIONS / "healer" / "remedies.json"
"""What each kind of remedy calls on what, for reading and for writing."""


class Mode(StrEnum):
    """How much a healer may do by itself."""

    OBSERVE = "observe"
    """Record what it would do."""
    SUGGEST = "suggest"
    """Record it and tell people."""
    ACT = "act"
    """Do it."""


class RemedyKind(StrEnum):
    """What a remedy changes."""

    ENVIRONMENT = "environment"
    """One variable of the function's environment; for traffic on $LATEST only."""


class RemedyArgs(TypedDict):
    """One way to make a target well again."""

    kind: RemedyKind
    """What it changes."""

    variable: str
    """Name of the variable to set."""

    value: str
    """The value that makes the service well, for example "0"."""

    revert_safe: NotRequired[bool]
    """Whether the value before may be put back when the remedy did not help. Default false: people decide."""


class TargetArgs(TypedDict):
    """A function to look after."""

    name: str
    """Name in the ledger, in messages and commands: small letters, digits and hyphens, unique, up to 40."""

    function_name: pulumi.Input[str]
    """Name of the Lambda function, this stack's or another's."""

    alias: NotRequired[pulumi.Input[str]]
    """The alias that its traffic uses. Default: none, traffic reaches $LATEST."""

    instrumented: NotRequired[bool]
    """Whether the function emits `Requests` and `Errors` in namespace `selfheal`. Default false."""

    natural_error_rate: NotRequired[float]
    """Share of requests that fail when the service is well; above 0, at most 0.2. Default 0.001."""

    false_alarms_per_year: NotRequired[float]
    """False alarms a year that the owner accepts; above 0, at most 1,000. Default 1."""

    alarm_error_rate: NotRequired[float]
    """Error rate to alarm at; above the natural one, at most 1. Default 0.05, or 10 x natural if more."""

    remedies: list[RemedyArgs]
    """What to try: one remedy. Empty: incidents are recorded and people told, and nothing is changed."""


def check(targets: Sequence[TargetArgs]) -> None:
    """Raise unless every target can be looked after and no remedy can be turned against it.

    Raises:
        ComponentError: for no targets, a name that is malformed or given twice, a remedy that cannot work on
            the target's traffic, or a variable that decides which code the target runs.

    """
    if not targets:
        raise ComponentError(
            "targets must name at least one function to look after, got none. "
            'Add one: {"name": "orders", "function_name": ..., "remedies": [...]}.'
        )
    seen: set[str] = set()
    for target in targets:
        name = target["name"]
        if not _TARGET_NAME.fullmatch(name):
            raise ComponentError(
                f"a target's name must be 1 to {MAX_TARGET_NAME} small letters, digits and inner hyphens, "
                f'got {name!r}. It is a key of the ledger, so choose one that stays, such as "orders".'
            )
        if name in seen:
            raise ComponentError(
                f"two targets are named {name!r}: an incident belongs to one target, so names must be "
                "unique. Rename one, or join their remedies if it is the same function."
            )
        seen.add(name)
        if len(target["remedies"]) > 1:
            raise ComponentError(
                f"target {name!r}: at most one remedy is tried before people are called, got "
                f"{len(target['remedies'])}. Keep the one most likely to help."
            )
        for remedy in target["remedies"]:
            _check_remedy(target, remedy)


def grants(targets: Sequence[TargetArgs], mode: Mode, arns: Arns) -> list[Statement]:
    """Return the statements that the remedies need: reads always, writes only for a healer that may act.

    What each remedy calls is a data file that the healer's code ships with, so that the two sides cannot
    disagree.
    """
    calls = cast("Mapping[str, Any]", json.loads(CALLS.read_text()))
    resources: dict[tuple[str, ...], list[pulumi.Output[str]]] = {}
    for target in targets:
        arn_of = {"function": arns.function(target["function_name"])}
        for remedy in target["remedies"]:
            call = calls[RemedyKind(remedy["kind"]).value]
            actions: list[str] = call["reads"] + (call["writes"] if mode is Mode.ACT else [])
            resources.setdefault(tuple(actions), []).append(arn_of[call["resource"]])
    return [allow(actions, arns_of_targets) for actions, arns_of_targets in resources.items()]


def _check_remedy(target: TargetArgs, remedy: RemedyArgs) -> None:
    name, variable = target["name"], remedy["variable"]
    if remedy["kind"] not in list(RemedyKind):
        raise ComponentError(
            f"target {name!r}: the kind of a remedy must be one of {', '.join(RemedyKind)}, got "
            f"{remedy['kind']!r}. Write a member of RemedyKind."
        )
    if "alias" in target:
        raise ComponentError(
            f"target {name!r}: remedy `{RemedyKind.ENVIRONMENT}` cannot work on traffic that uses an "
            "alias, because the environment of a published version never changes. Allowed are targets "
            "whose traffic reaches $LATEST. Leave `alias` out if that is so, or give this target no "
            "remedies: incidents are then recorded and told."
        )
    if not _VARIABLE.fullmatch(variable):
        raise ComponentError(
            f"target {name!r}: a variable's name must be at least two letters, digits and underscores, the "
            f"first a letter, got {variable!r}. Write it as it stands in the function's environment."
        )
    if variable.startswith(_RESERVED_PREFIXES) or variable in _LOADERS:
        raise ComponentError(
            f"target {name!r}: a remedy must not set {variable}, which decides what code the function "
            f"runs. Refused are names that start with {' or '.join(_RESERVED_PREFIXES)}, and "
            f"{', '.join(sorted(_LOADERS))}. Let the function read a variable of its own."
        )
