"""Somebody is told when a healer is down."""

from collections.abc import Iterable

from selfheal_policies.alarm_trees import AlarmTrees
from selfheal_policies.graph import Graph
from selfheal_policies.metrics import metrics_of
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.rules.cloudwatch_alarm_both_states import ABOVE

BUSY = ("ConcurrentExecutions", "Invocations", "ProvisionedConcurrentExecutions")
"""Metrics of Lambda that are high where a function has much to do, and say nothing of failures then."""


def is_on_health(trees: AlarmTrees, alarm: Resource) -> bool:
    """Return whether an alarm rings for failures, or for silence, and not only where there is much to do."""
    below = (each for each in trees.metric_alarms(alarm) if each.get("comparisonOperator") in ABOVE)
    busy = {each.urn for each in below if all(one.name in BUSY for one in metrics_of(each))}
    return any(each.urn not in busy for each in trees.metric_alarms(alarm))


def watched(graph: Graph) -> set[str]:
    """Return the keys of all on whose health an alarm is. One that names it is judged by rules of its own."""
    found: set[str] = set()
    for alarm in graph.alarms:
        sight = graph.wiring.watching.sight(alarm)
        if not is_on_health(graph.wiring.trees, alarm):
            continue
        found |= sight.named | sight.meant
        if sight.wide and graph.tells_people(alarm):
            found |= sight.wide
    return found


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers whose failure nobody hears of."""
    keys = watched(graph) if graph.healers else set[str]()
    for healer in graph.healers:
        if healer.name not in config["watchedElsewhere"] and healer.urn not in keys:
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
