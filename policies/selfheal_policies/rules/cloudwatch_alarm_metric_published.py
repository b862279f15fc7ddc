"""An alarm around a healer is on a metric that AWS publishes."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings


def concerned(graph: Graph) -> list[Resource]:
    """Return the alarms that wake a healer, watch one, or were meant to watch one."""
    healers = {healer.urn for healer in graph.healers}
    judged = graph.wake_alarms | graph.health_alarms
    meant = [alarm for alarm in graph.alarms if graph.wiring.watching.sight(alarm).meant & healers]
    return list((judged | {alarm.urn: alarm for alarm in meant}).values())


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the alarms that get no data for ever."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for alarm in concerned(graph):
        for child, problem in graph.wiring.watching.sight(alarm).problems:
            if child.get("namespace") not in config["namespaces"]:
                found[child.urn, problem] = child.label, graph.concerned(alarm)
        if alarm.type == types.COMPOSITE_ALARM and graph.wiring.trees.asks_itself(alarm):
            problem = "its rule asks itself, and CloudWatch does not evaluate a circle"
            found[alarm.urn, problem] = alarm.label, graph.concerned(alarm)
    for (urn, problem), (label, healer) in found.items():
        yield Finding(urn, f"{label} watches nothing: {problem}", about=healer)


RULE = StackRule(
    name="cloudwatch-alarm-metric-published",
    level="mandatory",
    severity="critical",
    what="An alarm that wakes a healer, or watches one, is on a metric that AWS publishes.",
    why="An alarm on a metric that does not exist gets no data and stays as it is, whatever fails.",
    fix=(
        "Give the dimensions as the metric has them: FunctionName and QueueName are names (the `name` "
        "output, which is known at preview), an alias is FunctionName and Resource (function:alias) together."
    ),
    schema={"namespaces": strings("Namespaces of which you publish metrics with these names yourself.")},
    check=check,
)
