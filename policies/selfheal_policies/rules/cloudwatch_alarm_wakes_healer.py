"""An alarm that reports recovery to a healer also reports the failure to it."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the alarms that are wired to a healer but do not wake it when they fire."""
    for healer in graph.healers:
        for alarm in graph.alarms_of(healer):
            if not graph.wakes(alarm, healer, ["ALARM"]):
                yield Finding(
                    alarm.urn,
                    f"{alarm.label} reports to healer {healer.name} only what is no failure",
                    about=healer.urn,
                )


RULE = StackRule(
    name="cloudwatch-alarm-wakes-healer",
    level="mandatory",
    severity="critical",
    what="Every alarm that is wired to a healer wakes it when it fires.",
    why="Otherwise the healer is notified of the end of a failure only, never of its beginning.",
    fix="Give alarm_actions what ok_actions has, or let the event rule's pattern accept the state ALARM.",
    check=check,
)
