"""Where alarms that this stack does not hold begin to wake something in it."""

from dataclasses import dataclass

from selfheal_policies.resources import Resource


@dataclass(frozen=True)
class Waker:
    """One place where alarms of other stacks come in."""

    key: str
    """Of the node that they reach first."""
    via: Resource
    """The resource that lets them in: the one to change."""
    what: str
    """What they come from, as the beginning of a path: "alarms elsewhere"."""
