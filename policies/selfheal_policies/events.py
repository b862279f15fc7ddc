"""EventBridge: which alarms the rules of a stack pass on, on which bus, and what else reaches them.

Source of the events: "Alarm events and EventBridge" (CloudWatch User Guide) and "Amazon S3 event notification
through EventBridge" (S3 User Guide). AWS services put events on the default bus only, and nobody else may use
their sources: on another bus an alarm arrives by a rule of another bus or account that passes it on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any, cast

from selfheal_policies import arns, patterns, types
from selfheal_policies.index import NAMED, Index, Node, Unresolved
from selfheal_policies.links import ACTIONS, HUB, STATES, Link
from selfheal_policies.places import NOWHERE, Place
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, flag, get, parsed, text

DEFAULT_BUS = "bus:default"
"""Key of the bus on which the events of AWS services arrive."""

_STATE_CHANGES = ["CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change"]
_ANYTHING = patterns.ANY
_OF_ALARMS = "#alarms"

_FUNCTION_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]*:\d*:function:[\w-]+(?::[\w$-]+)?")


@dataclass(frozen=True)
class EventRule:
    """A rule that waits for events, as far as its pattern is known."""

    resource: Resource
    pattern: Any
    """Its data, or UNKNOWN."""
    bus: str
    """Key of its bus."""
    origins: tuple[Node, ...]
    """Of a pattern that is not known, the alarms that it depends on."""
    states: frozenset[str]
    """Of an alarm, those that it may pass on; none if it passes on no alarm."""
    about_others: bool
    """Whether its pattern is not known, and comes from resources none of which is an alarm."""

    def passes_on(self, alarm: str | None, place: Place) -> frozenset[str]:
        """Return the states of an alarm that it passes on; None stands for a name that is not known."""
        if not patterns.may_match(self.pattern, _change(_ANYTHING, alarm, place)):
            return frozenset()
        return frozenset(
            state for state in self.states if patterns.may_match(self.pattern, _change(state, alarm, place))
        )

    @property
    def of_every_alarm(self) -> bool:
        """Whether it makes no difference which alarm it is."""
        return not patterns.has_field(self.pattern, ("alarmName", "resources", "configuration"))

    @property
    def of_own_events(self) -> bool:
        """Whether it may match what a program puts on its bus."""
        if self.pattern is UNKNOWN:
            return not (self.origins or self.about_others)
        return patterns.may_match(self.pattern, {**_ANY_EVENT, "source": _own_source})

    @property
    def names_alarms(self) -> bool:
        """Whether it names alarms as what it wants: on a bus of its own, somebody means to feed it."""
        return patterns.named(get(self.pattern, "source"), "aws.cloudwatch") or any(
            patterns.named(get(self.pattern, "detail-type"), each) for each in _STATE_CHANGES
        )

    def names_only(self, known: frozenset[str]) -> bool:
        """Return whether it names alarms in full, and all of them are among these names."""
        names = [*patterns.texts(get(self.pattern, "detail", "alarmName"))] or [
            arn.rpartition(":alarm:")[2] for arn in patterns.texts(get(self.pattern, "resources"))
        ]
        return bool(names) and known.issuperset(names)


_EVENT = ("account", "detail-type", "id", "region", "resources", "source", "time", "version")
_ANY_EVENT: dict[str, Any] = dict.fromkeys((*_EVENT, "detail"), _ANYTHING)


_ITEM_OPENED = _ANY_EVENT | {"source": "aws.ssm", "detail-type": "OpsItem Create"}


def _own_source(matcher: Any) -> str:
    """Return a source that a program may use, as close as can be to what a matcher wants."""
    wanted = patterns.inner(matcher)
    return "" if wanted.startswith("aws.") or get(matcher, "anything-but") is not ABSENT else wanted


def _change(state: Any, alarm: str | None = None, place: Place = NOWHERE) -> dict[str, Any]:
    """Return the event of a change of an alarm's state."""
    value = state if isinstance(state, str) else list(STATES)
    return dict.fromkeys(_EVENT, _ANYTHING) | {
        "source": "aws.cloudwatch",
        "detail-type": _STATE_CHANGES,
        "resources": _ANYTHING if alarm is None else lambda matcher: _arn_like(matcher, alarm, place),
        "detail": {
            "alarmName": _ANYTHING if alarm is None else alarm,
            "alarmContributor": _ANYTHING,
            "configuration": _ANYTHING,
            "muteDetail": _ANYTHING,
            "previousState": dict.fromkeys(("reason", "reasonData", "timestamp", "value"), _ANYTHING),
            "state": {
                **dict.fromkeys(("reason", "reasonData", "timestamp", "evaluationState"), _ANYTHING),
                **dict.fromkeys(("actionsSuppressedBy", "actionsSuppressedReason"), _ANYTHING),
                "value": value,
            },
        },
    }


