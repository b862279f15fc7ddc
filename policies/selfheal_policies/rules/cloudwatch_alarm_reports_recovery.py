"""An alarm that wakes a healer also reports recovery to it."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the alarms that wake a healer and do not report recovery to it."""
    for healer in graph.healers:
        for alarm in graph.alarms_of(healer):
            if not graph.wakes(alarm, healer, ["OK"]):
                yield Finding(
                    alarm.urn,
                    f"{alarm.label} wakes healer {healer.name} and does not report recovery to it",
                    about=healer.urn,
                )


RULE = StackRule(
    name="cloudwatch-alarm-reports-recovery",
    level="mandatory",
    severity="high",
    what="Every alarm that wakes a healer reports recovery to the same healer.",
    why="A healer that is not notified of recovery keeps changing a healthy service, or never stops.",
    fix="Give ok_actions what alarm_actions has, or let the event rule's pattern accept the state OK.",
    check=check,
)
