"""The stack as a graph, built once per run and shared by all rules."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from selfheal_policies import arns, types
from selfheal_policies.dead_letters import DeadLetters
from selfheal_policies.grants import Grant, attachments_of, boundary_of, grants_of, roles_of
from selfheal_policies.healers import can_heal, counts_when_called, is_idle, pauses_named
from selfheal_policies.index import Index, Node
from selfheal_policies.levers import Lever, Levers
from selfheal_policies.links import HUB, STATES, Link
from selfheal_policies.recognition import Recognition, Voucher
from selfheal_policies.relays import Relays
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Access, Write, access_of
from selfheal_policies.rule import Finding
from selfheal_policies.unreadable import adrift
from selfheal_policies.values import ABSENT, text
from selfheal_policies.wakers import Waker, wakers
from selfheal_policies.ways import Ways, ahead
from selfheal_policies.wiring import Wiring

OF_ALARMS_OR_CLOCKS = frozenset(
    {
        "events.amazonaws.com",
        "lambda.alarms.cloudwatch.amazonaws.com",
        "scheduler.amazonaws.com",
        "sns.amazonaws.com",
    }
)
"""Principals of the services that wake a healer. Another one means that somebody else calls a function."""


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
        self._alarm_urns = frozenset(alarm.urn for alarm in self.alarms)
        self._alarms_of: dict[str, list[Resource]] = {}
        self._whys: dict[str, str] = {}
        self._reach: dict[str, frozenset[str]] = {}
        self._waking: dict[str, dict[str, frozenset[str]]] = {}
        self._wake_links: dict[str, list[Link]] = {}
        self.links = [*self.wiring.links(), *Relays(self.index).links]
        """All that is wired, and all that is sent, started and written."""
        self._ways = Ways(self.links)
        self._access: dict[str, Access] = {}
        self._adrift = adrift(self.index)
        self.dead_letters = DeadLetters(self.index, self.access)
        self.levers = Levers(self.index, self.access, self._watched_before, self.recognition.levers)

    # What is woken

    def reach(self, key: str) -> frozenset[str]:
        """Return the keys of all that is woken when something happens at a node, itself included.

        It is what is wired to be woken: what that sends and starts in turn is left out.
        """
        if key not in self._reach:
            self._reach[key] = frozenset(ahead([key], self.wiring.links_from))
        return self._reach[key]

    def passed_on(self, key: str) -> frozenset[str]:
        """Return the keys of all that is woken when something happens at a node, also by what that starts."""
        return self._ways.ahead(key)

    def causes(self, actor: Resource) -> frozenset[str]:
        """Return the keys of all that an actor wakes by what it sends, starts and writes when it succeeds."""
        links = (link for link in self._ways.links_from(actor.urn) if link.kind != "dead-letter")
        return frozenset[str]().union(*(self._ways.ahead(link.target.key) for link in links))

    def wakes(self, alarm: Resource, healer: Resource, states: Iterable[str] = STATES) -> bool:
        """Return whether an alarm that enters one of these states wakes a healer, also by what it starts."""
        return not self._waking_states(healer).get(alarm.urn, frozenset()).isdisjoint(states)

    def _waking_states(self, actor: Resource) -> dict[str, frozenset[str]]:
        """Return, by URN, the alarms that wake an actor, each with the states in which it does."""
        if actor.urn not in self._waking:
            found: dict[str, frozenset[str]] = {}
            for key in self._ways.behind(actor.urn):
                for link in self._ways.links_to(key):
                    if link.source in self._alarm_urns:
                        found[link.source] = found.get(link.source, link.states) | link.states
            self._waking[actor.urn] = found
        return self._waking[actor.urn]

    # Who is a healer

    @cached_property
    def wakers(self) -> list[Waker]:
        """Where alarms that this stack does not hold begin to wake something in it."""
        return list(dict.fromkeys(wakers(self.index, self.wiring)))

    def woken_from_outside(self, healer: Resource) -> list[Waker]:
        """Return by which of them alarms of other stacks wake a healer."""
        behind = self._ways.behind(healer.urn)
        return [waker for waker in self.wakers if waker.key in behind]

    @cached_property
    def _starts(self) -> list[str]:
        return [*(alarm.urn for alarm in self.alarms), *(waker.key for waker in self.wakers)]

    @cached_property
    def reached(self) -> list[Resource]:
        """Functions and state machines that an alarm reaches, directly or through what starts them."""
        wired = ahead(self._starts, self.wiring.links_from)
        return [
            actor
            for actor in self.index.of(*types.ACTORS)
            if actor.urn in wired or (actor.urn in self.keys_reached and self._counts_when_called(actor))
        ]

    def _counts_when_called(self, actor: Resource) -> bool:
        # What the alarms watch writes its own data: it is the service, and no healer of another.
        moves = bool(self.levers_of(actor)) and actor.urn not in self._watched_before(actor)
        return counts_when_called(self.access(actor)) or moves

    def _may_heal(self, actor: Resource) -> bool:
        return can_heal(self.access(actor)) or bool(self.levers_of(actor))

    @cached_property
    def keys_reached(self) -> frozenset[str]:
        """The alarms, of this stack and elsewhere, and the keys of all that they reach."""
        return frozenset(ahead(self._starts, self._ways.links_from))

    @cached_property
    def _changing(self) -> list[Resource]:
        """What an alarm reaches, and what can change something: healers and their actuators."""
        return [
            actor
            for actor in self.reached
            if actor.name not in self.recognition.notifiers and self._may_heal(actor)
        ]

    @cached_property
    def healers(self) -> list[Resource]:
        """What an alarm can reach, whose role can change something, and that nobody vouches for."""
        return [actor for actor in self._changing if actor.urn not in self._starters]

    @cached_property
    def suspects(self) -> list[Resource]:
        """What an alarm can reach and whose rights cannot be read, and for which nothing else speaks."""
        changing = {actor.urn for actor in self._changing}
        return [
            actor
            for actor in self.reached
            if actor.urn not in changing
            and actor.name not in self.recognition.notifiers
            and self.access(actor).unreadable
        ]

    @cached_property
    def notifiers(self) -> list[Resource]:
        """What an alarm can reach and whose role changes nothing, or that somebody vouches for."""
        others = {actor.urn for actor in (*self._changing, *self.suspects)}
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
        """Return by what an actor counts, as the end of a sentence: "may ecs:StopTask on *"; or nothing."""
        access = self.access(actor)
        levers: list[Lever] = self.levers.of(actor)
        if access.deed or levers:
            return access.deed or levers[0].deed
        return next((f"may do what cannot be read: {each.what}" for each in access.unreadable), "")

    def _watched_before(self, actor: Resource) -> frozenset[str]:
        """Return the keys of what the alarms name that reach an actor, its own health included."""
        waking = (self.index.by_urn[urn] for urn in self._waking_states(actor))
        return frozenset[str]().union(*(self.wiring.watching.sight(alarm).named for alarm in waking))

    def actuators_of(self, healer: Resource) -> list[Resource]:
        """Return what only healers start, this one among them, and what changes only what they may change.

        It is judged by its grants, like the healer's own, and it is no second healer.
        """
        return [actor for actor in self._changing if healer in self._starters.get(actor.urn, ())]

    @cached_property
    def _starters(self) -> dict[str, list[Resource]]:
        """The actuators, by URN, each with the healers that start it."""
        wired = ahead(self._starts, self.wiring.links_from)
        healers = {actor.urn: actor for actor in self._changing if actor.urn in wired}
        # What is reached although no healer passes anything on is started by somebody else as well.
        without = ahead(self._starts, lambda key: () if key in healers else self._ways.links_from(key))
        found: dict[str, list[Resource]] = {}
        for actor in self._changing:
            if actor.urn not in without:
                behind = self._ways.behind(actor.urn)
                starters = [healer for urn, healer in healers.items() if urn in behind]
                if self._stays_within(actor, starters):
                    found[actor.urn] = starters
        return found

    def _stays_within(self, actor: Resource, healers: Sequence[Resource]) -> bool:
        """Return whether all that an actor may change is named, and healers watch it or may change it.

        What may only pause mappings is a breaker, which a healer may force: lambda-mapping-owned judges it.
        """
        access = self.access(actor)
        if access.opaque or access.unreadable:
            return False
        allowed = {node.key for healer in healers for _, node in self.controls(healer)}
        allowed = allowed.union(*map(self._watched_before, healers))
        named = [write for write, node in self.controls(actor) if node.key in allowed or pauses_named(write)]
        return len(named) == sum(write.control for write in access.writes)

    # How it counts as one

    def path(self, actor: Resource) -> str:
        """Return how an alarm reaches an actor: "alarm A -> topic T -> function F"; empty if none does."""
        back = self._ways.back
        steps = back(actor.urn, self._alarm_urns) or back(actor.urn, self._origins)
        if not steps:
            return ""
        start = self._origins[steps[0]]
        rest = steps if start else steps[1:]
        first = start or self.index.by_urn[steps[0]].label
        return " -> ".join(name for name in (first, self.words(rest)) if name)

    def words(self, keys: Iterable[str]) -> str:
        """Return the nodes of a way as people say it: "topic T -> function F"."""
        return " -> ".join(name for name in map(self._label, keys) if name)

    @cached_property
    def _origins(self) -> dict[str, str]:
        """Keys at which a path may begin, to what comes before; empty for an alarm of this stack."""
        return {waker.key: waker.what for waker in self.wakers} | {alarm.urn: "" for alarm in self.alarms}

    def _label(self, key: str) -> str:
        resource = self.index.by_urn.get(key)
        if resource:
            return resource.label
        kind, _, name = key.partition(":")
        return "" if kind == HUB else f"{kind} {name}"

    def why(self, actor: Resource) -> str:
        """Return the path, and the action by which an actor counts as a healer."""
        if actor.urn not in self._whys:
            self._whys[actor.urn] = f"{self.path(actor) or actor.label}, which {self.deed(actor)}"
        return self._whys[actor.urn]

    def why_about(self, finding: Finding) -> str:
        """Return why that counts as a healer which a finding is about; empty if it is about none."""
        actor = self._healer_of.get(finding.about or finding.urn)
        return self.why(actor) if actor else ""

    @cached_property
    def _healer_of(self) -> dict[str, Resource]:
        """A healer for each resource that makes one, by URN: the first, if they share it."""
        found: dict[str, Resource] = {}
        for healer in reversed(self.healers):
            parts: list[str | None] = [actuator.urn for actuator in self.actuators_of(healer)]
            parts += [key for key, healers in self.ledgers.items() if healer in healers]
            parts += [config.urn for config in self.wiring.invoke_configs(healer)]
            parts += [permission.urn for permission, _ in self.wiring.permissions(healer)]
            for role in (
                role for each in (healer, *self.actuators_of(healer)) for role in self.roles_of(each)
            ):
                parts += [role.urn, *(grant.urn for grant in grants_of(self.index, role))]
                parts += [attachment.resource.urn for attachment in attachments_of(self.index, role)]
                bound = boundary_of(self.index, role)
                parts.append(bound.urn if bound else None)
            for link in self.wake_links(healer):
                parts += [link.source, link.target.key, link.via.urn]
            found |= {part: healer for part in parts if part in self.index.by_urn}
        return found | {healer.urn: healer for healer in self.healers}

    @property
    def healer_functions(self) -> list[Resource]:
        """The healers that are functions."""
        return [healer for healer in self.healers if healer.type == types.FUNCTION]

    @cached_property
    def idle_healers(self) -> list[Resource]:
        """Functions and machines that may change a function, and that nothing but a clock starts."""
        reached = {actor.urn for actor in self.reached}
        return [
            actor
            for actor in self.index.of(*types.ACTORS)
            if actor.urn not in reached and is_idle(self.access(actor)) and not self._is_called(actor)
        ]

    def _is_called(self, actor: Resource) -> bool:
        """Return whether something starts an actor that is neither an alarm's way nor a clock."""
        principals = (text(permission.get("principal")) for permission, _ in self.wiring.permissions(actor))
        if any(isinstance(each, str) and each not in OF_ALARMS_OR_CLOCKS for each in principals):
            return True
        keys = self._ways.behind(actor.urn) - {actor.urn}
        first = [self.index.by_urn.get(key) for key in keys if not self._ways.links_to(key)]
        return any(
            each is None or (each.type != types.TOPIC and each.get("scheduleExpression") is ABSENT)
            for each in first
        )

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
        if healer.urn not in self._alarms_of:
            keys = self._waking_states(healer).keys() - self.health_alarms.keys()
            self._alarms_of[healer.urn] = [alarm for alarm in self.alarms if alarm.urn in keys]
        return self._alarms_of[healer.urn]

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
            for key in sorted(sight.named & self.ledgers.keys()):
                found.setdefault(alarm.urn, self.ledgers[key][0].urn)
        for composite in self.index.of(types.COMPOSITE_ALARM):
            if composite.urn in found:
                below = self.wiring.trees.metric_alarms(composite)
                found = {alarm.urn: found[composite.urn] for alarm in below} | found
        return found

    def targets_of(self, healer: Resource) -> frozenset[str]:
        """Return the keys of the functions that the alarms of a healer watch, but for itself."""
        # One on a healer's own health must not wake it, as another rule says: what it watches is watched.
        waking = (self.index.by_urn[urn] for urn in self._waking_states(healer))
        return frozenset[str]().union(*(self.wiring.watched(alarm) for alarm in waking)) - {healer.urn}

    def wake_links(self, healer: Resource) -> list[Link]:
        """Return every link on a way from an alarm, of this stack or another, to a healer."""
        if healer.urn not in self._wake_links:
            behind = self._ways.behind(healer.urn)
            entering = self.woken_from_outside(healer)
            starts = [alarm.urn for alarm in self.alarms_of(healer)] + [waker.key for waker in entering]
            into = [(waker, link) for waker in entering for link in self._ways.links_to(waker.key)]
            # What a topic of another stack is permitted, that stack may subscribe: nothing is missing here.
            found = [link for waker, link in into if link.via is waker.via and link.kind != "permission"]
            passed = ahead(starts, lambda key: () if key == healer.urn else self._within(key, behind))
            for key in sorted(passed - {healer.urn}):
                found += self._within(key, behind)
            self._wake_links[healer.urn] = list(dict.fromkeys(found))
        return self._wake_links[healer.urn]

    def _within(self, key: str, keys: frozenset[str]) -> list[Link]:
        return [link for link in self._ways.links_from(key) if link.target.key in keys]

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
        return any(self.reaches_people(each) for each in self.wiring.trees.with_parents(alarm))

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
        """The roles of this stack that healers and their actuators have, each once."""
        actuators = [self.index.by_urn[urn] for urn in self._starters]
        found = {role.urn: role for actor in (*self.healers, *actuators) for role in self.roles_of(actor)}
        return list(found.values())

    @cached_property
    def grants(self) -> list[Grant]:
        """The documents in force for the roles of healers, each once. Those of boundaries grant nothing."""
        found = [grant for role in self.roles for grant in grants_of(self.index, role)]
        # Two roles may share a policy, and a policy may be attached twice.
        return list({(grant.urn, grant.where): grant for grant in found}.values())

    def is_of_actuators(self, grant: Grant) -> bool:
        """Return whether only actuators have a document, and no healer."""
        return (grant.urn, grant.where) not in self._of_healers

    @cached_property
    def _of_healers(self) -> frozenset[tuple[str, str]]:
        roles = {role.urn: role for healer in self.healers for role in self.roles_of(healer)}
        found = (grant for role in roles.values() for grant in grants_of(self.index, role))
        return frozenset((grant.urn, grant.where) for grant in found)

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
