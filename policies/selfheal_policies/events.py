"""EventBridge: which alarms the rules of a stack pass on, on which bus, and what else reaches them.

Source of the events: "Alarm events and EventBridge" (CloudWatch User Guide) and "Amazon S3 event notification
through EventBridge" (S3 User Guide). AWS services put events on the default bus only, and nobody else may use
their sources: on another bus an alarm arrives by a rule of another bus or account that passes it on.
"""

from collections.abc import Iterator
from functools import cached_property

from selfheal_policies import arns, patterns, types
from selfheal_policies.buses import DEFAULT_BUS, Buses
from selfheal_policies.event_rules import ANY_EVENT, EventRule, states_passed
from selfheal_policies.index import NAMED, Index, Node, Unresolved
from selfheal_policies.links import ACTIONS, HUB, Link
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, flag, parsed, text

_OF_ALARMS = "#alarms"
"""Ends the key of what stands for the alarms on a bus, beside the events of programs."""

_ITEM_OPENED = ANY_EVENT | {"source": "aws.ssm", "detail-type": "OpsItem Create"}


class Events:
    """The rules of one stack that wait for events, and what reaches them."""

    def __init__(self, index: Index) -> None:
        """Read the patterns."""
        self._index = index
        self.buses = Buses(index)
        self.rules = [rule for each in index.of(types.EVENT_RULE) if (rule := self._read(each))]

    def links(self) -> Iterator[Link]:
        """Yield the links from alarms, buses and buckets to rules, and from rules to other buses."""
        for rule in self.rules:
            node = self._index.node(rule.resource)
            if rule.of_own_events:
                yield Link(rule.bus, node, rule.resource, "event")
            if rule.states and rule.bus in self._feeders:
                yield Link(rule.bus + _OF_ALARMS, node, rule.resource, "event")
            elif self._hears(rule):
                yield from self._of_alarms(rule, node)
        yield from self._alarms_to_hubs()
        for target, rule, bus in self._forwarding:
            for suffix, passes in (("", rule.of_own_events), (_OF_ALARMS, bool(rule.states))):
                if passes:
                    yield Link(rule.resource.urn, Node(arns.BUS, bus.key + suffix), target, "event-target")
        yield from self._of_buckets()
        yield from self._of_items()

    def from_elsewhere(self) -> Iterator[Resource]:
        """Yield the rules that alarms of other stacks reach."""
        known = frozenset(name for alarm in self._index.of(*types.ALARMS) if (name := _name(alarm)))
        for rule in self.rules:
            if rule.states and not rule.origins and self._hears(rule) and not rule.names_only(known):
                yield rule.resource

    def _read(self, resource: Resource) -> EventRule | None:
        value = resource.get("eventPattern")
        if value is ABSENT:
            return None
        pattern = parsed(value)
        origins: tuple[Node, ...] = ()
        others = False
        if pattern is UNKNOWN:
            origins = tuple(self._index.origins(resource, "eventPattern", (arns.ALARM,)))
            others = not origins and self._is_about_others(resource)
            if not origins and not others:
                self._index.unresolved.append(Unresolved(resource, "eventPattern"))
        states = frozenset[str]() if others else states_passed(pattern)
        return EventRule(resource, pattern, self.buses.of(resource), origins, states, others)

    def _is_about_others(self, rule: Resource) -> bool:
        """Return whether a pattern comes from resources of AWS, so that it is about their events."""
        urns = rule.references.get("eventPattern", ())
        kinds = {each.type for urn in urns if (each := self._index.by_urn.get(urn))}
        return bool(kinds) and all(each.startswith("aws:") and each not in types.VALUES for each in kinds)

    def _hears(self, rule: EventRule) -> bool:
        """Return whether alarms arrive on the bus of a rule."""
        return rule.bus == DEFAULT_BUS or rule.bus in self.buses.fed or rule.names_alarms

    @cached_property
    def _forwarding(self) -> list[tuple[Resource, EventRule, Node]]:
        """Targets that are buses, each with its rule."""
        by_urn = {rule.resource.urn: rule for rule in self.rules}
        return [
            (target, by_urn[start.key], bus)
            for target in self._index.of(types.EVENT_TARGET)
            for start in self._index.follow_quietly(target, "rule", (arns.RULE,))
            if start.key in by_urn
            for bus in self._index.follow_quietly(target, "arn", (arns.OTHER, arns.BUS))
            if bus.kind == arns.BUS
        ]

    @cached_property
    def _feeders(self) -> frozenset[str]:
        """The buses to which a rule of this stack passes alarms on."""
        found: set[str] = set()
        while True:
            more = {
                bus.key
                for _, rule, bus in self._forwarding
                if rule.states and (self._hears(rule) or rule.bus in found)
            } - found
            if not more:
                return frozenset(found - {DEFAULT_BUS})
            found |= more

    def _of_alarms(self, rule: EventRule, node: Node) -> Iterator[Link]:
        via = rule.resource
        if rule.origins:
            yield from (Link(each.key, node, via, "event") for each in rule.origins)
        elif rule.states and rule.of_every_alarm:
            yield Link(self._hub(rule), node, via, "event")
        elif rule.states:
            for alarm in self._index.of(*types.ALARMS):
                # A bus holds the events of its own region; where others are sent to it, a rule there says so.
                if self._index.are_apart(via, alarm):
                    continue
                if states := rule.passes_on(_name(alarm), self._index.place(alarm)):
                    yield Link(alarm.urn, node, via, "event", states)

    def _of_items(self) -> Iterator[Link]:
        """Yield the links from alarms that open an OpsItem to rules that wait for one.

        Source: "Amazon EventBridge event examples for Systems Manager", OpsCenter events.
        """
        rules = [
            rule.resource
            for rule in self.rules
            if rule.pattern is not UNKNOWN
            and not rule.states
            and rule.bus == DEFAULT_BUS
            and patterns.may_match(rule.pattern, _ITEM_OPENED)
        ]
        for alarm in self._index.of(*types.ALARMS) if rules else ():
            for key, state in ACTIONS.items():
                if any(isinstance(each, str) and ":opsitem:" in each for each in entries(alarm.get(key))):
                    for rule in rules:
                        yield Link(alarm.urn, self._index.node(rule), rule, "event", frozenset({state}))

    def _hub(self, rule: EventRule) -> str:
        """Return the key of the node that stands for all rules like this one that any alarm reaches."""
        where = self._index.stated(rule.resource)
        return f"{HUB}:{','.join(sorted(rule.states))}@{where.region}/{where.account}"

    def _alarms_to_hubs(self) -> Iterator[Link]:
        """Yield one link an alarm, not one for each rule, where it makes no difference which alarm it is."""
        hubs = {
            self._hub(rule): rule
            for rule in self.rules
            if rule.states and not rule.origins and rule.of_every_alarm and self._hears(rule)
        }
        for alarm in self._index.of(*types.ALARMS):
            for key, rule in hubs.items():
                if not self._index.are_apart(rule.resource, alarm):
                    yield Link(alarm.urn, Node(HUB, key), alarm, "event", rule.states)

    def _of_buckets(self) -> Iterator[Link]:
        for notification in self._index.of(types.BUCKET_NOTIFICATION):
            if flag(notification.get("eventbridge")) in {False, ABSENT}:
                continue
            for bucket in self._index.follow_quietly(notification, "bucket", (arns.BUCKET,)):
                name = text(bucket.resource.get("bucket")) if bucket.resource else bucket.name
                held = {"bucket": {"name": name if isinstance(name, str) else patterns.ANY}}
                detail = dict.fromkeys(("object", "reason", "requester", "version"), patterns.ANY) | held
                event = {**ANY_EVENT, "source": "aws.s3", "detail": detail}
                for rule in self.rules:
                    known = rule.pattern is not UNKNOWN
                    if rule.bus == DEFAULT_BUS and known and patterns.may_match(rule.pattern, event):
                        node = self._index.node(rule.resource)
                        yield Link(bucket.key, node, notification, "notification")


def _name(alarm: Resource) -> str | None:
    name = text(alarm.get(NAMED[alarm.type][1]))
    return name if isinstance(name, str) else None
