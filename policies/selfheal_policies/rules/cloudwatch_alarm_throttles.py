"""No alarm on throttles wakes what may cause them."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.metrics import metrics_of
from selfheal_policies.queries import queries_in
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings

LIMITS = "lambda:putfunctionconcurrency"
METRIC = "Throttles"


def counts_throttles(alarm: Resource) -> bool:
    """Return whether an alarm counts the calls of functions that were refused, and no other failures."""
    failures = {metric.name for metric in metrics_of(alarm) if metric.fails}
    for metric in metrics_of(alarm):
        if isinstance(metric.expression, str):
            failures |= {each.metric for each in queries_in(metric.expression) if each.metric}
    return failures == {METRIC}


def limited(graph: Graph, healer: Resource, watched: frozenset[str]) -> str:
    """Return on which of these functions a healer may limit concurrency; empty for none."""
    for write in graph.access(healer).writes:
        if write.action.lower() == LIMITS:
            node = write.named(graph.index)
            if node is None or node.key in watched:
                return node.name if node else str(write.resource)
    return ""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the alarms on throttles that wake a healer which may limit the concurrency of what they watch."""
    trees = graph.wiring.trees
    waking = graph.wake_alarms.values()
    counting = {alarm.urn: list(filter(counts_throttles, trees.metric_alarms(alarm))) for alarm in waking}
    for healer in graph.healers:
        for alarm in graph.alarms_of(healer):
            for each in counting[alarm.urn]:
                function = limited(graph, healer, graph.wiring.watched(each))
                if function and alarm.name not in config["alarms"]:
                    yield Finding(
                        each.urn,
                        f"{each.label} counts throttles and wakes healer {healer.name}, which may "
                        f"lambda:PutFunctionConcurrency on {function}: its own act makes the alarm ring",
                        about=healer.urn,
                    )


RULE = StackRule(
    name="cloudwatch-alarm-throttles",
    level="mandatory",
    severity="high",
    what="No alarm on the throttles of a function wakes a healer that may limit its concurrency.",
    why="The limit throttles more calls, the alarm rings on, and the healer limits on.",
    fix=(
        "Let the alarm watch Errors, or only tell people of throttles; or take lambda:PutFunctionConcurrency "
        "from the healer."
    ),
    schema={"alarms": strings("Logical names of alarms on throttles whose healer only raises the limit.")},
    check=check,
)
