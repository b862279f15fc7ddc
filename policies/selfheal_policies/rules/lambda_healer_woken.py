"""A function that may change other functions is woken by an alarm."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what may change functions, is reached by no alarm, and is called by nobody else."""
    for actor in graph.idle_healers:
        if actor.name not in config["deployers"]:
            yield Finding(actor.urn, f"{actor.label} may change functions, and no alarm wakes it")


RULE = StackRule(
    name="lambda-healer-woken",
    level="mandatory",
    severity="high",
    what="What may change functions is woken by an alarm, or called by something else than a clock.",
    why="Otherwise it is a healer that no failure starts, or a standing right to change other functions.",
    fix=(
        "Name its topic in the alarm's alarm_actions and ok_actions and subscribe it; or take the right "
        "away; or, if it deploys and does not heal, name it in `deployers`."
    ),
    schema={
        "deployers": strings("Logical names of functions and state machines that deploy and do not heal."),
    },
    check=check,
)
