"""The observation that a decision is based on, and the decision, as plain data.

What follows from the observation alone, such as which alarms ring, is a property of it. What the evidence
shows is worked out in judging.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from selfheal.functions.healer.evidence import Bucket, breached, breaches, reach
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Evidence
from selfheal.functions.healer.judging import EVER, Judgement
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.readings import AlarmState, Fleet, ModeOverride, Request
from selfheal.functions.healer.states import TERMINAL, Effect, Reason, Status, Verb
from selfheal.functions.healer.target import AlarmRule, Setting, Target
from selfheal.functions.shared.contract import SERIES, Limits, Mode, RemedyKind
from selfheal.functions.shared.errors import OwnError


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
    problems: tuple[str, ...] = ()
    """What people asked and could not be read. As with a damaged item of the fleet, nothing new is applied
    meanwhile; all else goes on."""

    @cached_property
    def ringing(self) -> tuple[AlarmRule, ...]:
        """The target's alarms that are in ALARM now, and not only because of the healer's own limit."""
        return tuple(
            [
                rule
                for rule in self.target.alarms
                if self.alarms[rule.name].state == "ALARM" and not self._is_own_limit(rule)
            ]
        )

    @cached_property
    def sounding(self) -> tuple[AlarmRule, ...]:
        """Those of them that ring for more than what failed before the last change settled."""
        return tuple([rule for rule in self.ringing if not self._is_echo(rule)])

    @property
    def is_limited(self) -> bool:
        """Whether a limit of concurrency is in place that the healer has set.

        The requests that it refuses are its effect. They are no failures of the target.
        """
        standing = self.incident.standing if self.incident else ()
        return any(each.plan.kind == RemedyKind.LIMIT_CONCURRENCY for each in standing)

    def _is_own_limit(self, rule: AlarmRule) -> bool:
        """Return whether nothing but requests that the healer's limit refused keeps an alarm in ALARM."""
        if not self.is_limited:
            return False
        recent = [bucket for bucket in self._samples(rule) if bucket.start >= self.now - reach(rule)]
        return any(bucket.throttled for bucket in recent) and not breached(rule, recent)

    def _is_echo(self, rule: AlarmRule) -> bool:
        """Return whether an alarm may ring for what failed before the last change settled, and only for that.

        An alarm looks back over its window, and over that once more for what becomes known late.
        """
        clean = self._judgement.counted_until(rule) if not self.is_open else self._judgement.judged_since
        if clean is None:
            return False
        period = timedelta(seconds=SERIES[rule.kind].period)
        over = clean + rule.window + self.target.late(rule) + period
        return self.now < over and not breached(
            rule, [bucket for bucket in self._samples(rule) if bucket.start >= clean]
        )

    def is_back(self, rule: AlarmRule) -> bool:
        """Return whether an alarm is back to OK, or keeps ringing only for what is past or the healer's own.

        The state of an alarm that CloudWatch does not evaluate is an old one.
        """
        alarm = self.alarms[rule.name]
        if alarm.state == "ALARM":
            return rule not in self.sounding
        return alarm.state == "OK" and alarm.is_evaluated

    @property
    def is_open(self) -> bool:
        """Whether there is an incident that is open."""
        return self.incident is not None and self.incident.is_open

    def _samples(self, rule: AlarmRule) -> tuple[Bucket, ...]:
        return self.samples.get(rule.name, ())

    @cached_property
    def is_silent(self) -> bool:
        """Whether an alarm is in ALARM although its metrics have no recent data."""
        return not [
            bucket
            for rule in self.ringing
            for bucket in self._samples(rule)
            if bucket.start >= self.now - reach(rule)
        ]

    @cached_property
    def subject(self) -> Setting | None:
        """The setting that the decision is about, which has to be read besides alarms and metrics.

        It is always that of a configured remedy, because the healer's role may read no other setting.
        """
        incident, command = self.incident, self.command
        if incident is None or (not incident.is_open and self.sounding and command is None):
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
        return remedy is not None and (remedy.revert_safe or not self.sounding)

    def is_about(self, setting: Setting) -> bool:
        """Return whether this is the setting that was read."""
        return self.live is not None and self.about == setting

    def live_of(self, setting: Setting) -> Live:
        """Return the live state of a setting.

        Raises:
            ValueError: when that setting was not read, so that nothing may be decided about it.

        """
        if self.live is None or self.about != setting:
            raise OwnError(f"target {self.target.name}: {setting} is needed, {self.about} was observed")
        return self.live

    def confirmed(self, earliest: datetime) -> tuple[AlarmRule, Bucket] | None:
        """Return the first alarm in ALARM that its metrics confirm, and the first period that breached.

        What the last incident has counted is over and done with. What becomes known of it later is not.
        """
        for rule in self.ringing:
            since = max(earliest, self._judgement.counted_until(rule) or EVER)
            found = breaches(rule, self._samples(rule), since, self.now, self.target.late(rule))
            if found:
                return rule, found[0]
        return None

    @cached_property
    def _judgement(self) -> Judgement:
        return Judgement(self.target, self.now, self.alarms, self.incident, self.samples)

    @cached_property
    def rule(self) -> AlarmRule:
        """The alarm that opened the incident, or the first one if a deployment has renamed it since."""
        return self._judgement.rule

    @cached_property
    def evidence_begins(self) -> datetime:
        """The time from which metrics count for the incident."""
        return self._judgement.evidence_begins

    @cached_property
    def evidence(self) -> Evidence:
        """Requests, errors and probes since the evidence began, and the verdict."""
        return self._judgement.evidence

    @cached_property
    def to_record(self) -> Evidence | None:
        """The evidence, if it is to be recorded now because later it can no longer be read; else None."""
        return self._judgement.to_record

    def reads_from(self, rule: AlarmRule) -> datetime:
        """Return from when on the metrics of an alarm are needed."""
        lately = self.now - reach(rule)
        if not self.is_open:
            return lately
        lately -= timedelta(seconds=self.limits.stability_seconds)
        return min(lately, self._judgement.uncounted_since(rule))

    @cached_property
    def is_stable(self) -> bool:
        """Whether alarm and metrics have shown the target healthy for the stability window."""
        window = timedelta(seconds=self.limits.stability_seconds)
        return self.is_back(self.rule) and self._judgement.was_well(window, self.sounding)


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
    listed: frozenset[str] | None = None
    """The sets of the shared item that the target is in, where these are to be mended."""

    @classmethod
    def of(cls, incident: Incident) -> "Decision":
        """Return the decision to write an incident, for the reason that the incident has."""
        return cls(incident.reason, incident)
