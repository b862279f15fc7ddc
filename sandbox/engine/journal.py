"""The state while an operation runs: every change is recorded before the next step builds on it.

A step is written down before it begins and once more when it has ended; if the process dies in between, the
pending record tells the next run what to finish. All methods may be called from several threads.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.engine.state import Pending, Resource, State


class Journal:
    """Changes a state and hands it to `save` after each change (a preview's `save` does nothing)."""

    def __init__(self, state: State, save: Callable[[State], None]) -> None:
        self._state = state
        self._save = save
        self._guard = threading.Lock()

    @property
    def seed(self) -> str:
        """The stack's seed for auto-names."""
        return self._state.seed

    def live(self, urn: str) -> Resource | None:
        """Return the current resource with this URN."""
        with self._guard:
            return self._state.live(urn)

    def resources(self) -> list[Resource]:
        """Return all resources, replaced ones included, in the order of creation."""
        with self._guard:
            return list(self._state.resources)

    def pending(self) -> list[Pending]:
        """Return the steps whose end was not recorded."""
        with self._guard:
            return list(self._state.pending)

    def generation(self, urn: str) -> int:
        """Return how often the URN was replaced or deleted."""
        with self._guard:
            return self._state.generations.get(urn, 0)

    def outputs(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the program's exports and which of them are secret."""
        with self._guard:
            return dict(self._state.outputs), self._state.secret_outputs

    def begin(self, op: str, resource: Resource) -> None:
        """Record that a create, update or delete of this resource is about to happen."""
        with self._guard:
            self._forget_pending(resource)
            self._state.pending.append(Pending(op, resource))
            self._save(self._state)

    def created(self, resource: Resource) -> None:
        """Record a creation; a live resource of that URN is now the replaced one."""
        with self._guard:
            items = self._state.resources
            for index, item in enumerate(items):
                if item.urn == resource.urn and not item.replaced:
                    items[index] = replace(item, replaced=True)
                    self._retire(resource.urn)
            items.append(resource)
            self._forget_pending(resource)
            self._save(self._state)

    def changed(self, resource: Resource) -> None:
        """Record new facts about a live resource (or add a component, which nothing creates)."""
        with self._guard:
            items = self._state.resources
            places = [i for i, item in enumerate(items) if item.urn == resource.urn and not item.replaced]
            had_pending = self._forget_pending(resource)
            if places and items[places[0]] == resource and not had_pending:
                return
            if places:
                items[places[0]] = resource
            else:
                items.append(resource)
            self._save(self._state)

    def deleted(self, resource: Resource) -> None:
        """Record that a resource is gone (or is no longer looked at, for an external one)."""
        with self._guard:
            same = (resource.urn, resource.id, resource.replaced)
            self._state.resources = [
                item for item in self._state.resources if (item.urn, item.id, item.replaced) != same
            ]
            if resource.custom and not resource.replaced and not resource.external:
                self._retire(resource.urn)
            self._forget_pending(resource)
            self._save(self._state)

    def abandoned(self, resource: Resource) -> None:
        """Record that a begun step failed and did nothing that must be finished."""
        with self._guard:
            if self._forget_pending(resource):
                self._save(self._state)

    def exported(self, outputs: dict[str, Any], secrets: tuple[str, ...]) -> None:
        """Record the program's exports."""
        with self._guard:
            if (self._state.outputs, self._state.secret_outputs) != (outputs, secrets):
                self._state.outputs, self._state.secret_outputs = outputs, secrets
                self._save(self._state)

    def _retire(self, urn: str) -> None:
        self._state.generations[urn] = self._state.generations.get(urn, 0) + 1

    def _forget_pending(self, resource: Resource) -> bool:
        def other(item: Pending) -> bool:
            return (item.resource.urn, item.resource.replaced) != (resource.urn, resource.replaced)

        kept = [item for item in self._state.pending if other(item)]
        forgotten = len(kept) != len(self._state.pending)
        self._state.pending = kept
        return forgotten
