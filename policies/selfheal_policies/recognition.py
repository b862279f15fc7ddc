"""What the owner of a stack says of it, from the pack's configuration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recognition:
    """What the owner vouches for, and names."""

    notifiers: frozenset[str] = frozenset()
    """Logical names of what the owner vouches for: it changes nothing."""
    levers: frozenset[str] = frozenset()
    """Names of tables and buckets that control something."""
    sandbox_stacks: frozenset[str] = frozenset()
    """Names of stacks that are not production."""
