"""The decision once a change is in place or was reverted: what the evidence shows."""

from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer import guards, notices
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.deadlines import WITHIN
from selfheal.functions.healer.evidence import Verdict
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.judging import MARGIN
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.healer.target import AlarmRule
from selfheal.functions.shared.contract import Mode, RemedyKind


def patience(seen: Observation, rule: AlarmRule | None = None) -> timedelta:
    """Return for how long evidence is waited for.

    Long enough for a failure to leave the window of the alarm, and for all that followed to be known.

    Args:
        seen: The observation.
        rule: The alarm. None: the one that opened the incident.

    """
    late = max(map(seen.target.late, seen.target.alarms))
    stability = timedelta(seconds=seen.limits.stability_seconds)
    return max(WITHIN, (rule or seen.rule).window + late + stability + MARGIN)


def verify(seen: Observation, incident: Incident, plan: Plan) -> Decision:
    """Judge by evidence whether what was done helped, or whether it is still needed."""
    since, live = _since(incident, plan), seen.live_of(plan.key)
    if not live.exists:
        return _inconclusive(seen, incident.no_longer(plan), Reason.TARGET_GONE)
    failed = _failed(seen, incident, plan, live)
    if failed is not None:
        return failed
    lasts = timedelta(seconds=0 if incident.is_watching else plan.expires_after or 0)
    # Counted from when the change settled, however often it is redeployed since.
    settled = parse_iso(incident.settled_at) if incident.settled_at else None
    late = seen.now >= (max(since, settled) + patience(seen) if settled else since + WITHIN) + lasts
    # What was released is the breaker's to bring to rest.
    busy = not live.is_settled or (incident.is_watching and live.breaker_at_work)
    if busy and not late:
        return Decision(Reason.TARGET_BUSY)
    if not live.is_known(plan.kind):
        return _inconclusive(seen, incident, Reason.CONFIGURATION_UNREADABLE)
    if live.value != (plan.before if incident.is_watching else plan.after):
        return _inconclusive(seen, incident.no_longer(plan), Reason.VALUE_CHANGED)
    if settled is None:
        # What fails until then has met the configuration from before.
        return (
            Decision(Reason.COLLECTING_EVIDENCE, incident.settled(seen.now))
            if live.is_settled
            else _inconclusive(seen, incident, Reason.TARGET_BUSY)
        )
    if live.world != plan.world and not late:
        return Decision.of(incident.redeployed(seen.now, plan.made_for(live.world)))
    judged = replace(incident, evidence=seen.evidence)
    if _still_fails(seen, incident, plan):
        again = _relapsed if incident.is_watching else _ineffective
        return again(seen, judged, plan, live)
    return _well_so_far(seen, judged, plan, live, since + lasts, late=late)


def _failed(seen: Observation, incident: Incident, plan: Plan, live: Live) -> Decision | None:
    """Return what to do where AWS accepted the change and then failed to make it; None if it did not fail.

    Only an update of a function can: it is asynchronous, and the function then runs on as it was before.
    """
    code = live.configuration.failed if live.configuration is not None else None
    if plan.kind != RemedyKind.ENVIRONMENT or code is None or live.world != plan.world:
        return None
    reason, noted = Reason.CHANGE_FAILED, incident.failing(plan, code)
    if incident.is_watching:
        return _inconclusive(seen, noted, reason)
    if live.is_known(plan.kind) and live.value == plan.before:
        noted = noted.no_longer(plan)
    tried = replace(noted, tried=(*noted.tried, str(plan.key)))
    if seen.target.next_remedy(tried.tried) is not None:
        return Decision.of(tried.reopened(seen.now, reason))
    return Decision.of(tried.escalated(seen.now, reason))


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
        rings_on = seen.sounding or not seen.is_back(seen.rule)
        return _inconclusive(seen, judged, Reason.ALARM_STUCK if healthy and rings_on else Reason.NO_EVIDENCE)
    probing = seen.target.probe is not None and seen.mode is not Mode.OBSERVE
    if probing and not healthy and seen.now >= seen.evidence_begins:
        return Decision.of(judged.probing(seen.now))
    return _waiting(seen, judged, Reason.COLLECTING_EVIDENCE)


def _waiting(seen: Observation, incident: Incident, reason: Reason) -> Decision:
    """Wait, and record the evidence where it would later be too old to be read."""
    evidence = seen.to_record
    return Decision(reason, incident.counted(evidence) if evidence else None)


def watch(seen: Observation, incident: Incident) -> Decision:
    """Close an incident without a pending change, once there is evidence that the service is healthy."""
    waiting = _waiting(
        seen,
        incident,
        Reason.AWAITING_PEOPLE if incident.status is Status.ESCALATED else Reason.COLLECTING_EVIDENCE,
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
    if not waits or seen.now < seen.evidence_begins + patience(seen):
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
    # The version may be as bad as the one before. One further step back may help, and no more.
    if (
        plan.kind == RemedyKind.ROLLBACK_ALIAS
        and live.candidate is not None
        and not incident.has_stepped(plan)
    ):
        return Decision.of(incident.stepping(plan).reopened(seen.now, reason, Status.INEFFECTIVE))
    tried = incident.in_vain(plan)
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
