"""Where links lead: ahead of a node, behind it, and the shortest way back. Each in one pass over links."""

from collections import deque
from collections.abc import Callable, Container, Iterable

from selfheal_policies.links import Link


def ahead(starts: Iterable[str], links_from: Callable[[str], Iterable[Link]]) -> set[str]:
    """Return the keys of all that links lead to from these nodes, themselves included."""
    seen = set(starts)
    todo = list(seen)
    while todo:
        for link in links_from(todo.pop()):
            if link.target.key not in seen:
                seen.add(link.target.key)
                todo.append(link.target.key)
    return seen


class Ways:
    """Links in both directions."""

    def __init__(self, links: Iterable[Link]) -> None:
        """Sort them by their ends."""
        self._from: dict[str, list[Link]] = {}
        self._to: dict[str, list[Link]] = {}
        self._ahead: dict[str, frozenset[str]] = {}
        self._behind: dict[str, frozenset[str]] = {}
        for link in links:
            self._from.setdefault(link.source, []).append(link)
            self._to.setdefault(link.target.key, []).append(link)

    def links_from(self, key: str) -> list[Link]:
        """Return the links that begin at a node."""
        return self._from.get(key, [])

    def links_to(self, key: str) -> list[Link]:
        """Return the links that end at a node."""
        return self._to.get(key, [])

    def ahead(self, key: str) -> frozenset[str]:
        """Return the keys of all that links lead to from a node, itself included."""
        if key not in self._ahead:
            self._ahead[key] = frozenset(ahead([key], self.links_from))
        return self._ahead[key]

    def behind(self, key: str) -> frozenset[str]:
        """Return the keys of all from which links lead to a node, itself included."""
        if key not in self._behind:
            seen, todo = {key}, [key]
            while todo:
                for link in self.links_to(todo.pop()):
                    if link.source not in seen:
                        seen.add(link.source)
                        todo.append(link.source)
            self._behind[key] = frozenset(seen)
        return self._behind[key]

    def back(self, key: str, origins: Container[str]) -> list[str]:
        """Return the keys on the shortest way from one of the origins to a node; none if there is no way."""
        after: dict[str, str] = {key: ""}
        todo = deque([key])
        while todo:
            each = todo.popleft()
            if each in origins:
                way = [each]
                while after[way[-1]]:
                    way.append(after[way[-1]])
                return way
            for link in self.links_to(each):
                if link.source not in after:
                    after[link.source] = each
                    todo.append(link.source)
        return []
