"""Event patterns: whether a rule's pattern may match an event of which not all is known. Pure.

By "Comparison operators for use in event patterns in Amazon EventBridge" (EventBridge User Guide).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from selfheal_policies.values import ABSENT, UNKNOWN, entries, get

ANY = object()
"""A field of an event that is there, and may hold anything."""

Names = Callable[[Any], str]
"""A text of an event that depends on how a matcher is written: given a matcher, what the event holds."""

_MAX_DEPTH = 30


def may_match(pattern: Any, event: Any, depth: int = 0) -> bool:
    """Return whether a pattern may match an event.

    A matcher that is unknown, or not one that is documented, is taken to accept: a link too many is safer
    than one too few.

    Args:
        pattern: Data of the pattern, or UNKNOWN.
        event: Field to what it holds: text, a list of texts, fields, `Names`, or ANY. A field that is not
            here is not in the event.
        depth: How deep inside the pattern this is.

    """
    if not isinstance(pattern, dict) or depth > _MAX_DEPTH:
        return True
    return all(_field(key, wanted, event, depth) for key, wanted in cast("dict[str, Any]", pattern).items())


def _field(key: str, wanted: Any, event: Any, depth: int) -> bool:
    if key == "$or" and isinstance(wanted, list):
        return any(may_match(each, event, depth + 1) for each in cast("list[Any]", wanted))
    held = event if event is ANY else get(event, key)
    if isinstance(wanted, dict):
        return may_match(cast("dict[str, Any]", wanted), held, depth + 1)
    matchers = cast("list[Any]", wanted) if isinstance(wanted, list) else entries(wanted)
    return any(_accepts(matcher, held) for matcher in matchers)


def accepts(matchers: Any, value: str) -> bool:
    """Return whether a field of a pattern may accept a text."""
    return any(_accepts(matcher, value) for matcher in entries(matchers))


def named(matchers: Any, value: str) -> bool:
    """Return whether a field names a text: by a matcher that says what it wants, not what it does not."""
    positive = ("prefix", "suffix", "wildcard", "equals-ignore-case")
    return any(
        _accepts(matcher, value)
        for matcher in entries(matchers)
        if isinstance(matcher, str) or any(inner(get(matcher, key)).strip("*") for key in positive)
    )


def texts(matchers: Any) -> Iterator[str]:
    """Yield the texts that a field accepts in full; of another matcher an empty one."""
    for matcher in entries(matchers):
        yield matcher if isinstance(matcher, str) else ""


def has_field(pattern: Any, names: Iterable[str]) -> bool:
    """Return whether one of these fields occurs anywhere in a pattern."""
    wanted = set(names)
    todo = [pattern]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            fields = cast("dict[str, Any]", each)
            if not wanted.isdisjoint(fields):
                return True
            todo += fields.values()
        elif isinstance(each, list):
            todo += cast("list[Any]", each)
    return False


def _accepts(matcher: Any, held: Any) -> bool:
    if isinstance(matcher, dict) and "exists" in matcher:
        exists = cast("dict[str, Any]", matcher)["exists"]
        return not isinstance(exists, bool) or exists is (held is not ABSENT)
    if held is ABSENT or held is None:
        return matcher is UNKNOWN
    if held is ANY or isinstance(held, dict):
        return True
    if isinstance(held, list):
        return any(_accepts(matcher, each) for each in cast("list[Any]", held))
    text = held(matcher) if callable(held) else held
    return _tests(matcher, str(text))


def _tests(matcher: Any, text: str) -> bool:
    if isinstance(matcher, str):
        return matcher == text
    if matcher is None or isinstance(matcher, (bool, int, float)):
        return False
    if not isinstance(matcher, dict) or len(cast("dict[str, Any]", matcher)) != 1:
        return True
    [(key, wanted)] = cast("dict[str, Any]", matcher).items()
    if key == "anything-but":
        return not _excluded(wanted, text)
    if key in {"numeric", "cidr"}:
        return False  # none of the texts of an event that are told here is a number or an address
    return _positive(key, wanted, text, if_unknown=True)


def _excluded(wanted: Any, text: str) -> bool:
    """Return whether what anything-but holds surely keeps a text out."""
    if not isinstance(wanted, dict):
        return any(isinstance(each, str) and each == text for each in entries(wanted))
    return any(
        _positive(key, each, text, if_unknown=False)
        for key, values in cast("dict[str, Any]", wanted).items()
        for each in entries(values)
    )


def _positive(key: str, wanted: Any, text: str, *, if_unknown: bool) -> bool:
    if key in {"prefix", "suffix"} and isinstance(wanted, dict):
        wanted = get(wanted, "equals-ignore-case")
        wanted, text = (wanted.lower(), text.lower()) if isinstance(wanted, str) else (UNKNOWN, text)
    if not isinstance(wanted, str):
        return if_unknown
    match key:
        case "prefix":
            return text.startswith(wanted)
        case "suffix":
            return text.endswith(wanted)
        case "wildcard":
            return glob(wanted, text)
        case "equals-ignore-case":
            return text.lower() == wanted.lower()
        case _:
            return if_unknown


def glob(pattern: str, text: str) -> bool:
    """Return whether a pattern whose only wildcard is `*` matches a text as a whole."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first) or len(text) < len(first) + len(rest[-1]) or not text.endswith(rest[-1]):
        return False
    position, end = len(first), len(text) - len(rest[-1])
    for part in rest[:-1]:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def inner(matcher: Any) -> str:
    """Return the text that a matcher is about; of several the first, and of none an empty one."""
    todo = [matcher]
    while todo:
        each = todo.pop(0)
        if isinstance(each, str):
            return each
        if isinstance(each, dict):
            todo += cast("dict[str, Any]", each).values()
        elif isinstance(each, list):
            todo += cast("list[Any]", each)
    return ""
