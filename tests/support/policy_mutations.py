"""The form of a mutation: a small function on a scene, and the rule that must refuse it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.policy_scene import Scene, Spelling

Change = Callable[[Scene], None]


@dataclass(frozen=True)
class Mutation:
    """One way to write the program unsafely."""

    name: str
    rule: str
    """The one mandatory policy that refuses it."""
    change: Change
    spellings: tuple[Spelling, ...]
    stack: str = "dev"
    up: bool = False
    """Whether it is also judged at up, with known values."""


class Table(list[Mutation]):
    """Mutations, in the order in which they are written."""

    def refused_by(
        self, rule: str, *, both: bool = False, stack: str = "dev", up: bool = False
    ) -> Callable[[Change], Change]:
        """Add the decorated function; `both` if its references can be spelled in two ways."""

        def add(change: Change) -> Change:
            spellings = tuple(Spelling) if both else (Spelling.RESOURCE,)
            name = change.__name__.replace("_", " ")
            self.append(Mutation(name, rule, change, spellings, stack, up))
            return change

        return add
