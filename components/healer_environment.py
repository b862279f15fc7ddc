"""What the healer's code is told: its environment, within Lambda's limit."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.detection import DEFAULT_NATURAL_ERROR_RATE, AlarmRecord
from components.errors import ComponentError
from components.remedies import RemedyKind, TargetArgs

MAX_ENVIRONMENT_BYTES = 4096
"""All names and values together. Source: AWS Lambda developer guide, "Lambda quotas"."""


def environment(
    variables: Mapping[str, pulumi.Input[str]], targets: Sequence[tuple[TargetArgs, Sequence[AlarmRecord]]]
) -> pulumi.Output[Mapping[str, str]]:
    """Return the environment variables, TARGETS among them.

    Args:
        variables: All but TARGETS.
        targets: Each target and its alarms.

    Raises:
        ComponentError: inside the output, when they are larger than Lambda allows.

    """
    described = pulumi.Output.json_dumps([_describe(*target) for target in targets], separators=(",", ":"))
    count = len(targets)
    return pulumi.Output.all(**variables, TARGETS=described).apply(lambda known: _checked(known, count))


def _describe(target: TargetArgs, alarms: Sequence[AlarmRecord]) -> Mapping[str, Any]:
    return {
        "name": target["name"],
        "function": target["function_name"],
        "natural_error_rate": target.get("natural_error_rate", DEFAULT_NATURAL_ERROR_RATE),
        "alarms": list(alarms),
        "remedies": [
            {
                "kind": RemedyKind(remedy["kind"]).value,
                "variable": remedy["variable"],
                "value": remedy["value"],
                "revert_safe": remedy.get("revert_safe", False),
            }
            for remedy in target["remedies"]
        ],
    }


def _checked(variables: Mapping[str, str], targets: int) -> Mapping[str, str]:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in variables.items())
    if size > MAX_ENVIRONMENT_BYTES:
        raise ComponentError(
            f"the healer's environment is {size} bytes, of which TARGETS takes "
            f"{len(variables['TARGETS'].encode())} for {targets} targets; Lambda allows "
            f"{MAX_ENVIRONMENT_BYTES} in all. Share the targets out over two Healer components, each with a "
            "ledger of its own."
        )
    return variables
