"""What the conditions of a statement leave of it: whose mappings, which items of a table. Never raises."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from selfheal_policies import arns
from selfheal_policies.documents import Statement, resource_matches
from selfheal_policies.values import ABSENT, Missing, entries

_FUNCTION_KEY = "lambda:functionarn"
_ITEM_KEY = "dynamodb:leadingkeys"
_SINGLE = frozenset({"arnequals", "arnlike", "stringequals", "stringlike"})
_EVERY = frozenset({"forallvalues:stringequals", "forallvalues:stringlike"})
_SOME = frozenset({"foranyvalue:stringequals", "foranyvalue:stringlike"})


def functions_of(statement: Statement) -> Sequence[str]:
    """Return the ARNs of the functions whose event source mappings a statement is limited to.

    None if it is not limited to functions that are named in full: a wildcard, an unknown value, or an
    operator that holds for a request without the key limits nothing.
    """
    for values in _values(statement, _SINGLE, _FUNCTION_KEY):
        if values and all(_is_function(value) for value in values):
            return [value for value in values if isinstance(value, str)]
    return ()


def is_mapping(resource: str | Missing) -> bool:
    """Return whether a resource is event source mappings of one account and region, or one of them."""
    arn = arns.parse_arn(resource) if isinstance(resource, str) else None
    if arn is None or arn.kind != arns.MAPPING:
        return False
    return not _is_pattern(arn.account) and not _is_pattern(arn.region)


def reaches_item(statement: Statement, item: str) -> bool:
    """Return whether a statement may be about items of a table whose partition key is `item`, a pattern."""
    limits = _values(statement, _EVERY, _ITEM_KEY)
    return all(any(_overlap(value, item) for value in values) for values in limits)


def denies_item(statement: Statement, item: str) -> bool:
    """Return whether a statement, which denies, is about every item whose key is `item`, a pattern."""
    if statement.condition is ABSENT:
        return True
    # More than one operator or key: the denial may fail to apply for another reason.
    if not isinstance(statement.condition, dict) or _size(cast("dict[str, Any]", statement.condition)) != 1:
        return False
    found = _values(statement, _SOME, _ITEM_KEY)
    return any(
        isinstance(value, str) and resource_matches(value, item) for values in found for value in values
    )


def _values(statement: Statement, operators: frozenset[str], key: str) -> Iterator[list[Any]]:
    """Yield what each of these operators demands of a key. Operators and keys have no case."""
    condition = statement.condition
    if not isinstance(condition, dict):
        return
    for operator, wanted in cast("dict[str, Any]", condition).items():
        if operator.lower() in operators and isinstance(wanted, dict):
            for name, values in cast("dict[str, Any]", wanted).items():
                if name.lower() == key:
                    yield entries(values)


def _size(condition: dict[str, Any]) -> int:
    """Return how many keys a condition has, under all operators."""
    return sum(
        len(cast("dict[str, Any]", wanted)) if isinstance(wanted, dict) else 2
        for wanted in condition.values()
    )


def _is_function(value: Any) -> bool:
    arn = arns.parse_arn(value) if isinstance(value, str) and not _is_pattern(value) else None
    return arn is not None and arn.kind == arns.FUNCTION


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text or "${" in text


def _overlap(value: Any, item: str) -> bool:
    """Return whether one key may match both patterns; when in doubt, it may."""
    if not isinstance(value, str):
        return True
    if not _is_pattern(value):
        return resource_matches(item, value)
    if not _is_pattern(item) and "${" not in value:
        return resource_matches(value, item)
    ours, theirs = _literal(value), _literal(item)
    return ours.startswith(theirs) or theirs.startswith(ours)


def _literal(pattern: str) -> str:
    """Return a pattern up to its first wildcard."""
    ends = [position for mark in ("*", "?", "${") if (position := pattern.find(mark)) >= 0]
    return pattern[: min(ends, default=len(pattern))]
