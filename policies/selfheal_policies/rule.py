"""What a rule is, and the vocabulary of its configuration. Rules know nothing of the SDK: see `pack`."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from selfheal_policies.resources import Resource

if TYPE_CHECKING:
    from selfheal_policies.graph import Graph

Config = Mapping[str, Any]
"""Configuration of a rule with defaults filled in, of the types that its schema says."""

Level = Literal["mandatory", "advisory"]
Severity = Literal["low", "medium", "high", "critical"]
Schema = Mapping[str, Any]
"""JSON schema of one configuration property, with its `type`, `description` and `default`."""


@dataclass(frozen=True)
class Finding:
    """One violation."""

    urn: str
    """Of the resource to change; empty for the stack as a whole."""
    message: str
    """What is wrong, with the names of the resources. The pack adds the rule's `why` and `fix`."""
    about: str = ""
    """URN of the healer that it is about, if not `urn`: the pack says by which path that counts as one."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule says about itself."""

    kind: ClassVar[str]
    """What the rule judges, as docs/policies.md calls it."""
    name: str
    """<service>-<resource>-<what>, in kebab case; also the name of its file."""
    level: Level
    """The default; configuration may change it."""
    resilience: bool = False
    """Whether it is mandatory by default where the stack demands resilience: see resilience.py."""
    severity: Severity
    what: str
    """What the rule demands: one sentence."""
    why: str
    """Why it is dangerous otherwise: one sentence."""
    fix: str
    """What to change: one or two sentences."""
    schema: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    """Configuration property to its schema."""

    @property
    def url(self) -> str:
        """Where the rule is described."""
        return f"docs/policies.md#{self.name}"

    @property
    def defaults(self) -> Config:
        """Configuration when none is given."""
        return {key: value["default"] for key, value in self.schema.items()}


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """A rule that needs to see one resource only: it blocks before the resource is changed."""

    kind: ClassVar[str] = "resource"
    types: Collection[str]
    """Types of the resources that it applies to."""
    check: Callable[[Resource, Config], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """A rule on how resources are connected."""

    kind: ClassVar[str] = "stack"
    check: "Callable[[Graph, Config], Iterable[Finding]]"


AnyRule = ResourceRule | StackRule


def strings(description: str, default: Collection[str] = ()) -> Schema:
    """Return the schema of a list of strings, empty by default."""
    items = {"type": "string"}
    return {"type": "array", "items": items, "default": list(default), "description": description}


def string(description: str, default: str) -> Schema:
    """Return the schema of a string."""
    return {"type": "string", "default": default, "description": description}


def integer(description: str, default: int, minimum: int = 1, maximum: int | None = None) -> Schema:
    """Return the schema of a whole number from `minimum` to `maximum`, both included; None is no bound."""
    bounds = {"minimum": minimum} | ({} if maximum is None else {"maximum": maximum})
    return {"type": "integer", **bounds, "default": default, "description": description}


def boolean(description: str, *, default: bool) -> Schema:
    """Return the schema of a boolean."""
    return {"type": "boolean", "default": default, "description": description}


def listed(names: Iterable[str]) -> str:
    """Return names in order, separated by commas; "none" if there are none."""
    return ", ".join(sorted(names)) or "none"
