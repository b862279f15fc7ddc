"""Arguments of targets, and the checks on them before anything is registered."""

import json
import re
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from selfheal.components import names
from selfheal.components.errors import ComponentError
from selfheal.components.healing.remedies import RemedyArgs, check_remedy, setting_name
from selfheal.functions.shared.contract import Invocation

MAX_TARGET_NAME = 40
"""The name is part of resource names, whose shortest limit is 64 characters."""

MAX_PROBE_BYTES = 1024
"""The probe is part of the healer's environment, which is limited to 4 KB."""

_TARGET_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{MAX_TARGET_NAME - 2}}}[a-z0-9])?")


class TargetArgs(TypedDict):
    """A function to heal."""

    name: str
    """Name in ledger, messages and commands: lower-case letters, digits and hyphens, unique, up to 40."""

    function_name: pulumi.Input[str]
    """Name of the Lambda function, of this stack or another; not its ARN. No other target may have it."""

    alias: NotRequired[pulumi.Input[str]]
    """The alias that its traffic uses. Default: none; traffic reaches $LATEST."""

    instrumented: NotRequired[bool]
    """Whether the function emits `Requests` and `Errors` in namespace `selfheal`. Default false."""

    timeout_seconds: NotRequired[int]
    """The function's timeout, 1 to 900: how late an error may be counted. Default 60; state a longer one."""

    invocation: NotRequired[Invocation]
    """Who invokes it. A throttled request fails only if a caller waits for it. Default SYNCHRONOUS."""

    natural_error_rate: NotRequired[float]
    """Share of requests that fail when the service is healthy; above 0, at most 0.2. Default 0.001."""

    false_alarms_per_year: NotRequired[float]
    """Accepted false alarms per year; above 0, at most 1,000. Default 1."""

    alarm_error_rate: NotRequired[float]
    """Error rate to alarm at; above the natural one, at most 1. Default 0.05, or 10 x natural if more."""

    remedies: list[RemedyArgs]
    """Remedies in the order to try them, each for another setting. If empty, people are only notified."""

    environment_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts the function's environment, which an ENVIRONMENT remedy reads and
    writes. Default: the key that AWS manages, for which no permission is needed."""

    probe: NotRequired[str]
    """Payload of an idempotent request, as JSON of at most 1 KB. Default: no probes are sent."""


def check(targets: Sequence[TargetArgs]) -> None:
    """Raise unless every target is valid and no remedy can be misused.

    Raises:
        ComponentError: when there are no targets, a name is malformed or used twice, two targets are one
            function, two remedies are for one setting, a probe is not JSON or too long, or `check_remedy`
            refuses a remedy.

    """
    if not targets:
        raise ComponentError(
            "targets must name at least one function to look after, got none. "
            'Add one: {"name": "orders", "function_name": ..., "remedies": [...]}.'
        )
    seen: set[str] = set()
    functions: dict[str, str] = {}
    for target in targets:
        name, function = target["name"], target["function_name"]
        check_target_name(name)
        if name in seen:
            raise ComponentError(
                f"two targets are named {name!r}: an incident belongs to one target, so names must be "
                "unique. Rename one, or join their remedies if it is the same function."
            )
        seen.add(name)
        if isinstance(function, str) and functions.setdefault(function, name) != name:
            raise ComponentError(
                f"function {function!r} is target {functions[function]!r} and target {name!r}: both would "
                "act on one failure. Keep one target, with all remedies in the order to try them."
            )
        _check_remedies(target)
        if "probe" in target:
            _check_probe(name, target["probe"])


def named(targets: Sequence[TargetArgs]) -> list[TargetArgs]:
    """Return the targets, with identifiers that are checked now, or as soon as their values are known.

    Raises:
        ComponentError: when one is known and is none.

    """
    checked: dict[tuple[str, int], pulumi.Input[str]] = {}

    def of(kind: names.Identifier, where: str, given: pulumi.Input[str]) -> pulumi.Input[str]:
        # One output stays one: two circuits are the same if their tables are the same output.
        key = kind.what, id(given)
        if key not in checked:
            checked[key] = kind.of(where, given)
        return checked[key]

    found: list[TargetArgs] = []
    for target in targets:
        where = f"target {target['name']!r}:"
        copy: TargetArgs = {
            **target,
            "function_name": of(names.FUNCTION, f"{where} function_name", target["function_name"]),
        }
        if "alias" in target:
            copy["alias"] = of(names.ALIAS, f"{where} alias", target["alias"])
        copy["remedies"] = [{**remedy} for remedy in target["remedies"]]
        for remedy in copy["remedies"]:
            which = f"{where} remedy `{remedy['kind']}`:"
            if "mapping" in remedy:
                remedy["mapping"] = of(names.MAPPING, f"{which} mapping", remedy["mapping"])
            if "circuit_table" in remedy:
                remedy["circuit_table"] = of(names.TABLE, f"{which} circuit_table", remedy["circuit_table"])
        found.append(copy)
    return found


def check_target_name(name: str) -> None:
    """Raise unless a target can have this name. IAM conditions contain it, so wildcards are not allowed.

    Raises:
        ComponentError: when the name is malformed.

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
