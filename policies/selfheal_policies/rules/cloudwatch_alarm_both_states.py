"""An alarm around a healer can be red, and can be green."""

from collections.abc import Iterable, Iterator

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.metrics import API, COUNTED, Metric, metrics_of
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, number
from selfheal_policies.watching import Watching

ABOVE = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")
BELOW = ("LessThanThreshold", "LessThanOrEqualToThreshold")


def standing(alarm: Resource) -> str:
    """Return why a metric alarm is always red, or never, while there is data; empty if it can be both."""
    metrics = metrics_of(alarm)
    threshold, operator = number(alarm.get("threshold")), alarm.get("comparisonOperator")
    if len(metrics) != 1 or not isinstance(threshold, float) or alarm.get("thresholdMetricId") is not ABSENT:
        return ""
    [metric] = metrics
    said = f"{metric.name} {operator} {threshold:g}"
    equal = str(operator).endswith("OrEqualToThreshold")
    # The sum of what CloudWatch counts and measures for these services is 0 or more.
    passes_zero = threshold <= 0 if equal else threshold < 0
    if metric.namespace in COUNTED and metric.expression is ABSENT:
        if operator in ABOVE and passes_zero:
            return f"is always red, for {said} holds without any failure"
        if operator in BELOW and (threshold < 0 if equal else threshold <= 0):
            return f"is never red, for {said} never holds"
    if not metric.fails:
        return ""
    if operator in BELOW:
        return f"is red while nothing fails, for it rings when {said}"
    if metric.statistic == "SampleCount" and (threshold <= 1 if equal else threshold < 1):
        return f"is red with every call, for the SampleCount of {metric.name} counts calls, not failures"
    return ""


def sparse(watching: Watching, alarm: Resource) -> str:
    """Return why an alarm fires while nobody calls; empty if it does not."""
    metrics = metrics_of(alarm)
    if alarm.get("treatMissingData") != "breaching" or alarm.get("comparisonOperator") not in ABOVE:
        return ""
    plain = [each for each in metrics if each.expression is ABSENT]
    filled = any("FILL" in str(each.expression).upper() for each in metrics)
    if not plain or filled or not all(_silent(watching, each) for each in plain):
        return ""
    return (
        f"is red while nothing happens, for {plain[0].name} has no data then, and missing data is breaching"
    )


def _silent(watching: Watching, metric: Metric) -> bool:
    return watching.silent(metric) or metric.namespace == API


def problems(graph: Graph, alarm: Resource) -> Iterator[tuple[Resource, str]]:
    """Yield what keeps an alarm, or one of those that a composite alarm asks, in one state."""
    watching, trees = graph.wiring.watching, graph.wiring.trees
    if alarm.type == types.COMPOSITE_ALARM:
        rule = trees.rule(alarm)
        if rule.always:
            yield alarm, "is always red, for its rule (alarmRule) always holds"
        elif rule.when_well:
            yield (
                alarm,
                "is red while nothing fails, for its rule (alarmRule) holds when all that it asks is OK",
            )
        if rule.never:
            yield alarm, "is never red, for its rule (alarmRule) never holds"
    for each in trees.metric_alarms(alarm):
        problem = standing(each) or (alarm.urn in graph.wake_alarms and sparse(watching, each))
        if problem:
            yield each, problem


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the alarms of healers that say nothing, for they are in one state."""
    judged = (graph.wake_alarms | graph.health_alarms).values()
    found = dict.fromkeys(each for alarm in judged for each in problems(graph, alarm))
    for alarm, problem in found:
        if alarm.name not in config["alarms"]:
            yield Finding(alarm.urn, f"{alarm.label} {problem}", about=graph.concerned(alarm))


RULE = StackRule(
    name="cloudwatch-alarm-both-states",
    level="mandatory",
    severity="high",
    what="An alarm that wakes a healer, or watches one, can be red and can be green.",
    why="An alarm that is always red has a healer act on a healthy service; one that never is wakes nobody.",
    fix=(
        "Compare a count of failures with 1 or more, treat missing data as notBreaching, and have the "
        "rule of a composite alarm ask for an alarm that is red, without TRUE and FALSE."
    ),
    schema={"alarms": strings("Logical names of alarms that are meant to be so, such as drills.")},
    check=check,
)
