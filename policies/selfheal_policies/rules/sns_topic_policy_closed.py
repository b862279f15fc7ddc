"""Only CloudWatch may publish to a topic that wakes a healer."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.doors import (
    Held,
    account_of,
    is_named,
    named_by,
    policies_of,
    roles_at,
    senders_to,
    speakers,
    woken_by,
)
from selfheal_policies.graph import Graph
from selfheal_policies.openings import Door, excepted, is_closed, openings, shut_out
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, boolean, strings
from selfheal_policies.wiring import Link

OPENING = (
    *("sns:Publish", "sns:AddPermission", "sns:SetTopicAttributes"),
    *("sns:DeleteTopic", "sns:RemovePermission"),
)
"""Actions that publish to a topic, that open it to others, or that end what it is for."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what lets others than CloudWatch publish to the topics that wake healers."""
    senders, healers = senders_to(graph), woken_by(graph)
    for topic in _wake_topics(graph, healers):
        policies = policies_of(graph, topic)
        if not policies:
            yield Finding(
                topic.urn,
                f"topic {topic.name} wakes a healer and has no policy, so everybody in the account who may "
                "publish to topics may wake it",
                healers.get(topic.urn, ""),
            )
        for held in policies:
            for problem in problems(graph, topic, held, senders.get(topic.urn, []), config):
                yield Finding(
                    held.holder.urn,
                    f"the policy of topic {topic.name}, which wakes a healer, {problem}",
                    healers.get(topic.urn, ""),
                )
    for urn, name in _elsewhere(graph, config["topicsElsewhere"]):
        yield Finding(
            urn,
            f"topic {name} wakes a healer and is not part of this stack, so who may publish cannot be seen",
        )


def _wake_topics(graph: Graph, woken_by: Iterable[str]) -> list[Resource]:
    """Return the topics of this stack that wake a healer, whether an alarm publishes to them or not."""
    found = [node.resource for node, _ in graph.wake_topics.values() if node.resource]
    others = (graph.index.by_urn.get(key) for key in woken_by if key not in graph.wake_topics)
    return found + [each for each in others if each and each.type == types.TOPIC]


def _elsewhere(graph: Graph, accepted: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Return the topics of other stacks that wake healers, each with a resource that says so."""
    known = {arns.named(each, arns.TOPIC).name for each in accepted}
    return [
        (via.urn, node.name)
        for node, via in graph.wake_topics.values()
        if node.resource is None and node.name not in known
    ]


def problems(graph: Graph, topic: Resource, held: Held, links: list[Link], config: Config) -> Iterable[str]:
    """Yield how a policy is open to others, or closed to those whom it is for, as ends of sentences."""
    document = held.document
    if document.problem:
        # Of what cannot be read, nothing else is said.
        yield document.problem
        return
    door = door_of(graph, topic, held, links, config)
    yield from openings(door, document)
    if held.replaced:
        return
    if config["requireDeny"]:
        if not is_closed(door, document):
            yield (
                "does not deny publishing to whoever is no AWS service, so a person's or program's own "
                "policy is enough to wake it"
            )
        for name in excepted(door, document):
            yield f"does not deny publishing to {name}"
    for shut in shut_out(door, document, speakers(graph, links)):
        yield f"does not let {shut.service} publish for {shut.source}, so that never wakes it"


def door_of(graph: Graph, topic: Resource, held: Held, links: list[Link], config: Config) -> Door:
    """Return a topic, and whom it is for: what is linked to it in the stack, and who is configured."""
    roles = roles_at(graph, links)
    publishers = frozenset(config["publishers"])
    node = graph.index.node(topic)
    return Door(
        resource=named_by(graph.index, held.holder, "policy", node),
        account=account_of(graph, topic),
        send=OPENING[0],
        actions=OPENING,
        services=frozenset(each.lower() for each in publishers if not each.startswith("arn:"))
        | {each.service for each in speakers(graph, links)},
        is_known=lambda arn: arn in publishers or is_named(graph.index, arn, arns.ROLE, roles),
    )


RULE = StackRule(
    name="sns-topic-policy-closed",
    level="mandatory",
    severity="high",
    what="Only CloudWatch, for alarms of known accounts, may publish to a topic that wakes a healer.",
    why="Whoever may publish there decides when production is changed.",
    fix=(
        "Attach a TopicPolicy that allows sns:Publish to the service cloudwatch.amazonaws.com, on condition "
        "of aws:SourceAccount, and denies it to * where aws:PrincipalIsAWSService is false."
    ),
    schema={
        "publishers": strings(
            "Services, and ARNs of roles, that may publish. What is linked to the topic in the stack may.",
            ["cloudwatch.amazonaws.com"],
        ),
        "requireDeny": boolean(
            "Whether whoever is no AWS service must be denied by the topic itself.", default=True
        ),
        "topicsElsewhere": strings(
            "Names or ARNs of topics of other stacks whose policies are known to be closed."
        ),
    },
    check=check,
)
