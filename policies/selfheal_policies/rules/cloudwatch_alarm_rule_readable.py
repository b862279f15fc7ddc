"""The rule of a composite alarm around a healer can be read."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the composite alarms of which it is not known what they watch."""
    trees = graph.wiring.trees
    judged = graph.wake_alarms | graph.health_alarms
    for alarm in graph.index.of(types.COMPOSITE_ALARM):
        problem = trees.rule(alarm).problem
        above = trees.with_parents(alarm)
        concerned = next((graph.concerned(each) for each in above if each.urn in judged), None)
        if problem and concerned is not None and alarm.name not in config["readElsewhere"]:
            message = f"the rule (alarmRule) of {alarm.label} cannot be read: {problem}"
            yield Finding(alarm.urn, message, about=concerned)


RULE = StackRule(
    name="cloudwatch-alarm-rule-readable",
    level="mandatory",
    severity="high",
    what="The rule of a composite alarm that wakes a healer, or watches one, can be read.",
    why="What the alarm watches, and so what its healer may change, cannot be judged otherwise.",
    fix=(
        'Write it as ALARM("name") OR ALARM("name"), with the names of alarms of this stack in double '
        "quotes; Output.concat from their names is known at preview."
    ),
    schema={"readElsewhere": strings("Logical names of composite alarms whose rule is judged elsewhere.")},
    check=check,
)
