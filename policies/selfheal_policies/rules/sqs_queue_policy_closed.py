"""Only what is wired to a queue that wakes a healer may send to it, and nobody else may take from it."""

from collections.abc import Iterable, Iterator

from selfheal_policies import arns, types
from selfheal_policies.documents import has_wildcard
from selfheal_policies.doors import (
    Held,
    account_of,
    by_service,
    is_named,
    named_by,
    policies_of,
    roles_at,
    senders_to,
    speakers,
    woken_by,
)
from selfheal_policies.evaluation import ANY, NO, OWN, Request, allowed
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
    wired = {link.source for link in links if link.target.key == node.key}
    yield from _unwired(graph, held, door, wired, given)
    for shut in shut_out(door, document, inward) if not held.replaced else ():
        yield f"does not let {shut.service} send for {shut.source}, so that never wakes it"


def _unwired(graph: Graph, held: Held, door: Door, wired: set[str], given: frozenset[str]) -> Iterator[str]:
    """Yield the sources and accounts that a policy names, and of which nothing is wired to the queue."""
    whole = list(held.document)
    # Of services that may not send at all, openings() tells.
    services = [str(each).lower() for statement in whole for each in statement.principals("Service")]
    settled = {*(set(services) - {"*"} - door.services), *given}
    far = any(key not in graph.index.by_urn for key in wired)
    for source, account in dict.fromkeys(_named(held)):
        if given & {source, account} or (source and _is_wired(graph, held, source, wired)):
            continue
        if not source and (far or door.account in {account, OWN}):
            continue
        for service in [f"{source.split(':')[2]}.amazonaws.com"] if source else sorted(door.services):
            caller, context = by_service(service, account, source or f"arn:{OWN}:{ANY}:{ANY}:{account}:{ANY}")
            request = Request(caller, door.send, door.resource, context)
            if service not in settled and allowed(whole, request) != NO:
                who = source or f"{service} of account {account}"
                yield f"lets {who} send, which nothing in this stack wires to it"
                break


def _is_wired(graph: Graph, held: Held, source: str, wired: set[str]) -> bool:
    return graph.index.literal(source, arns.TOPIC, held.holder).key in wired


def _named(held: Held) -> Iterator[tuple[str, str]]:
    """Yield the ARNs that the conditions of a policy name in full, and the accounts, empty for none."""
    for statement in held.document.allowing:
        found = [
            (key, value)
            for _, key, values in statement.conditions
            for value in values
            if isinstance(value, str)
        ]
        exact = [value for key, value in found if key == "aws:sourcearn" and not has_wildcard(value)]
        yield from ((value, value.split(":")[4]) for value in exact if _is_arn(value))
        if not exact:
            yield from (("", value) for key, value in found if key == "aws:sourceaccount")


def _is_arn(value: str) -> bool:
    return value.startswith("arn:") and arns.parse_arn(value) is not None


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
        "of aws:SourceArn; or name a service, an account, or the ARN of a role or a source in `senders`."
    ),
    schema={
        "senders": strings(
            "Services, accounts, and ARNs of roles and sources, that may send beside what is wired to it."
        ),
    },
    check=check,
)
