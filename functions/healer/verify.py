"""The decision once something is in place, or was taken back: what the evidence says."""

from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer import guards
from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.evidence import Verdict
from selfheal.functions.healer.facts import (
    alarming,
    confirmed,
    evidence_begins,
    evidence_of,
    is_stable,
    live_of,
    next_remedy,
    rule_of,
    with_evidence,
)
from selfheal.functions.healer.incident import Incident, Plan
from selfheal.functions.healer.observation import Decision, Live, Observation
from selfheal.functions.healer.transitions import (
    OUTLIVES,
    escalated,
    intending,
    is_held,
    moved,
    telling,
    without,
)
from selfheal.functions.healer.words import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode

VERIFY_WITHIN = timedelta(minutes=15)
"""Evidence that is not in by then is called missing, and people are called."""


def verify(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Judge by evidence whether what was done helped, or whether it is still needed."""
    plan = incident.plan
    if plan is None:
        raise ValueError(f"{incident.id}: it is being verified but has no plan")
    live = live_of(seen, plan.key)
    if not live.exists:
        return _lost(incident, plan, Reason.TARGET_GONE, now)
    late = now >= _deadline(incident, plan)
    if not live.is_settled and not late:
        return Decision(Reason.TARGET_BUSY)
    if not live.is_known(plan.kind):
        reason = Reason.CONFIGURATION_UNREADABLE
        return Decision(reason, escalated(incident, now, reason, Status.INCONCLUSIVE))
    if live.value != (plan.before if incident.watching else plan.after):
        return _lost(incident, plan, Reason.VALUE_CHANGED, now)
    if live.world != plan.world and not late:
        # What was counted before the deployment says nothing of what runs now.
        fresh = _made_for(plan, live)
        reason = Reason.DEPLOYMENT_IN_PROGRESS
        return Decision(reason, moved(incident, now, reason, plan=fresh, acted_at=iso(now), evidence=None))
    judged = with_evidence(seen, incident, now)
    broken = judged.evidence is not None and judged.evidence.verdict == Verdict.BROKEN
    if broken or confirmed(seen, evidence_begins(seen), now) is not None:
        return _relapsed(seen, judged, plan, now) if incident.watching else _ineffective(seen, judged, now)
    return _well_so_far(seen, judged, plan, now, late=late)


def _well_so_far(seen: Observation, judged: Incident, plan: Plan, now: datetime, *, late: bool) -> Decision:
    healthy = judged.evidence is not None and judged.evidence.verdict == Verdict.HEALTHY
    if plan.expires_after is not None and not judged.watching:
        if now < _since(judged, plan) + timedelta(seconds=plan.expires_after):
            return Decision(Reason.COLLECTING_EVIDENCE)
        if seen.mode is not Mode.OBSERVE and may_revert(seen, plan):
            return reverting(seen, judged, plan, Reason.EXPIRED, now)
    if healthy and is_stable(seen, judged, now):
        return recover(judged, now, Reason.RECOVERED)
    if late:
        rings_on = alarming(seen) or seen.alarms[rule_of(seen, judged).name].state != "OK"
        reason = Reason.ALARM_STUCK if healthy and rings_on else Reason.NO_EVIDENCE
        return Decision(reason, escalated(judged, now, reason, Status.INCONCLUSIVE))
    probing = seen.target.probe is not None and seen.mode is not Mode.OBSERVE
    if probing and not healthy and now >= evidence_begins(seen):
        return Decision(Reason.PROBING, intending(judged, now, Effect.PROBE, Reason.PROBING))
    return Decision(Reason.COLLECTING_EVIDENCE)


def watch(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Close an incident that the healer does nothing about, once the service is well by evidence."""
    waiting = Reason.AWAITING_PEOPLE if incident.status is Status.ESCALATED else Reason.COLLECTING_EVIDENCE
    guard = incident.guard
    ends = guard.until if guard is not None and guard.reason is Reason.FLAPPING else None
    if ends is not None and now < parse_iso(ends):
        # A target that flaps is not well because it is well just now.
        return Decision(waiting)
    evidence = evidence_of(seen, incident, now)
    healthy = evidence.verdict == Verdict.HEALTHY
    if healthy and is_stable(seen, incident, now):
        reason = Reason.RECOVERED if incident.acts else Reason.RECOVERED_UNAIDED
        return recover(replace(incident, evidence=evidence), now, reason)
    overdue = now >= evidence_begins(seen) + VERIFY_WITHIN
    # A proposal stands while its alarm rings; an alarm that nothing bears out must not keep anything open.
    proposed = incident.status is Status.PROPOSED and not alarming(seen)
    if overdue and (incident.status is Status.OPEN or proposed):
        reason = Reason.ALARM_STUCK if healthy and alarming(seen) else Reason.NO_EVIDENCE
        if evidence.verdict == Verdict.BROKEN and not alarming(seen):
            reason = Reason.ALARM_SILENT
        unknown = escalated(replace(incident, evidence=evidence), now, reason)
        silent = incident.mode is Mode.OBSERVE
        return Decision(reason, replace(unknown, effect=None, lease_until=None) if silent else unknown)
    return Decision(waiting)


def recover(incident: Incident, now: datetime, reason: Reason) -> Decision:
    """Close an incident. What stands is drift from now on: people are told, and reminded daily."""
    hold = incident.hold
    closed = moved(
        incident,
        now,
        reason,
        Status.RECOVERED,
        closed_at=iso(now),
        reminded_at=iso(now) if incident.standing else None,
        hold=hold if hold is not None and hold.reason in OUTLIVES else None,
        guard=None,
        watching=False,
        purpose=None,
    )
    silent = incident.mode is Mode.OBSERVE and not incident.acts
    return Decision(reason, closed if silent else telling(closed, now))


def may_revert(seen: Observation, plan: Plan) -> bool:
    """Return whether the value before may come back now.

    Never while an alarm rings, because that value is what the incident blames, unless the remedy is declared
    safe to revert; and never a setting that is no remedy of the target, whatever the ledger says.
    """
    remedy = seen.target.remedy_of(plan.key)
    return remedy is not None and (remedy.revert_safe or not alarming(seen))


def reverting(
    seen: Observation, incident: Incident, plan: Plan, purpose: Reason, now: datetime, *via: Status
) -> Decision:
    """Intend to put the value before back; what follows depends on the purpose."""
    path, token = (*via, Status.ACTING), live_of(seen, plan.key).token
    changes = {"plan": plan, "token": token, "purpose": purpose, "mode": seen.mode, "closed_at": None}
    return Decision(purpose, intending(incident, now, Effect.REVERT, purpose, *path, **changes))


def expired(seen: Observation, incident: Incident, now: datetime) -> Decision | None:
    """Return the revert, under watch, of what should not stand any more; None if there is nothing to undo.

    Its time was declared with the remedy: being in people's hands, or recovered, does not stop it.
    """
    last = incident.standing[-1] if incident.standing else None
    if last is None or last.plan.expires_after is None or not seen.is_about(last.plan.key):
        return None
    ends = parse_iso(last.since) + timedelta(seconds=last.plan.expires_after)
    live = live_of(seen, last.plan.key)
    ready = live.is_settled and live.is_known(last.plan.kind) and live.value == last.plan.after
    # Intended before and not done: people were called, and are not called for it again.
    once = Reason.EXPIRED in incident.reasons
    if now < ends or once or not ready or seen.mode is Mode.OBSERVE or not may_revert(seen, last.plan):
        return None
    return reverting(seen, incident, _made_for(last.plan, live), Reason.EXPIRED, now)


def _ineffective(seen: Observation, incident: Incident, now: datetime) -> Decision:
    """Undo what did not help, if that is safe; otherwise leave it. Then the next remedy, or people."""
    reason, plan = Reason.NO_REMEDY_HELPED, incident.plan
    remedy = seen.target.remedy_of(plan.key) if plan else None
    tried = replace(incident, tried=(*incident.tried, str(plan.key))) if plan else incident
    if plan is not None and remedy is not None and remedy.revert_safe and seen.mode is Mode.ACT:
        return reverting(seen, tried, plan, reason, now, Status.INEFFECTIVE)
    if next_remedy(seen.target, tried) is not None:
        return Decision(reason, moved(tried, now, reason, Status.INEFFECTIVE, Status.OPEN))
    return Decision(reason, escalated(tried, now, reason, Status.INEFFECTIVE))


def _relapsed(seen: Observation, incident: Incident, plan: Plan, now: datetime) -> Decision:
    """Apply again what was taken back too early, and call people: it cannot be taken back by itself."""
    reason = Reason.RELAPSED
    if seen.mode is Mode.SUGGEST:
        return Decision(reason, moved(incident, now, reason, Status.OPEN, watching=False, purpose=None))
    spent = guards.spent(seen, incident, now)
    held = is_held(incident, now)
    if seen.mode is Mode.OBSERVE or held or spent is not None or seen.target.remedy_of(plan.key) is None:
        return Decision(reason, escalated(incident, now, reason, watching=False, guard=spent))
    again = replace(_made_for(plan, live_of(seen, plan.key)), expires_after=None)
    intent = intending(
        incident,
        now,
        Effect.APPLY,
        reason,
        Status.ACTING,
        mode=seen.mode,
        plan=again,
        token=live_of(seen, plan.key).token,
        purpose=reason,
        watching=False,
        recent_acts=guards.counted(incident.recent_acts, now),
    )
    return Decision(reason, intent, counts=True)


def _lost(incident: Incident, plan: Plan, reason: Reason, now: datetime) -> Decision:
    """Leave it to people: what was changed is no longer as it was left."""
    rest = without(incident, plan)
    return Decision(reason, escalated(incident, now, reason, Status.INCONCLUSIVE, standing=rest))


def _deadline(incident: Incident, plan: Plan) -> datetime:
    """Return when evidence is called missing: counted from the change, however often it is redeployed."""
    lasts = 0 if incident.watching else plan.expires_after or 0
    return _since(incident, plan) + timedelta(seconds=lasts) + VERIFY_WITHIN


def _since(incident: Incident, plan: Plan) -> datetime:
    if incident.watching:
        # Of the revert, which a later deployment does not put off.
        return parse_iso(incident.reverted_at or incident.opened_at)
    since = next((each.since for each in incident.standing if each.plan.key == plan.key), None)
    return parse_iso(since or incident.acted_at or incident.opened_at)


def _made_for(plan: Plan, live: Live) -> Plan:
    """Return the plan in the world as it is now."""
    if live.world is None:
        return plan
    code_hash, config_hash = live.world
    return replace(plan, code_hash=code_hash, config_hash=config_hash)
