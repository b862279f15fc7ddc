"""The form of an innocent: a program that alarms may wake, and that changes nothing that matters."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from tests.policies.support.references import Spelling
from tests.policies.support.scene import Scene


@dataclass(frozen=True)
class Innocent:
    """One program that no mandatory rule may refuse."""

    name: str
    build: Callable[[Scene], object]
    """Registers all of it in an empty scene."""
    source: str
    """The public design that it is rebuilt from, in words."""

    def scene(self, spelling: Spelling = Spelling.RESOURCE, *, up: bool = False) -> Scene:
        """Return its stack, with nothing of ours in it."""
        scene = Scene(spelling=spelling, up=up)
        self.build(scene)
        return scene


def collected(name: str = "INNOCENTS") -> list[Innocent]:
    """Return the innocents of all modules beside this one: each may have a list of that name.

    A list SUSPECTS has those of which nobody can tell at preview: a grant is unknown as a whole.
    """
    found: list[Innocent] = []
    for module in iter_modules([str(Path(__file__).parent)]):
        if not module.name.startswith("test_"):
            held = import_module(f"tests.policies.innocents.{module.name}")
            found += getattr(held, name, [])
    return found
