"""In which order resources may be deleted: a dependent always before what it depends on. Pure."""

from collections.abc import Iterable

from sandbox.engine.state import Resource


def blockers(doomed: Iterable[Resource]) -> list[tuple[Resource, set[int]]]:
    """Return each doomed resource, newest first, with the positions in that list that must go before it.

    Those are its dependents and children among the doomed. A replaced resource shares its URN with its
    replacement, so positions rather than URNs identify them. Where a cycle closes (records of two runs
    can), the newer goes first.
    """
    ordered = list(reversed(list(doomed)))
    result: list[tuple[Resource, set[int]]] = []
    for place, resource in enumerate(ordered):
        waits = {
            other
            for other, candidate in enumerate(ordered)
            if other != place and resource.urn in candidate.needs()
        }
        result.append((resource, waits))
    return _without_cycles(result)


def _without_cycles(graph: list[tuple[Resource, set[int]]]) -> list[tuple[Resource, set[int]]]:
    settled: set[int] = set()
    while len(settled) < len(graph):
        ready = {place for place, (_, waits) in enumerate(graph) if place not in settled and waits <= settled}
        if not ready:
            newest = min(place for place in range(len(graph)) if place not in settled)
            graph[newest] = (graph[newest][0], graph[newest][1] & settled)
            ready = {newest}
        settled |= ready
    return graph
