"""What is shared by the policies within one call of the engine, and never longer.

The SDK hands every policy its own copy of the resources, says nowhere which call it is, and serves calls on
several threads. What it does do, for each call, is to go through the list of policies once: so that list is
where a call begins and ends.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pulumi_policy import Policy

_T = TypeVar("_T")

_current = threading.local()


class PolicyList(list[Policy]):
    """The policies of a pack. Each time somebody goes through them, they share what `once` makes."""

    def __iter__(self) -> Iterator[Policy]:
        """Go through the policies, in a scope of its own."""
        outer = getattr(_current, "scope", None)
        scope: dict[str, Any] = {}
        _current.scope = scope
        try:
            for policy in super().__iter__():
                # Set again: another list of this thread may have been gone through in between.
                _current.scope = scope
                yield policy
        finally:
            _current.scope = outer


def once(key: str, make: Callable[[], _T]) -> _T:
    """Return what was made under this key earlier in the same call, or make it.

    Outside of a call nothing is kept: whoever runs a policy by itself gets a fresh answer each time.
    """
    scope: dict[str, Any] | None = getattr(_current, "scope", None)
    if scope is None:
        return make()
    if key not in scope:
        scope[key] = make()
    return scope[key]
