"""The stack as a graph, built once per run and shared by all rules."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from selfheal_policies import arns
from selfheal_policies.access import Access, Write, access_of
from selfheal_policies.index import ALARM_TYPES, Index, Node, Unresolved
from selfheal_policies.resources import Resource
from selfheal_policies.wiring import Link, Wiring

ACTOR_TYPES = ("aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine")
"""What can change something when it is woken."""

PEOPLE = "people"


class Graph:
    """Who wakes whom, and what those who are woken may change.

    A *healer* is a function or state machine that an alarm can reach **and** whose role can change something;
    a *notifier* is reached and changes nothing.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        """Follow every reference of the stack."""
        self.index = Index(resources)
        self.wiring = Wiring(self.index)
        # Now: what a rule looks up later is that rule's to report.
        self._unresolved = list(dict.fromkeys(self.index.unresolved))
        self._woken: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        self._waking: dict[str, list[Resource]] = {}
        self._reach: dict[str, frozenset[str]] = {}
        self._access: dict[str, Access] = {}

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of these types."""
        return self.index.of(*types)

    @property
    def unresolved(self) -> Sequence[Unresolved]:
        """References that cannot be followed."""
        return self._unresolved

    @cached_property
    def alarms(self) -> list[Resource]:
        """Metric and composite alarms."""
        return self.of(*ALARM_TYPES)

    def access(self, actor: Resource) -> Access:
        """Return what the role of a function or state machine allows."""
        if actor.urn not in self._access:
            self._access[actor.urn] = access_of(self.index, actor)
        return self._access[actor.urn]

    def writes_of(self, actor: Resource) -> Sequence[Write]:
        """Return what an actor may change."""
        return self.access(actor).writes

    def reach(self, key: str) -> frozenset[str]:
        """Return the keys of all that is woken when something happens at a node, itself included."""
        if key not in self._reach:
            seen, todo = {key}, [key]
            while todo:
                for link in self.wiring.links_from(todo.pop()):
                    if link.target.key not in seen:
                        seen.add(link.target.key)
                        todo.append(link.target.key)
            self._reach[key] = frozenset(seen)
        return self._reach[key]

    def woken(self, alarm: Resource, states: Iterable[str] = ("ALARM", "OK")) -> frozenset[str]:
        """Return the keys of all that an alarm reaches when it enters one of these states."""
        wanted = frozenset(states)
        starts = [link for link in self.wiring.links_from(alarm.urn) if link.states & wanted]
        return frozenset[str]().union(*(self.reach(link.target.key) for link in starts))

    def _called(self, keys: frozenset[str]) -> frozenset[str]:
        """Return the keys of all that these wake by calling it, and that which is woken in turn."""
        found: set[str] = set()
        todo = list(keys)
        while todo:
            resource = self.index.by_urn.get(todo.pop())
            if resource is None or resource.type not in ACTOR_TYPES:
                continue
            for node in self.access(resource).invokes:
                fresh = self.reach(node.key) - found - keys
                found |= fresh
                todo += fresh
        return frozenset(found)

    @cached_property
    def reached(self) -> list[Resource]:
        """Functions and state machines that an alarm reaches, directly or through what calls them."""
        keys = frozenset[str]().union(*(self.woken(alarm) for alarm in self.alarms))
        called = self._called(keys)
        # A function that a healer merely asks (a probe) is no healer for writing its own data.
        return [
            actor
            for actor in self.of(*ACTOR_TYPES)
            if actor.urn in keys or (actor.urn in called and self.access(actor).controls)
        ]

    @cached_property
    def healers(self) -> list[Resource]:
        """What an alarm can reach and whose role can change something, or cannot be read."""
        return [actor for actor in self.reached if self.access(actor).changes or self.access(actor).problems]

    @cached_property
    def notifiers(self) -> list[Resource]:
        """What an alarm can reach and whose role is known to change nothing."""
        return [
            actor
            for actor in self.reached
            if not self.access(actor).changes and not self.access(actor).problems
        ]

    @cached_property
    def idle_healers(self) -> list[Resource]:
        """Functions and machines that may change a function, and that no alarm reaches."""
        reached = {actor.urn for actor in self.reached}
        return [
            actor
            for actor in self.of(*ACTOR_TYPES)
            if actor.urn not in reached
            and any(write.control and write.acts_on_functions for write in self.writes_of(actor))
        ]

    def watched(self, alarm: Resource) -> frozenset[str]:
        """Return the keys of functions and queues that an alarm, or what a composite is made of, watches."""
        return self.wiring.watched(alarm)

    @cached_property
    def health_alarms(self) -> dict[str, Resource]:
        """Alarms on a healer's own health, by URN: on the healer, or on where its failures end."""
        own = {healer.urn for healer in self.healers}
        for healer in self.healers:
            own |= {node.key for _, node in self.failure_destinations(healer)}
        return {alarm.urn: alarm for alarm in self.alarms if self.watched(alarm) & own}

    def waking_alarms(self, healer: Resource) -> list[Resource]:
        """Return the alarms that are wired to a healer, those on a healer's own health left out."""
        if healer.urn not in self._waking:
            self._waking[healer.urn] = [
                alarm
                for alarm in self.alarms
                if alarm.urn not in self.health_alarms and self.alarm_reaches(alarm, healer)
            ]
        return self._waking[healer.urn]

    def alarm_reaches(
        self, alarm: Resource, healer: Resource, states: Iterable[str] = ("ALARM", "OK")
    ) -> bool:
        """Return whether an alarm that enters one of these states wakes a healer."""
        return healer.urn in self._wakes(alarm, frozenset(states))

    def _wakes(self, alarm: Resource, states: frozenset[str]) -> frozenset[str]:
        """Return the keys of all that an alarm wakes, directly or by what it calls. Kept: rules ask often."""
        key = alarm.urn, states
        if key not in self._woken:
            keys = self.woken(alarm, states)
            self._woken[key] = keys | self._called(keys)
        return self._woken[key]

    def targets_of(self, healer: Resource) -> frozenset[str]:
        """Return the keys of the functions that the alarms reaching a healer watch, but for itself."""
        watched = [self.watched(alarm) for alarm in self.waking_alarms(healer)]
        return frozenset[str]().union(*watched) - {healer.urn}

    def wake_links(self, healer: Resource) -> list[Link]:
        """Return every link on a way from an alarm to a healer."""
        alarms = self.waking_alarms(healer)
        keys = frozenset[str]().union(*(self.woken(alarm) | {alarm.urn} for alarm in alarms))
        return [
            link
            for key in sorted(keys)
            for link in self.wiring.links_from(key)
            if healer.urn in self.reach(link.target.key)
        ]

    def wake_topics(self) -> list[Resource]:
        """Return the topics of this stack on a way from an alarm to a healer."""
        nodes = [link.target for healer in self.healers for link in self.wake_links(healer)]
        found = {node.key: node.resource for node in nodes if node.kind == arns.TOPIC and node.resource}
        return list(found.values())

    def reaches_people(self, alarm: Resource) -> bool:
        """Return whether an alarm that fires can reach a person."""
        healers = {healer.urn for healer in self.healers}
        return any(
            self.wiring.tells_people(link.target, self.reach(link.target.key), healers)
            for link in self.wiring.links_from(alarm.urn)
            if "ALARM" in link.states
        )

    def failure_destinations(self, function: Resource) -> list[tuple[Resource, Node]]:
        """Return where a function's failed events go, each with the resource that says so."""
        return self.wiring.failure_destinations(function)
