"""The decision while nothing is in place yet: act, propose, wait for a guard, or call people."""

from dataclasses import replace
from datetime import datetime

from selfheal.functions.healer import guards
from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.facts import EVER, alarming, confirmed, is_silent, live_of, next_remedy
from selfheal.functions.healer.incident import Approval, Guard, Incident, Plan, Standing
from selfheal.functions.healer.observation import Decision, Live, Observation, Request
from selfheal.functions.healer.target import Remedy
from selfheal.functions.healer.transitions import answering, escalated, intending, moved, opened, telling
from selfheal.functions.healer.verify import VERIFY_WITHIN, watch
from selfheal.functions.healer.words import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode

MAX_ATTEMPTS = 5
"""Tries of one effect before people are called."""


def respond(seen: Observation, incident: Incident | None, now: datetime) -> Decision:
    """Decide about an alarm that nothing was done about yet; `incident` is None for a new one."""
    last = seen.incident
    since = parse_iso(last.closed_at) if last and last.closed_at else EVER
    found = confirmed(seen, since, now)
    if found is None:
        return _without_alarm(seen, incident, since, now)
    draft = incident or opened(seen, found[0], found[1].start, now)
    held = _held(seen, draft, now, new=incident is None)
    if held is not None:
        return held
    remedy = next_remedy(seen.target, draft)
    if remedy is None:
        reason = Reason.NO_REMEDY_HELPED if seen.target.remedies else Reason.NO_REMEDY
        return Decision(reason, escalated(draft, now, reason))
    live = live_of(seen, remedy.setting)
    if not live.exists:
        return Decision(Reason.TARGET_GONE, escalated(draft, now, Reason.TARGET_GONE))
    # A proposal is judged anew by its digest; a second look is for those that act by themselves.
    unready = guards.unready(live, draft if seen.mode is Mode.ACT else replace(draft, plan=None))
    if unready is not None and unready.reason is Reason.TARGET_BUSY and _stuck(incident, now):
        return _skip(seen, draft, remedy, Reason.TARGET_BUSY, now)
    if unready is not None:
        plan = _plan(live, remedy, draft) if unready.reason is Reason.DEPLOYMENT_IN_PROGRESS else draft.plan
        return _wait(incident, replace(draft, plan=plan), unready, now)
    obstacle = _obstacle(live, remedy, draft)
    if obstacle is not None:
        return _skip(seen, draft, remedy, obstacle, now)
    plan = _plan(live, remedy, draft)
    if seen.mode is Mode.ACT:
        return _act(seen, incident, draft, plan, Reason.ALARM_CONFIRMED, now)
    if seen.mode is Mode.SUGGEST:
        return _suggest(seen, incident, draft, plan, now)
    return _propose(draft, plan, seen.mode, Reason.MODE_FORBIDS, now, tell=False)


def _without_alarm(seen: Observation, incident: Incident | None, since: datetime, now: datetime) -> Decision:
    if incident is None:
        if not alarming(seen):
            return Decision(Reason.HEALTHY)
        return _unproven(seen, since, now)
    if incident.status is Status.ACTING:
        return Decision(
            Reason.ALARM_CLEARED, moved(incident, now, Reason.ALARM_CLEARED, Status.OPEN, purpose=None)
        )
    given = seen.approval
    if given is not None and now >= parse_iso(given.until):
        # Nothing bore the alarm out while it was valid; who gave it must hear that it was not used.
        unused = moved(incident, now, Reason.APPROVAL_EXPIRED, Status.PROPOSED)
        return Decision(Reason.APPROVAL_EXPIRED, telling(answering(unused, given.id), now))
    decision = watch(seen, incident, now)
    if decision.incident is None and incident.status is Status.OPEN and alarming(seen):
        return _wait(incident, incident, Guard(_doubt(seen, now)), now)
    return decision


