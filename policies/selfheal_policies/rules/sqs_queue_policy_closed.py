"""Only what is wired to a queue that wakes a healer may send to it, and nobody else may take from it."""

from collections.abc import Iterable, Iterator

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
from selfheal_policies.openings import Door, openings, shut_out
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.wiring import Link

OPENING = (
    *("sqs:SendMessage", "sqs:AddPermission", "sqs:SetQueueAttributes", "sqs:RemovePermission"),
    *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:DeleteQueue"),
)
"""Actions that wake the healer, that open the queue to others, or that take its wake-ups away."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what lets others send to, or take from, the queues that wake healers."""
    senders = senders_to(graph)
    for key, healer in woken_by(graph).items():
        queue = graph.index.by_urn.get(key)
        if queue is None or queue.type != types.QUEUE:
            continue
        links = [*senders.get(key, []), *graph.wiring.links_from(key)]
        for held in policies_of(graph, queue):
            for problem in problems(graph, queue, held, links, config):
                yield Finding(
                    held.holder.urn,
                    f"the policy of queue {queue.name}, which wakes a healer, {problem}",
                    healer,
                )


def problems(graph: Graph, queue: Resource, held: Held, links: list[Link], config: Config) -> Iterator[str]:
    """Yield how a policy is open to others, or closed to what is wired to it, as ends of sentences."""
    document = held.document
    if document.problem:
        yield document.problem
        return
    node, given = graph.index.node(queue), frozenset(config["senders"])
    roles = roles_at(graph, links)
    inward = list(speakers(graph, (link for link in links if link.target.key == node.key)))
    door = Door(
        resource=named_by(graph.index, held.holder, "policy", node),
        account=account_of(graph, queue),
        send=OPENING[0],
        actions=OPENING,
        services=frozenset(each.service for each in inward)
        | {each.lower() for each in given if not each.startswith("arn:")},
        is_known=lambda arn: arn in given or is_named(graph.index, arn, arns.ROLE, roles),
    )
    yield from openings(door, document)
    for shut in shut_out(door, document, inward) if not held.replaced else ():
        yield f"does not let {shut.service} send for {shut.source}, so that never wakes it"


RULE = StackRule(
    name="sqs-queue-policy-closed",
    level="mandatory",
    severity="high",
    what=(
        "The policy of a queue that wakes a healer lets only the topics and rules that are wired to it send, "
        "and nobody else take from it."
    ),
    why="Whoever may send there decides when production is changed; whoever may take from it silences it.",
    fix=(
        "Allow sqs:SendMessage to the service sns.amazonaws.com (or events.amazonaws.com) only, on condition "
        "of aws:SourceArn; or name a service or the ARN of a role in `senders`."
    ),
    schema={
        "senders": strings("Services, and ARNs of roles, that may send beside what is wired to the queue."),
    },
    check=check,
)
