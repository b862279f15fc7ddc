"""Records every call that the healer makes, and lets a test make calls go wrong."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.functions.support.faults import Do, Fault

CONDITIONAL = ("update_function_configuration", "update_alias", "put_item", "update_item")
"""Calls that change a target by compare-and-swap; the healer puts no items other than overrides, and updates
none other than circuits."""

UNCONDITIONAL = ("put_function_concurrency", "delete_function_concurrency", "update_event_source_mapping")
"""Calls that change a setting for which AWS has no revision."""

ACTS = (*CONDITIONAL, *UNCONDITIONAL)
WRITES = (*ACTS, "transact_write_items", "publish", "invoke")

Values = dict[str, str | None]
"""Setting to its value."""


@dataclass
class Tap:
    """Passes calls on, and records them."""

    look: Callable[[], Values]
    """Reads the target before a call that changes it."""
    done: Callable[[str, dict[str, Any], Values], None]
    """Receives each call that took effect, with the values from before it."""
    fault: Callable[[int, Do], Any] = lambda _number, do: do()
    """Receives the number of a call and the call itself; returns its answer."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    def run(self, name: str, arguments: dict[str, Any], call: Callable[..., Any]) -> Any:
        self.calls.append((name, arguments))

        def do() -> Any:
            before = self.look() if name in ACTS else {}
            answer = call(**arguments)
            self.done(name, arguments, before)
            return answer

        return self.fault(len(self.calls) - 1, do)

    def fail_call(self, number: int, fault: Fault) -> None:
        """Make one call go wrong, by its number."""
        self.fault = lambda call, do: fault(do) if call == number else do()

    def fail_every(self, names: Collection[str], fault: Fault) -> None:
        """Make all calls with these names go wrong from now on."""
        self.fault = lambda call, do: fault(do) if self.calls[call][0] in names else do()

    def fail_acts(self, fault: Fault) -> None:
        """Make all changes of the target go wrong from now on."""
        self.fail_every(ACTS, fault)

    def mend(self) -> None:
        """Let all calls pass from now on."""
        self.fault = lambda _call, do: do()


class Tapped:
    """A client whose calls go through a tap; a paginator is one call."""

    def __init__(self, client: Any, tap: Tap) -> None:
        self._client, self._tap = client, tap

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda **arguments: self._tap.run(name, arguments, method)

    def get_paginator(self, name: str) -> Any:
        def paginate(**arguments: Any) -> Any:
            pages = self._client.get_paginator(name)
            return self._tap.run(name, arguments, lambda **given: list(pages.paginate(**given)))

        return SimpleNamespace(paginate=paginate)
