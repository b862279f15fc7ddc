"""Patch operations of API Gateway's REST APIs, which the emulator applies to other members than AWS.

Source: "PatchOperation" and "API Gateway patch operations" in the REST API Reference. Values are text; a path
is a JSON pointer, in which `~1` is a slash; the last token of a list's path names a member.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

_OPERATIONS = frozenset({"add", "remove", "replace"})
"""Those that are implemented: `copy`, `move` and `test` are ignored, as before."""
_FLAGS = frozenset({"apiKeyRequired", "disableExecuteApiEndpoint", "tracingEnabled", "cacheClusterEnabled"})
_NUMBERS = frozenset({"authorizerResultTtlInSeconds", "minimumCompressionSize", "timeoutInMillis"})


def apply_patch(target: dict[str, Any], operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Apply patch operations to what they describe, in place; return it."""
    for operation in operations:
        if operation.get("op", "replace") not in _OPERATIONS:
            continue
        path = str(operation.get("path", "")).removeprefix("/")
        *above, last = [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")]
        place: Any = target
        for token in above:
            if not isinstance(place.get(token), dict | list):
                place[token] = {}
            place = place[token]
        removed = operation.get("op") == "remove"
        if isinstance(place, list):
            _change_list(cast("list[Any]", place), last, removed=removed, value=operation.get("value"))
        elif removed:
            place.pop(last, None)
        elif last:
            place[last] = _typed(above, last, operation.get("value"))
    return target


def _change_list(members: list[Any], member: str, *, removed: bool, value: Any) -> None:
    if removed or (value is not None and value != member):
        members[:] = [kept for kept in members if kept != member]
    if not removed:
        members.append(member if value is None else value)


def _typed(above: Sequence[str], last: str, value: Any) -> Any:
    # Of a method: whether a parameter is required. An integration's values are never these words.
    flag = last in _FLAGS or above == ["requestParameters"]
    if flag and str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    return int(value) if last in _NUMBERS and isinstance(value, str) and value.isdigit() else value
