"""What an alarm starts that changes something is a healer, which these rules can judge."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.actuators import Actuation, Kind, actuations
from selfheal_policies.documents import resource_matches
from selfheal_policies.graph import Graph
from selfheal_policies.healers import can_heal
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT


def may_change(graph: Graph, each: Actuation) -> str:
    """Return what it may do, as the end of a sentence; empty if its role is known to change nothing."""
    if each.kind is Kind.UNBOUNDED:
        return (
            "which changes what it is told to, and nothing bounds it, proves that it helped or takes it back"
        )
    if each.actor is None:
        return "which is none of this stack, so nothing it may do is known"
    if each.actor.type == types.TASK_DEFINITION and each.actor.get("taskRoleArn") is ABSENT:
        return ""
    access = graph.access(each.actor)
    if not can_heal(access):
        return ""
    named = next((f"{write.action} on {write.resource}" for write in access.writes), "")
    return f"whose role allows {named}" if named else "whose role cannot be read"


def path(graph: Graph, each: Actuation) -> str:
    """Return how an alarm reaches it."""
    source = graph.index.by_urn.get(each.source)
    way = graph.path(source) or source.label if source else each.source
    return f"{way} -> {each.what}"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what alarms start, here or in other stacks, that changes something without being a healer."""
    accepted: list[str] = config["accepted"]
    reached = graph.keys_reached
    for each in actuations(graph.index):
        if each.kind is Kind.OWN or each.source not in reached:
            continue
        if each.via.name in accepted or any(each.arn and resource_matches(one, each.arn) for one in accepted):
            continue
        if problem := may_change(graph, each):
            does = "runs" if each.via is each.actor else "starts"
            yield Finding(
                each.via.urn, f"{each.via.label} {does} {each.what}, {problem} ({path(graph, each)})"
            )


RULE = StackRule(
    name="selfheal-actuator-bounded",
    level="mandatory",
    severity="critical",
    what=(
        "What an alarm starts that changes something is a function or a state machine, which the rules on "
        "healers judge: no automation, command, API call, build or task."
    ),
    why="It acts at every notification, without a budget, without proof that it helped, and without an end.",
    fix=(
        "Let a healer decide whether to act, and give its role the one action. What your team bounds in "
        "another way: name the resource, or the ARN of what it starts, in `accepted`."
    ),
    schema={
        "accepted": strings(
            "Logical names of targets, pipes and response plans, or ARNs of what they start (* is a "
            "wildcard), that somebody vouches for."
        ),
    },
    check=check,
)
