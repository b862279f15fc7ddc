"""A healer's timeout ends one run before the next begins."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, integer
from selfheal_policies.values import ABSENT, UNKNOWN, number


def problems(function: Resource, most: float) -> Iterable[Finding]:
    """Yield why a run may take too long. Without a timeout Lambda gives 3 seconds."""
    value = function.get("timeout")
    seconds = number(value)
    if seconds is UNKNOWN:
        yield Finding(function.urn, f"the timeout of healer {function.name} is not known at preview")
    elif seconds is ABSENT:
        if value is not ABSENT:
            yield Finding(
                function.urn, f"the timeout of healer {function.name} is {value!r}, which is no number"
            )
    elif not 0 < seconds <= most:
        yield Finding(
            function.urn,
            f"the timeout of healer {function.name} is {seconds:g} s; at most {most:g} s are allowed",
        )


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers that may run for too long."""
    for function in graph.healer_functions:
        yield from problems(function, config["maximumSeconds"])


RULE = StackRule(
    name="lambda-healer-timeout",
    level="mandatory",
    severity="medium",
    what="A healer's timeout is short.",
    why="A run that hangs for minutes acts on outdated observations, and delays every other run.",
    fix="Set timeout to what one observation and one act take, such as 30 s; the next run continues.",
    schema={
        "maximumSeconds": integer("Longest timeout of a healer in seconds; the shortest schedule is 60.", 60),
    },
    check=check,
)
