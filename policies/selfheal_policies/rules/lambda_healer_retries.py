"""A healer's events are retried seldom and expire soon."""

import json
from collections.abc import Iterable
from typing import Any

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, integer
from selfheal_policies.values import ABSENT, UNKNOWN, get, number, plain
from selfheal_policies.wiring import ASYNCHRONOUS, Link

LATEST = "$LATEST"
LAMBDA_RETRIES = 2
LAMBDA_AGE_SECONDS = 21_600
"""Lambda's own defaults. Source: AWS Lambda API reference, PutFunctionEventInvokeConfig."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers whose events are tried too often or kept for too long."""
    for healer in graph.healer_functions:
        links = [link for link in graph.wake_links(healer) if link.target.key == healer.urn]
        yield from _events(graph, healer, links, config)
        yield from _messages(graph, healer, links, config["maximumReceives"])


def _events(graph: Graph, healer: Resource, links: Iterable[Link], config: Config) -> Iterable[Finding]:
    found = {_qualifier(graph, each): each for each in graph.wiring.invoke_configs(healer)}
    for qualifier in {link.target.qualifier or LATEST for link in links if link.kind in ASYNCHRONOUS}:
        limits = found.get(qualifier) or found.get("")
        if limits:
            yield from limit_problems(healer, limits, config)
        elif found or graph.wiring.failure_destinations(healer):
            yield Finding(
                healer.urn,
                f"no FunctionEventInvokeConfig limits the events of healer {healer.name} ({qualifier}), so "
                f"Lambda retries {LAMBDA_RETRIES} times within {LAMBDA_AGE_SECONDS} s",
            )
        # With neither, lambda-failure-destination asks for the resource that this rule judges.


def _qualifier(graph: Graph, config: Resource) -> str:
    """Return the alias or version that a configuration is for; nothing if that is not known."""
    value = config.get("qualifier")
    if value is UNKNOWN:
        return ""
    nodes = graph.index.follow_quietly(config, "functionName", ("function",))
    return value if isinstance(value, str) and value else (nodes[0].qualifier if nodes else "") or LATEST


def limit_problems(healer: Resource, limits: Resource, config: Config) -> Iterable[Finding]:
    """Yield the limits on events that are too high or not known."""
    for key, default, most, what in (
        ("maximumRetryAttempts", LAMBDA_RETRIES, config["maximumRetries"], "retries"),
        (
            "maximumEventAgeInSeconds",
            LAMBDA_AGE_SECONDS,
            config["maximumAgeSeconds"],
            "seconds of an event's age",
        ),
    ):
        value = limits.get(key)
        # The provider writes 0 for an age that was left out; Lambda's own least is 60.
        missing = value is ABSENT or (key == "maximumEventAgeInSeconds" and value == 0)
        limit = number(default if missing else value)
        if limit is UNKNOWN:
            text = "is not known at preview"
        elif limit is ABSENT:
            text = f"is {value!r}, which is no number"
        elif 0 <= limit <= most:
            continue
        else:
            text = f"allows {limit:g} {what}; at most {most:g} are allowed"
        yield Finding(limits.urn, f"{key} of {limits.name}, for healer {healer.name}, {text}")


def _messages(graph: Graph, healer: Resource, links: Iterable[Link], most: float) -> Iterable[Finding]:
    for link in links:
        queue = graph.index.by_urn.get(link.source)
        if link.kind == "mapping" and queue:
            yield from queue_problems(healer, queue, most)


def queue_problems(healer: Resource, queue: Resource, most: float) -> Iterable[Finding]:
    """Yield why a queue gives a healer a message too often. lambda-failure-destination asks for one."""
    value = queue.get("redrivePolicy")
    if value in (ABSENT, ""):
        return
    receives = number(_receives(value))
    if receives is UNKNOWN:
        text = "is not known at preview (write the dead-letter queue's ARN with Output.concat from its name)"
    elif receives is ABSENT:
        text = "has no maxReceiveCount"
    elif 0 < receives <= most:
        return
    else:
        text = f"lets a message be tried {receives:g} times; at most {most:g} are allowed"
    yield Finding(
        queue.urn, f"the redrive policy of queue {queue.name}, which wakes healer {healer.name}, {text}"
    )


def _receives(policy: Any) -> Any:
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except (ValueError, RecursionError):
            return ABSENT
    return get(plain(policy), "maxReceiveCount")


RULE = StackRule(
    name="lambda-healer-retries",
    level="mandatory",
    severity="medium",
    what="An event that a healer fails on is retried seldom and is not kept for long.",
    why="A retried or old event makes a healer act on an outage that is over.",
    fix=(
        "Give the function, or the alias that is invoked, a FunctionEventInvokeConfig with "
        "maximum_retry_attempts 0 and maximum_event_age_in_seconds 60, and a queue that wakes it a redrive "
        "policy with a small maxReceiveCount."
    ),
    schema={
        "maximumRetries": integer("Most retries of an asynchronous event.", 0, minimum=0, maximum=2),
        "maximumAgeSeconds": integer(
            "Longest that Lambda may keep an event for a healer, in seconds.", 300, minimum=60, maximum=21600
        ),
        "maximumReceives": integer("Largest maxReceiveCount of a queue that wakes a healer.", 3),
    },
    check=check,
)
