"""The decision: a pure function of what was observed.

It returns the incident as it must stand in the ledger before anything is done; `transitions` holds the moves.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from functions.healer.clock import iso, parse_iso
from functions.healer.evidence import Verdict, corroborated, count, verdict
from functions.healer.model import (
    Decision,
    Effect,
    Evidence,
    Incident,
    LiveConfiguration,
    Mode,
    Observation,
    Plan,
    Reason,
    Status,
)
from functions.healer.target import AlarmRule, Remedy
from functions.healer.transitions import (
    LEASE,
    applied,
    escalated,
    is_leased,
    leased_again,
    moved,
    notified,
    opened,
    reverted,
    telling,
)

SETTLE = timedelta(seconds=10)
"""Requests in flight and execution environments with the old value may fail this long after the act."""

VERIFY_WITHIN = timedelta(minutes=15)
"""Evidence that is not in by then is called missing, and people are called."""

MAX_ATTEMPTS = 5
"""Tries of one effect before people are called."""

_EVER = datetime.min.replace(tzinfo=UTC)


def decide(seen: Observation, now: datetime) -> Decision:
    """Return the one step to take for one target now.

    Level-triggered: nothing but the present state counts, so a lost, late, duplicated or forged notification
    changes nothing, and a run that died is continued from its recorded intent.
    """
    incident = seen.incident
    if incident is not None and incident.effect is not None and is_leased(incident, now):
        return Decision(Reason.BUSY)
    if incident is not None and incident.effect is Effect.NOTIFY:
        return _notify_again(incident, now)
    if incident is None or not incident.is_open:
        return _respond(seen, None, now)
    if incident.effect is Effect.APPLY:
        return _resume_act(seen, incident, now)
    if incident.effect is Effect.REVERT:
        return _resume_revert(seen, incident, now)
    if incident.status is Status.VERIFYING:
        return _verify(seen, incident, now)
    if incident.status is Status.ESCALATED:
        return _watch(seen, incident, now)
    return _respond(seen, incident, now)


def evidence_begins(seen: Observation) -> datetime:
    """Return since when metrics count for the observed incident: what `observe` must read back to."""
    incident = seen.incident
    if incident is None or not incident.is_open:
        return parse_iso(incident.closed_at) if incident and incident.closed_at else _EVER
    if incident.status is Status.VERIFYING and incident.acted_at:
        return parse_iso(incident.acted_at) + SETTLE
    cleared = seen.alarms[_rule(seen, incident).name].since
    return max(cleared, parse_iso(incident.escalated_at)) if incident.escalated_at else cleared


def _respond(seen: Observation, incident: Incident | None, now: datetime) -> Decision:
    """Nothing was done yet: act, propose, or leave it."""
    rule = _confirmed_alarm(seen, now)
    if rule is None:
        return _without_alarm(seen, incident, now)
    draft = incident or opened(seen, rule, now)
    remedy = seen.target.remedy
    if remedy is None:
        return Decision(Reason.NO_REMEDY, escalated(draft, now, Reason.NO_REMEDY, override_stands=False))
    live = _live(seen)
    if not live.settled:
        return Decision(Reason.UPDATE_IN_PROGRESS)
    obstacle = _obstacle(live, remedy, draft)
    if obstacle is not None:
        # Not in place, unless it cannot be seen.
        stands = draft.override_stands and not live.readable
        return Decision(obstacle, escalated(draft, now, obstacle, override_stands=stands))
    plan = _plan(live, remedy)
    if seen.mode is Mode.ACT:
        return Decision(
            Reason.ALARM_CONFIRMED,
            moved(
                draft,
                now,
                Reason.ALARM_CONFIRMED,
                Status.ACTING,
                mode=seen.mode,
                plan=plan,
                effect=Effect.APPLY,
                lease_until=iso(now + LEASE),
                attempts=draft.attempts + 1,
                override_stands=True,
            ),
        )
    if draft.status is Status.PROPOSED and draft.plan == plan and draft.mode is seen.mode:
        return Decision(Reason.MODE_FORBIDS)
    proposal = moved(draft, now, Reason.MODE_FORBIDS, Status.PROPOSED, mode=seen.mode, plan=plan)
    return Decision(Reason.MODE_FORBIDS, telling(proposal, now) if seen.mode is Mode.SUGGEST else proposal)


def _without_alarm(seen: Observation, incident: Incident | None, now: datetime) -> Decision:
    alarming = any(alarm.state == "ALARM" for alarm in seen.alarms.values())
    if incident is None:
        return Decision(Reason.ALARM_NOT_CORROBORATED if alarming else Reason.HEALTHY)
    if incident.status is Status.ACTING:
        cleared = moved(incident, now, Reason.ALARM_CLEARED, Status.OPEN, override_stands=False)
        return Decision(Reason.ALARM_CLEARED, cleared)
    return _watch(seen, incident, now)


def _resume_act(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Find out whether the act was done: its intent stands and the run that made it is gone."""
    live, plan = _live(seen), incident.plan
    if plan is not None and live.readable and live.value == plan.after:
        same_world = (live.code_hash, live.config_hash) == (plan.code_hash, plan.config_hash)
        reason = Reason.APPLIED_EARLIER if same_world else Reason.ALREADY_APPLIED
        return Decision(reason, applied(incident, now, reason))
    return _respond(seen, incident, now)


