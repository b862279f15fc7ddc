"""Events that cannot be delivered to a target are tried for a while and then kept."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, integer
from selfheal_policies.values import ABSENT, UNKNOWN, number

LIMITS = (
    ("maximumEventAgeInSeconds", "maximumAgeSeconds", "seconds of an event's age"),
    ("maximumRetryAttempts", "maximumRetries", "retries"),
)


def ticks(graph: Graph, target: Resource) -> bool:
    """Return whether a target is of a schedule: a tick that is lost is made good by the next."""
    rules = [node.resource for node in graph.index.follow_quietly(target, "rule", (arns.RULE,))]
    return bool(rules) and all(
        rule and rule.get("scheduleExpression") is not ABSENT and rule.get("eventPattern") is ABSENT
        for rule in rules
    )


def problems(graph: Graph, target: Resource, config: Config) -> Iterable[str]:
    """Yield what a target lacks, each as a sentence."""
    if graph.dead_letters.ending_of(target) is None:
        yield f"{target.label} has no dead-letter queue: an event that cannot be delivered is dropped"
    for key, setting, what in LIMITS:
        limit = number(target.get("retryPolicy", key))
        if limit is UNKNOWN:
            yield f"`{key}` of {target.label} is not known at preview"
        elif limit is ABSENT:
            yield f"{target.label} does not say how many {what} it allows (`retryPolicy.{key}`)"
        elif limit > config[setting]:
            yield f"{target.label} allows {limit:g} {what}; at most {config[setting]:g}"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the targets of events that lose some, or try as long as EventBridge likes."""
    for target in graph.index.of(types.EVENT_TARGET):
        if not ticks(graph, target):
            yield from (Finding(target.urn, told) for told in problems(graph, target, config))


RULE = StackRule(
    name="events-target-undelivered",
    level="advisory",
    resilience=True,
    severity="high",
    what="Every target of a rule on events has a dead-letter queue and a retry policy.",
    why="EventBridge tries for up to a day, and then drops the event without a trace.",
    fix=(
        "Set dead_letter_config, and retry_policy with maximum_event_age_in_seconds and "
        "maximum_retry_attempts; let the queue's policy allow events.amazonaws.com to send."
    ),
    schema={
        "maximumAgeSeconds": integer("Most seconds of an event's age.", 86_400, minimum=60),
        "maximumRetries": integer("Most retries.", 185, minimum=0),
    },
    check=check,
)
