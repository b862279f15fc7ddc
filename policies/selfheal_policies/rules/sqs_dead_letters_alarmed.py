"""People hear of dead letters."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, entries, flag, get

METRICS = ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")
"""NumberOfMessagesSent is none of them: it does not count what a redrive policy moves."""


def tells(graph: Graph, alarm: Resource, metrics: Iterable[str]) -> bool:
    """Return whether an alarm on a queue fires for messages that lie there, and a person hears of it."""
    enabled = flag(alarm.get("actionsEnabled"))
    named = [alarm.get("metricName")]
    named += [get(query, "metric", "metricName") for query in entries(alarm.get("metricQueries"))]
    fires = alarm.type == types.COMPOSITE_ALARM or any(name in metrics for name in named)
    return fires and (enabled is True or enabled is ABSENT) and graph.reaches_people(alarm)


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the dead-letter queues that no alarm watches."""
    for queue in graph.dead_letters.queues.values():
        watching = [alarm for alarm in graph.alarms if queue.urn in graph.wiring.watched(alarm)]
        if not any(tells(graph, alarm, config["metrics"]) for alarm in watching):
            yield Finding(queue.urn, f"no alarm tells people of messages in dead-letter {queue.label}")


RULE = StackRule(
    name="sqs-dead-letters-alarmed",
    level="advisory",
    resilience=True,
    severity="high",
    what="Every dead-letter queue is watched by an alarm on its depth or age that tells people.",
    why="Letters that nobody hears of expire, and with them what customers asked for.",
    fix=(
        "Add a MetricAlarm on ApproximateNumberOfMessagesVisible of the queue, with a topic in alarm_actions "
        "that reaches people."
    ),
    schema={"metrics": strings("Metrics of AWS/SQS of which one is watched.", METRICS)},
    check=check,
)
