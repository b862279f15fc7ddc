"""The healer's handler, over a world."""

from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from selfheal.functions.healer.target import Target
from tests.functions.support.world import World

SCHEDULE = {"wake": "schedule"}


class Healer(World):
    """A world whose healer runs as Lambda runs it: by its handler, at the present time."""

    def __init__(self, handler: ModuleType, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.handler, self._patch = handler, patch
        self.now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)
        self.now -= timedelta(seconds=self.now.second % 10)
        self.set(AWS=self.aws)

    def set(self, **values: Any) -> None:
        """Set what the handler's module keeps from its environment, such as LIMITS."""
        for name, value in values.items():
            self._patch.setattr(self.handler, name, value)

    def look_after(self, *targets: Target) -> None:
        """Set the targets of the handler."""
        self.set(TARGETS=targets)

    def handle(self, event: Any = SCHEDULE) -> dict[str, Any]:
        """Run once."""
        return self.handler.handle(event, None)
