"""What the policies share within one call of the engine, and no longer.

The SDK gives every policy its own copy of the resources, does not identify the call, and serves calls on
several threads. For each call, however, it iterates over the list of policies once: an iteration of that list
is therefore the scope of a call.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pulumi_policy import Policy

_T = TypeVar("_T")

_current = threading.local()


class PolicyList(list[Policy]):
    """The policies of a pack. During one iteration they share what `once` makes."""

    def __iter__(self) -> Iterator[Policy]:
        """Iterate over the policies in a new scope."""
        outer = getattr(_current, "scope", None)
        scope: dict[str, Any] = {}
        _current.scope = scope
        try:
            for policy in super().__iter__():
                # Set again: this thread may have iterated over another list in between.
                _current.scope = scope
                yield policy
        finally:
            _current.scope = outer


def once(key: str, make: Callable[[], _T]) -> _T:
    """Return what was made under this key earlier in the same call, or make it.

    Outside of a call nothing is kept: a policy that runs by itself gets a new object each time.
    """
    scope: dict[str, Any] | None = getattr(_current, "scope", None)
    if scope is None:
        return make()
    if key not in scope:
        scope[key] = make()
    return scope[key]
