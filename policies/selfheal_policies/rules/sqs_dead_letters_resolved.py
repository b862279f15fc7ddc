"""What takes failures is known at preview, and is of this stack."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.dead_letters import Ending
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings


def problem(ending: Ending, elsewhere: Iterable[str]) -> str:
    """Return what is wrong with what a resource names for its failures; empty if nothing is."""
    where = f"where {ending.owner.label} sends what fails (`{ending.property}`) is"
    if not ending.nodes:
        return f"{where} not known at preview, and comes from nothing in this stack that it could mean"
    for node in ending.nodes:
        if node.kind == arns.QUEUE and node.resource is None and node.name not in elsewhere:
            return f"{where} queue {node.name}, which is none of this stack: nobody can tell how it is kept"
    return ""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what names a dead-letter queue that cannot be judged."""
    for ending in graph.dead_letters.endings:
        told = problem(ending, config["queuesElsewhere"])
        if told:
            yield Finding(ending.owner.urn, told)


RULE = StackRule(
    name="sqs-dead-letters-resolved",
    level="advisory",
    resilience=True,
    severity="high",
    what="Every dead-letter queue that something names can be found at preview, in this stack.",
    why="Nobody knows of a queue that cannot be found how long it keeps letters, and who hears of them.",
    fix=(
        "Use the queue's own output, a literal ARN of a queue of this stack, or, in a state machine, "
        "Output.concat from its name; name a queue of another stack in `queuesElsewhere`."
    ),
    schema={
        "queuesElsewhere": strings("Names of dead-letter queues of other stacks, known to be kept well.")
    },
    check=check,
)