def _arn_like(matcher: Any, name: str, place: Place) -> str:
    """Return what an alarm's ARN may be, as far as account and region can be read in a matcher."""
    known = ["arn", "aws", "cloudwatch", "region", "account"]
    written = patterns.inner(matcher)
    meant = arns.parse_arn(written)
    if meant and not place.may_hold(meant):
        return ""
    parts = written.split(":")
    if parts[0] == "arn":
        known = [part or other for part, other in zip_longest(parts[:5], known, fillvalue="")]
    return ":".join((*known, "alarm", name))


class Events:
    """The rules of one stack that wait for events, and what reaches them."""

    def __init__(self, index: Index) -> None:
        """Read the patterns."""
        self._index = index
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
        states = frozenset(
            state for state in STATES if not others and patterns.may_match(pattern, _change(state))
        )
        return EventRule(resource, pattern, self._bus(resource), origins, states, others)

    def _is_about_others(self, rule: Resource) -> bool:
        """Return whether a pattern comes from resources of AWS, so that it is about their events."""
        urns = rule.references.get("eventPattern", ())
        kinds = {each.type for urn in urns if (each := self._index.by_urn.get(urn))}
        return bool(kinds) and all(each.startswith("aws:") and each not in types.VALUES for each in kinds)

    def _bus(self, resource: Resource, key: str = "eventBusName") -> str:
        nodes = self._index.follow_quietly(resource, key, (arns.BUS,))
        bus = nodes[0].key if nodes else DEFAULT_BUS
        # A rule on the default bus of another region is one there: it hears the alarms of that region.
        return DEFAULT_BUS if bus.partition("@")[0] == DEFAULT_BUS else bus

    def _hears(self, rule: EventRule) -> bool:
        """Return whether alarms arrive on the bus of a rule."""
        return rule.bus == DEFAULT_BUS or rule.bus in self._fed or rule.names_alarms

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

    @cached_property
    def _fed(self) -> frozenset[str]:
        """The buses that another account may feed."""
        grants = self._index.of(*types.BUS_POLICIES)
        return frozenset(self._bus(grant) for grant in grants if _lets_put(grant))

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
                held = {"bucket": {"name": name if isinstance(name, str) else _ANYTHING}}
                detail = dict.fromkeys(("object", "reason", "requester", "version"), _ANYTHING) | held
                event = {**_ANY_EVENT, "source": "aws.s3", "detail": detail}
                for rule in self.rules:
                    known = rule.pattern is not UNKNOWN
                    if rule.bus == DEFAULT_BUS and known and patterns.may_match(rule.pattern, event):
                        node = self._index.node(rule.resource)
                        yield Link(bucket.key, node, notification, "notification")


def _name(alarm: Resource) -> str | None:
    name = text(alarm.get(NAMED[alarm.type][1]))
    return name if isinstance(name, str) else None


def _lets_put(grant: Resource) -> bool:
    """Return whether a policy or permission of a bus lets others put events on it; when in doubt, it does."""
    document = parsed(grant.get("policy"))
    statements = entries(get(document, "Statement")) if isinstance(document, dict) else [UNKNOWN]
    return any(
        each is UNKNOWN
        or (
            get(each, "Effect") != "Deny"
            and any(
                not isinstance(action, str) or patterns.glob(action.lower(), "events:putevents")
                for action in entries(get(each, "Action")) or [UNKNOWN]
            )
        )
        for each in statements
    )


def functions_of_machine(index: Index, machine: Resource) -> Iterator[Node]:
    """Return the functions that a state machine's definition calls."""
    definition = machine.get("definition")
    if definition is UNKNOWN:
        yield from index.origins(machine, "definition", (arns.FUNCTION,))
        return
    found: dict[str, Node] = {}
    for key, value in _leaves(parsed(definition), ""):
        names = [value] if key == "FunctionName" and value and "{%" not in value else []
        for name in (*names, *_FUNCTION_ARN.findall(value)):
            node = index.literal(name, arns.FUNCTION, machine)
            found.setdefault(node.key, node)
    yield from found.values()


def calls_by_input(machine: Resource) -> bool:
    """Return whether a state machine calls functions that its input names, or may do so."""
    definition = parsed(machine.get("definition"))
    return not isinstance(definition, dict) or any(
        key == "FunctionName.$" or (key in {"FunctionName", "Resource"} and "{%" in value)
        for key, value in _leaves(definition, "")
    )


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str]]:
    todo: list[tuple[str, Any]] = [(key, value)]
    while todo:
        name, each = todo.pop()
        if isinstance(each, str):
            yield name, each
        elif isinstance(each, dict):
            todo += cast("dict[str, Any]", each).items()
        elif isinstance(each, list):
            todo += [(name, entry) for entry in cast("list[Any]", each)]
