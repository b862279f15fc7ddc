"""What a rule is. A rule knows nothing of the SDK: see `pack`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from selfheal_policies.resources import Resource

if TYPE_CHECKING:
    from selfheal_policies.graph import Graph

Config = Mapping[str, Any]
"""Configuration of a rule with defaults filled in, of the types that its schema says."""

Level = Literal["mandatory", "advisory"]
Severity = Literal["low", "medium", "high", "critical"]

DOCS = "docs/policies.md"


@dataclass(frozen=True)
class Finding:
    """One violation."""

    urn: str
    """Of the resource to change; empty for the stack as a whole."""
    message: str
    """What is wrong, with the names of what it is about. The pack adds the rule's `why` and `fix`."""


@dataclass(frozen=True, kw_only=True)
class _Rule:
    name: str
    """<service>-<resource>-<what>, in kebab case; also the name of its file."""
    level: Level
    """Default, which configuration may change."""
    severity: Severity
    what: str
    """What the rule demands: one sentence."""
    why: str
    """Why it is dangerous otherwise: one sentence."""
    fix: str
    """What to change: one or two sentences."""
    schema: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """JSON schema of each configuration property. Each has a `type`, a `description` and a `default`."""

    @property
    def url(self) -> str:
        """Where the rule is described."""
        return f"{DOCS}#{self.name}"

    @property
    def defaults(self) -> Config:
        """Configuration when none is given."""
        return {key: value["default"] for key, value in self.schema.items()}


@dataclass(frozen=True, kw_only=True)
class ResourceRule(_Rule):
    """A rule that one resource suffices for: it blocks before the change."""

    types: tuple[str, ...]
    """Types of the resources that it applies to."""
    check: Callable[[Resource, Config], Iterable[Finding]]

    @property
    def kind(self) -> str:
        """For people."""
        return "resource"


@dataclass(frozen=True, kw_only=True)
class StackRule(_Rule):
    """A rule on how resources are wired."""

    check: "Callable[[Graph, Config], Iterable[Finding]]"

    @property
    def kind(self) -> str:
        """For people."""
        return "stack"


Rule = ResourceRule | StackRule
