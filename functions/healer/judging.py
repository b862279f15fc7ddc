"""Since when metrics count for an incident, and what they show since then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.evidence import Bucket, Count, Verdict, breached, floor, judge, total
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Counted, Evidence
from selfheal.functions.healer.readings import AlarmState
from selfheal.functions.healer.states import Status
from selfheal.functions.healer.target import AlarmRule, Target
from selfheal.functions.shared.contract import SERIES

SETTLE = timedelta(seconds=10)
"""How long after a change has settled requests may still meet what was before: old execution environments,
and values that services cache for seconds."""

RECORD_AFTER = timedelta(hours=1)
"""Evidence is recorded in the incident once this much of it is not. CloudWatch keeps periods of less than a
minute for three hours, so three runs in a row may fail for an hour each before any is lost."""

MARGIN = timedelta(minutes=2)
"""For the period that a change lies in, the next evaluation of an alarm and the next run of the schedule."""

EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Judgement:
    """What an observation says of the evidence. The fields are those of the observation."""

    target: Target
    now: datetime
    alarms: Mapping[str, AlarmState]
    incident: Incident | None
    samples: Mapping[str, tuple[Bucket, ...]]

    @cached_property
    def rule(self) -> AlarmRule:
        """The alarm that opened the incident, or the first one if a deployment has renamed it since."""
        opened_by = self.incident.alarm if self.incident else ""
        named = [rule for rule in self.target.alarms if rule.name == opened_by]
        return (named or self.target.alarms)[0]

    def counted_until(self, rule: AlarmRule) -> datetime | None:
        """Return until when the last incident, if it is closed, has counted the metrics of an alarm."""
        last = self.incident
        if last is None or last.is_open:
            return None
        counts = last.evidence.counts if last.evidence and last.status is Status.RECOVERED else ()
        ends = [each.until for each in counts if each.namespace == SERIES[rule.kind].namespace]
        moment = ends[0] if ends else last.closed_at
        return parse_iso(moment) if moment else None

    @cached_property
    def judged_since(self) -> datetime | None:
        """Since when callers meet the change whose evidence is counted; None if they do not yet."""
        incident = self.incident
        if incident is None or not incident.is_open or incident.settled_at is None:
            return None
        # A deployment since then makes the evidence begin anew.
        moments = filter(None, (incident.settled_at, incident.acted_at))
        return max(map(parse_iso, moments)) + SETTLE

    @cached_property
    def evidence_begins(self) -> datetime:
        """The time from which metrics count for the incident."""
        incident, judged = self.incident, self.judged_since
        if incident is None or not incident.is_open:
            return parse_iso(incident.closed_at) if incident and incident.closed_at else EVER
        if incident.status is Status.VERIFYING:
            return judged or self.now
        changed = self.alarms[self.rule.name].since
        if judged is not None:
            # Back to OK for what was before the change, it is no news. Any later change of it is.
            echo = judged + self.rule.window + self.target.late(self.rule) + MARGIN
            return judged if changed <= echo else changed
        handled = filter(None, (incident.released_at, incident.escalated_at))
        return max([changed, *map(parse_iso, handled)])

    @cached_property
    def _recorded(self) -> Evidence | None:
        """What earlier runs have recorded, if it belongs to the evidence that is counted now."""
        earlier = self.incident.evidence if self.incident else None
        # Times in the ledger have milliseconds.
        own = earlier is not None and earlier.since >= iso(self.evidence_begins)
        return earlier if own else None

    def _recorded_of(self, rule: AlarmRule) -> Counted | None:
        counts = self._recorded.counts if self._recorded else ()
        own = [each for each in counts if each.namespace == SERIES[rule.kind].namespace]
        return own[0] if own else None

    def uncounted_since(self, rule: AlarmRule) -> datetime:
        """Return since when the metrics of an alarm count that no earlier run has recorded."""
        recorded = self._recorded_of(rule)
        return parse_iso(recorded.until) if recorded else self.evidence_begins

    @cached_property
    def _judged_by(self) -> tuple[AlarmRule, ...]:
        """One alarm of each series of metrics of the target: the one with the lowest error rate."""
        found = dict[str, AlarmRule]()
        for rule in self.target.alarms:
            other = found.setdefault(SERIES[rule.kind].namespace, rule)
            if rule.error_rate < other.error_rate:
                found[SERIES[rule.kind].namespace] = rule
        return tuple(found.values())

    def _counted(self, rule: AlarmRule) -> Counted:
        """Return what the series of an alarm shows, up to the last period whose data is complete.

        An error that becomes known late must not look like a healthy service.
        """
        series, recorded = SERIES[rule.kind], self._recorded_of(rule)
        since = self.uncounted_since(rule)
        until = max(since, floor(self.now - self.target.late(rule), series.period))
        fresh = total(bucket for bucket in self.samples.get(rule.name, ()) if since <= bucket.start < until)
        earlier = Count(recorded.requests, recorded.errors) if recorded else Count(0, 0)
        return Counted(
            series.namespace, earlier.requests + fresh.requests, earlier.errors + fresh.errors, iso(until)
        )

    @cached_property
    def evidence(self) -> Evidence:
        """Requests, errors and probes since the evidence began, and the verdict.

        Probes are requests and are part of the target's metrics. They are also tested separately, because
        their answers are known even if the service emits no metrics.
        """
        counted = {rule: self._counted(rule) for rule in self._judged_by}
        recorded = self._recorded
        probes = Count(recorded.probes, recorded.probe_errors) if recorded else Count(0, 0)
        judged = judge(
            {rule: Count(each.requests, each.errors) for rule, each in counted.items()},
            probes,
            self.target.natural_error_rate,
            probed=self.target.probe is not None,
        )
        own = SERIES[self.rule.kind].namespace
        (shown,) = [each for each in counted.values() if each.namespace == own]
        return Evidence(
            recorded.since if recorded else iso(self.evidence_begins),
            shown.requests,
            shown.errors,
            judged,
            probes.requests,
            probes.errors,
            tuple(counted.values()),
        )

    @cached_property
    def to_record(self) -> Evidence | None:
        """The evidence, if it is to be recorded now because later it can no longer be read; else None.

        Where no change is being verified, a test that ended with BROKEN begins anew.
        """
        fresh = self.evidence
        due = [
            rule
            for rule, each in zip(self._judged_by, fresh.counts, strict=True)
            if parse_iso(each.until) > self.uncounted_since(rule) + RECORD_AFTER
        ]
        if not due:
            return None
        verifying = self.incident is not None and self.incident.status is Status.VERIFYING
        if fresh.verdict != Verdict.BROKEN or verifying:
            return fresh
        empty = tuple([Counted(each.namespace, 0, 0, each.until) for each in fresh.counts])
        return Evidence(iso(self.now), 0, 0, Verdict.UNDECIDED, counts=empty)

    def was_well(self, window: timedelta, sounding: tuple[AlarmRule, ...]) -> bool:
        """Return whether metrics have shown the target healthy for a while, and all of it has become visible.

        Args:
            window: For how long.
            sounding: The alarms that ring for more than what failed before the last change settled.

        """
        begins, late = self.evidence_begins, max(map(self.target.late, self.target.alarms))
        if self.now < begins + window + late:
            return False
        for each in self.target.alarms:
            period = timedelta(seconds=SERIES[each.kind].period)
            lately = max(begins, self.now - window - self.target.late(each) - period)
            samples = self.samples.get(each.name, ())
            # While an alarm is in ALARM, its last known period counts, however old it is.
            last = samples[-1:] if each in sounding else ()
            if breached(each, last) or breached(each, [one for one in samples if one.start >= lately]):
                return False
        return True
