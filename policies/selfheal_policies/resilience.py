"""Whether a stack demands the rules on resilience: its configuration key `resilience`, of its project.

Pulumi tells a pack the configuration of the stack in ConfigureStack, before it asks for the policies and
their levels. The SDK for packs drops it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pulumi_policy import EnforcementLevel, Policy

from selfheal_policies import protocol

ADVISED, REQUIRED = "advised", "required"
"""The values of the key; the first is the default."""

KEY = "resilience"


def demanded_by_stack(policies: Collection[Policy]) -> None:
    """Have these policies be mandatory in a stack that demands it, and advice elsewhere.

    Call it before serving the pack.
    """

    def look(request: Any) -> str:
        value = chosen(request.project, request.config)
        level = EnforcementLevel.MANDATORY if value == REQUIRED else EnforcementLevel.ADVISORY
        for policy in policies:
            policy.enforcement_level = level
        return problem(value)

    protocol.before("ConfigureStack", look)


def chosen(project: str, config: Mapping[str, str]) -> str:
    """Return what the stack's configuration says, whatever it is; ADVISED if it says nothing."""
    return config.get(f"{project}:{KEY}") or ADVISED


def problem(value: str) -> str:
    """Return what is wrong with a value, for people; empty if nothing is."""
    if value in (ADVISED, REQUIRED):
        return ""
    return (
        f"the stack's configuration says {KEY}: {value}, and it must be {ADVISED} or {REQUIRED}. "
        f"Correct it: `pulumi config set {KEY} {REQUIRED}`."
    )
