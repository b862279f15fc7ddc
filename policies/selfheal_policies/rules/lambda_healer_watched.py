"""Somebody is told when a healer is down."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings


def is_watched(graph: Graph, healer: Resource) -> bool:
    """Return whether an alarm is on a healer's health. One that names it is judged by rules of its own."""
    for alarm in graph.alarms:
        sight = graph.wiring.watching.sight(alarm)
        if healer.urn in sight.named or healer.urn in sight.meant:
            return True
        if healer.urn in sight.wide and graph.tells_people(alarm):
            return True
    return False


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers whose failure nobody hears of."""
    for healer in graph.healers:
        if healer.name not in config["watchedElsewhere"] and not is_watched(graph, healer):
            yield Finding(
                healer.urn,
                f"no alarm tells people when healer {healer.name} is down: none is on its errors, its lost "
                "events, its queue or its logs",
            )


RULE = StackRule(
    name="lambda-healer-watched",
    level="mandatory",
    severity="high",
    what="An alarm on a healer's own health tells people when it is down.",
    why="A healer that fails in silence is relied on until the incident that it should have ended.",
    fix=(
        "Add a MetricAlarm on the Errors of the healer, or on its dead-letter queue, with a topic for people "
        "in alarm_actions."
    ),
    schema={"watchedElsewhere": strings("Logical names of healers that alarms of another stack watch.")},
    check=check,
)
