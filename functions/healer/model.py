"""The words of the healer as plain data: what is seen, what is decided, what is recorded.

Status of an incident:

(none) -> PROPOSED -> ACTING -> VERIFYING -> RECOVERED
             ^          |          |
            OPEN <------+          +-> INEFFECTIVE | INCONCLUSIVE -> ESCALATED -> RECOVERED
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from functions.healer.target import Target


class Mode(StrEnum):
    """How much the healer may do by itself."""

    OBSERVE = "observe"
    """Record what it would do."""
    SUGGEST = "suggest"
    """Record it and tell people."""
    ACT = "act"
    """Do it."""


class Status(StrEnum):
    """Where an incident stands."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    ACTING = "ACTING"
    VERIFYING = "VERIFYING"
    RECOVERED = "RECOVERED"
    INEFFECTIVE = "INEFFECTIVE"
    INCONCLUSIVE = "INCONCLUSIVE"
    ESCALATED = "ESCALATED"


class Effect(StrEnum):
    """What is to be done outside the ledger, once its intent is recorded."""

    APPLY = "apply"
    REVERT = "revert"
    NOTIFY = "notify"


class Reason(StrEnum):
    """Why a decision was taken; a stable code for logs, ledger and messages."""

    HEALTHY = "healthy"
    BUSY = "another-run-holds-the-lease"
    ALARM_NOT_CORROBORATED = "alarm-not-corroborated-by-metrics"
    UPDATE_IN_PROGRESS = "function-update-in-progress"
    ALARM_CONFIRMED = "alarm-confirmed-by-metrics"
    ALARM_CLEARED = "alarm-cleared-before-the-act"
    MODE_FORBIDS = "mode-forbids-acting"
    NO_REMEDY = "no-remedy-configured"
    CONFIGURATION_UNREADABLE = "configuration-unreadable"
    VARIABLE_MISSING = "variable-missing"
    ALREADY_APPLIED = "remedy-already-in-place"
    ATTEMPTS_EXHAUSTED = "attempts-exhausted"
    APPLIED = "applied"
    APPLIED_EARLIER = "applied-by-an-earlier-run"
    REVERTED = "reverted"
    DEFERRED = "act-deferred-to-the-next-run"
    COLLECTING_EVIDENCE = "collecting-evidence"
    RECOVERED = "recovered-by-evidence"
    RECOVERED_UNAIDED = "recovered-without-an-act"
    NO_REMEDY_HELPED = "remedy-ineffective"
    NO_EVIDENCE = "no-evidence-in-time"
    ALARM_STUCK = "alarm-stuck-while-healthy"
    VALUE_CHANGED = "value-changed-by-someone-else"
    AWAITING_PEOPLE = "awaiting-people"
    NOTICE_DUE = "notice-due"
    NOTICE_ABANDONED = "notice-abandoned"


@dataclass(frozen=True)
class Bucket:
    """What one alarm's metrics counted in one period."""

    start: datetime
    requests: int
    errors: int


@dataclass(frozen=True)
class LiveConfiguration:
    """A function's configuration as it is now."""

    revision_id: str
    settled: bool
    """False while an earlier update is in progress."""
    readable: bool
    """False when Lambda could not decrypt the environment: its variables are then absent, not empty."""
    code_hash: str
    config_hash: str
    """Of everything but the remedied variable."""
    value: str | None
    """Of the remedied variable; None when it is not set."""
    variables: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    """The whole environment. It may hold secrets: never recorded, logged or sent."""


@dataclass(frozen=True)
class Plan:
    """One act: which value becomes which, and in which world that was decided."""

    kind: str
    variable: str
    before: str
    after: str
    code_hash: str
    config_hash: str


@dataclass(frozen=True)
class Evidence:
    """What was counted since the evidence began."""

    since: str
    requests: int
    errors: int
    verdict: str


@dataclass(frozen=True)
class Transition:
    """One line of an incident's history."""

    at: str
    source: str
    to: str
    reason: str


@dataclass(frozen=True)
class Incident:
    """One incident of one target, as the ledger holds it. Times are ISO 8601 in UTC."""

    id: str
    target: str
    alarm: str
    opened_at: str
    status: Status
    reason: Reason
    mode: Mode
    version: int = 1
    """Grows by one with every write: the condition of the next."""
    plan: Plan | None = None
    acts: int = 0
    attempts: int = 0
    effect: Effect | None = None
    """Intended and not yet known to be done."""
    lease_until: str | None = None
    """Until then the run that recorded the intent may still be at it."""
    acted_at: str | None = None
    escalated_at: str | None = None
    closed_at: str | None = None
    override_stands: bool = False
    """Whether the healer's value may be in place: while the incident is open, `up` leaves it alone."""
    evidence: Evidence | None = None
    history: tuple[Transition, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it still needs someone, the healer or a person."""
        return self.status is not Status.RECOVERED


@dataclass(frozen=True)
class AlarmState:
    """An alarm as CloudWatch has it now, whatever a notification said."""

    state: str
    """OK, ALARM or INSUFFICIENT_DATA."""
    since: datetime


@dataclass(frozen=True)
class Observation:
    """All that a decision may rest on."""

    target: Target
    mode: Mode
    alarms: Mapping[str, AlarmState]
    """By alarm name; every alarm of the target is there."""
    incident: Incident | None
    """The current incident of the target, or its last."""
    live: LiveConfiguration | None = None
    """None when nothing called for reading it."""
    samples: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict[str, tuple[Bucket, ...]])
    """Alarm name to its buckets, oldest first; only periods that are over."""


@dataclass(frozen=True)
class Decision:
    """What one run does for one target: at most one write, one effect, one write."""

    reason: Reason
    incident: Incident | None = None
    """As it must stand in the ledger before the effect: the intent. None: nothing to write or do."""
