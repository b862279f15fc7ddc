"""A healer has a small reserved concurrency."""

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
    what="A healer has a reserved concurrency, and a small one.",
    why="Invocations that run at the same time may act on the same outage more than once.",
    fix=(
        "Set reserved_concurrent_executions to 1. An account whose quota is 10 cannot reserve any: set "
        "`allowUnreserved` there, or waive this policy for the healer until the quota is raised; the ledger "
        "alone then keeps two runs apart."
    ),
    schema={
        "maximum": integer("Most copies of one healer that may run at the same time.", 1),
        "allowUnreserved": boolean(
            "Accept a healer without a reservation, where the account's quota forbids it.", default=False
        ),
    },
    check=check,
)
