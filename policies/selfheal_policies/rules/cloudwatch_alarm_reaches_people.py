"""An alarm that wakes a healer notifies a person as well."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the alarms that wake a healer and nobody else."""
    for alarm in graph.wake_alarms.values():
        # An alarm that does nothing when it fires is the matter of cloudwatch-alarm-wakes-healer.
        fires = any("ALARM" in link.states for link in graph.wiring.links_from(alarm.urn))
        if fires and not graph.reaches_people(alarm):
            message = f"{alarm.label} wakes a healer and can reach no person"
            yield Finding(alarm.urn, message, about=graph.concerned(alarm))


RULE = StackRule(
    name="cloudwatch-alarm-reaches-people",
    level="mandatory",
    severity="high",
    what="Every alarm that wakes a healer can also reach a person, without the healer's help.",
    why="If the healer itself is broken, nobody learns of a failure that only the healer is notified of.",
    fix=(
        "Add a topic for people to alarm_actions (one that wakes no healer), or subscribe an address to the "
        "topic that wakes it."
    ),
    check=check,
)
