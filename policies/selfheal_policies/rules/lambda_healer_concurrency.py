"""A healer's reserved concurrency, if it has one, is small."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, boolean, integer
from selfheal_policies.values import ABSENT, UNKNOWN, number

KEY = "reservedConcurrentExecutions"


def problems(function: Resource, most: float, unreserved: bool) -> Iterable[Finding]:
    """Yield why too many, or none, may run at the same time. -1 is Lambda's word for no reservation."""
    value = function.get(KEY)
    reserved = number(value)
    if reserved is UNKNOWN:
        text = "is not known at preview"
    elif value is ABSENT or reserved == -1:
        if unreserved:
            return
        text = f"is not set, so as many run as the account allows; at most {most:g} may"
    elif reserved is ABSENT:
        text = f"is {value!r}, which is no number"
    elif reserved == 0:
        text = "is 0, so it never runs"
    elif 0 < reserved <= most:
        return
    else:
        text = f"is {reserved:g}; at most {most:g} may run at the same time"
    yield Finding(function.urn, f"the reserved concurrency of healer {function.name} {text}")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers of which too many may run at the same time."""
    for function in graph.healer_functions:
        yield from problems(function, config["maximum"], config["allowUnreserved"])


RULE = StackRule(
    name="lambda-healer-concurrency",
    level="mandatory",
    severity="medium",
    what="The reserved concurrency of a healer, if it has one, is small, and not 0.",
    why="Invocations that run at the same time may act on the same outage more than once.",
    fix=(
        "Set reserved_concurrent_executions to 1, or leave it out where something else, such as a ledger "
        "with conditional writes, keeps two runs apart. The quota of a new account, 10, forbids any "
        "reservation; where it is larger, set `allowUnreserved` to false to demand one."
    ),
    schema={
        "maximum": integer("Most copies of one healer that may run at the same time.", 1),
        "allowUnreserved": boolean(
            "Accept a healer without a reservation, which a new account's quota forbids.", default=True
        ),
    },
    check=check,
)
