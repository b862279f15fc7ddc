"""What an observation says, in the words of the decision. Pure, like all that decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.evidence import Count, Verdict, breaches, breaching, count, reach, verdict
from selfheal.functions.healer.incident import Evidence, Incident
from selfheal.functions.healer.observation import Bucket, Live, Observation, Request
from selfheal.functions.healer.states import TERMINAL
from selfheal.functions.healer.target import AlarmRule, Remedy, Setting, Target
from selfheal.functions.healer.words import Effect, Reason, Status, Verb

SETTLE = timedelta(seconds=10)
"""Requests in flight and execution environments with the old value may fail this long after the act."""

EVER = datetime.min.replace(tzinfo=UTC)


def subject(
    target: Target, incident: Incident | None, command: Request | None, *, alarming: bool
) -> Setting | None:
    """Return the one setting that the next decision is about: what `observe` must read.

    Args:
        target: The target.
        incident: Its current or last incident.
        command: A person's request that is still to be dealt with.
        alarming: Whether any of its alarms is in ALARM.

    """
    if incident is None or (not incident.is_open and alarming and command is None):
        return _setting(next_remedy(target, None))
    if incident.is_open and incident.plan is not None and incident.effect in (Effect.APPLY, Effect.REVERT):
        return _if_remedy(target, incident.plan.key)
    asked = command is not None and not goes_on(incident, command)
    if incident.standing and (asked or not incident.is_open or incident.status is Status.ESCALATED):
        return _if_remedy(target, incident.standing[-1].plan.key)
    if incident.status is Status.VERIFYING and incident.plan is not None:
        return _if_remedy(target, incident.plan.key)
    if incident.status in TERMINAL:
        return None
    return _setting(next_remedy(target, incident))


def next_remedy(target: Target, incident: Incident | None) -> Remedy | None:
    """Return the first remedy that this incident has not tried."""
    tried = incident.tried if incident else ()
    return next((remedy for remedy in target.remedies if str(remedy.setting) not in tried), None)


def goes_on(incident: Incident, command: Request) -> bool:
    """Return whether a part of what was asked is under watch: the rest follows after it."""
    restoring = incident.status is Status.VERIFYING and incident.purpose is Reason.RESTORING
    return restoring and command.verb is Verb.RESTORE


def _if_remedy(target: Target, setting: Setting) -> Setting | None:
    """Return the setting if it is a remedy (still): the healer's role may read no other one."""
    return setting if target.remedy_of(setting) else None


def _setting(remedy: Remedy | None) -> Setting | None:
    return remedy.setting if remedy else None


def live_of(seen: Observation, setting: Setting) -> Live:
    """Return the setting that was read.

    Raises:
        ValueError: when another one was read, or none. Nothing may be decided about it then.

    """
    if seen.live is None or not seen.is_about(setting):
        raise ValueError(f"target {seen.target.name}: {setting} is needed, {seen.about} was observed")
    return seen.live


def rule_of(seen: Observation, incident: Incident) -> AlarmRule:
    """Return the alarm that opened the incident; a deployment may have renamed it since, then the first."""
    rules = seen.target.alarms
    return next((rule for rule in rules if rule.name == incident.alarm), rules[0])


def alarming(seen: Observation) -> bool:
    """Return whether any alarm of the target is in ALARM now."""
    return any(alarm.state == "ALARM" for alarm in seen.alarms.values())


def confirmed(seen: Observation, earliest: datetime, now: datetime) -> tuple[AlarmRule, Bucket] | None:
    """Return the first alarm that is in ALARM now and borne out by its own metrics, and its first breach."""
    for rule in seen.target.alarms:
        if seen.alarms[rule.name].state != "ALARM":
            continue
        found = breaches(rule, seen.samples.get(rule.name, ()), earliest, now)
        if found:
            return rule, found[0]
    return None


def is_silent(seen: Observation, now: datetime) -> bool:
    """Return whether an alarm is in ALARM although its metrics have said nothing lately."""
    rules = [rule for rule in seen.target.alarms if seen.alarms[rule.name].state == "ALARM"]
    return all(
        bucket.start < now - reach(rule) for rule in rules for bucket in seen.samples.get(rule.name, ())
    )


def evidence_begins(seen: Observation) -> datetime:
    """Return since when metrics count for the observed incident: what `observe` must read back to."""
    incident = seen.incident
    if incident is None or not incident.is_open:
        return parse_iso(incident.closed_at) if incident and incident.closed_at else EVER
    if incident.status is Status.VERIFYING and incident.acted_at:
        return parse_iso(incident.acted_at) + SETTLE
    cleared = seen.alarms[rule_of(seen, incident).name].since
    handled = filter(None, (incident.released_at, incident.escalated_at))
    return max([cleared, *map(parse_iso, handled)])


def evidence_of(seen: Observation, incident: Incident, now: datetime) -> Evidence:
    """Count and judge what was seen since the evidence began.

    Probes are requests too and are in the target's metrics. They are judged once more by themselves, because
    their answers are known even where a service reports no metric of its own. Two tests look at one question,
    so each gets half of the error.
    """
    rule = rule_of(seen, incident)
    begins = evidence_begins(seen)
    counted = count(rule, seen.samples.get(rule.name, ()), begins, now)
    # Probes are of the change that is being verified, and of nothing later.
    earlier = incident.evidence if incident.status is Status.VERIFYING else None
    probes = Count(earlier.probes, earlier.probe_errors) if earlier else Count(0, 0)
    tests = 2 if seen.target.probe else 1
    rates = (seen.target.natural_error_rate, rule.error_rate)
    verdicts = (verdict(counted, *rates, tests=tests), verdict(probes, *rates, tests=tests))
    judged = next((each for each in (Verdict.BROKEN, Verdict.HEALTHY) if each in verdicts), Verdict.UNDECIDED)
    return Evidence(iso(begins), counted.requests, counted.errors, judged, probes.requests, probes.errors)


def is_stable(seen: Observation, incident: Incident, now: datetime) -> bool:
    """Return whether the target has been well for the stability window, alarm and metrics alike."""
    begins = evidence_begins(seen)
    rule = rule_of(seen, incident)
    if seen.alarms[rule.name].state != "OK" or now < begins + timedelta(
        seconds=seen.limits.stability_seconds
    ):
        return False
    lately = max(begins, now - timedelta(seconds=seen.limits.stability_seconds) - reach(rule))
    return not any(_speaks_against(seen, each, lately) for each in seen.target.alarms)


def _speaks_against(seen: Observation, rule: AlarmRule, lately: datetime) -> bool:
    """Return whether a period breached lately, or the last one that is known while the alarm still rings."""
    samples = seen.samples.get(rule.name, ())
    ringing = seen.alarms[rule.name].state == "ALARM"
    known = [bucket for bucket in samples if bucket.start >= lately] + list(samples[-1:] if ringing else ())
    return any(breaching(rule, bucket) for bucket in known)


def with_evidence(seen: Observation, incident: Incident, now: datetime) -> Incident:
    """Return the incident with the evidence as it is now; not a write by itself."""
    return replace(incident, evidence=evidence_of(seen, incident, now))
