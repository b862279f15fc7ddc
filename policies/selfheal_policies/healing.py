"""Who heals, of those that alarms reach: healers and their actuators, suspects, and notifiers."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from selfheal_policies import types
from selfheal_policies.grants import roles_of
from selfheal_policies.healers import can_heal, counts_when_called, is_idle, pauses_named
from selfheal_policies.index import Node
from selfheal_policies.levers import Lever, Levers
from selfheal_policies.reach import Reach
from selfheal_policies.recognition import Recognition, Voucher
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Access, Write, access_of
from selfheal_policies.unreadable import adrift
from selfheal_policies.values import ABSENT, text
from selfheal_policies.ways import ahead

OF_ALARMS_OR_CLOCKS = frozenset(
    {
        "events.amazonaws.com",
        "lambda.alarms.cloudwatch.amazonaws.com",
        "scheduler.amazonaws.com",
        "sns.amazonaws.com",
    }
)
"""Principals of the services that wake a healer. Another one means that somebody else calls a function."""


class Healing(Reach):
    """What those that are woken may change, and what they count as by it: see healers.py."""

    def __init__(self, resources: Sequence[Resource], recognition: Recognition | None = None) -> None:
        """Follow every reference of the stack; `recognition` is what the owner says of it."""
        super().__init__(resources)
        self.recognition = recognition or Recognition()
        self._access: dict[str, Access] = {}
        self._whys: dict[str, str] = {}
        self._adrift = adrift(self.index)
        self.levers = Levers(self.index, self.access, self._watched_before, self.recognition.levers)

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

    @property
    def healer_functions(self) -> list[Resource]:
        """The healers that are functions."""
        return [healer for healer in self.healers if healer.type == types.FUNCTION]

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

    def why(self, actor: Resource) -> str:
        """Return the path, and the action by which an actor counts as a healer."""
        if actor.urn not in self._whys:
            self._whys[actor.urn] = f"{self.path(actor) or actor.label}, which {self.deed(actor)}"
        return self._whys[actor.urn]

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

    def access(self, actor: Resource) -> Access:
        """Return what the role of a function or state machine allows."""
        if actor.urn not in self._access:
            self._access[actor.urn] = access_of(self.index, actor, self._adrift)
        return self._access[actor.urn]

    def roles_of(self, actor: Resource) -> list[Resource]:
        """Return the role of a function or state machine, if it is one of this stack."""
        return [node.resource for node in roles_of(self.index, actor) if node.resource]

    def controls(self, healer: Resource) -> Iterator[tuple[Write, Node]]:
        """Yield the changes of infrastructure that name one resource, each with what it names.

        Wildcards and changes of identities are left out: rules of their own refuse them on any resource.
        """
        for write in self.access(healer).writes:
            node = write.named(self.index) if write.control else None
            if node and not write.acts_on_identities:
                yield write, node
