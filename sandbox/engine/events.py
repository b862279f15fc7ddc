"""What an operation tells while it runs, and what it returns at the end."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.engine.analyzer_api import Violation


class Op(StrEnum):
    """What is done to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    SAME = "same"
    READ = "read"
    """Looked up by the program (`Resource.get`), not managed."""
    REFRESH = "refresh"
    """Compared with the live resource; `changed` names the drifted properties."""


class Status(StrEnum):
    """How far a step is."""

    START = "start"
    DONE = "done"
    FAILED = "failed"


class Severity(StrEnum):
    """Weight of a diagnostic, as the SDK's log has it."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Event:
    """One step on one resource begins or ends. A preview sends DONE only: nothing is done."""

    op: Op
    urn: str
    type: str
    name: str
    status: Status
    changed: tuple[str, ...] = ()
    """Top-level properties that differ, for UPDATE, REPLACE and REFRESH."""
    error: str = ""
    """Why, when FAILED."""


@dataclass(frozen=True)
class Diagnostic:
    """A message of the program, of its standard output, or of the engine."""

    severity: Severity
    message: str
    urn: str = ""
    """The resource it is about; empty for the program as a whole."""
    violation: Violation | None = None
    """What it tells, if it comes from a policy: an error if mandatory, else a warning."""


@dataclass
class Result:
    """The outcome of an operation."""

    ok: bool = True
    error: str | None = None
    """Why not ok; names the resource, when it is one."""
    changes: Counter[str] = field(default_factory=Counter[str])
    """By `Op` value, how many resources were (at preview: would be) treated so."""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """The program's exports. A secret reads `[secret]`; what a preview cannot know, `wire.UNKNOWN`."""
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    @property
    def violations(self) -> list[Violation]:
        """What policies found, in the order in which it was found."""
        return [item.violation for item in self.diagnostics if item.violation is not None]
