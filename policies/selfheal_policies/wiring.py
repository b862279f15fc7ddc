"""What wakes what: the links between alarms, topics, queues, rules, state machines and functions."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_policies import arns, people, types
from selfheal_policies.alarm_trees import AlarmTrees
from selfheal_policies.definitions import functions_of_machine
from selfheal_policies.endpoints import HTTP, behind, behind_destinations
from selfheal_policies.events import Events
from selfheal_policies.filters import may_tell_of_alarms
from selfheal_policies.index import Index, Node
from selfheal_policies.links import ACTIONS, Link
from selfheal_policies.resources import Resource
from selfheal_policies.symptoms import Symptoms
from selfheal_policies.values import UNKNOWN, entries, get, text
from selfheal_policies.watching import Watching

ACTION_KINDS = (arns.TOPIC, arns.FUNCTION)
TARGET_KINDS = (
    *(arns.OTHER, arns.FUNCTION, arns.TOPIC, arns.QUEUE, arns.MACHINE),
    *(arns.BUCKET, arns.BUS, arns.STREAM, arns.TABLE, arns.DELIVERY, arns.LOG_GROUP),
)
ENDPOINT_KINDS = (arns.OTHER, arns.FUNCTION, arns.QUEUE, arns.DELIVERY)

MACHINE_PROTOCOLS = frozenset({"lambda", "sqs", "firehose", "application"})
"""Protocols of subscriptions that no person reads. The rest (email, sms, https of a pager) reach one."""

_DELIVERING = (*MACHINE_PROTOCOLS, UNKNOWN)

ASYNCHRONOUS = frozenset(
    {
        "action",
        "dead-letter",
        "destination",
        "event-target",
        "log",
        "notification",
        "permission",
        "subscription",
    }
)
"""Kinds of links by which a function is invoked asynchronously: Lambda queues and retries the events."""


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
    _Pair(types.SUBSCRIPTION, "subscription", "topic", (arns.TOPIC,), "endpoint", ENDPOINT_KINDS),
    _Pair(
        types.EVENT_SOURCE_MAPPING,
        "mapping",
        "eventSourceArn",
        TARGET_KINDS,
        "functionName",
        (arns.FUNCTION,),
    ),
    _Pair(types.EVENT_TARGET, "event-target", "rule", (arns.RULE,), "arn", TARGET_KINDS),
    _Pair(types.PIPE, "pipe", "source", TARGET_KINDS, "target", TARGET_KINDS),
    _Pair(types.PIPE, "pipe", "source", TARGET_KINDS, "enrichment", TARGET_KINDS),
)


class Wiring:
    """The links of one stack."""

    def __init__(self, index: Index) -> None:
        """Follow every reference that wakes something."""
        self._index = index
        self.events = Events(index)
        self._from: dict[str, list[Link]] = {}
        self.people_topics = frozenset(self._people_topics())
        """Keys of the topics to which a person, a pager or a chat channel is subscribed."""
        self._told = frozenset(self._people_topics(of_alarms=True))
        self._archives = self._topics_of_archives() - self._told
        for link in self._links():
            self._from.setdefault(link.source, []).append(link)
        # A permission without its subscription shows that a link was meant: it is followed, as incomplete.
        for link in list(self._permitted()):
            self._from.setdefault(link.source, []).append(link)
        self.trees = AlarmTrees(index)
        self.watching = Watching(index, self.trees, Symptoms(index, self.links_from))

    def links_from(self, key: str) -> list[Link]:
        """Return the links that begin at a node."""
        return self._from.get(key, [])

    def links(self) -> list[Link]:
        """Return all links."""
        return [link for links in self._from.values() for link in links]

    def watched(self, alarm: Resource) -> frozenset[str]:
        """Return the keys of what an alarm, or a composite's alarms, watch: see watching.py."""
        return self.watching.watched(alarm)

    def tells_people(self, start: Node, reached: frozenset[str], healers: set[str]) -> bool:
        """Return whether an action of an alarm reaches a person, or something of which nothing is known here.

        A topic that wakes no healer counts, since people subscribe themselves, unless only archives are
        subscribed, or whoever is subscribed filters alarms out; so does one of another stack.
        """
        if reached & self._told or people.is_told_by(start.kind, start.name):
            return True
        return start.kind == arns.TOPIC and start.key not in self._archives and not reached & healers

    def failure_destinations(self, function: Resource) -> list[tuple[Resource, Node]]:
        """Return where a function's failed asynchronous events go, each with the resource that says so."""
        ways = [(function, "deadLetterConfig", ("targetArn",))]
        ways += [
            (config, "destinationConfig", ("onFailure", "destination"))
            for config in self.invoke_configs(function)
        ]
        return [
            (owner, node)
            for owner, key, path in ways
            for node in self._index.follow(owner, key, TARGET_KINDS, *path)
        ]

    def endpoints_of(self, subscription: Resource) -> list[Node]:
        """Return what of this stack a subscription wakes; none if it is for people."""
        return self._targets(subscription, PAIRS[0]) or []

    def invoke_configs(self, function: Resource) -> list[Resource]:
        """Return the configurations of a function's asynchronous events."""
        found = self._index.referring(function.urn, types.EVENT_INVOKE_CONFIG, "functionName", arns.FUNCTION)
        return [config for config, _ in found]

    def permissions(self, function: Resource) -> list[tuple[Resource, Node]]:
        """Return the permissions to invoke a function, each with the function as it names it."""
        found: list[tuple[Resource, Node]] = []
        named_by = self._index.referring(function.urn, types.PERMISSION, "function", arns.FUNCTION)
        for permission, node in named_by:
            qualifier = text(permission.get("qualifier"))
            named = qualifier if isinstance(qualifier, str) else node.qualifier
            if qualifier is UNKNOWN:
                named = next(iter(permission.references.get("qualifier", ())), "?")
            found.append((permission, Node(node.kind, node.key, node.resource, named)))
        return found

    def _links(self) -> Iterator[Link]:
        index = self._index
        for alarm in index.of(*types.ALARMS):
            for key, state in ACTIONS.items():
                for node in index.follow(alarm, key, ACTION_KINDS):
                    # CloudWatch takes no action in another region.
                    if node.resource and index.are_apart(alarm, node.resource):
                        continue
                    yield Link(alarm.urn, node, alarm, "action", frozenset({state}))
        yield from self.events.links()
        for pair in PAIRS:
            yield from self._pairs(pair)
        for machine in index.of(types.STATE_MACHINE):
            for node in functions_of_machine(index, machine):
                yield Link(machine.urn, node, machine, "definition")

    def _people_topics(self, *, of_alarms: bool = False) -> Iterator[str]:
        """Yield the keys of the topics that people read; with `of_alarms`, those that tell them of alarms."""
        for subscription in self._index.of(types.SUBSCRIPTION):
            if of_alarms and not may_tell_of_alarms(subscription):
                continue
            protocol = text(subscription.get("protocol"))
            own = protocol in HTTP and behind(self._index, subscription)
            if people.reads(protocol, subscription.get("endpoint")) and not own:
                yield from (node.key for node in self._index.follow(subscription, "topic", (arns.TOPIC,)))
        for chatbot in self._index.of(*types.CHATBOTS):
            yield from (node.key for node in self._index.follow(chatbot, "snsTopicArns", (arns.TOPIC,)))

    def _topics_of_archives(self) -> frozenset[str]:
        """Return the keys of the topics with subscriptions behind which nobody can hear of an alarm."""
        told: dict[str, bool] = {}
        for subscription in self._index.of(types.SUBSCRIPTION):
            may_tell = text(subscription.get("protocol")) in people.MAY_TELL and may_tell_of_alarms(
                subscription
            )
            for node in self._index.follow_quietly(subscription, "topic", (arns.TOPIC,)):
                told[node.key] = told.get(node.key, False) or may_tell
        return frozenset(key for key, may_tell in told.items() if not may_tell)

    def _pairs(self, pair: _Pair) -> Iterator[Link]:
        for via in self._index.of(pair.type):
            targets = self._targets(via, pair)
            if targets is None:
                continue
            called = list(behind_destinations(self._index, via, pair.target))
            for start in self._index.follow(via, pair.source, pair.source_kinds):
                yield from (Link(start.key, end, via, "https") for end in called)
                for end in targets:
                    # What passes from bus to bus is sorted out in events.py.
                    if not (pair.type == types.EVENT_TARGET and end.kind == arns.BUS):
                        kind = "https" if text(via.get("protocol")) in HTTP else pair.kind
                        yield Link(start.key, end, via, kind)

    def _targets(self, via: Resource, pair: _Pair) -> list[Node] | None:
        """Return what is named to be woken; None of what only people read."""
        protocol = text(via.get("protocol")) if pair.type == types.SUBSCRIPTION else UNKNOWN
        if protocol in HTTP:
            return behind(self._index, via) or None
        if protocol not in _DELIVERING:
            return None
        return self._index.follow(via, pair.target, pair.target_kinds)

    def _permitted(self) -> Iterator[Link]:
        granted: dict[str, list[Link]] = {}
        for link in self._permissions():
            granted.setdefault(link.target.key, []).append(link)
        inbound: dict[str, set[str]] = {}
        for link in self.links():
            if link.kind in ("subscription", "event-target"):
                inbound.setdefault(link.target.key, set()).add(link.source)
        for key, links in granted.items():
            sources = inbound.get(key, set())
            # Where a subscription has no permission, one for another source is a mistake and no link.
            if sources <= {link.source for link in links}:
                yield from (link for link in links if link.source not in sources)

    def _permissions(self) -> Iterator[Link]:
        for permission in self._index.of(types.PERMISSION):
            functions = self._index.follow(permission, "function", (arns.FUNCTION,))
            for kind in (arns.TOPIC, arns.RULE):
                for source in self._index.of_kind(permission, "sourceArn", kind):
                    for function in functions:
                        yield Link(source.key, function, permission, "permission")


def is_filtered(via: Resource) -> bool:
    """Return whether a subscription or mapping passes on only some messages, or may do so."""
    if via.type == types.EVENT_SOURCE_MAPPING:
        value = via.get("filterCriteria")
        return value is UNKNOWN or bool(entries(get(value, "filters")))
    value = via.get("filterPolicy")
    return value is UNKNOWN or (isinstance(value, (str, dict)) and value not in ("", "{}", {}))
