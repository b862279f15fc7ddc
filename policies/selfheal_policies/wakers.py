"""Where alarms that this stack does not hold begin to wake something in it."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_policies import arns, types
from selfheal_policies.documents import Statement, has_wildcard, parse
from selfheal_policies.filters import may_pass_alarms
from selfheal_policies.index import Index
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, text
from selfheal_policies.wiring import ACTION_KINDS, ACTIONS, Wiring

ELSEWHERE = "alarms of other stacks"


@dataclass(frozen=True)
class Waker:
    """One place where alarms of other stacks come in."""

    key: str
    """Of the node that they reach first."""
    via: Resource
    """The resource that lets them in: the one to change."""
    what: str
    """What they come from, as the beginning of a path: "alarms of other stacks"."""


def wakers(index: Index, wiring: Wiring) -> Iterator[Waker]:
    """Yield those of a stack."""
    for rule in wiring.events.from_elsewhere():
        yield Waker(rule.urn, rule, ELSEWHERE)
    yield from _of_topics(index, wiring)
    yield from _of_open_topics(index)
    yield from _of_permissions(index)
    yield from _of_queues(index)


def _of_topics(index: Index, wiring: Wiring) -> Iterator[Waker]:
    for link in wiring.links():
        topic = link.kind in {"subscription", "permission"} and link.source not in index.by_urn
        if topic and link.source.startswith(f"{arns.TOPIC}:") and may_pass_alarms(link.via):
            name = link.source.partition(":")[2]
            yield Waker(link.target.key, link.via, f"topic {name} of another stack")
    for subscription in index.of(types.SUBSCRIPTION):
        hidden = subscription.get("topic") is UNKNOWN
        if hidden and not index.follow_quietly(subscription, "topic", (arns.TOPIC,)):
            for node in wiring.endpoints_of(subscription):
                yield Waker(node.key, subscription, "a topic that is not known at preview")


def _of_open_topics(index: Index) -> Iterator[Waker]:
    """Yield the policies that let CloudWatch publish to a topic which no alarm of this stack names."""
    # Also its twin in another region or account, which is not reached: it is meant for alarms of this stack.
    nodes = [
        node
        for alarm in index.of(*types.ALARMS)
        for key in ACTIONS
        for node in index.follow_quietly(alarm, key, ACTION_KINDS)
    ]
    named = {node.key for node in nodes} | {node.name.partition("@")[0] for node in nodes}
    for policy in index.of(types.TOPIC_POLICY):
        if any(_lets_alarms_publish(each) for each in parse(policy.get("policy")).allowing):
            for node in index.follow_quietly(policy, "arn", (arns.TOPIC,)):
                own = text(node.resource.get("name")) if node.resource else node.name
                if named.isdisjoint((node.key, own)):
                    yield Waker(node.key, policy, ELSEWHERE)


def _lets_alarms_publish(statement: Statement) -> bool:
    services = [str(each).lower() for each in statement.principals("Service")]
    return "cloudwatch.amazonaws.com" in services and statement.covers("sns:Publish", if_unknown=True)


def _of_permissions(index: Index) -> Iterator[Waker]:
    """Yield what lets alarms, or topics, of anywhere invoke a function."""
    for permission in index.of(types.PERMISSION):
        principal, source = text(permission.get("principal")), text(permission.get("sourceArn"))
        if principal == "lambda.alarms.cloudwatch.amazonaws.com":
            what = "" if index.of_kind(permission, "sourceArn", arns.ALARM) else ELSEWHERE
            if isinstance(source, str) and index.literal(source, arns.ALARM).resource is None:
                what = ELSEWHERE
        else:
            what = "any topic" if principal == "sns.amazonaws.com" and source is ABSENT else ""
        for node in index.follow_quietly(permission, "function", (arns.FUNCTION,)) if what else ():
            yield Waker(node.key, permission, what)


def _of_queues(index: Index) -> Iterator[Waker]:
    """Yield the policies by which topics of other stacks may send to a queue of this one."""
    for holder in index.of(types.QUEUE_POLICY, types.QUEUE):
        own = holder.type == types.QUEUE
        queues = [index.node(holder)] if own else index.follow_quietly(holder, "queueUrl", (arns.QUEUE,))
        for name in _topics_elsewhere(index, holder) if queues else ():
            for queue in queues:
                yield Waker(queue.key, holder, f"topic {name} of another stack")


def _topics_elsewhere(index: Index, holder: Resource) -> Iterator[str]:
    for statement in parse(holder.get("policy")).allowing:
        speaking = {*statement.principals("Service"), *statement.principals("AWS")}
        if speaking.isdisjoint({"sns.amazonaws.com", "*"}):
            continue
        if not statement.covers("sqs:SendMessage", if_unknown=False):
            continue
        for _, key, values in statement.conditions:
            for value in values if key == "aws:sourcearn" else ():
                arn = arns.parse_arn(value) if isinstance(value, str) else None
                named = arn and arn.kind == arns.TOPIC and not has_wildcard(arn.name)
                if arn and named and index.literal(value, arns.TOPIC).resource is None:
                    yield arn.name
