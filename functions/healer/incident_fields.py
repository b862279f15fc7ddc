"""An incident as plain data: what was planned, done, seen and held. What the ledger keeps."""

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256

from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.healer.target import Setting
from selfheal.functions.shared.contract import Mode, owner


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
    def is_pulumis(self) -> bool:
        """Whether Pulumi owns what it changes: `up` puts the baseline back."""
        return owner(self.kind) == "pulumi"

    @property
    def world(self) -> tuple[str, str]:
        """Hashes of the code and configuration that it was made for."""
        return self.code_hash, self.config_hash

    def made_for(self, world: tuple[str, str] | None) -> "Plan":
        """Return the plan in another world, if that is known."""
        return replace(self, code_hash=world[0], config_hash=world[1]) if world else self

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
    accepted: bool = False
    """Whether people took it for the baseline: no reminder, but `restore` still takes it back."""


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
    """None: until a person releases it or the incident closes; if it outlives that, until a release."""

    @property
    def outlives(self) -> bool:
        """Whether the end of an incident does not end it: what did not help must not be tried for ever."""
        return self.reason in (Reason.NO_REMEDY_HELPED, Reason.FLAPPING, Reason.ROLLED_BACK)


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
class IncidentFields:
    """What the ledger keeps of an incident. Times are ISO 8601 in UTC."""

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
    """Why a revert is intended or watched, or an apply intended for the second time (RELAPSED)."""
    lease_until: str | None = None
    """Until then the run that recorded the intent may still be at it."""
    token: str = ""
    """The setting's revision that the intent was recorded for; another one shows that someone wrote."""
    acted_at: str | None = None
    escalated_at: str | None = None
    closed_at: str | None = None
    standing: tuple[Standing, ...] = ()
    """What the healer changed and did not undo, oldest first; after recovery this is drift."""
    reminded_at: str | None = None
    owed_at: str | None = None
    """Since when people are owed a notice that could not be sent."""
    tried: tuple[str, ...] = ()
    """Settings whose remedy did not help or could not be used, as `kind:name`."""
    guard: Guard | None = None
    hold: Hold | None = None
    """If it outlives the incident, the target's next one begins with it."""
    approval: Approval | None = None
    """The approval that the last act rests on."""
    answered: tuple[str, ...] = ()
    """The last requests of people that were dealt with, by id."""
    evidence: Evidence | None = None
    recent_acts: tuple[str, ...] = ()
    """When remedies were applied on this target, its earlier incidents included."""
    recent_incidents: tuple[str, ...] = ()
    """When incidents of this target were opened."""
    transitions: int = 0
    """How many there were, also of those that the history has forgotten."""
    last_transition: Transition | None = None
    acting_since: str | None = None
    """When it last came to ACTING."""
    reverted_at: str | None = None
    released_at: str | None = None
    recoveries: int = 0
    """How often it came to RECOVERED; more than once if a restore closed it again."""
    reasons: tuple[Reason, ...] = ()
    """Every reason that it moved for, each once."""
    history: tuple[Transition, ...] = ()
    """The last transitions, for people: nothing is decided by it."""
