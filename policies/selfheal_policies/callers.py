"""Who starts a healer by the rights of its own role, although no alarm starts it: a website, a job.

Topics are left out: whoever is no service has to be denied by the policy of one that wakes a healer
(sns-topic-policy-closed). What may be reached from an alarm is a part of the way to the healer.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.links import HUB, Link
from selfheal_policies.resources import Resource
from selfheal_policies.ways import Ways

_BY_RIGHTS = frozenset({"definition", "invoke", "put", "send", "start"})
"""Kinds of links that a program makes by itself: the first step."""

_WIRED = frozenset(
    {"definition", "event", "event-target", "https", "mapping", "notification", "pipe", "subscription"}
)
"""Kinds of links that then lead to a healer, whatever anybody does."""


@dataclass(frozen=True)
class Caller:
    """A function or state machine that may start a healer, although no alarm starts it."""

    actor: Resource
    via: Resource
    """What gives it the right: the resource to change."""
    healer: Resource
    way: tuple[str, ...]
    """Keys of what it passes on the way, the healer last."""


def callers(graph: Graph, accepted: Collection[str]) -> Iterator[Caller]:
    """Yield those of a stack but for the names that are accepted, each once for a healer."""
    outside = [
        actor
        for actor in graph.index.of(*types.ACTORS)
        if actor.urn not in graph.keys_reached and actor.name not in accepted
    ]
    if not outside:
        return
    wired = Ways(link for link in graph.links if link.kind in _WIRED or _is_of_all(link))
    own: dict[str, list[Link]] = {}
    for link in graph.links:
        if link.kind in _BY_RIGHTS:
            own.setdefault(link.source, []).append(link)
    for healer in graph.healers:
        behind = wired.behind(healer.urn)
        for actor in outside:
            link = next((each for each in own.get(actor.urn, ()) if each.target.key in behind), None)
            if link:
                way = wired.back(healer.urn, {link.target.key})
                yield Caller(actor, link.via, healer, tuple(way))


def _is_of_all(link: Link) -> bool:
    """Return whether a link leads from all resources of a kind to one of them: who may use all may use it."""
    return link.source.startswith(f"{HUB}:every ")
