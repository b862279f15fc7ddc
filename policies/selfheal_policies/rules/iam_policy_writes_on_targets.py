"""A healer may change only the functions that its alarms watch."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.documents import resource_matches
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, listed, strings
from selfheal_policies.rules.lambda_healer_cycle import in_cycles, waking


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the changes that a healer may make to what is no target of its own."""
    allowed: list[str] = config["allowedTargets"]
    # Two healers that wake each other are reported by lambda-healer-cycle.
    looping = in_cycles(waking(graph))
    watching = graph.wiring.watching
    unreadable = {alarm.urn for alarm in graph.wake_alarms.values() if graph.wiring.trees.unreadable(alarm)}
    for healer in graph.healers:
        controls = list(graph.controls(healer))
        if not controls:
            continue
        targets, own = graph.targets_of(healer), graph.parts_of(healer)
        if any(alarm.urn in unreadable for alarm in graph.alarms_of(healer)):
            # What they watch is not known: cloudwatch-alarm-rule-readable asks for it.
            continue
        sights = [watching.sight(alarm) for alarm in graph.alarms_of(healer)]
        meant = [sight.meant for sight in sights if sight.meant]
        for write, node in controls:
            # An alarm that means it and watches nothing is reported by cloudwatch-alarm-metric-published.
            if node.key in own or any(node.key in keys for keys in meant):
                continue
            if node.kind == arns.FUNCTION and (node.key in targets or healer.urn in looping):
                continue
            if node.name in allowed or any(resource_matches(each, str(write.resource)) for each in allowed):
                continue
            names = {_label(graph, key) for key in targets}
            yield Finding(
                write.source.urn,
                f"healer {healer.name} may {write.action} on {write.resource}, which no alarm that wakes it "
                f"watches (its targets: {listed(names)})",
            )


def _label(graph: Graph, key: str) -> str:
    resource = graph.index.by_urn.get(key)
    return resource.name if resource else key.partition(":")[2]


RULE = StackRule(
    name="iam-policy-writes-on-targets",
    level="mandatory",
    severity="critical",
    what="A healer may change only the functions that the alarms waking it watch, and their mappings.",
    why="Nobody would notice that a change to an unwatched resource does harm.",
    fix=(
        "Name only the watched functions in the statement, let an alarm on this one wake the healer, or add "
        "it to `allowedTargets`."
    ),
    schema={
        "allowedTargets": strings(
            "Names of functions, or ARNs (* is a wildcard), that healers may change as well."
        ),
    },
    check=check,
)
