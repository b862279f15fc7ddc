"""The environment of the healer's function, within Lambda's size limit."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from selfheal.components.errors import ComponentError
from selfheal.components.healing.detection import AlarmRecord
from selfheal.components.healing.remedies import (
    RemedyArgs,
    expiry,
    may_revert_in_alarm,
    setting_name,
    setting_value,
)
from selfheal.components.healing.targets import TargetArgs
from selfheal.functions.shared.contract import (
    DEFAULT_INVOCATION,
    DEFAULT_NATURAL_ERROR_RATE,
    DEFAULT_TIMEOUT_SECONDS,
    PERIODS,
    AlarmKind,
    Invocation,
    RemedyKind,
)

MAX_ENVIRONMENT_BYTES = 4096
"""Size of all names and values together. Source: AWS Lambda developer guide, "Lambda quotas"."""


def environment(
    variables: Mapping[str, pulumi.Input[str]], targets: Sequence[tuple[TargetArgs, Sequence[AlarmRecord]]]
) -> Mapping[str, pulumi.Input[str]]:
    """Return the environment variables, TARGETS among them.

    If a target has a mapping to pause, TARGETS is unknown at preview. The other variables stay known, so that
    a policy can read the mode and the budget.

    Args:
        variables: All but TARGETS.
        targets: Each target and its alarms.

    Raises:
        ComponentError: inside TARGETS, when all together are larger than Lambda allows.

    """
    described = pulumi.Output.json_dumps([_describe(*target) for target in targets], separators=(",", ":"))
    count = len(targets)
    everything = pulumi.Output.all(**variables, TARGETS=described)
    return {**variables, "TARGETS": everything.apply(lambda known: _checked(known, count))}


def _describe(target: TargetArgs, alarms: Sequence[AlarmRecord]) -> Mapping[str, Any]:
    """Describe a target in few bytes: what is the default is left out."""
    described: dict[str, Any] = {
        "name": target["name"],
        "function": target["function_name"],
        "alarms": [_describe_alarm(alarm) for alarm in alarms],
        "remedies": [_describe_remedy(remedy, target.get("alias")) for remedy in target["remedies"]],
    }
    natural = target.get("natural_error_rate", DEFAULT_NATURAL_ERROR_RATE)
    if natural != DEFAULT_NATURAL_ERROR_RATE:
        described["natural_error_rate"] = natural
    if (timeout := target.get("timeout_seconds", DEFAULT_TIMEOUT_SECONDS)) != DEFAULT_TIMEOUT_SECONDS:
        described["timeout"] = timeout
    if (invocation := target.get("invocation", DEFAULT_INVOCATION)) != DEFAULT_INVOCATION:
        described["invocation"] = Invocation(invocation).value
    if "alias" in target:
        described["alias"] = target["alias"]
    if "probe" in target:
        described["probe"] = target["probe"]
    return described


def _describe_alarm(alarm: AlarmRecord) -> Mapping[str, Any]:
    described: dict[str, Any] = {**alarm}
    if alarm["period"] == PERIODS[AlarmKind(alarm["kind"])]:
        del described["period"]
    if alarm["periods"] == 1:
        del described["periods"]
    return described


def _describe_remedy(remedy: RemedyArgs, alias: pulumi.Input[str] | None) -> Mapping[str, Any]:
    """Describe a remedy in few bytes: defaults are left out."""
    described: dict[str, Any] = {
        "kind": RemedyKind(remedy["kind"]).value,
        "name": setting_name(remedy, alias),
        "value": setting_value(remedy),
    }
    if may_revert_in_alarm(remedy):
        described["revert_safe"] = True
    if (seconds := expiry(remedy)) is not None:
        described["expires_after"] = seconds
    if "baseline" in remedy:
        described["baseline"] = remedy["baseline"]
    return described


def _checked(variables: Mapping[str, str], targets: int) -> str:
    """Return TARGETS, if the environment is not too large."""
    size = sum(len(key.encode()) + len(value.encode()) for key, value in variables.items())
    if size > MAX_ENVIRONMENT_BYTES:
        raise ComponentError(
            f"the healer's environment is {size} bytes, of which TARGETS takes "
            f"{len(variables['TARGETS'].encode())} for {targets} targets; Lambda allows "
            f"{MAX_ENVIRONMENT_BYTES} in all. Share the targets out over two Healer components, each with a "
            "ledger of its own."
        )
    return variables["TARGETS"]
