"""The decision once a change is in place or was reverted: what the evidence shows."""

from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer import guards, notices
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.evidence import Verdict
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.shared.contract import Mode, RemedyKind

VERIFY_WITHIN = timedelta(minutes=15)
"""If there is not enough evidence by then, the healer escalates."""


def verify(seen: Observation, incident: Incident, plan: Plan) -> Decision:
    """Judge by evidence whether what was done helped, or whether it is still needed."""
    since, live = _since(incident, plan), seen.live_of(plan.key)
    if not live.exists:
        return _inconclusive(seen, incident.no_longer(plan), Reason.TARGET_GONE)
    # Counted from the change, however often it is redeployed since.
    lasts = timedelta(seconds=0 if incident.is_watching else plan.expires_after or 0)
    late = seen.now >= since + lasts + VERIFY_WITHIN
    # What was released is the breaker's to bring to rest.
    busy = not live.is_settled or (incident.is_watching and live.breaker_at_work)
    if busy and not late:
        return Decision(Reason.TARGET_BUSY)
    if not live.is_known(plan.kind):
        return _inconclusive(seen, incident, Reason.CONFIGURATION_UNREADABLE)
    if live.value != (plan.before if incident.is_watching else plan.after):
        return _inconclusive(seen, incident.no_longer(plan), Reason.VALUE_CHANGED)
    if live.world != plan.world and not late:
        return Decision.of(incident.redeployed(seen.now, plan.made_for(live.world)))
    judged = replace(incident, evidence=seen.evidence)
    if _still_fails(seen, incident, plan):
        again = _relapsed if incident.is_watching else _ineffective
        return again(seen, judged, plan, live)
    return _well_so_far(seen, judged, plan, live, since + lasts, late=late)


def _still_fails(seen: Observation, incident: Incident, plan: Plan) -> bool:
    """Return whether the evidence says that the service fails in spite of a change, or since its revert."""
    confirmed = seen.confirmed(seen.evidence_begins) is not None
    if plan.kind != RemedyKind.FORCE_BREAKER:
        return confirmed or seen.evidence.verdict == Verdict.BROKEN
    # While the circuit is open, what fails is refused calls of messages in flight. Once it is released,
    # single failures are the breaker's own probes.
    return confirmed and incident.is_watching


def _well_so_far(
    seen: Observation, judged: Incident, plan: Plan, live: Live, ends: datetime, *, late: bool
) -> Decision:
    healthy = seen.evidence.verdict == Verdict.HEALTHY
    if plan.expires_after is not None and not judged.is_watching:
        if seen.now < ends:
            return Decision(Reason.COLLECTING_EVIDENCE)
        if seen.mode is not Mode.OBSERVE and seen.may_revert:
            return reverting(seen, judged, plan, live, Reason.EXPIRED)
    if healthy and seen.is_stable:
        return Decision.of(judged.recovered(seen.now, Reason.RECOVERED))
    if late:
        rings_on = seen.ringing or seen.alarms[seen.rule.name].state != "OK"
        return _inconclusive(seen, judged, Reason.ALARM_STUCK if healthy and rings_on else Reason.NO_EVIDENCE)
    probing = seen.target.probe is not None and seen.mode is not Mode.OBSERVE
    if probing and not healthy and seen.now >= seen.evidence_begins:
        return Decision.of(judged.probing(seen.now))
    return Decision(Reason.COLLECTING_EVIDENCE)


