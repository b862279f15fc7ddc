"""API Gateway: the patch operations of the calls that change parts of REST APIs."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from selfheal.sandbox.provider.spec import Kind, Props, changed


def patches(
    kinds: Mapping[str, Kind], names: Mapping[str, str], old: Props, new: Props, unset: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the patch operations from old inputs to new ones, of the properties in `names`.

    A scalar that the program no longer sets returns to its value in `unset`, by default to "". Source: "API
    Gateway patch operations" in the REST API Reference.
    """
    operations: list[dict[str, Any]] = []
    for key in changed(kinds, old, new):
        if key not in names:
            continue
        path, before, after = names[key], old.get(key), new.get(key)
        if isinstance(before, Mapping) or isinstance(after, Mapping):
            operations += _of_map(path, before or {}, after or {})
        elif isinstance(before, list) or isinstance(after, list):
            operations += _of_set(path, before or [], after or [])
        else:
            operations.append(_operation("replace", [path], unset.get(key, "") if after is None else after))
    return operations


def pointer(token: str) -> str:
    """Return a token of a path with its slashes and tildes escaped (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


def _of_map(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    removed = [_operation("remove", [path, key]) for key in sorted(before.keys() - after.keys())]
    set_ = [
        _operation("replace" if key in before else "add", [path, key], value)
        for key, value in sorted(after.items())
        if before.get(key) != value
    ]
    return removed + set_


def _of_set(path: str, before: Iterable[Any], after: Iterable[Any]) -> list[dict[str, Any]]:
    old, new = cast("set[str]", set(before)), cast("set[str]", set(after))
    removed = [_operation("remove", [path, member]) for member in sorted(old - new)]
    return removed + [_operation("add", [path, member]) for member in sorted(new - old)]


def _operation(op: str, tokens: Iterable[str], value: Any = None) -> dict[str, Any]:
    text = str(value).lower() if isinstance(value, bool) else value
    path = "".join(f"/{pointer(token)}" for token in tokens)
    return {"op": op, "path": path} | ({} if text is None else {"value": str(text)})
