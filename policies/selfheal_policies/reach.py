"""What alarms reach: in this stack and by what others send to it, and on which way."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from selfheal_policies import types
from selfheal_policies.index import Index
from selfheal_policies.links import HUB, STATES
from selfheal_policies.relays import Relays
from selfheal_policies.resources import Resource
from selfheal_policies.wakers import Waker, wakers
from selfheal_policies.ways import Ways, ahead
from selfheal_policies.wiring import Wiring


class Reach:
    """Who wakes whom."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        """Follow every reference of the stack."""
        self.index = Index(resources)
        self.wiring = Wiring(self.index)
        self.unresolved = list(dict.fromkeys(self.index.unresolved))
        """References by which something is woken that cannot be followed; a rule's own lookups add none."""
        self.alarms = self.index.of(*types.ALARMS)
        self._alarm_urns = frozenset(alarm.urn for alarm in self.alarms)
        self._reach: dict[str, frozenset[str]] = {}
        self._waking: dict[str, dict[str, frozenset[str]]] = {}
        self.links = [*self.wiring.links(), *Relays(self.index).links]
        """All that is wired, and all that is sent, started and written."""
        self._ways = Ways(self.links)

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
    def keys_reached(self) -> frozenset[str]:
        """The alarms, of this stack and elsewhere, and the keys of all that they reach."""
        return frozenset(ahead(self._starts, self._ways.links_from))

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
