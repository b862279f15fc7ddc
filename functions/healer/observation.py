"""The observation that a decision is based on, and the decision, as plain data.

What follows from the observation alone, such as the verdict of the evidence, is a cached property of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.evidence import (
    Bucket,
    Count,
    Verdict,
    breaches,
    breaching,
    count,
    reach,
    verdict,
)
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Answered, Evidence
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.states import TERMINAL, Effect, Reason, Status, Verb
from selfheal.functions.healer.target import AlarmRule, Setting, Target
from selfheal.functions.shared.contract import Limits, Mode

SETTLE = timedelta(seconds=10)
"""How long requests in flight and old execution environments may fail after a change."""

LONGEST = timedelta(hours=24)
"""How long a request may be valid at most."""

AHEAD = timedelta(minutes=10)
"""How far the clock of whoever asks may be ahead of the ledger's."""

EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    """A person's request in the ledger. The healer can read it but not write it."""

    id: str
    verb: Verb
    incident: str
    by: str
    """ARN of the caller."""
    at: str
    until: str
    why: str = ""
    plan: str | None = None
    """The digest of the approved plan. Approvals only."""

    def answered(self, now: datetime, answer: Reason, *, done: bool) -> Answered:
        """Return the record of the answer."""
        return Answered(self.id, self.verb, self.by, self.at, self.why, iso(now), answer, done, self.plan)

    def is_over(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return now >= parse_iso(self.until)

    def is_too_long(self, now: datetime) -> bool:
        """Return whether it is valid for longer than allowed: what was decided long ago must not count."""
        until = parse_iso(self.until)
        return until > now + LONGEST + AHEAD or until > parse_iso(self.at) + LONGEST


@dataclass(frozen=True)
class ModeOverride:
    """An override of the mode. It can only restrict the baseline, whatever is deployed."""

    version: int
    """0 if there never was an override."""
    mode: Mode | None = None
    """None if the override was cleared."""
    by: str = ""
    why: str = ""
    at: str = ""


@dataclass(frozen=True)
class Fleet:
    """The state that the targets of one healer share."""

    version: int = 0
    """Increased with every intent to apply a remedy; the next intent is conditional on it."""
    acting: frozenset[str] = frozenset()
    """Targets with a change in an open incident."""
    blocking: frozenset[str] = frozenset()
    """Targets whose change `up` would undo."""
    acts: tuple[str, ...] = ()
    """When remedies were applied within the budget's window, oldest first."""
    standing: frozenset[str] = frozenset()
    """Targets with a change by the healer in place, in an incident or as drift."""
    unfinished: frozenset[str] = frozenset()
    """Targets whose incident is open or has a notice to send, or whose drift people have to end although the
    target is no longer configured. By this set the healer finds the incidents of removed targets."""


@dataclass(frozen=True)
class AlarmState:
    """The current state of an alarm in CloudWatch, whatever a notification said."""

    state: str
    """OK, ALARM or INSUFFICIENT_DATA."""
    since: datetime


@dataclass(frozen=True)
class Observation:
    """Everything that a decision may depend on."""

    target: Target
    now: datetime
    mode: Mode
    """The more restrictive of baseline and override."""
    alarms: Mapping[str, AlarmState]
    """Every alarm of the target, by name."""
    incident: Incident | None
    """The current incident of the target, or its last."""
    baseline: Mode = Mode.OBSERVE
    """The mode in stack configuration, which determines the permissions of the healer's role."""
    about: Setting | None = None
    """The setting that was read; see `subject`."""
    live: Live | None = None
    """The live state of that setting; None if it did not have to be read."""
    samples: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict[str, tuple[Bucket, ...]])
    """The buckets by alarm name, oldest first, of periods that are over."""
    fleet: Fleet = field(default_factory=Fleet)
    fleet_size: int = 1
    mode_override: ModeOverride = field(default_factory=lambda: ModeOverride(0))
    approval: Request | None = None
    command: Request | None = None
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def ringing(self) -> tuple[AlarmRule, ...]:
        """The target's alarms that are in ALARM now."""
        return tuple([rule for rule in self.target.alarms if self.alarms[rule.name].state == "ALARM"])

    @cached_property
    def rule(self) -> AlarmRule:
        """The alarm that opened the incident, or the first one if a deployment has renamed it since."""
        opened_by = self.incident.alarm if self.incident else ""
        named = [rule for rule in self.target.alarms if rule.name == opened_by]
        return (named or self.target.alarms)[0]

    @cached_property
    def is_silent(self) -> bool:
        """Whether an alarm is in ALARM although its metrics have no recent data."""
        return not [
            bucket
            for rule in self.ringing
            for bucket in self.samples.get(rule.name, ())
            if bucket.start >= self.now - reach(rule)
        ]

    @cached_property
    def subject(self) -> Setting | None:
        """The setting that the decision is about, which has to be read besides alarms and metrics.

        It is always that of a configured remedy, because the healer's role may read no other setting.
        """
        incident, command = self.incident, self.command
        if incident is None or (not incident.is_open and self.ringing and command is None):
            remedy = self.target.next_remedy(())
            return remedy.setting if remedy else None
        plan = incident.plan
        if incident.effect in (Effect.APPLY, Effect.REVERT) and plan is not None:
            return _if_remedy(self.target, plan.key)
        asked = command is not None and not self.is_restoring
        last = incident.last_standing
        if last and (asked or incident.status in TERMINAL):
            return _if_remedy(self.target, last.plan.key)
        if incident.status is Status.VERIFYING and plan is not None:
            return _if_remedy(self.target, plan.key)
        if incident.status in TERMINAL:
            return None
        remedy = self.target.next_remedy(incident.tried)
        return remedy.setting if remedy else None

    @property
    def is_restoring(self) -> bool:
        """Whether a part of a requested restore is being verified. The rest follows."""
        incident, command = self.incident, self.command
        asked = command is not None and command.verb is Verb.RESTORE
        return (
            asked and incident is not None and incident.is_watching and incident.purpose is Reason.RESTORING
        )

    @property
    def last_is_remedy(self) -> bool:
        """Whether the last change in place belongs to a remedy that is still configured."""
        last = self.incident.last_standing if self.incident else None
        return last is not None and self.target.remedy_of(last.plan.key) is not None

    @property
    def tells_of_last(self) -> bool:
        """Whether the youngest change that stands was read, or cannot be: it is no remedy any more."""
        last = self.incident.last_standing if self.incident else None
        return last is not None and (self.is_about(last.plan.key) or not self.last_is_remedy)

    @property
    def may_revert(self) -> bool:
        """Whether the value before may come back now, of the setting that was read.

        Never while an alarm rings, because that value is what the incident blames, unless the remedy is
        declared safe to revert; never a setting that is no remedy of the target, whatever the ledger says.
        """
        remedy = self.target.remedy_of(self.about) if self.about else None
        return remedy is not None and (remedy.revert_safe or not self.ringing)

    def is_about(self, setting: Setting) -> bool:
        """Return whether this is the setting that was read."""
        return self.live is not None and self.about == setting

    def live_of(self, setting: Setting) -> Live:
        """Return the live state of a setting.

        Raises:
            ValueError: when that setting was not read, so that nothing may be decided about it.

        """
        if self.live is None or self.about != setting:
            raise ValueError(f"target {self.target.name}: {setting} is needed, {self.about} was observed")
        return self.live

    def confirmed(self, earliest: datetime) -> tuple[AlarmRule, Bucket] | None:
        """Return the first alarm in ALARM that its metrics confirm, and the first period that breached."""
        for rule in self.ringing:
            found = breaches(rule, self.samples.get(rule.name, ()), earliest, self.now)
            if found:
                return rule, found[0]
        return None

    @cached_property
    def evidence_begins(self) -> datetime:
        """The time from which metrics count for the incident."""
        incident = self.incident
        if incident is None or not incident.is_open:
            return parse_iso(incident.closed_at) if incident and incident.closed_at else EVER
        if incident.status is Status.VERIFYING and incident.acted_at:
            return parse_iso(incident.acted_at) + SETTLE
        handled = filter(None, (incident.released_at, incident.escalated_at))
        return max([self.alarms[self.rule.name].since, *map(parse_iso, handled)])

    @cached_property
    def evidence(self) -> Evidence:
        """Requests, errors and probes since the evidence began, and the verdict.

        Probes are requests and are part of the target's metrics. They are also tested separately, because
        their answers are known even if the service emits no metrics. As the two tests answer one question,
        each gets half of the error.
        """
        rule, incident = self.rule, self.incident
        counted = count(rule, self.samples.get(rule.name, ()), self.evidence_begins, self.now)
        # Probes are evidence only of the change that is being verified.
        earlier = incident.evidence if incident and incident.status is Status.VERIFYING else None
        probes = Count(earlier.probes, earlier.probe_errors) if earlier else Count(0, 0)
        tests = 2 if self.target.probe else 1
        verdicts = [
            verdict(each, self.target.natural_error_rate, rule.error_rate, tests=tests)
            for each in ((counted, probes) if probes.requests else (counted,))
        ]
        judged = Verdict.HEALTHY if Verdict.HEALTHY in verdicts else Verdict.UNDECIDED
        judged = Verdict.BROKEN if Verdict.BROKEN in verdicts else judged
        return Evidence(
            iso(self.evidence_begins),
            counted.requests,
            counted.errors,
            judged,
            probes.requests,
            probes.errors,
        )

    @cached_property
    def is_stable(self) -> bool:
        """Whether alarm and metrics have shown the target healthy for the stability window."""
        window = timedelta(seconds=self.limits.stability_seconds)
        rule, begins = self.rule, self.evidence_begins
        if self.alarms[rule.name].state != "OK" or self.now < begins + window:
            return False
        lately = max(begins, self.now - window - reach(rule))
        for each in self.target.alarms:
            samples = self.samples.get(each.name, ())
            # While an alarm is in ALARM, its last known period counts, however old it is.
            last = samples[-1:] if each in self.ringing else ()
            recent = [*[bucket for bucket in samples if bucket.start >= lately], *last]
            if any(breaching(each, bucket) for bucket in recent):
                return False
        return True


def _if_remedy(target: Target, setting: Setting) -> Setting | None:
    return setting if target.remedy_of(setting) else None


@dataclass(frozen=True)
class Decision:
    """What one run does for one target: at most a write, an effect, and another write."""

    reason: Reason
    incident: Incident | None = None
    """The intent: the incident to write before the effect. None if there is nothing to do."""
    counts: bool = False
    """Whether the intent is a new remediation, counted against the budgets in the same transaction."""

    @classmethod
    def of(cls, incident: Incident) -> "Decision":
        """Return the decision to write an incident, for the reason that the incident has."""
        return cls(incident.reason, incident)