def watch(seen: Observation, incident: Incident) -> Decision:
    """Close an incident without a pending change, once there is evidence that the service is healthy."""
    waiting = Decision(
        Reason.AWAITING_PEOPLE if incident.status is Status.ESCALATED else Reason.COLLECTING_EVIDENCE
    )
    guard = incident.guard
    ends = guard.until if guard is not None and guard.reason is Reason.FLAPPING else None
    if ends is not None and seen.now < parse_iso(ends):
        # A flapping target is not healthy just because it is healthy at the moment.
        return waiting
    judged, verdict = replace(incident, evidence=seen.evidence), seen.evidence.verdict
    if verdict == Verdict.HEALTHY and seen.is_stable:
        reason = Reason.RECOVERED if incident.acts else Reason.RECOVERED_UNAIDED
        return Decision.of(judged.recovered(seen.now, reason))
    # A proposal stays while its alarm lasts. An alarm that is not confirmed must not keep incidents open.
    waits = incident.status is Status.OPEN or (incident.status is Status.PROPOSED and not seen.ringing)
    if not waits or seen.now < seen.evidence_begins + VERIFY_WITHIN:
        return waiting
    reason = Reason.NO_EVIDENCE
    if verdict == Verdict.HEALTHY and seen.ringing:
        reason = Reason.ALARM_STUCK
    if verdict == Verdict.BROKEN and not seen.ringing:
        reason = Reason.ALARM_SILENT
    silent = incident.mode is Mode.OBSERVE
    return Decision.of(notices.escalated(seen, judged, reason, guard=guard, tell=not silent))


def reverting(
    seen: Observation, incident: Incident, plan: Plan, live: Live, purpose: Reason, *via: Status
) -> Decision:
    """Intend to put the value before back; what follows depends on the purpose."""
    return Decision.of(incident.reverting(seen.now, purpose, plan, live.token, seen.mode, *via))


def expired(seen: Observation, incident: Incident) -> Decision | None:
    """Return the decision to revert an expired change; None if there is none.

    The expiry was declared with the remedy. It also applies after an escalation and after recovery.
    """
    last = incident.last_standing
    if last is None or last.plan.expires_after is None or not seen.is_about(last.plan.key):
        return None
    plan, live = last.plan, seen.live_of(last.plan.key)
    ends = parse_iso(last.since) + timedelta(seconds=last.plan.expires_after)
    ready = live.is_settled and live.is_known(plan.kind) and live.value == plan.after
    # It was tried before and failed. The healer escalated then, and does not escalate again.
    once = Reason.EXPIRED in incident.reasons
    if seen.now < ends or once or not ready or seen.mode is Mode.OBSERVE or not seen.may_revert:
        return None
    return reverting(seen, incident, plan.made_for(live.world), live, Reason.EXPIRED)


def _ineffective(seen: Observation, incident: Incident, plan: Plan, live: Live) -> Decision:
    """Undo what did not help, if that is safe; otherwise leave it. Then the next remedy, or people."""
    reason, remedy = Reason.REMEDY_INEFFECTIVE, seen.target.remedy_of(plan.key)
    tried = replace(incident, tried=(*incident.tried, str(plan.key)))
    if remedy is not None and remedy.revert_safe and seen.mode is Mode.ACT:
        return reverting(seen, tried, plan, live, reason, Status.INEFFECTIVE)
    if seen.target.next_remedy(tried.tried) is not None:
        return Decision.of(tried.reopened(seen.now, reason, Status.INEFFECTIVE))
    return Decision.of(tried.escalated(seen.now, reason, Status.INEFFECTIVE))


def _relapsed(seen: Observation, incident: Incident, plan: Plan, live: Live) -> Decision:
    """Apply again what was taken back too early, and call people: it cannot be taken back by itself."""
    reason, now = Reason.RELAPSED, seen.now
    if seen.mode is Mode.SUGGEST:
        return Decision.of(incident.reopened(now, reason))
    spent = guards.spent(seen, incident)
    forbidden = seen.mode is Mode.OBSERVE or incident.is_held(now) or seen.target.remedy_of(plan.key) is None
    if forbidden or spent is not None:
        return Decision.of(incident.escalated(now, reason, guard=spent))
    again = replace(plan.made_for(live.world), expires_after=None)
    return Decision(reason, incident.applying(now, reason, again, live.token, seen.mode), counts=True)


def _inconclusive(seen: Observation, incident: Incident, reason: Reason) -> Decision:
    return Decision.of(incident.escalated(seen.now, reason, Status.INCONCLUSIVE))


def _since(incident: Incident, plan: Plan) -> datetime:
    """Return since when the change or its revert has been in place."""
    if incident.is_watching:
        # The time of the revert, also if there was a deployment since.
        return parse_iso(incident.reverted_at or incident.opened_at)
    stands = [each.since for each in incident.standing if each.plan.key == plan.key]
    return parse_iso((stands or [incident.acted_at or incident.opened_at])[0])
