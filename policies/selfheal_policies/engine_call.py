"""What the policies share within one call of the engine, and no longer.

The SDK gives every policy its own copy of the resources, does not identify the call, and serves calls on
several threads. For each call, however, it iterates over the list of policies once: an iteration of that list
is therefore the scope of a call.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from types import SimpleNamespace
from typing import Any, TypeVar

from pulumi_policy import Policy, PolicyResource, StackValidationArgs
from pulumi_policy import policy as sdk

_T = TypeVar("_T")

_current = threading.local()


class PolicyList(list[Policy]):
    """The policies of a pack. During one iteration they share what `once` makes."""

    def __iter__(self) -> Iterator[Policy]:
        """Iterate over the policies in a new scope."""
        outer = getattr(_current, "scope", None)
        scope: dict[Hashable, Any] = {}
        _current.scope = scope
        try:
            for policy in super().__iter__():
                # Set again: this thread may have iterated over another list in between.
                _current.scope = scope
                yield policy
        finally:
            _current.scope = outer


def once(key: Hashable, make: Callable[[], _T]) -> _T:
    """Return what was made under this key earlier in the same call, or make it.

    Outside of a call nothing is kept: a policy that runs by itself gets a new object each time.
    """
    scope: dict[Hashable, Any] | None = getattr(_current, "scope", None)
    if scope is None:
        return make()
    if key not in scope:
        scope[key] = make()
    return scope[key]


def share_conversion() -> None:
    """Have the SDK make the resources of a call once, not once for every policy.

    It does so before it asks each of them, which takes longer than all rules together. No rule changes what
    it is given.
    """
    convert = getattr(sdk, "json_format").MessageToDict  # noqa: B009  (for type checkers, not exported)
    setattr(sdk, "json_format", SimpleNamespace(MessageToDict=_shared(convert)))  # noqa: B010
    for name in ("deserialize_properties", "unknown_checking_proxy"):
        setattr(sdk, name, _shared(getattr(sdk, name)))
    arguments = sdk.StackValidationArgs
    servicer = getattr(sdk, "_PolicyAnalyzerServicer")  # noqa: B009
    analyze = servicer.AnalyzeStack

    def shared_arguments(resources: list[PolicyResource], *more: Any) -> StackValidationArgs:
        return arguments(once(_RESOURCES, lambda: resources), *more)

    def analyze_stack(served: Any, request: Any, context: Any) -> Any:
        return analyze(served, _Told(request), context)

    setattr(sdk, "StackValidationArgs", shared_arguments)  # noqa: B010
    servicer.AnalyzeStack = analyze_stack


_RESOURCES = "resources of the stack"


class _Told:
    """A request of AnalyzeStack: the SDK makes its resources for the first policy, and all get those."""

    def __init__(self, request: Any) -> None:
        self._request = request

    @property
    def resources(self) -> Any:
        made = _RESOURCES in (getattr(_current, "scope", None) or ())
        return () if made else self._request.resources


def _shared(convert: Callable[..., Any]) -> Callable[..., Any]:
    def converted(given: Any, *more: Any) -> Any:
        # As `once` does, without a call more: this runs for every resource in every policy.
        scope: dict[Hashable, Any] | None = getattr(_current, "scope", None)
        if scope is None:
            return convert(given, *more)
        key = (convert, id(given), *more)
        held = scope.get(key)
        if held is None:
            # Beside the result, what was given is kept: no other object can have its id meanwhile.
            held = scope[key] = (given, convert(given, *more))
        return held[1]

    return converted
