"""What other programs of the stack may do to the alarms of a healer, and to what passes them on, at run time.

Source of the actions and of what each is on: the Service Authorization Reference.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from selfheal_policies import arns, types
from selfheal_policies.documents import action_matches
from selfheal_policies.graph import Graph
from selfheal_policies.index import NAMED
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Write

SILENCING: Mapping[str, tuple[str, ...]] = {
    arns.ALARM: (
        *("cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutAlarmMuteRule"),
        *("cloudwatch:PutCompositeAlarm", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState"),
    ),
    arns.MAPPING: ("lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"),
    arns.QUEUE: (
        *("sqs:AddPermission", "sqs:DeleteQueue", "sqs:PurgeQueue", "sqs:RemovePermission"),
        "sqs:SetQueueAttributes",
    ),
    arns.RULE: (
        *("events:DeleteRule", "events:DisableRule", "events:PutRule", "events:PutTargets"),
        "events:RemoveTargets",
    ),
    arns.TOPIC: (
        *("sns:AddPermission", "sns:DeleteTopic", "sns:RemovePermission", "sns:SetSubscriptionAttributes"),
        *("sns:SetTopicAttributes", "sns:Unsubscribe"),
    ),
}
"""Kind of what is on the way to a healer to the actions that end it, empty it, or change whom it lets in."""


@dataclass(frozen=True)
class Meddler:
    """A function or state machine that may silence a healer."""

    actor: Resource
    write: Write
    part: Resource
    """The alarm, topic, queue, rule or mapping that it may change."""
    healer: str
    """URN of the healer."""


def meddlers(graph: Graph, accepted: Collection[str]) -> Iterator[Meddler]:
    """Yield those of a stack that are no healers nor started by one only, each once."""
    judged = {each.urn for healer in graph.healers for each in (healer, *graph.actuators_of(healer))}
    found = [
        (actor, write, kinds)
        for actor in graph.index.of(*types.ACTORS)
        if actor.urn not in judged and actor.name not in accepted
        for write in graph.access(actor).writes
        if (kinds := [kind for kind, actions in SILENCING.items() if _is_one_of(write, actions)])
    ]
    parts = _parts(graph) if found else {}
    told: set[str] = set()
    for actor, write, kinds in found:
        part = next((each for each in parts if _kind(each) in kinds and _is_on(graph, write, each)), None)
        if part and actor.urn not in told:
            told.add(actor.urn)
            yield Meddler(actor, write, part, parts[part])


def _parts(graph: Graph) -> Mapping[Resource, str]:
    """Return the alarms of healers, and what passes them on, each with the URN of such a healer."""
    found = {alarm: graph.concerned(alarm) for alarm in (graph.wake_alarms | graph.health_alarms).values()}
    for alarm in list(found):
        for below in graph.wiring.trees.metric_alarms(alarm):
            found.setdefault(below, found[alarm])
    for healer in graph.healers:
        keys = {
            key for link in graph.wake_links(healer) for key in (link.source, link.target.key, link.via.urn)
        }
        for key in sorted(keys & graph.index.by_urn.keys()):
            found.setdefault(graph.index.by_urn[key], healer.urn)
    return {part: healer for part, healer in found.items() if _kind(part) in SILENCING}


def _kind(part: Resource) -> str:
    return NAMED.get(part.type, ("",))[0]


def _is_one_of(write: Write, actions: Collection[str]) -> bool:
    return write.control and any(action_matches(write.action, each) for each in actions)


def _is_on(graph: Graph, write: Write, part: Resource) -> bool:
    """Return whether a change may be on a part; one of a function's mappings is on all of them."""
    if write.may_be_on(graph.index, part):
        return True
    if part.type != types.EVENT_SOURCE_MAPPING:
        return False
    functions = graph.index.follow_quietly(part, "functionName", (arns.FUNCTION,))
    return any(node.resource and write.may_be_on(graph.index, node.resource) for node in functions)
