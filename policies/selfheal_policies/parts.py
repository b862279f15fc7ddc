"""What every AWS type that can stand at either end of a link is: the one table that decides it.

A reference that is unknown at preview names by its dependencies what it may lead to, and the type says
whether that can wake anybody.
"""

from collections.abc import Mapping
from enum import StrEnum

from selfheal_policies import types


class Part(StrEnum):
    """What a resource does with what reaches it."""

    WAKES = "wakes"
    """It begins: an alarm, or what passes on the alarms of others."""
    RELAYS = "relays"
    """It passes on what reaches it to what is wired to it, and changes nothing."""
    ACTS = "acts"
    """It runs something under a role, or changes something by itself."""
    PEOPLE = "people"
    """A person, a pager or a chat channel reads it."""
    NOTHING = "nothing"
    """It keeps what reaches it, or acts only on what it belongs to: it wakes nobody."""


PARTS: Mapping[str, Part] = {
    types.ALARM: Part.WAKES,
    types.COMPOSITE_ALARM: Part.WAKES,
    types.FUNCTION: Part.ACTS,
    types.STATE_MACHINE: Part.ACTS,
    types.TOPIC: Part.RELAYS,
    types.QUEUE: Part.RELAYS,
}


def part_of(type_: str) -> Part | None:
    """Return what resources of a type are.

    None for a type that is not listed: a reference to it is seen and reported as such, it wakes nobody, and
    an unknown value that depends on it alone is not resolved by that.
    """
    return PARTS.get(type_)
