"""What one run sees and decides, as plain data: all that a decision may rest on, and the decision.

What follows from the observation alone, such as whether the evidence shows health, is a property of it:
computed once, when it is first asked for.
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
from selfheal.functions.healer.incident_fields import Evidence
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.states import TERMINAL, Effect, Reason, Status, Verb
from selfheal.functions.healer.target import AlarmRule, Setting, Target
from selfheal.functions.shared.contract import Limits, Mode

SETTLE = timedelta(seconds=10)
"""Requests in flight and execution environments with the old value may fail this long after the act."""

EVER = datetime.min.replace(tzinfo=UTC)


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
    now: datetime
    mode: Mode
    """The more restrictive of baseline and override."""
    alarms: Mapping[str, AlarmState]
    """By alarm name; every alarm of the target is there."""
    incident: Incident | None
    """The current incident of the target, or its last."""
    baseline: Mode = Mode.OBSERVE
    """The mode of stack configuration: the permissions of the healer's role follow from it."""
    about: Setting | None = None
    """The setting that was read: `subject`."""
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

    @cached_property
    def ringing(self) -> tuple[AlarmRule, ...]:
        """The target's alarms that are in ALARM now."""
        return tuple([rule for rule in self.target.alarms if self.alarms[rule.name].state == "ALARM"])

    @cached_property
    def rule(self) -> AlarmRule:
        """The alarm that opened the incident; the first, where a deployment has renamed it since."""
        opened_by = self.incident.alarm if self.incident else ""
        named = [rule for rule in self.target.alarms if rule.name == opened_by]
        return (named or self.target.alarms)[0]

    @cached_property
    def is_silent(self) -> bool:
        """Whether an alarm is in ALARM although its metrics have said nothing lately."""
        return not [
            bucket
            for rule in self.ringing
            for bucket in self.samples.get(rule.name, ())
            if bucket.start >= self.now - reach(rule)
        ]

    @cached_property
    def subject(self) -> Setting | None:
        """The one setting that the decision is about: what has to be read, beside alarms and metrics.

        Only a remedy of the target (still): the healer's role may read no other setting.
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
        """Whether a part of the restore that a person asked for is under watch: the rest follows after it."""
        incident, command = self.incident, self.command
        asked = command is not None and command.verb is Verb.RESTORE
        return (
            asked and incident is not None and incident.is_watching and incident.purpose is Reason.RESTORING
        )

    @property
    def last_is_remedy(self) -> bool:
        """Whether the youngest change that stands is a remedy of the target (still)."""
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
        """Return whether it is this setting that was read."""
        return self.live is not None and self.about == setting

    def live_of(self, setting: Setting) -> Live:
        """Return the setting that was read.

        Raises:
            ValueError: when another one was read, or none. Nothing may be decided about it then.

        """
        if self.live is None or self.about != setting:
            raise ValueError(f"target {self.target.name}: {setting} is needed, {self.about} was observed")
        return self.live

    def confirmed(self, earliest: datetime) -> tuple[AlarmRule, Bucket] | None:
        """Return the first alarm in ALARM that its own metrics bear out, and its first breach."""
        for rule in self.ringing:
            found = breaches(rule, self.samples.get(rule.name, ()), earliest, self.now)
            if found:
                return rule, found[0]
        return None

    @cached_property
    def evidence_begins(self) -> datetime:
        """Since when metrics count for the incident: what has to be read back to."""
        incident = self.incident
        if incident is None or not incident.is_open:
            return parse_iso(incident.closed_at) if incident and incident.closed_at else EVER
        if incident.status is Status.VERIFYING and incident.acted_at:
            return parse_iso(incident.acted_at) + SETTLE
        handled = filter(None, (incident.released_at, incident.escalated_at))
        return max([self.alarms[self.rule.name].since, *map(parse_iso, handled)])

    @cached_property
    def evidence(self) -> Evidence:
        """What was seen since the evidence began, counted and judged.

        Probes are requests too and are in the target's metrics. They are judged once more by themselves,
        because their answers are known even where a service reports no metric of its own. Two tests look at
        one question, so each gets half of the error.
        """
        rule, incident = self.rule, self.incident
        counted = count(rule, self.samples.get(rule.name, ()), self.evidence_begins, self.now)
        # Probes are of the change that is being verified, and of nothing later.
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
        """Whether the target has been well for the stability window, alarm and metrics alike."""
        window = timedelta(seconds=self.limits.stability_seconds)
        rule, begins = self.rule, self.evidence_begins
        if self.alarms[rule.name].state != "OK" or self.now < begins + window:
            return False
        lately = max(begins, self.now - window - reach(rule))
        for each in self.target.alarms:
            samples = self.samples.get(each.name, ())
            # While an alarm still rings, the last period that is known counts, however old.
            last = samples[-1:] if each in self.ringing else ()
            if breaching(each, [*[bucket for bucket in samples if bucket.start >= lately], *last]):
                return False
        return True


def _if_remedy(target: Target, setting: Setting) -> Setting | None:
    return setting if target.remedy_of(setting) else None


@dataclass(frozen=True)
class Decision:
    """What one run does for one target: at most one write, one effect, one write."""

    reason: Reason
    incident: Incident | None = None
    """As it must stand in the ledger before the effect: the intent. None: nothing to write or do."""
    counts: bool = False
    """Whether the intent is a new act, to be counted against the budgets in the same transaction."""

    @classmethod
    def of(cls, incident: Incident) -> "Decision":
        """Return the decision to move an incident, for the reason that it moves for."""
        return cls(incident.reason, incident)