def _unproven(seen: Observation, closed: datetime, now: datetime) -> Decision:
    """Leave an alarm that its metrics do not bear out; people are told of one that rings on."""
    doubt = _doubt(seen, now)
    ringing = [rule for rule in seen.target.alarms if seen.alarms[rule.name].state == "ALARM"]
    # One that still rings after an incident has had that incident's reasons until it closed.
    began = {rule.name: max(closed, seen.alarms[rule.name].since) for rule in ringing}
    rule = min(ringing, key=lambda rule: began[rule.name])
    if now < began[rule.name] + VERIFY_WITHIN:
        return Decision(doubt)
    draft = opened(seen, rule, began[rule.name], now)
    stuck = escalated(draft, now, Reason.ALARM_STUCK, guard=Guard(doubt))
    silent = seen.mode is Mode.OBSERVE
    return Decision(doubt, replace(stuck, effect=None, lease_until=None) if silent else stuck)


def _doubt(seen: Observation, now: datetime) -> Reason:
    return Reason.ALARM_NOT_FRESH if is_silent(seen, now) else Reason.ALARM_NOT_CORROBORATED


def _held(seen: Observation, draft: Incident, now: datetime, *, new: bool) -> Decision | None:
    """Return the escalation of an incident on a target that must be left alone."""
    if seen.mode is Mode.OBSERVE:
        return None
    # One that was opened in observe has not been asked yet.
    guard = guards.flapping(seen, draft, now) if new or draft.mode is Mode.OBSERVE else None
    hold = draft.hold
    if hold is not None:
        # What it is held for stays the hold's reason: a release must end the cause, not its consequence.
        return Decision(Reason.HELD, replace(escalated(draft, now, Reason.HELD, guard=guard), hold=hold))
    if guard is None:
        return None
    return Decision(guard.reason, escalated(draft, now, guard.reason, until=guard.until, guard=guard))


def _suggest(
    seen: Observation, incident: Incident | None, draft: Incident, plan: Plan, now: datetime
) -> Decision:
    """Act on an approval of exactly this plan; otherwise ask for one."""
    given, digest = seen.approval, plan.digest(draft.target)
    resumed = draft.effect is Effect.APPLY and draft.approval is not None and draft.approval.plan == digest
    if resumed:
        return _act(seen, incident, draft, plan, Reason.APPROVED, now)
    if given is None or draft.status is not Status.PROPOSED:
        return _propose(draft, plan, seen.mode, Reason.MODE_FORBIDS, now, tell=True)
    refused = _refused(given, digest, now)
    if refused is not None:
        told = replace(draft, plan=None)
        return _propose(answering(told, given.id), plan, seen.mode, refused, now, tell=True)
    approved = replace(draft, approval=Approval(digest, given.by, given.at))
    return _act(seen, incident, approved, plan, Reason.APPROVED, now, request=given)


def _refused(given: Request, digest: str, now: datetime) -> Reason | None:
    if now >= parse_iso(given.until):
        return Reason.APPROVAL_EXPIRED
    return Reason.APPROVAL_STALE if given.plan != digest else None


def _act(  # noqa: PLR0917 - all that an act depends on
    seen: Observation,
    incident: Incident | None,
    draft: Incident,
    plan: Plan,
    reason: Reason,
    now: datetime,
    request: Request | None = None,
) -> Decision:
    resumed = draft.effect is Effect.APPLY
    if not resumed:
        spent = guards.spent(seen, draft, now)
        if spent is not None:
            over = escalated(draft, now, spent.reason, until=spent.until, guard=spent, plan=plan)
            return Decision(spent.reason, over)
        waiting = guards.waiting(seen, draft, now)
        if waiting is not None:
            tell = waiting.reason is Reason.BLAST_RADIUS
            return _wait(incident, replace(draft, plan=plan), waiting, now, tell=tell)
    intent = intending(
        draft,
        now,
        Effect.APPLY,
        reason,
        Status.ACTING,
        mode=seen.mode,
        plan=plan,
        token=live_of(seen, plan.key).token,
        guard=None,
        attempts=draft.attempts + 1 if resumed else 1,
        purpose=draft.purpose if resumed else None,
        recent_acts=draft.recent_acts if resumed else guards.counted(draft.recent_acts, now),
    )
    answered = answering(intent, request.id) if request else intent
    return Decision(reason, answered, counts=not resumed)


