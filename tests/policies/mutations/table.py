"""The form of a mutation: a change that makes a stack unsafe, and the rule that must refuse it."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Literal, TypeVar, cast

from tests.policies.support.changes import Change
from tests.policies.support.healers import healer
from tests.policies.support.recording import Recorder
from tests.policies.support.references import Spelling
from tests.policies.support.scene import Scene

_Row = TypeVar("_Row")

Flag = Literal["both", "up", "staging", "prod"]
"""Judge both spellings of its references, or at up as well, with known values; in another stack than dev."""


@dataclass(frozen=True)
class Mutation:
    """One way to write the program unsafely."""

    name: str
    rule: str
    """The one mandatory policy that refuses it."""
    change: Change
    flags: tuple[Flag, ...]

    @property
    def stack(self) -> str:
        return next((flag for flag in self.flags if flag in {"staging", "prod"}), "dev")

    @property
    def spellings(self) -> tuple[Spelling, ...]:
        return tuple(Spelling) if "both" in self.flags else (Spelling.RESOURCE,)

    def scene(self, recording: Recorder, spelling: Spelling, *, up: bool) -> Scene:
        """Return what the program would register if it were written so."""
        scene = Scene(recording, spelling, up=up)
        self.change(scene)
        return scene


def refused_by(rule: str, *rows: tuple[str, Change, *tuple[Flag, ...]]) -> list[Mutation]:
    """Return mutations of the program, each with its name, the change, and flags."""
    return [
        Mutation(name, rule, change, flags) for name, change, *flags_ in rows for flags in (tuple(flags_),)
    ]


@dataclass(frozen=True)
class Foreign:
    """One way to write a careful healer of another team unsafely."""

    name: str
    rule: str
    route: str
    """How it is woken: one of the routes of `healers`."""
    change: Change
    besides: frozenset[str]
    """Other mandatory policies that refuse it as well."""

    def scene(self, spelling: Spelling = Spelling.RESOURCE, *, up: bool = False) -> Scene:
        """Return the other team's stack, with nothing of ours in it."""
        scene = healer(Scene(spelling=spelling, up=up), self.route)
        self.change(scene)
        return scene


def foreign(rule: str, *rows: tuple[str, str, Change], besides: str = "") -> list[Foreign]:
    """Return mutations of other teams' healers, each with its name, the route and the change.

    `besides` are the names of other policies that refuse them, apart by spaces.
    """
    others = frozenset(besides.split())
    return [Foreign(name, rule, route, change, others) for name, route, change in rows]


@dataclass(frozen=True)
class Program:
    """A program of another team that is unsafe as a whole."""

    name: str
    rule: str
    """The one mandatory policy that refuses it."""
    build: Change
    """Registers all of it in an empty scene."""
    besides: frozenset[str] = frozenset()
    """Other mandatory policies that refuse it as well."""

    def scene(self, spelling: Spelling = Spelling.RESOURCE, *, up: bool = False) -> Scene:
        """Return its stack."""
        scene = Scene(spelling=spelling, up=up)
        self.build(scene)
        return scene


def collected(*kinds: type[_Row]) -> list[_Row]:
    """Return the rows of these kinds that the modules beside this one hold in their tables."""
    found: list[_Row] = []
    for module in iter_modules([str(Path(__file__).parent)]):
        if not module.name.startswith("test_"):
            held = vars(import_module(f"tests.policies.mutations.{module.name}"))
            tables = [value for name, value in held.items() if name.isupper() and isinstance(value, list)]
            found += [
                row for table in cast("list[list[Any]]", tables) for row in table if isinstance(row, kinds)
            ]
    return list(dict.fromkeys(found))
