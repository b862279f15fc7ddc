"""Alarms that wake a healer, or watch one, have their actions enabled."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.values import ABSENT, flag


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the alarms of healers whose actions are switched off, or may be."""
    for alarm in (graph.wake_alarms | graph.health_alarms).values():
        value = alarm.get("actionsEnabled")
        if flag(value) is not True and value is not ABSENT:
            state = "switched off" if flag(value) is False else "not known at preview"
            message = f"the actions of {alarm.label} are {state} (actionsEnabled)"
            yield Finding(alarm.urn, message, about=graph.concerned(alarm))


RULE = StackRule(
    name="cloudwatch-alarm-actions-enabled",
    level="mandatory",
    severity="critical",
    what="The actions of every alarm that wakes a healer, or that watches one, are enabled.",
    why="An alarm whose actions are disabled changes state without notifying anyone or starting a healer.",
    fix="Set actions_enabled to true or leave it out. To silence a healer for a while, use its mode instead.",
    check=check,
)
