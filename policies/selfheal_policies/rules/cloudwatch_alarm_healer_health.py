"""An alarm on a healer's own health notifies people only."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, listed


def watches(graph: Graph, alarm: Resource) -> str:
    """Return how an alarm is on a healer's health."""
    sight = graph.wiring.watching.sight(alarm)
    if any(healer.urn in sight.named for healer in graph.healers):
        return "watches a healer's own health"
    covered = {healer.name for healer in graph.healers if healer.urn in sight.wide}
    if covered:
        return f"watches healer {listed(covered)} among others"
    tables = graph.ledgers.keys() & sight.named
    names = {graph.index.by_urn[key].name for key in tables if key in graph.index.by_urn}
    return f"watches the table that a healer writes to ({listed(names)})"


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the alarms on a healer's health that wake a healer, or nobody."""
    for alarm in graph.health_alarms.values():
        woken = {healer.name for healer in graph.healers if graph.wakes(alarm, healer)}
        if woken:
            message = f"{alarm.label} {watches(graph, alarm)} and wakes healer {listed(woken)}"
            yield Finding(alarm.urn, message, about=graph.concerned(alarm))
        elif not graph.tells_people(alarm):
            message = f"{alarm.label} watches a healer's own health and reaches no person"
            yield Finding(alarm.urn, message, about=graph.concerned(alarm))


RULE = StackRule(
    name="cloudwatch-alarm-healer-health",
    level="mandatory",
    severity="critical",
    what="An alarm on a healer's own health goes to people, and to people only.",
    why="A healer that its own failure wakes fails again, in a loop that runs until somebody stops it.",
    fix=(
        "Let alarm_actions and ok_actions of this alarm name only a topic for people. An alarm that should "
        "wake the healer names its targets: without dimensions, or with a query that selects the healer as "
        "well, it counts the healer's failures too."
    ),
    check=check,
)
