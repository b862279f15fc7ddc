"""The stack as a graph, built once per run and shared by all rules."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from selfheal_policies import arns, types
from selfheal_policies.dead_letters import DeadLetters
from selfheal_policies.events import STATES
from selfheal_policies.healers import can_heal, counts_when_called, is_idle
from selfheal_policies.index import Index, Node
from selfheal_policies.levers import Lever, Levers
from selfheal_policies.recognition import Recognition, Voucher
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Access, Grant, Unreadable, Write, access_of, adrift, grants_of, roles_of
from selfheal_policies.rule import Finding
from selfheal_policies.wakers import Waker
from selfheal_policies.wiring import Link, Wiring


class Graph:
    """Who wakes whom, and what those who are woken may change.

    Which of them are healers and which notifiers, says healers.py.
    """

    def __init__(self, resources: Sequence[Resource], recognition: Recognition | None = None) -> None:
        """Follow every reference of the stack; `recognition` is what the owner says of it."""
        self.recognition = recognition or Recognition()
        self.index = Index(resources)
        self.wiring = Wiring(self.index)
        self.unresolved = list(dict.fromkeys(self.index.unresolved))
        """References by which something is woken that cannot be followed; a rule's own lookups add none."""
        self.alarms = self.index.of(*types.ALARMS)
        self._reach: dict[str, frozenset[str]] = {}
        self._woken: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        self._waking: dict[str, list[Resource]] = {}
        self._access: dict[str, Access] = {}
        self._adrift = adrift(self.index)
        self.dead_letters = DeadLetters(self.index, self.access)
        self.levers = Levers(self.index, self.access, self._watched_before, self.recognition.levers)

    # What is woken

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
        """Return the keys of all that an alarm wakes when it enters one of these states."""
        wanted = frozenset(states)
        starts = [link for link in self.wiring.links_from(alarm.urn) if link.states & wanted]
        return frozenset[str]().union(*(self.reach(link.target.key) for link in starts))

    def wakes(self, alarm: Resource, healer: Resource, states: Iterable[str] = ("ALARM", "OK")) -> bool:
        """Return whether an alarm that enters one of these states wakes a healer, by a call as well."""
        key = alarm.urn, frozenset(states)
        if key not in self._woken:
            keys = self.woken(alarm, states)
            self._woken[key] = keys | self._called(keys)
        return healer.urn in self._woken[key]

    def _called(self, keys: frozenset[str]) -> frozenset[str]:
        """Return the keys of all that these wake by calling it, and that which is woken in turn."""
        found: set[str] = set()
        todo = list(keys)
        while todo:
            resource = self.index.by_urn.get(todo.pop())
            if resource is None or resource.type not in types.ACTORS:
                continue
            for node in self.access(resource).invokes:
                fresh = self.reach(node.key) - found - keys
                found |= fresh
                todo += fresh
        return frozenset(found)

    # Who is a healer

    @cached_property
    def reached(self) -> list[Resource]:
        """Functions and state machines that an alarm reaches, directly or through what calls them."""
        keys = frozenset[str]().union(*(self.woken(alarm) for alarm in self.alarms))
        called = self._called(keys)
        return [
            actor
            for actor in self.index.of(*types.ACTORS)
            if actor.urn in keys or (actor.urn in called and self._counts_when_called(actor))
        ]

    def _counts_when_called(self, actor: Resource) -> bool:
        return counts_when_called(self.access(actor)) or bool(self.levers_of(actor))

    def _may_heal(self, actor: Resource) -> bool:
        return can_heal(self.access(actor)) or any(not lever.write.guessed for lever in self.levers.of(actor))

    @cached_property
    def keys_reached(self) -> frozenset[str]:
        """The alarms, of this stack and elsewhere, and the keys of all that they reach."""
        here = (self.woken(alarm, STATES) | {alarm.urn} for alarm in self.alarms)
        return frozenset[str]().union(*here, *(self.reach(waker.key) for waker in self.wakers))

    @cached_property
    def healers(self) -> list[Resource]:
        """What an alarm can reach, whose role can change something, and that nobody vouches for."""
        return [
            actor
            for actor in self.reached
            if actor.name not in self.recognition.notifiers and self._may_heal(actor)
        ]

    @cached_property
    def suspects(self) -> list[tuple[Resource, list[Unreadable]]]:
        """What an alarm can reach and whose rights cannot be read, each with what cannot, and nothing else."""
        healers = {actor.urn for actor in self.healers}
        found: list[tuple[Resource, list[Unreadable]]] = []
        for actor in self.reached:
            if actor.urn not in healers and actor.name not in self.recognition.notifiers:
                access = self.access(actor)
                moved = access.guesses if self.levers.of(actor) else []
                if access.unreadable or moved:
                    found.append((actor, [*access.unreadable, *moved]))
        return found

    @cached_property
    def notifiers(self) -> list[Resource]:
        """What an alarm can reach and whose role changes nothing, or that somebody vouches for."""
        others = {actor.urn for actor in (*self.healers, *(actor for actor, _ in self.suspects))}
        return [actor for actor in self.reached if actor.urn not in others]

    @property
    def vouched(self) -> list[tuple[Resource, Voucher]]:
        """What would count as a healer, or as one that cannot be read, if its owner did not vouch for it."""
        held = self.recognition.notifiers
        return [
            (actor, held[actor.name]) for actor in self.reached if actor.name in held and self.deed(actor)
        ]

    def levers_of(self, actor: Resource) -> frozenset[str]:
        """Return the keys of the tables and buckets by which an actor can change how something behaves."""
        return frozenset(lever.key for lever in self.levers.of(actor))

    def deed(self, actor: Resource) -> str:
        """Return by what an actor counts, as the end of a sentence: "may ecs:StopTask on *"; empty for nothing."""
        access = self.access(actor)
        levers: list[Lever] = self.levers.of(actor)
        if access.deed or levers:
            return access.deed or levers[0].deed
        return next((f"may do what cannot be read: {each.what}" for each in access.unreadable), "")

    def _watched_before(self, actor: Resource) -> frozenset[str]:
        """Return the keys of what the alarms name that reach an actor, its own health included."""
        waking = (alarm for alarm in self.alarms if self.wakes(alarm, actor))
        return frozenset[str]().union(*(self.wiring.watching.sight(alarm).named for alarm in waking))

    @property
    def healer_functions(self) -> list[Resource]:
        """The healers that are functions."""
        return [healer for healer in self.healers if healer.type == types.FUNCTION]

    @cached_property
    def idle_healers(self) -> list[Resource]:
        """Functions and machines that may change a function, and that no alarm reaches."""
        reached = {actor.urn for actor in self.reached}
        return [
            actor
            for actor in self.index.of(*types.ACTORS)
            if actor.urn not in reached and is_idle(self.access(actor))
        ]

    # How it counts as one

    @cached_property
    def wakers(self) -> list[Waker]:
        """Where alarms that this stack does not hold begin to wake something in it."""
        return []

    def woken_from_outside(self, healer: Resource) -> list[Waker]:
        """Return by which of them alarms elsewhere wake a healer."""
        return [waker for waker in self.wakers if healer.urn in self.reach(waker.key)]

    def actuators_of(self, healer: Resource) -> list[Resource]:
        """Return what only a healer starts, and what changes only what the healer's remedies may name."""
        del healer
        return []

    def path(self, actor: Resource) -> str:
        """Return how an alarm reaches an actor: "alarm A -> topic T -> function F"; empty if none does."""
        del actor
        return ""

    def why(self, actor: Resource) -> str:
        """Return the path, and the action by which an actor counts as a healer."""
        return self.path(actor)

    def why_about(self, finding: Finding) -> str:
        """Return why that counts as a healer which a finding is about; empty if it is about none."""
        actor = self.index.by_urn.get(finding.about or finding.urn)
        return self.why(actor) if actor in self.healers else ""

    # The alarms of a healer, and the ways from them to it

    @cached_property
    def health_alarms(self) -> dict[str, Resource]:
        """Alarms on a healer's own health, by URN.

        They name the healer or what shows that it fails: where its failures end, what it reads, its logs.
        What covers a healer among others, or the table to which it writes, is one only if it wakes it.
        """
        own = {healer.urn for healer in self.healers}
        sights = [(alarm, self.wiring.watching.sight(alarm)) for alarm in self.alarms]
        return {
            alarm.urn: alarm
            for alarm, sight in sights
            if sight.named & own
            or (sight.wide & own and any(self.wakes(alarm, healer) for healer in self.healers))
            or any(
                self.wakes(alarm, healer)
                for key in sight.named & self.ledgers.keys()
                for healer in self.ledgers[key]
            )
        }

    @cached_property
    def ledgers(self) -> dict[str, list[Resource]]:
        """Key of each table to which healers write, their ledgers among them, to these healers."""
        found: dict[str, list[Resource]] = {}
        for healer in self.healers:
            access = self.access(healer)
            nodes = [
                write.named(self.index) for write in (*access.writes, *access.records) if not write.control
            ]
            for key in {node.key for node in nodes if node and node.kind == arns.TABLE}:
                found.setdefault(key, []).append(healer)
        return found

    def alarms_of(self, healer: Resource) -> list[Resource]:
        """Return the alarms that are wired to a healer, those on a healer's own health left out."""
        if healer.urn not in self._waking:
            self._waking[healer.urn] = [
                alarm
                for alarm in self.alarms
                if alarm.urn not in self.health_alarms and self.wakes(alarm, healer)
            ]
        return self._waking[healer.urn]

    @cached_property
    def wake_alarms(self) -> dict[str, Resource]:
        """The alarms that are wired to any healer, by URN."""
        return {alarm.urn: alarm for healer in self.healers for alarm in self.alarms_of(healer)}

    def concerned(self, alarm: Resource) -> str:
        """Return the URN of a healer that an alarm wakes or watches; empty for none."""
        return self._concerned.get(alarm.urn, "")

    @cached_property
    def _concerned(self) -> dict[str, str]:
        found: dict[str, str] = {}
        own = {healer.urn for healer in self.healers}
        for healer in self.healers:
            found |= {alarm.urn: healer.urn for alarm in self.alarms_of(healer) if alarm.urn not in found}
        for alarm in self.alarms:
            sight = self.wiring.watching.sight(alarm)
            for urn in sorted((sight.named | sight.meant | sight.wide) & own)[:1]:
                found.setdefault(alarm.urn, urn)
        for composite in self.index.of(types.COMPOSITE_ALARM):
            if composite.urn in found:
                below = self.wiring.watching.metric_alarms(composite)
                found = {alarm.urn: found[composite.urn] for alarm in below} | found
        return found

    def targets_of(self, healer: Resource) -> frozenset[str]:
        """Return the keys of the functions that the alarms of a healer watch, but for itself."""
        # One on a healer's own health must not wake it, as another rule says: what it watches is watched.
        waking = (alarm for alarm in self.alarms if self.wakes(alarm, healer))
        return frozenset[str]().union(*(self.wiring.watched(alarm) for alarm in waking)) - {healer.urn}

    def wake_links(self, healer: Resource) -> list[Link]:
        """Return every link on a way from an alarm to a healer."""
        keys = frozenset[str]().union(*(self.woken(alarm) | {alarm.urn} for alarm in self.alarms_of(healer)))
        return [
            link
            for key in sorted(keys)
            for link in self.wiring.links_from(key)
            if healer.urn in self.reach(link.target.key)
        ]

    def wake_vias(self, kind: str) -> list[Resource]:
        """Return the resources that make the links of a kind on the ways to healers, each once."""
        links = [link for healer in self.healers for link in self.wake_links(healer)]
        return list({link.via.urn: link.via for link in links if link.kind == kind}.values())

    @cached_property
    def wake_topics(self) -> dict[str, tuple[Node, Resource]]:
        """The topics on ways from alarms to healers, by key, each with a resource that leads to it."""
        links = [link for healer in self.healers for link in self.wake_links(healer)]
        topics = [(link.target, link.via) for link in reversed(links) if link.target.kind == arns.TOPIC]
        return {node.key: (node, via) for node, via in topics}

    def tells_people(self, alarm: Resource) -> bool:
        """Return whether an alarm, or a composite alarm that asks it, can reach a person."""
        return any(self.reaches_people(each) for each in self.wiring.watching.with_parents(alarm))

    def reaches_people(self, alarm: Resource) -> bool:
        """Return whether an alarm that fires can reach a person."""
        healers = {healer.urn for healer in self.healers}
        return any(
            self.wiring.tells_people(link.target, self.reach(link.target.key), healers)
            for link in self.wiring.links_from(alarm.urn)
            if "ALARM" in link.states
        )

    # What a healer may do

    def access(self, actor: Resource) -> Access:
        """Return what the role of a function or state machine allows."""
        if actor.urn not in self._access:
            self._access[actor.urn] = access_of(self.index, actor, self._adrift)
        return self._access[actor.urn]

    def roles_of(self, actor: Resource) -> list[Resource]:
        """Return the role of a function or state machine, if it is one of this stack."""
        return [node.resource for node in roles_of(self.index, actor) if node.resource]

    @cached_property
    def roles(self) -> list[Resource]:
        """The roles of this stack that healers have, each once."""
        found = {role.urn: role for healer in self.healers for role in self.roles_of(healer)}
        return list(found.values())

    @cached_property
    def grants(self) -> list[Grant]:
        """The documents in force for the roles of healers, each once. Those of boundaries grant nothing."""
        found = [grant for role in self.roles for grant in grants_of(self.index, role)]
        # Two roles may share a policy, and a policy may be attached twice.
        return list({(grant.urn, grant.where): grant for grant in found}.values())

    def controls(self, healer: Resource) -> Iterator[tuple[Write, Node]]:
        """Yield the changes of infrastructure that name one resource, each with what it names.

        Wildcards and changes of identities are left out: rules of their own refuse them on any resource.
        """
        for write in self.access(healer).writes:
            node = write.named(self.index) if write.control else None
            if node and not write.acts_on_identities:
                yield write, node

    def parts_of(self, healer: Resource) -> set[str]:
        """Return the keys of what a healer is made of: itself, its role, and all that wakes it."""
        keys = {healer.urn, *(node.key for node in roles_of(self.index, healer))}
        for link in self.wake_links(healer):
            keys |= {link.source, link.target.key, link.via.urn}
        return keys
