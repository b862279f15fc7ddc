"""An alarm on a healer's own health notifies people only."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, listed


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the alarms on a healer's health that wake a healer, or nobody."""
    for alarm in graph.health_alarms.values():
        woken = {healer.name for healer in graph.healers if graph.wakes(alarm, healer)}
        if woken:
            yield Finding(
                alarm.urn, f"{alarm.label} watches a healer's own health and wakes healer {listed(woken)}"
            )
        elif not graph.reaches_people(alarm):
            yield Finding(alarm.urn, f"{alarm.label} watches a healer's own health and reaches no person")


RULE = StackRule(
    name="cloudwatch-alarm-healer-health",
    level="mandatory",
    severity="critical",
    what="An alarm on a healer's own health goes to people, and to people only.",
    why="A healer that its own failure wakes fails again, in a loop that runs until somebody stops it.",
    fix="Let alarm_actions and ok_actions of this alarm name only a topic for people.",
    check=check,
)
