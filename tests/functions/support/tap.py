"""What every call of the healer's goes through: tests count it there, refuse it, or lose its answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

CONDITIONAL = ("update_function_configuration", "update_alias", "put_item")
"""What changes a target by compare-and-swap; the healer puts nothing but overrides."""

UNCONDITIONAL = ("put_function_concurrency", "delete_function_concurrency", "update_event_source_mapping")
"""What changes a target where AWS has no revision."""

ACTS = (*CONDITIONAL, *UNCONDITIONAL)
WRITES = (*ACTS, "transact_write_items", "publish", "invoke")

Do = Callable[[], Any]
Values = dict[str, str | None]
"""Setting to its value."""


@dataclass
class Tap:
    """What every call goes through."""

    look: Callable[[], Values]
    """Looks at the target before a call that changes it."""
    done: Callable[[str, dict[str, Any], Values], None]
    """Told of every call that took effect, and what was there before."""
    fault: Callable[[int, Do], Any] = lambda _number, do: do()
    """Given the number of the call and the call itself; returns its answer."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    def run(self, name: str, arguments: dict[str, Any], call: Callable[..., Any]) -> Any:
        self.calls.append((name, arguments))

        def do() -> Any:
            before = self.look() if name in ACTS else {}
            answer = call(**arguments)
            self.done(name, arguments, before)
            return answer

        return self.fault(len(self.calls) - 1, do)


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
