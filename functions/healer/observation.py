"""What one run sees and decides, as plain data: all that a decision may rest on, and the decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.target import Setting, Target
from selfheal.functions.healer.words import Reason, Verb
from selfheal.functions.shared.contract import Limits, Mode


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

    def is_known(self, kind: str) -> bool:
        """Return whether the value can be compared: one that is hidden, or between two, is not "changed"."""
        return self.is_readable(kind) and not self.is_between(kind)

    def is_between(self, kind: str) -> bool:
        """Return whether it is on its way from one value to another: a mapping that is Updating."""
        return self.exists and kind == "pause_consumer" and not self.settled

    def is_readable(self, kind: str) -> bool:
        """Return whether the value could be read; only an environment hides behind a key."""
        return kind != "environment" or (self.configuration is not None and self.configuration.readable)


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
    standing: frozenset[str] = frozenset()
    """Targets where a change of the healer's stands, in an incident or as drift."""


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
