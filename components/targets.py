"""Targets: the functions that a healer looks after, checked before anything is registered."""

import json
import re
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from selfheal.components.errors import ComponentError
from selfheal.components.remedies import RemedyArgs, check_remedy, setting_name

MAX_TARGET_NAME = 40
"""A target's name becomes part of resource names, of which the shortest limit is 64 characters."""

MAX_PROBE_BYTES = 1024
"""The probe travels in the healer's environment, which holds 4 KB in all."""

_TARGET_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{MAX_TARGET_NAME - 2}}}[a-z0-9])?")


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
    """What to try, in this order, each on a setting of its own. Empty: people are told, nothing changes."""

    probe: NotRequired[str]
    """Payload of a request, JSON of at most 1 KB. By giving it the owner declares that request idempotent."""


def check(targets: Sequence[TargetArgs]) -> None:
    """Raise unless every target can be looked after and no remedy can be turned against it.

    Raises:
        ComponentError: for no targets, a name that is malformed or given twice, two remedies of one setting,
            a probe that is no JSON or too long, or a remedy that `check_remedy` refuses.

    """
    if not targets:
        raise ComponentError(
            "targets must name at least one function to look after, got none. "
            'Add one: {"name": "orders", "function_name": ..., "remedies": [...]}.'
        )
    seen: set[str] = set()
    for target in targets:
        name = target["name"]
        check_target_name(name)
        if name in seen:
            raise ComponentError(
                f"two targets are named {name!r}: an incident belongs to one target, so names must be "
                "unique. Rename one, or join their remedies if it is the same function."
            )
        seen.add(name)
        _check_remedies(target)
        if "probe" in target:
            _check_probe(name, target["probe"])


def check_target_name(name: str) -> None:
    """Raise unless this can be the name of a target. It is part of keys in IAM conditions: no wildcards.

    Raises:
        ComponentError: when it is malformed.

    """
    if not _TARGET_NAME.fullmatch(name):
        raise ComponentError(
            f"a target's name must be 1 to {MAX_TARGET_NAME} small letters, digits and inner hyphens, "
            f'got {name!r}. It is a key of the ledger, so choose one that stays, such as "orders".'
        )


def _check_remedies(target: TargetArgs) -> None:
    name, alias = target["name"], target.get("alias")
    settings: list[tuple[str, pulumi.Input[str]]] = []
    for remedy in target["remedies"]:
        check_remedy(name, alias is not None, remedy)
        setting = remedy["kind"], setting_name(remedy, alias)
        if setting in settings:
            what = f" on {setting[1]}" if isinstance(setting[1], str) and setting[1] else ""
            raise ComponentError(
                f"target {name!r}: remedy `{remedy['kind']}`{what} is listed twice. The healer tries one "
                "value a setting, and then the next remedy. Keep the one most likely to help."
            )
        settings.append(setting)


def _check_probe(name: str, probe: str) -> None:
    size = len(probe.encode())
    try:
        json.loads(probe)
    except ValueError as error:
        raise ComponentError(
            f"target {name!r}: probe must be the JSON text of a request, got {probe[:80]!r} ({error}). Write "
            "it with json.dumps."
        ) from error
    if size > MAX_PROBE_BYTES:
        raise ComponentError(
            f"target {name!r}: probe must be at most {MAX_PROBE_BYTES} bytes, got {size}. Choose a smaller "
            "request that the service answers without changing anything."
        )