def _resume_revert(seen: Observation, incident: Incident, now: datetime) -> Decision:
    live, plan = _live(seen), incident.plan
    if plan is None or not live.readable or live.value not in (plan.before, plan.after):
        return Decision(Reason.VALUE_CHANGED, escalated(incident, now, Reason.VALUE_CHANGED))
    if live.value == plan.before:
        return Decision(Reason.REVERTED, reverted(incident, now))
    if incident.attempts >= MAX_ATTEMPTS or seen.mode is not Mode.ACT:
        reason = Reason.ATTEMPTS_EXHAUSTED if seen.mode is Mode.ACT else Reason.MODE_FORBIDS
        return Decision(reason, escalated(incident, now, reason))
    if not live.settled:
        return Decision(Reason.UPDATE_IN_PROGRESS)
    return Decision(Reason.NO_REMEDY_HELPED, leased_again(incident, now))


def _verify(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Judge by evidence whether the remedy that is in place helped."""
    live, plan = _live(seen), incident.plan
    late = incident.acted_at is None or now >= parse_iso(incident.acted_at) + VERIFY_WITHIN
    if not live.settled and not late:
        return Decision(Reason.UPDATE_IN_PROGRESS)
    if not live.readable:
        reason = Reason.CONFIGURATION_UNREADABLE
        return Decision(reason, escalated(incident, now, reason, Status.INCONCLUSIVE))
    if plan is None or live.value != plan.after:
        reason = Reason.VALUE_CHANGED
        return Decision(reason, escalated(incident, now, reason, Status.INCONCLUSIVE, override_stands=False))
    evidence = _evidence(seen, incident, now)
    judged = replace(incident, evidence=evidence)
    if evidence.verdict == Verdict.HEALTHY and seen.alarms[_rule(seen, incident).name].state == "OK":
        return _recover(judged, now, Reason.RECOVERED)
    if evidence.verdict == Verdict.BROKEN:
        return _ineffective(seen, judged, now)
    if late:
        reason = Reason.ALARM_STUCK if evidence.verdict == Verdict.HEALTHY else Reason.NO_EVIDENCE
        return Decision(reason, escalated(judged, now, reason, Status.INCONCLUSIVE))
    return Decision(Reason.COLLECTING_EVIDENCE)


def _ineffective(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Undo what did not help, if that is declared safe; otherwise hold it. Call people either way."""
    reason = Reason.NO_REMEDY_HELPED
    remedy = seen.target.remedy
    if seen.mode is Mode.ACT and remedy is not None and remedy.revert_safe:
        undoing = moved(incident, now, reason, Status.INEFFECTIVE, Status.ACTING)
        return Decision(
            reason, replace(undoing, effect=Effect.REVERT, lease_until=iso(now + LEASE), attempts=1)
        )
    return Decision(reason, escalated(incident, now, reason, Status.INEFFECTIVE))


def _watch(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Close an incident that the healer does nothing about, once the service is well by evidence."""
    waiting = Reason.AWAITING_PEOPLE if incident.status is Status.ESCALATED else Reason.COLLECTING_EVIDENCE
    if seen.alarms[_rule(seen, incident).name].state != "OK":
        return Decision(waiting)
    evidence = _evidence(seen, incident, now)
    if evidence.verdict != Verdict.HEALTHY:
        return Decision(waiting)
    reason = Reason.RECOVERED if incident.acts else Reason.RECOVERED_UNAIDED
    return _recover(replace(incident, evidence=evidence), now, reason)


def _recover(incident: Incident, now: datetime, reason: Reason) -> Decision:
    closed = moved(incident, now, reason, Status.RECOVERED, closed_at=iso(now), override_stands=False)
    return Decision(reason, closed if incident.mode is Mode.OBSERVE else telling(closed, now))


def _notify_again(incident: Incident, now: datetime) -> Decision:
    """Try a notice again, but not for ever: healing must not wait on it, and its errors were told."""
    if incident.attempts >= MAX_ATTEMPTS:
        return Decision(Reason.NOTICE_ABANDONED, notified(incident))
    return Decision(Reason.NOTICE_DUE, leased_again(incident, now))


def _obstacle(live: LiveConfiguration, remedy: Remedy, incident: Incident) -> Reason | None:
    """Return why the remedy cannot be applied by itself."""
    if not live.readable:
        return Reason.CONFIGURATION_UNREADABLE
    if live.value is None:
        return Reason.VARIABLE_MISSING
    if live.value == remedy.value:
        return Reason.ALREADY_APPLIED
    return Reason.ATTEMPTS_EXHAUSTED if incident.attempts >= MAX_ATTEMPTS else None


def _confirmed_alarm(seen: Observation, now: datetime) -> AlarmRule | None:
    """Return the first alarm that is in ALARM now and that its own metrics bear out."""
    closed = seen.incident.closed_at if seen.incident else None
    since = parse_iso(closed) if closed else _EVER
    for rule in seen.target.alarms:
        in_alarm = seen.alarms[rule.name].state == "ALARM"
        if in_alarm and corroborated(rule, seen.samples.get(rule.name, ()), since, now):
            return rule
    return None


def _evidence(seen: Observation, incident: Incident, now: datetime) -> Evidence:
    rule = _rule(seen, incident)
    since = evidence_begins(seen)
    counted = count(rule, seen.samples.get(rule.name, ()), since, now)
    judged = verdict(counted, seen.target.natural_error_rate, rule.error_rate)
    return Evidence(iso(since), counted.requests, counted.errors, judged)


def _plan(live: LiveConfiguration, remedy: Remedy) -> Plan:
    return Plan(
        remedy.kind, remedy.variable, live.value or "", remedy.value, live.code_hash, live.config_hash
    )


def _rule(seen: Observation, incident: Incident) -> AlarmRule:
    """Return the alarm that opened the incident; a deployment may have renamed it since, then the first."""
    rules = seen.target.alarms
    return next((rule for rule in rules if rule.name == incident.alarm), rules[0])


def _live(seen: Observation) -> LiveConfiguration:
    if seen.live is None:
        raise ValueError(
            f"target {seen.target.name}: the configuration was not observed although it is needed"
        )
    return seen.live
