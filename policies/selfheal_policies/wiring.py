"""What wakes what: the links between alarms, topics, queues, rules, state machines and functions."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_policies import arns
from selfheal_policies.events import EVENT_RULE, alarms_of_rule, functions_of_machine
from selfheal_policies.index import ALARM_TYPES, Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, entries, get, text
from selfheal_policies.watching import watched_by

SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
PERMISSION = "aws:lambda/permission:Permission"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
PIPE = "aws:pipes/pipe:Pipe"
MACHINE = "aws:sfn/stateMachine:StateMachine"
FUNCTION = "aws:lambda/function:Function"
EVENT_INVOKE = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
CHATBOTS = (
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
)

ACTIONS = {"alarmActions": "ALARM", "okActions": "OK", "insufficientDataActions": "INSUFFICIENT_DATA"}
ACTION_KINDS = (arns.TOPIC, arns.FUNCTION)
TARGET_KINDS = (arns.OTHER, arns.FUNCTION, arns.TOPIC, arns.QUEUE, arns.MACHINE)
ENDPOINT_KINDS = (arns.OTHER, arns.FUNCTION, arns.QUEUE)
EVERY_STATE = frozenset({"ALARM", "OK", "INSUFFICIENT_DATA"})

MACHINE_PROTOCOLS = frozenset({"lambda", "sqs", "firehose", "application"})
"""Protocols of subscriptions that no person reads. The rest (email, sms, https of a pager) reach one."""

_DELIVERING = (*MACHINE_PROTOCOLS, UNKNOWN)


@dataclass(frozen=True)
class Link:
    """When `source` has something to say, `target` hears it."""

    source: str
    """Key of a node."""
    target: Node
    via: Resource
    """The resource that makes the link: the one to repair."""
    kind: str
    """action, subscription, permission, mapping, event, event-target, definition or pipe."""
    states: frozenset[str] = EVERY_STATE
    """States of an alarm that are passed on."""


@dataclass(frozen=True)
class _Pair:
    """A type of resource that joins two others, and the properties that name them."""

    type: str
    kind: str
    source: str
    source_kinds: tuple[str, ...]
    target: str
    target_kinds: tuple[str, ...]


PAIRS = (
    _Pair(SUBSCRIPTION, "subscription", "topic", (arns.TOPIC,), "endpoint", ENDPOINT_KINDS),
    _Pair(MAPPING, "mapping", "eventSourceArn", TARGET_KINDS, "functionName", (arns.FUNCTION,)),
    _Pair(EVENT_TARGET, "event-target", "rule", (arns.RULE,), "arn", TARGET_KINDS),
    _Pair(PIPE, "pipe", "source", TARGET_KINDS, "target", TARGET_KINDS),
)


class Wiring:
    """The links of one stack."""

    def __init__(self, index: Index) -> None:
        """Follow every reference that wakes something."""
        self._index = index
        self._from: dict[str, list[Link]] = {}
        self._people = frozenset(self._read_by_people())
        for link in self._links():
            self._from.setdefault(link.source, []).append(link)
        # A permission without its subscription shows what was meant: the way exists, and is incomplete.
        for link in list(self._permitted()):
            self._from.setdefault(link.source, []).append(link)
        self._watched = {alarm.urn: watched_by(index, alarm) for alarm in index.of(*ALARM_TYPES)}

    def links_from(self, key: str) -> list[Link]:
        """Return the links that begin at a node."""
        return self._from.get(key, [])

    def links(self) -> list[Link]:
        """Return all links."""
        return [link for links in self._from.values() for link in links]

    def watched(self, alarm: Resource) -> frozenset[str]:
        """Return the keys of what an alarm watches."""
        return self._watched.get(alarm.urn, frozenset())

    def tells_people(self, start: Node, reached: frozenset[str], healers: set[str]) -> bool:
        """Return whether what an alarm does ends at a person, or at something of which nothing is known here.

        A topic that wakes no healer counts: people subscribe themselves. So does one of another stack.
        """
        if reached & self._people or start.kind == arns.OTHER:
            return True
        return start.kind == arns.TOPIC and not reached & healers

    def failure_destinations(self, function: Resource) -> list[tuple[Resource, Node]]:
        """Return where a function's failed asynchronous events go."""
        found = self._follow(function, "deadLetterConfig", ("targetArn",), TARGET_KINDS)
        for config in self.invoke_configs(function):
            found += self._follow(config, "destinationConfig", ("onFailure", "destination"), TARGET_KINDS)
        return found

    def invoke_configs(self, function: Resource) -> list[Resource]:
        """Return the configurations of a function's asynchronous events."""
        return [
            config
            for config, _ in self._index.referring(function.urn, EVENT_INVOKE, "functionName", arns.FUNCTION)
        ]

    def _follow(
        self, owner: Resource, key: str, path: tuple[str, ...], kinds: tuple[str, ...]
    ) -> list[tuple[Resource, Node]]:
        return [(owner, node) for node in self._index.follow(owner, key, owner.get(key, *path), kinds)]

    def permissions(self, function: Resource) -> list[tuple[Resource, Node]]:
        """Return the permissions to invoke a function, each with the function as it names it."""
        found: list[tuple[Resource, Node]] = []
        for permission, node in self._index.referring(function.urn, PERMISSION, "function", arns.FUNCTION):
            qualifier = text(permission.get("qualifier"))
            named = qualifier if isinstance(qualifier, str) else node.qualifier
            if qualifier is UNKNOWN:
                named = next(iter(permission.references.get("qualifier", ())), "?")
            found.append((permission, Node(node.kind, node.key, node.resource, named)))
        return found

    def _links(self) -> Iterator[Link]:
        index = self._index
        for alarm in index.of(*ALARM_TYPES):
            for key, state in ACTIONS.items():
                for node in index.follow(alarm, key, alarm.get(key), ACTION_KINDS):
                    yield Link(alarm.urn, node, alarm, "action", frozenset({state}))
        for rule in index.of(EVENT_RULE):
            for alarm, states in alarms_of_rule(index, rule):
                yield Link(alarm.urn, index.node(rule), rule, "event", states)
        for pair in PAIRS:
            yield from self._pairs(pair)
        for machine in index.of(MACHINE):
            for node in functions_of_machine(index, machine):
                yield Link(machine.urn, node, machine, "definition")

    def _read_by_people(self) -> Iterator[str]:
        index = self._index
        for subscription in index.of(SUBSCRIPTION):
            protocol = text(subscription.get("protocol"))
            if isinstance(protocol, str) and protocol not in MACHINE_PROTOCOLS:
                topics = index.follow(subscription, "topic", subscription.get("topic"), (arns.TOPIC,))
                yield from (node.key for node in topics)
        for chatbot in index.of(*CHATBOTS):
            topics = index.follow(chatbot, "snsTopicArns", chatbot.get("snsTopicArns"), (arns.TOPIC,))
            yield from (node.key for node in topics)

    def _pairs(self, pair: _Pair) -> Iterator[Link]:
        follow = self._index.follow
        for via in self._index.of(pair.type):
            if pair.type == SUBSCRIPTION and text(via.get("protocol")) not in _DELIVERING:
                continue
            targets = follow(via, pair.target, via.get(pair.target), pair.target_kinds)
            for start in follow(via, pair.source, via.get(pair.source), pair.source_kinds):
                for end in targets:
                    yield Link(start.key, end, via, pair.kind)

    def _permitted(self) -> Iterator[Link]:
        granted: dict[str, list[Link]] = {}
        for link in self._grants():
            granted.setdefault(link.target.key, []).append(link)
        inbound: dict[str, set[str]] = {}
        for link in self.links():
            if link.kind in ("subscription", "event-target"):
                inbound.setdefault(link.target.key, set()).add(link.source)
        for key, links in granted.items():
            sources = inbound.get(key, set())
            # Where a subscription lacks its permission, the odd one names the wrong source: no way was meant.
            if sources <= {link.source for link in links}:
                yield from (link for link in links if link.source not in sources)

    def _grants(self) -> Iterator[Link]:
        for permission in self._index.of(PERMISSION):
            functions = self._index.follow(
                permission, "function", permission.get("function"), (arns.FUNCTION,)
            )
            for kind in (arns.TOPIC, arns.RULE):
                for source in self._index.literal_or_origin(permission, "sourceArn", kind):
                    for function in functions:
                        yield Link(source.key, function, permission, "permission")


def is_filtered(via: Resource) -> bool:
    """Return whether a subscription or mapping passes on only some messages, or may do so."""
    key = "filterCriteria" if via.type == MAPPING else "filterPolicy"
    value = via.get(key)
    if via.type == MAPPING:
        return value is UNKNOWN or bool(entries(get(value, "filters")))
    return value is UNKNOWN or (isinstance(value, (str, dict)) and value not in ("", "{}", {}))
