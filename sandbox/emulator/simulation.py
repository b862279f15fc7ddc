"""Has iam:SimulatePrincipalPolicy take the condition keys that a request gives it.

Ministack ignores `ContextEntries`, so that a statement with a condition would never allow anything. Source:
IAM API reference, SimulatePrincipalPolicy. As in ministack, the permissions boundary is left out, and only
the first of several resources is evaluated.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from itertools import count, takewhile
from typing import Any

_given: ContextVar[Mapping[str, Any] | None] = ContextVar("_given", default=None)
"""Condition keys of the simulation that is being evaluated; None outside one."""

_LISTS = "List"
"""The end of the types with several values, such as stringList."""


def reading(extract: Callable[..., Any], read: Callable[[Any, str], str]) -> Callable[..., Any]:
    """Return the replacement of `_extract_simulate_params`, which keeps the condition keys."""

    def extracted(request: Any) -> Any:
        _given.set(_entries(lambda name: read(request, name)))
        return extract(request)

    return extracted


def evaluated(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """Return the replacement of `evaluate`, which adds the condition keys of a simulation."""

    def decided(context: Any, *policies: Any) -> Any:
        given = _given.get()
        if given:
            context = replace(context, service_context={**context.service_context, **given})
        return evaluate(context, *policies)

    return decided


def ended(build: Callable[..., str]) -> Callable[..., str]:
    """Return the replacement of `_build_simulate_results_real`, after which no call has those keys."""

    def built(*arguments: Any) -> str:
        try:
            return build(*arguments)
        finally:
            _given.set(None)

    return built


def _entries(read: Callable[[str], str]) -> dict[str, Any]:
    """Return the condition keys in the parameters of a request."""
    found: dict[str, Any] = {}
    for number in count(1):
        prefix = f"ContextEntries.member.{number}"
        key = read(f"{prefix}.ContextKeyName")
        if not key:
            return found
        values = list(
            takewhile(bool, (read(f"{prefix}.ContextKeyValues.member.{each}") for each in count(1)))
        )
        several = read(f"{prefix}.ContextKeyType").endswith(_LISTS)
        # Ministack keeps them in lower case: they are not case-sensitive.
        found[key.lower()] = values if several else "".join(values[:1])
    return found
