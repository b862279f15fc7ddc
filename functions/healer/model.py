"""The words of the healer as plain data: what is seen, what is decided, what is recorded.

`states.py` has the states of an incident and the ways between them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from functions.healer.target import Setting, Target


class Mode(StrEnum):
    """How much the healer may do by itself, from the most to the least restrictive."""

    OBSERVE = "observe"
    """Record what it would do."""
    SUGGEST = "suggest"
    """Send the plan to people, and do it once one of them approved exactly that plan."""
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
    PROBE = "probe"
    NOTIFY = "notify"


class Verb(StrEnum):
    """What a person may ask of the healer."""

    APPROVE = "approve"
    """Execute exactly the plan that was proposed."""
    ROLLBACK = "rollback"
    """Undo what stands in an open incident, and hold it."""
    RELEASE = "release"
    """End a hold: the healer may act again."""
    RESTORE = "restore"
    """Undo, under watch, what still stands after recovery."""
    ACCEPT = "accept"
    """Take what still stands after recovery for the baseline from now on."""


class Reason(StrEnum):
    """Why a decision was taken; a stable code for logs, ledger and messages."""

    HEALTHY = "healthy"
    BUSY = "another-run-holds-the-lease"
    ALARM_CONFIRMED = "alarm-confirmed-by-metrics"
    ALARM_CLEARED = "alarm-cleared-before-the-act"

    # Guards: why nothing is done although an alarm rings.
    ALARM_NOT_CORROBORATED = "alarm-not-corroborated-by-metrics"
    ALARM_NOT_FRESH = "alarm-not-fresh"
    MODE_FORBIDS = "mode-forbids-acting"
    TARGET_GONE = "target-gone"
    TARGET_REMOVED = "target-removed-from-configuration"
    TARGET_BUSY = "target-busy"
    DEPLOYMENT_IN_PROGRESS = "deployment-in-progress"
    COOL_DOWN = "cool-down"
    BUDGET_SPENT = "budget-spent"
    BLAST_RADIUS = "blast-radius"
    FLAPPING = "flapping"
    HELD = "held-until-released"
    ATTEMPTS_EXHAUSTED = "attempts-exhausted"

    # Why a remedy cannot be used.
    NO_REMEDY = "no-remedy-configured"
    CONFIGURATION_UNREADABLE = "configuration-unreadable"
    VARIABLE_MISSING = "variable-missing"
    NO_EARLIER_VERSION = "no-earlier-version"
    ALREADY_APPLIED = "remedy-already-in-place"

    # Acts and what became of them.
    APPLIED = "applied"
    APPLIED_EARLIER = "applied-by-an-earlier-run"
    REVERTED = "reverted"
    DEFERRED = "act-deferred-to-the-next-run"
    COLLECTING_EVIDENCE = "collecting-evidence"
    PROBING = "probing"
    RECOVERED = "recovered-by-evidence"
    RECOVERED_UNAIDED = "recovered-without-an-act"
    NO_REMEDY_HELPED = "remedy-ineffective"
    NO_EVIDENCE = "no-evidence-in-time"
    ALARM_STUCK = "alarm-stuck-while-healthy"
    ALARM_SILENT = "alarm-silent-while-failing"
    VALUE_CHANGED = "value-changed-by-someone-else"
    EXPIRED = "remedy-expired"
    RELAPSED = "relapsed-after-the-revert"

    # People.
    AWAITING_PEOPLE = "awaiting-people"
    APPROVED = "approved"
    APPROVAL_STALE = "approval-stale"
    APPROVAL_EXPIRED = "approval-expired"
    COMMAND_EXPIRED = "command-expired"
    COMMAND_REFUSED = "command-not-applicable"
    ROLLED_BACK = "rolled-back"
    REVERT_REFUSED = "revert-refused-in-alarm"
    RELEASED = "released"
    RESTORING = "restoring-the-baseline"
    DRIFT_STANDS = "drift-stands"
    DRIFT_ENDED = "drift-ended"
    DRIFT_ACCEPTED = "drift-accepted"
    NOTICE_DUE = "notice-due"
    NOTICE_ABANDONED = "notice-abandoned"


@dataclass(frozen=True)
class Bucket:
    """What one alarm's metrics counted in one period."""

    start: datetime
    requests: int
    errors: int


