"""The fields of an incident, as plain data that the ledger stores."""

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256

from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.target import Setting
from selfheal.functions.shared.contract import Mode, owner


@dataclass(frozen=True)
class Plan:
    """One change: the setting, its values before and after, and what code and configuration it is for."""

    kind: str
    setting: str
    before: str | None
    after: str | None
    code_hash: str
    config_hash: str
    expires_after: int | None = None
    """Seconds after which the change is reverted and verified. None: it stays in place."""

    @property
    def key(self) -> Setting:
        """The setting that it changes."""
        return Setting(self.kind, self.setting)

    @property
    def is_pulumis(self) -> bool:
        """Whether Pulumi owns what it changes: `up` puts the baseline back."""
        return owner(self.kind) == "pulumi"

    @property
    def world(self) -> tuple[str, str]:
        """Hashes of the code and configuration that it is for."""
        return self.code_hash, self.config_hash

    def made_for(self, world: tuple[str, str] | None) -> "Plan":
        """Return the plan for other code and configuration, if these are known."""
        return replace(self, code_hash=world[0], config_hash=world[1]) if world else self

    def digest(self, target: str) -> str:
        """Return the digest that identifies this plan for this target. People approve a plan by its digest.

        While code, configuration and the setting stay the same, so does the digest.
        """
        canonical = json.dumps([target, asdict(self)], sort_keys=True)
        return sha256(canonical.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Standing:
    """A change by the healer that is in place."""

    plan: Plan
    since: str
    accepted: bool = False
    """Whether people accepted it. There is no reminder then, but `restore` can still revert it."""


@dataclass(frozen=True)
class Counted:
    """What one series of metrics has shown since the evidence began."""

    namespace: str
    """Of the metrics in CloudWatch."""
    requests: int
    errors: int
    until: str
    """Periods that begin before this are counted. What becomes known of later ones can open an incident."""


@dataclass(frozen=True)
class Evidence:
    """Requests, errors and probes counted since the evidence began."""

    since: str
    requests: int
    """Of the metrics of the alarm that opened the incident."""
    errors: int
    verdict: str
    probes: int = 0
    """Probes that were sent."""
    probe_errors: int = 0
    counts: tuple[Counted, ...] = ()
    """All metrics of the target. A verdict of healthy needs all of them."""


@dataclass(frozen=True)
class Transition:
    """One line of an incident's history."""

    at: str
    source: str
    to: str
    reason: str


@dataclass(frozen=True)
class Hold:
    """Why a target is held, and until when."""

    reason: Reason
    since: str
    until: str | None = None
    """None: until a person releases it or the incident closes; if it outlives that, until a release."""

    @property
    def outlives(self) -> bool:
        """Whether the hold outlives the incident: what does not help must not be tried for ever."""
        return self.reason in (Reason.REMEDY_INEFFECTIVE, Reason.FLAPPING, Reason.ROLLED_BACK)


@dataclass(frozen=True)
class Guard:
    """The guard that delayed or prevented a remediation, with its numbers."""

    reason: Reason
    limit: int | None = None
    found: int | None = None
    total: int | None = None
    until: str | None = None


@dataclass(frozen=True)
class Approval:
    """Who approved which plan, by its digest."""

    plan: str
    by: str
    at: str


@dataclass(frozen=True)
class Closure:
    """Who closed the incident of a target that is no longer configured, and what was left in place."""

    by: str
    at: str
    why: str
    left: tuple[Standing, ...] = ()
    """The changes that were in place, or perhaps were. The healer has no part in them any more."""


@dataclass(frozen=True)
class Answered:
    """A person's request, and the healer's answer."""

    id: str
    verb: Verb
    by: str
    """ARN of the caller, as the request says it."""
    at: str
    """When it was made."""
    why: str
    answered_at: str
    answer: Reason
    """Why it is carried out, or refused."""
    done: bool
    """Whether it is carried out. False: it was refused, and the incident stayed as it was."""
    plan: str | None = None
    """The digest of the plan that was approved. Approvals only."""


@dataclass(frozen=True)
class IncidentFields:
    """The fields of an incident. Times are ISO 8601 in UTC."""

    id: str
    target: str
    alarm: str
    opened_at: str
    status: Status
    reason: Reason
    mode: Mode
    version: int = 1
    """Increased with every write; the next write is conditional on it."""
    began_at: str | None = None
    """Start of the first period that breached."""
    plan: Plan | None = None
    acts: int = 0
    attempts: int = 0
    effect: Effect | None = None
    """The effect that is intended and not known to be done."""
    purpose: Reason | None = None
    """Why a revert is intended or being verified, or RELAPSED for a remedy that is applied again."""
    lease_until: str | None = None
    """Until then, the run that recorded the intent may still be working on it."""
    token: str = ""
    """Revision of the setting when the intent was recorded. Another one shows that someone wrote it."""
    acted_at: str | None = None
    escalated_at: str | None = None
    closed_at: str | None = None
    standing: tuple[Standing, ...] = ()
    """The healer's changes that are in place, oldest first. After recovery they are drift."""
    reminded_at: str | None = None
    """When people were last told of this incident, if they were."""
    owed_at: str | None = None
    """Since when there is a notice that could not be sent."""
    tried: tuple[str, ...] = ()
    """Settings whose remedy did not help or could not be used, as `kind:name`; as `kind:name@version` a
    version that did not help while there was an earlier one."""
    guard: Guard | None = None
    hold: Hold | None = None
    """If it outlives the incident, the target's next one begins with it."""
    approval: Approval | None = None
    """The approval of the last remediation."""
    closure: Closure | None = None
    evidence: Evidence | None = None
    recent_acts: tuple[str, ...] = ()
    """When remedies were applied to this target, including in earlier incidents."""
    recent_incidents: tuple[str, ...] = ()
    """When incidents of this target were opened."""
    transitions: int = 0
    """Number of transitions, including those that the history no longer holds."""
    last_transition: Transition | None = None
    acting_since: str | None = None
    """When it last moved to ACTING."""
    reverted_at: str | None = None
    released_at: str | None = None
    recoveries: int = 0
    """How often it moved to RECOVERED: more than once if it closed again after a restore."""
    reasons: tuple[Reason, ...] = ()
    """The reasons of all transitions, each once."""
    history: tuple[Transition, ...] = ()
    """The last transitions, for people to read. No decision depends on it."""
    settled_at: str | None = None
    """Since when the last change, or its revert, serves the callers. None: it does not yet, or there is none
    whose evidence is still counted."""
    function: str | None = None
    """The function that the target was when the incident was opened. None: an earlier version wrote it."""
    rejected: tuple[str, ...] = ()
    """Versions that the healer rolled an alias away from, as `function:version`, in earlier incidents too: it
    does not roll back to them. Those that were no worse than what came before are left out."""
    failures: tuple[str, ...] = ()
    """What AWS refused for good or failed to carry out in this incident, as `kind:name: code`."""
    requests: tuple[Answered, ...] = ()
    """The last requests that were answered, the newest last. One that is here does not count again."""
    about: str = ""
    """Id of the refused request that the last notice was about. Empty: it was about the incident."""
    waiting_since: str | None = None
    """Since when the same kind of guard has kept a remedy waiting."""
    told_waits: tuple[Reason, ...] = ()
    """Guards of which people were told because they last, since the last release."""
    reminding: bool = False
    """Whether the last notice only repeats what people were told before."""
    quiet_since: str | None = None
    """When people were told that more incidents of this target are summed up. The next one inherits it."""
    quiet: int = 0
    """Incidents since then of which nobody was told yet, likewise."""
