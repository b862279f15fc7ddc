"""The tasks of a state machine, by its definition (Amazon States Language). Pure, and never raises."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from selfheal_policies.values import ABSENT, entries, get, parsed, text

EVERY_ERROR = "States.ALL"

_MAX_DEPTH = 20
"""Deeper than any machine is nested; what lies below is not looked at."""


@dataclass(frozen=True)
class Task:
    """One state of type Task, of the machine or of a branch in it."""

    name: str
    state: Any
    caught: bool
    """Whether every error that ends it is caught: by itself, or by the Parallel or Map state around it."""
    failing: bool
    """Whether only a Catch leads to it: it deals with a failure."""

    @property
    def queue_url(self) -> Any:
        """Return the queue that it sends a message to, by itself and not in code; ABSENT if it sends none."""
        resource = text(self.state.get("Resource"))
        if not isinstance(resource, str) or ":sqs:sendmessage" not in resource.lower():
            return ABSENT
        urls = (get(self.state, key, "QueueUrl") for key in ("Parameters", "Arguments"))
        return next((url for url in urls if url is not ABSENT), ABSENT)


def tasks(definition: Any) -> list[Task]:
    """Return every task of a definition, JSON text or data; none of what is no definition."""
    return list(_tasks(parsed(definition), caught=False, failing=False, depth=0))


def _tasks(machine: Any, *, caught: bool, failing: bool, depth: int) -> Iterator[Task]:
    states = get(machine, "States")
    if not isinstance(states, dict) or depth > _MAX_DEPTH:
        return
    usual = _reached(states, [get(machine, "StartAt")], _next)
    handlers = [get(catcher, "Next") for name in usual for catcher in entries(get(states, name, "Catch"))]
    dealing = _reached(states, handlers, _anywhere) - usual
    for name, state in states.items():
        if not isinstance(state, dict):
            continue
        covered = caught or any(
            EVERY_ERROR in entries(get(catcher, "ErrorEquals")) for catcher in entries(get(state, "Catch"))
        )
        deals = failing or name in dealing
        if get(state, "Type") == "Task":
            yield Task(str(name), state, covered, deals)
        inner = [*entries(get(state, "Branches")), get(state, "ItemProcessor"), get(state, "Iterator")]
        for each in inner:
            yield from _tasks(each, caught=covered, failing=deals, depth=depth + 1)


def _reached(states: Any, starts: Iterable[Any], follow: Any) -> set[str]:
    found: set[str] = set()
    todo = list(starts)
    while todo:
        name = todo.pop()
        if isinstance(name, str) and name in states and name not in found:
            found.add(name)
            todo += follow(states[name])
    return found


def _next(state: Any) -> list[Any]:
    choices = [get(choice, "Next") for choice in entries(get(state, "Choices"))]
    return [get(state, "Next"), get(state, "Default"), *choices]


def _anywhere(state: Any) -> list[Any]:
    return [*_next(state), *(get(catcher, "Next") for catcher in entries(get(state, "Catch")))]