@dataclass(frozen=True)
class Configuration:
    """A function's unpublished configuration as it is now; what every remedy looks at first."""

    revision_id: str
    settled: bool
    """False while an earlier update is in progress."""
    readable: bool
    """False when Lambda could not decrypt the environment: its variables are then absent, not empty."""
    code_hash: str
    config_hash: str
    """Of everything but the variables that remedies set."""
    variables: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    """The whole environment. It may hold secrets: never recorded, logged or sent."""


@dataclass(frozen=True)
class Live:
    """One setting of a target as it is now."""

    value: str | None
    """None when it is not set: no variable, no override, no reservation."""
    token: str
    """What makes a later write conditional on this read: a revision or version. Empty where AWS has none."""
    configuration: Configuration | None
    """None when the function, or what the setting belongs to, is gone."""
    settled: bool = True
    """False while the setting itself, or a rollout over it, is being changed."""
    candidate: str | None = None
    """The value that the remedy would set, where only AWS knows it: an alias's earlier version."""

    @property
    def exists(self) -> bool:
        """Whether there is anything to change."""
        return self.configuration is not None

    @property
    def is_settled(self) -> bool:
        """Whether neither the setting nor its function is being changed by anyone."""
        return self.settled and self.configuration is not None and self.configuration.settled

    @property
    def world(self) -> tuple[str, str] | None:
        """Hashes of code and configuration: what a plan was made for."""
        configuration = self.configuration
        return (configuration.code_hash, configuration.config_hash) if configuration else None

    def is_readable(self, kind: str) -> bool:
        """Return whether the value could be read; only an environment hides behind a key."""
        return kind != "environment" or (self.configuration is not None and self.configuration.readable)


