"""What a state machine's definition calls (Amazon States Language)."""

from collections.abc import Iterator
from typing import Any, cast

from selfheal_policies import arns
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, parsed


def functions_of_machine(index: Index, machine: Resource) -> Iterator[Node]:
    """Return the functions that a state machine's definition calls."""
    definition = machine.get("definition")
    if definition is UNKNOWN:
        yield from index.origins(machine, "definition", (arns.FUNCTION,))
        return
    found: dict[str, Node] = {}
    for key, value in _leaves(parsed(definition), ""):
        names = [value] if key == "FunctionName" and value and "{%" not in value else []
        for name in (*names, *arns.FUNCTION_ARN.findall(value)):
            node = index.literal(name, arns.FUNCTION, machine)
            found.setdefault(node.key, node)
    yield from found.values()


def calls_by_input(machine: Resource) -> bool:
    """Return whether a state machine calls functions that its input names, or may do so."""
    definition = parsed(machine.get("definition"))
    return not isinstance(definition, dict) or any(
        key == "FunctionName.$" or (key in {"FunctionName", "Resource"} and "{%" in value)
        for key, value in _leaves(definition, "")
    )


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str]]:
    todo: list[tuple[str, Any]] = [(key, value)]
    while todo:
        name, each = todo.pop()
        if isinstance(each, str):
            yield name, each
        elif isinstance(each, dict):
            todo += cast("dict[str, Any]", each).items()
        elif isinstance(each, list):
            todo += [(name, entry) for entry in cast("list[Any]", each)]
