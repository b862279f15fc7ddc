"""What several rules read of a resource or its healer."""

from collections.abc import Iterable
from typing import Any

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Finding

FUNCTION = "aws:lambda/function:Function"
LATEST = "$LATEST"


def environment(function: Resource, variable: str) -> Any:
    """Return a variable of a function's environment: a value, UNKNOWN, or ABSENT."""
    return function.get("environment", "variables", variable)


def stack_of(urn: str) -> str:
    """Return the name of a resource's stack. One process may judge several stacks."""
    return urn.split("::", 1)[0].removeprefix("urn:pulumi:")


def subjects(graph: Graph) -> list[Resource]:
    """Return what an alarm can reach, but for what is known to change nothing: healers, or maybe."""
    notifiers = {notifier.urn for notifier in graph.notifiers}
    return [actor for actor in graph.reached if actor.urn not in notifiers]


def healer_functions(graph: Graph) -> list[Resource]:
    """Return the healers that are functions."""
    return [healer for healer in graph.healers if healer.type == FUNCTION]


def distinct(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Return each finding once, in order."""
    return dict.fromkeys(findings)