@dataclass(frozen=True)
class Plan:
    """One act: which value becomes which, and in which world that was decided."""

    kind: str
    setting: str
    before: str | None
    after: str | None
    code_hash: str
    config_hash: str
    expires_after: int | None = None
    """Seconds after which the act is reverted under watch; None: it stands."""

    @property
    def key(self) -> Setting:
        """What it changes."""
        return Setting(self.kind, self.setting)

    @property
    def world(self) -> tuple[str, str]:
        """Hashes of the code and configuration that it was made for."""
        return self.code_hash, self.config_hash

    def digest(self, target: str) -> str:
        """Return the name of exactly this plan for this target: what a person approves.

        Nothing in it changes by itself, so the same world always gives the same name.
        """
        canonical = json.dumps([target, asdict(self)], sort_keys=True)
        return sha256(canonical.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Standing:
    """A change of the healer's that is in place."""

    plan: Plan
    since: str


@dataclass(frozen=True)
class Evidence:
    """What was counted since the evidence began."""

    since: str
    requests: int
    errors: int
    verdict: str
    probes: int = 0
    """Probes sent, beside the requests of callers."""
    probe_errors: int = 0


@dataclass(frozen=True)
class Transition:
    """One line of an incident's history."""

    at: str
    source: str
    to: str
    reason: str


@dataclass(frozen=True)
class Hold:
    """Why the healer must not act on a target, and until when."""

    reason: Reason
    since: str
    until: str | None = None
    """None: until a person releases it."""


@dataclass(frozen=True)
class Guard:
    """What kept the healer from acting, in numbers where it has any."""

    reason: Reason
    limit: int | None = None
    found: int | None = None
    total: int | None = None
    until: str | None = None


@dataclass(frozen=True)
class Approval:
    """Who let the healer do what."""

    plan: str
    by: str
    at: str


@dataclass(frozen=True)
class Request:
    """What a person asked for, as the ledger holds it. The healer can read it and not write it."""

    id: str
    verb: Verb
    incident: str
    by: str
    """ARN of the caller."""
    at: str
    until: str
    why: str = ""
    plan: str | None = None
    """Of an approval: the plan's digest."""


@dataclass(frozen=True)
class ModeOverride:
    """A runtime decision on the mode, which no deployment loosens."""

    version: int
    """0: there never was one."""
    mode: Mode | None = None
    """None: cleared."""
    by: str = ""
    why: str = ""
    at: str = ""


@dataclass(frozen=True)
class Fleet:
    """What the targets of one healer share."""

    version: int = 0
    """Grows by one with every intent to apply a remedy: the condition of the next."""
    acting: frozenset[str] = frozenset()
    """Targets with a change in an open incident."""
    blocking: frozenset[str] = frozenset()
    """Those of them whose change `up` would undo."""
    acts: tuple[str, ...] = ()
    """When remedies were applied, oldest first, as far back as the budget's window."""


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
    began_at: str | None = None
    """Start of the first period that breached."""
    plan: Plan | None = None
    acts: int = 0
    attempts: int = 0
    effect: Effect | None = None
    """Intended and not yet known to be done."""
    purpose: Reason | None = None
    """Why a revert is intended, or an apply for the second time (RELAPSED)."""
    lease_until: str | None = None
    """Until then the run that recorded the intent may still be at it."""
    token: str = ""
    """The setting's revision that the intent was recorded for; another one shows that someone wrote."""
    acted_at: str | None = None
    watching: bool = False
    """Whether the evidence is of the time after a revert."""
    escalated_at: str | None = None
    closed_at: str | None = None
    standing: tuple[Standing, ...] = ()
    """What the healer changed and did not undo, oldest first; after recovery this is drift."""
    reminded_at: str | None = None
    tried: tuple[str, ...] = ()
    """Settings whose remedy did not help or could not be used, as `kind:name`."""
    guard: Guard | None = None
    hold: Hold | None = None
    """Carried over to the target's next incident."""
    approval: Approval | None = None
    """The approval that the last act rests on."""
    answered: tuple[str, ...] = ()
    """The last requests of people that were dealt with, by id."""
    evidence: Evidence | None = None
    recent_acts: tuple[str, ...] = ()
    """When remedies were applied on this target, its earlier incidents included."""
    recent_incidents: tuple[str, ...] = ()
    """When incidents of this target were opened."""
    history: tuple[Transition, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it still needs someone, the healer or a person."""
        return self.status is not Status.RECOVERED

    @property
    def is_acting(self) -> bool:
        """Whether the healer is changing the target, or waiting to see what its change did."""
        return self.status in (Status.ACTING, Status.VERIFYING)


@dataclass(frozen=True)
class AlarmState:
    """An alarm as CloudWatch has it now, whatever a notification said."""

    state: str
    """OK, ALARM or INSUFFICIENT_DATA."""
    since: datetime


@dataclass(frozen=True)
class Limits:
    """What the owner allows; the Healer component has the defaults and says what each is for."""

    budget: int = 12
    """Acts on the whole fleet in a day."""
    target_budget: int = 6
    """Acts on one target in a day."""
    cool_down: int = 60
    """Seconds between the last act of one incident and the first of the next."""
    flapping_limit: int = 3
    """Incidents of one target in a window; one more is flapping."""
    flapping_window: int = 3600
    """Seconds."""
    flapping_hold: int = 3600
    """Seconds that a flapping target is left alone, unless it is released."""
    blast_radius: float = 0.5
    """Share of the fleet that may be under a change at the same time; one target always may."""
    stability: int = 60
    """Seconds that a target must have been well before its incident closes."""


@dataclass(frozen=True)
class Observation:
    """All that a decision may rest on."""

    target: Target
    mode: Mode
    """The more restrictive of baseline and override."""
    alarms: Mapping[str, AlarmState]
    """By alarm name; every alarm of the target is there."""
    incident: Incident | None
    """The current incident of the target, or its last."""
    baseline: Mode = Mode.OBSERVE
    """The mode of stack configuration: the permissions of the healer's role follow from it."""
    about: Setting | None = None
    """The setting that was read: what `facts.subject` names."""
    live: Live | None = None
    """That setting as it is; None when nothing called for reading it."""
    samples: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict[str, tuple[Bucket, ...]])
    """Alarm name to its buckets, oldest first; only periods that are over."""
    fleet: Fleet = field(default_factory=Fleet)
    fleet_size: int = 1
    mode_override: ModeOverride = field(default_factory=lambda: ModeOverride(0))
    approval: Request | None = None
    command: Request | None = None
    limits: Limits = field(default_factory=Limits)

    def is_about(self, setting: Setting) -> bool:
        """Return whether it is this setting that was read."""
        return self.live is not None and self.about == setting


@dataclass(frozen=True)
class Decision:
    """What one run does for one target: at most one write, one effect, one write."""

    reason: Reason
    incident: Incident | None = None
    """As it must stand in the ledger before the effect: the intent. None: nothing to write or do."""
    counts: bool = False
    """Whether the intent is a new act, to be counted against the budgets in the same transaction."""
