"""Property paths of `ignore_changes` and `replace_on_changes`: a, a.b, a["b"], a[0], a[*].b, *."""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.errors import UnsupportedError

_PART = re.compile(r"""\.?(?P<name>[^.\[\]"]+)|\[(?P<index>\d+|\*)\]|\.?\["(?P<key>(?:[^"\\]|\\.)*)"\]""")
_ABSENT = object()

Path = tuple[str | int, ...]


def parse(text: str) -> Path:
    """Return the parts of a path; `*` stays a string. Raises UnsupportedError if it is no path."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise UnsupportedError(
                f"'{text}' is no property path. Write it like a, a.b, a[0], a[\"b.c\"] or a[*].b."
            )
        index = match["index"]
        if match["key"] is not None:
            parts.append(re.sub(r"\\(.)", r"\1", match["key"]))
        elif index is not None and index != "*":
            parts.append(int(index))
        else:
            parts.append("*" if index else match["name"])
        position = match.end()
    return tuple(parts)


def keep_old(inputs: Mapping[str, Any], old: Mapping[str, Any], ignored: Iterable[str]) -> dict[str, Any]:
    """Return `inputs` with every ignored path taken from `old` (removed where `old` has none)."""
    result = copy.deepcopy(dict(inputs))
    for text in ignored:
        _carry(result, old, parse(text))
    return result


def touched(old: Mapping[str, Any], new: Mapping[str, Any], selected: Iterable[str]) -> list[str]:
    """Return the paths of `selected` whose value differs between `old` and `new`."""
    return [text for text in selected if list(_values(old, parse(text))) != list(_values(new, parse(text)))]


def _carry(target: Any, source: Any, path: Path) -> None:
    head, rest = path[0], path[1:]
    for key in _keys(target, source, head):
        before, now = _get(source, key), _get(target, key)
        if rest:
            if isinstance(now, dict | list) and isinstance(before, dict | list):
                _carry(now, before, rest)
        elif before is not _ABSENT:
            _set(target, key, copy.deepcopy(before))
        elif isinstance(target, dict):
            target.pop(key, None)


def _values(value: Any, path: Path) -> Iterator[Any]:
    if not path:
        yield value
        return
    for key in _keys(value, value, path[0]):
        found = _get(value, key)
        if found is not _ABSENT:
            yield from _values(found, path[1:])


def _keys(first: Any, second: Any, head: str | int) -> list[str | int]:
    if head != "*":
        return [head]
    if isinstance(first, dict):
        return sorted({*first, *(second if isinstance(second, dict) else ())})
    return list(range(len(first))) if isinstance(first, list) else []


def _get(value: Any, key: str | int) -> Any:
    if isinstance(value, list):
        return value[key] if isinstance(key, int) and key < len(value) else _ABSENT
    return value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT


def _set(target: Any, key: str | int, value: Any) -> None:
    if isinstance(target, dict) or (isinstance(key, int) and key < len(target)):
        target[key] = value
