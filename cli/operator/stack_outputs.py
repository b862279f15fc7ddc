"""The outputs of a stack, as the Pulumi CLI tells them if it does so soon."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.cli.processes import run_quietly
from selfheal.functions.status.picture import printable

PULUMI_SECONDS = 3.0
"""How long Pulumi may take: it hangs if its backend does not answer, and an incident does not wait."""

NO_STACK = "no stack named"
"""Begins the Pulumi CLI's error where its backend has no such stack."""


def stack_outputs(access: AwsAccess, folder: Path, stack: str) -> tuple[Mapping[str, Any] | None, str]:
    """Return the outputs of a stack; or None and, for people, why they are not known.

    Args:
        access: Where AWS is, and the Pulumi CLI.
        folder: Where the project is looked for.
        stack: The stack's name, as Pulumi takes it.

    """
    if access.pulumi is None:
        return None, "there is no Pulumi CLI"
    command = [str(access.pulumi), "stack", "output", "--json", "--stack", stack, "--non-interactive"]
    environment = {**access.environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    done = run_quietly(command, PULUMI_SECONDS, environment=environment, folder=folder)
    if done is None:
        return None, f"Pulumi did not answer within {PULUMI_SECONDS:.0f} s"
    if done.code:
        hint = "; name another with -s" if NO_STACK in done.reason else ""
        reason = f" ({printable(done.reason)}{hint})" if done.reason else ""
        return None, f"Pulumi does not tell the outputs of stack {stack}{reason}"
    try:
        outputs = json.loads(done.output)
    except ValueError:
        outputs = None
    if not isinstance(outputs, dict):
        return None, "Pulumi's answer could not be read"
    return cast("dict[str, Any]", outputs), ""