def _propose(
    draft: Incident, plan: Plan, mode: Mode, reason: Reason, now: datetime, *, tell: bool
) -> Decision:
    if draft.status is Status.PROPOSED and draft.plan == plan and draft.mode is mode:
        return Decision(reason)
    proposal = moved(draft, now, reason, Status.PROPOSED, mode=mode, plan=plan, guard=None, purpose=None)
    return Decision(reason, telling(proposal, now) if tell else proposal)


def _wait(
    incident: Incident | None, draft: Incident, guard: Guard, now: datetime, *, tell: bool = False
) -> Decision:
    """Record once what keeps the healer from acting; the next run looks again."""
    if incident is not None and incident.guard == guard and draft.plan == incident.plan:
        return Decision(guard.reason)
    if draft.status is Status.PROPOSED:
        # The proposal stands, and an approval of it too.
        waiting = moved(draft, now, guard.reason, guard=guard)
    else:
        waiting = moved(draft, now, guard.reason, Status.OPEN, guard=guard, purpose=None)
    known = incident is not None and guard.reason in incident.reasons
    return Decision(guard.reason, telling(waiting, now) if tell and not known else waiting)


def _skip(seen: Observation, draft: Incident, remedy: Remedy, obstacle: Reason, now: datetime) -> Decision:
    """Leave a remedy that cannot be used to people, or try the next."""
    standing = draft.standing
    if (
        draft.effect is Effect.APPLY
        and draft.plan is not None
        and not live_of(seen, remedy.setting).is_readable(remedy.kind)
    ):
        # An earlier run may have applied it, and that cannot be seen.
        standing = (*standing, Standing(draft.plan, iso(now)))
    tried = (*draft.tried, str(remedy.setting))
    passed = replace(draft, standing=standing, tried=tried)
    if next_remedy(seen.target, passed) is None:
        return Decision(obstacle, escalated(passed, now, obstacle))
    return Decision(obstacle, moved(passed, now, obstacle, Status.OPEN, purpose=None))


def _obstacle(live: Live, remedy: Remedy, incident: Incident) -> Reason | None:
    """Return why the remedy cannot be applied by itself."""
    after = _after(live, remedy, incident)
    if not live.is_readable(remedy.kind):
        return Reason.CONFIGURATION_UNREADABLE
    if remedy.kind == "environment" and live.value is None:
        return Reason.VARIABLE_MISSING
    if remedy.kind == "rollback_alias" and after is None:
        return Reason.NO_EARLIER_VERSION
    # What stood may have been taken back since anyone looked, such as by `up` after the recovery.
    stands = (each.plan.after for each in incident.standing if each.plan.key == remedy.setting)
    if live.value == after or live.value in stands or _is_tighter(live, remedy):
        return Reason.ALREADY_APPLIED
    tries = incident.attempts if incident.effect is Effect.APPLY else 0
    return Reason.ATTEMPTS_EXHAUSTED if tries >= MAX_ATTEMPTS else None


def _stuck(incident: Incident | None, now: datetime) -> bool:
    """Return whether the target was busy, and nothing else, for as long as evidence is waited for."""
    last = incident.last_transition if incident is not None else None
    return (
        last is not None and last.reason == Reason.TARGET_BUSY and now >= parse_iso(last.at) + VERIFY_WITHIN
    )


def _is_tighter(live: Live, remedy: Remedy) -> bool:
    """Return whether someone limits it to less already: a limit must never be raised."""
    if remedy.kind != "limit_concurrency" or live.value is None or remedy.value is None:
        return False
    return int(live.value) < int(remedy.value)


def _after(live: Live, remedy: Remedy, incident: Incident) -> str | None:
    """Return the value to set. An intent that is resumed keeps its own: AWS may know another one by now."""
    plan = incident.plan
    if remedy.value is not None:
        return remedy.value
    if incident.effect is Effect.APPLY and plan is not None and plan.key == remedy.setting:
        return plan.after
    return live.candidate


def _plan(live: Live, remedy: Remedy, incident: Incident) -> Plan:
    if live.configuration is None:
        raise ValueError(f"{incident.target}: nothing can be planned for what is gone")
    return Plan(
        remedy.kind,
        remedy.name,
        live.value,
        _after(live, remedy, incident),
        live.configuration.code_hash,
        live.configuration.config_hash,
        None if incident.purpose is Reason.RELAPSED else remedy.expires_after,
    )
