"""What the engine asks of an analyzer: a policy pack, or whatever else judges what a program registers.

Properties are plain, as in `provider_api`; what a preview cannot know is `wire.UNKNOWN`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sandbox.provider import wire


class Level(StrEnum):
    """What a violation means for the operation."""

    ADVISORY = "advisory"
    """It is told."""
    MANDATORY = "mandatory"
    """The operation fails."""


@dataclass(frozen=True)
class Analyzed:
    """A resource as an analyzer sees it."""

    urn: str
    type: str
    name: str
    properties: wire.Properties
    """Checked inputs for `analyze`, outputs for `analyze_stack`."""
    secrets: frozenset[str] = frozenset()
    """Top-level properties that are secret."""
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    """None leaves it to the provider."""
    provider: "Analyzed | None" = None
    """The provider that manages it; None for components and for providers themselves."""


@dataclass(frozen=True)
class Violation:
    """One finding of one policy."""

    policy: str
    level: Level
    message: str
    urn: str = ""
    """The resource it is about; empty for the stack as a whole."""
    pack: str = ""
    severity: str = ""
    """low, medium, high or critical, where the policy says so."""


class Analyzer(Protocol):
    """Judges the registrations of one run. `analyze` and `remediate` are called from several threads."""

    def remediate(self, resource: Analyzed, /) -> wire.Properties | None:
        """Return better inputs for a resource, or None to leave them; called before `analyze`."""
        ...

    def analyze(self, resource: Analyzed, /) -> list[Violation]:
        """Judge one resource before it is touched. Raises SandboxError when it cannot judge."""
        ...

    def analyze_stack(self, resources: list[Analyzed], /) -> list[Violation]:
        """Judge everything registered, at the end of preview and of up. Raises as `analyze`."""
        ...
