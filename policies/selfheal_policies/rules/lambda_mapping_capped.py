"""What is in a queue cannot flood what its consumer calls."""

from collections.abc import Iterable

from selfheal_policies.consumers import Consumer, of_queues
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, integer
from selfheal_policies.values import ABSENT, UNKNOWN, number

LEAST = 2
"""Least MaximumConcurrency that AWS takes."""


def problem(consumer: Consumer, most: float) -> str:
    """Return what is wrong with the cap of a consumer; empty if nothing is."""
    cap = number(consumer.mapping.get("scalingConfig", "maximumConcurrency"))
    if cap is UNKNOWN:
        return f"the maximum concurrency of {consumer.label} is not known at preview"
    if cap is ABSENT:
        return f"{consumer.label} has no maximum concurrency"
    if cap > most:
        return f"{consumer.label} has a maximum concurrency of {cap:g}; at most {most:g} is expected"
    function = consumer.function
    reserved = number(function.get("reservedConcurrentExecutions")) if function else ABSENT
    # Below it there is no smaller cap, and -1 reserves nothing.
    if function and isinstance(reserved, float) and LEAST <= reserved < cap:
        return (
            f"{consumer.label} has a maximum concurrency of {cap:g}, more than the {reserved:g} reserved "
            f"for {function.label}: the rest is throttled"
        )
    return ""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the consumers of queues that have no cap."""
    for consumer in of_queues(graph.index):
        told = problem(consumer, config["maximum"])
        if told:
            yield Finding(consumer.mapping.urn, told)


RULE = StackRule(
    name="lambda-mapping-capped",
    level="advisory",
    resilience=True,
    severity="high",
    what="Every consumer of a queue has a maximum concurrency, not above what is reserved for its function.",
    why="Without it a backlog is worked off by up to 1,250 at once, and takes down what they call.",
    fix=(
        "Set scaling_config with maximum_concurrency (2 to 1000) on the mapping. Reserved concurrency alone "
        "is no cap: Lambda takes more messages than the function can run."
    ),
    schema={"maximum": integer("Most that still is a cap.", 1000, minimum=LEAST)},
    check=check,
)
