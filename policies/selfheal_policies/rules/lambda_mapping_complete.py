"""Event source mappings on the way to a healer are enabled and do not filter."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.values import ABSENT, flag
from selfheal_policies.wiring import is_filtered


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the mappings on the way to a healer that are switched off or filter."""
    for via in graph.wake_vias("mapping"):
        enabled = via.get("enabled")
        if enabled is not ABSENT and flag(enabled) is not True:
            state = (
                "is not enabled" if flag(enabled) is False else "may be switched off (not known at preview)"
            )
            yield Finding(via.urn, f"{via.label}, by which a healer is woken, {state}")
        if is_filtered(via):
            yield Finding(via.urn, f"{via.label}, by which a healer is woken, filters messages")


RULE = StackRule(
    name="lambda-mapping-complete",
    level="mandatory",
    severity="high",
    what="Every event source mapping on the way to a healer is enabled and has no filter.",
    why="Notifications pile up in the queue, or are dropped, and no healer receives them.",
    fix="Set enabled to true and remove filter_criteria.",
    check=check,
)
