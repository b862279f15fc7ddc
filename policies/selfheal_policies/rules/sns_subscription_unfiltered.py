"""Subscriptions on the way to a healer have no filter policy."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.values import UNKNOWN
from selfheal_policies.wiring import is_filtered


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the subscriptions on the way to a healer that have a filter policy."""
    for via in graph.wake_vias("subscription"):
        if is_filtered(via):
            problem = "may have" if via.get("filterPolicy") is UNKNOWN else "has"
            yield Finding(via.urn, f"{via.label}, by which a healer is woken, {problem} a filter policy")


RULE = StackRule(
    name="sns-subscription-unfiltered",
    level="mandatory",
    severity="high",
    what="No subscription on the way from an alarm to a healer has a filter policy.",
    why="CloudWatch sends no message attributes, so a filter silently drops alarms or their recovery.",
    fix="Remove filter_policy; a healer reads the alarm's state itself and needs no filter.",
    check=check,
)
