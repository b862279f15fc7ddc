"""The decision while no change is in place yet: act, propose a plan, wait for a guard, or escalate."""

from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer import deadlines, guards, notices
from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.incident import UNSETTLED, Incident, incident_id, not_before
from selfheal.functions.healer.incident_fields import Approval, Guard, Plan
from selfheal.functions.healer.judging import EVER
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.healer.target import AlarmRule, Remedy
from selfheal.functions.healer.verify import patience, watch
from selfheal.functions.shared.contract import Mode, RemedyKind
from selfheal.functions.shared.errors import OwnError

MAX_ATTEMPTS = 5
"""Attempts at one effect before the healer escalates."""

RECENT = 60
"""Incidents of a target whose beginnings are kept. More than the limit of flapping can be."""


def respond(seen: Observation, incident: Incident | None) -> Decision:
    """Decide about an alarm. `incident` is None if there is none yet."""
    last = seen.incident
    closed = parse_iso(last.closed_at) if last and last.closed_at else EVER
    found = seen.confirmed(EVER)
    if found is None:
        return _without_alarm(seen, incident, closed)
    draft = incident or _opened(seen, found[0], found[1].start)
    remedy, held = seen.target.next_remedy(draft.tried), _held(seen, draft, new=incident is None)
    if held is not None:
        return held
    if remedy is None:
        return _call_people(
            seen, draft, Reason.REMEDY_INEFFECTIVE if seen.target.remedies else Reason.NO_REMEDY
        )
    live = seen.live_of(remedy.setting)
    if not live.exists:
        return _call_people(seen, draft, Reason.TARGET_GONE)
    plan = _plan(live, remedy, draft)
    return _unready(seen, draft, live, plan) or _remedy(seen, draft, live, plan)


def _unready(seen: Observation, draft: Incident, live: Live, plan: Plan) -> Decision | None:
    """Return what to do where the remedy cannot be applied now; None if it can."""
    # A proposal is judged anew by its digest; a second look is for those that act by themselves.
    guard = guards.unready(live, draft if seen.mode is Mode.ACT else replace(draft, plan=None))
    if guard is None:
        obstacle = _obstacle(live, plan, draft)
        return _skip(seen, draft, live, plan, obstacle) if obstacle else None
    if guard.reason is Reason.DEPLOYMENT_IN_PROGRESS:
        return _wait(seen, draft, guard, plan)
    return _skip(seen, draft, live, plan, guard.reason) if _stuck(seen) else _wait(seen, draft, guard)


def _remedy(seen: Observation, draft: Incident, live: Live, plan: Plan) -> Decision:
    """Act, or propose to, as the mode says."""
    if seen.mode is Mode.ACT:
        return _act(seen, draft, live, plan, Reason.ALARM_CONFIRMED)
    if seen.mode is Mode.OBSERVE:
        return _propose(seen, draft, plan, Reason.MODE_FORBIDS)
    given, digest = seen.approval, plan.digest(draft.target)
    if given is not None and (given.is_over(seen.now) or given.is_too_long(seen.now)):
        given = None  # people.answer_approval refuses it
    if draft.effect is Effect.APPLY and draft.approval is not None and draft.approval.plan == digest:
        return _act(seen, draft, live, plan, Reason.APPROVED)
    if given is None or draft.status is not Status.PROPOSED:
        return _propose(seen, draft, plan, Reason.MODE_FORBIDS)
    if given.plan != digest:
        stale = given.answered(seen.now, Reason.APPROVAL_STALE, done=False)
        draft = replace(draft, plan=None).answering(stale)
        again = _propose(seen, draft, plan, Reason.MODE_FORBIDS, about=given.id)
        return replace(again, reason=Reason.APPROVAL_STALE)
    return _act(seen, draft, live, plan, Reason.APPROVED, given)


def _call_people(seen: Observation, draft: Incident, reason: Reason, guard: Guard | None = None) -> Decision:
    """Escalate, until the guard's end if it has one."""
    until = guard.until if guard is not None and reason is guard.reason else None
    return Decision.of(notices.escalated(seen, draft, reason, until=until, guard=guard))


def _opened(seen: Observation, rule: AlarmRule, began: datetime) -> Incident:
    """Return a new incident that is not in the ledger yet, with what it inherits from the last one."""
    last, now = seen.incident, seen.now
    window = now - timedelta(seconds=max(seen.limits.flapping_window_seconds, seen.limits.remind_seconds))
    fresh = Incident(
        id=incident_id(seen.target.name, now),
        target=seen.target.name,
        alarm=rule.name,
        opened_at=iso(now),
        began_at=iso(began),
        status=Status.OPEN,
        reason=Reason.ALARM_CONFIRMED,
        mode=seen.mode,
        version=0,
        recent_incidents=(iso(now),),
        function=seen.target.function,
    )
    if last is None:
        return fresh
    fresh = replace(fresh, version=last.version)
    if last.is_of_another(seen.target.function):
        return fresh
    return replace(
        fresh,
        rejected=last.rejected,
        standing=last.standing,
        hold=last.hold if last.is_held(now) else None,
        recent_acts=last.recent_acts,
        recent_incidents=(*not_before(last.recent_incidents, window), iso(now))[-RECENT:],
        quiet_since=last.quiet_since,
        quiet=last.quiet,
    )


def _without_alarm(seen: Observation, incident: Incident | None, closed: datetime) -> Decision:
    """Handle the case that no alarm is confirmed: watch an open incident, ignore a new alarm."""
    if incident is None:
        return _unproven(seen, closed) if seen.ringing else Decision(Reason.HEALTHY)
    if incident.status is Status.ACTING:
        return Decision.of(incident.reopened(seen.now, Reason.ALARM_CLEARED))
    decision = watch(seen, incident)
    if decision.incident is None and incident.status is Status.OPEN and seen.ringing:
        return _wait(seen, incident, Guard(_doubt(seen)))
    return decision


def _unproven(seen: Observation, closed: datetime) -> Decision:
    """Ignore an alarm that its metrics do not confirm. If it lasts, people are told."""
    doubt = _doubt(seen)
    # Until the last incident closed, that incident was the reason for the alarm.
    began = {rule: max(closed, seen.alarms[rule.name].since) for rule in seen.ringing}
    rule = min(began, key=lambda rule: began[rule] + patience(seen, rule))
    if seen.now < began[rule] + patience(seen, rule):
        return Decision(doubt)
    draft, tell = _opened(seen, rule, began[rule]), seen.mode is not Mode.OBSERVE
    stuck = notices.escalated(seen, draft, Reason.ALARM_STUCK, guard=Guard(doubt), tell=tell)
    return Decision(doubt, stuck)


def _doubt(seen: Observation) -> Reason:
    return Reason.ALARM_NOT_FRESH if seen.is_silent else Reason.ALARM_NOT_CORROBORATED


def _held(seen: Observation, draft: Incident, *, new: bool) -> Decision | None:
    """Return the escalation of an incident on a held or flapping target."""
    if seen.mode is Mode.OBSERVE:
        return None
    # An incident opened in observe has not been checked for flapping yet.
    guard = guards.flapping(seen, draft) if new or draft.mode is Mode.OBSERVE else None
    if draft.hold is not None:
        return _call_people(seen, draft, Reason.HELD, guard)
    return _call_people(seen, draft, guard.reason, guard) if guard is not None else None


def _act(  # noqa: PLR0917 - all that an act depends on
    seen: Observation, draft: Incident, live: Live, plan: Plan, reason: Reason, request: Request | None = None
) -> Decision:
    """Intend to apply the remedy, unless a budget is spent or another guard applies."""
    now, resumed = seen.now, draft.effect is Effect.APPLY
    if not resumed:
        guard = guards.before_act(seen, draft)
        if guard is not None and guard.reason is Reason.BUDGET_SPENT:
            return _call_people(seen, replace(draft, plan=plan), guard.reason, guard)
        if guard is not None:
            return _wait(seen, draft, guard, plan)
    intent = draft.applying(now, reason, plan, live.token, seen.mode)
    if request is not None:
        intent = replace(intent, approval=Approval(plan.digest(draft.target), request.by, request.at))
        intent = intent.answering(request.answered(now, reason, done=True))
    return Decision(reason, intent, counts=not resumed)


def _propose(seen: Observation, draft: Incident, plan: Plan, reason: Reason, *, about: str = "") -> Decision:
    if draft.status is Status.PROPOSED and draft.plan == plan and draft.mode is seen.mode:
        return Decision(reason)
    proposal = draft.proposing(seen.now, reason, plan, seen.mode)
    return Decision(reason, proposal.telling(seen.now, about) if seen.mode is Mode.SUGGEST else proposal)


def _wait(seen: Observation, draft: Incident, guard: Guard, plan: Plan | None = None) -> Decision:
    """Record the guard and the plan once, and tell people once if it lasts. The next run checks again."""
    known = seen.incident if seen.incident and seen.incident.id == draft.id else None
    draft = replace(draft, plan=plan or draft.plan)
    waiting = draft.waiting(seen.now, guard)
    if _is_due(seen, waiting, guard.reason):
        told = replace(waiting, told_waits=(*waiting.told_waits, guard.reason))
        return Decision.of(told.telling(seen.now))
    if known is not None and known.guard == guard and known.plan == draft.plan:
        return Decision(guard.reason)
    return Decision.of(waiting)


def _is_due(seen: Observation, waiting: Incident, reason: Reason) -> bool:
    """Return whether people must hear now that a guard lasts."""
    silent = seen.mode is Mode.OBSERVE and waiting.is_untold
    told = silent or reason in waiting.told_waits
    if told or deadlines.told(waiting.status, reason) is not deadlines.Told.NOTICE:
        return False
    since, lasts = waiting.waiting_since, deadlines.within(waiting.status, reason)
    return since is not None and lasts is not None and seen.now >= parse_iso(since) + lasts


def _skip(seen: Observation, draft: Incident, live: Live, plan: Plan, obstacle: Reason) -> Decision:
    """Leave a remedy that cannot be used to people, or try the next."""
    # An earlier run may have applied it, and that cannot be seen.
    hidden = not live.is_readable(plan.kind)
    tried = (*draft.tried, str(plan.key))
    passed = replace(draft.maybe_done() if hidden else draft, tried=tried, guard=None, waiting_since=None)
    if seen.target.next_remedy(tried) is None:
        return _call_people(seen, passed, obstacle, draft.guard)
    return Decision.of(passed.reopened(seen.now, obstacle))


def _obstacle(live: Live, plan: Plan, draft: Incident) -> Reason | None:
    """Return why the plan cannot be carried out; None if it can."""
    if not live.is_readable(plan.kind):
        return Reason.CONFIGURATION_UNREADABLE
    if plan.kind == RemedyKind.ENVIRONMENT and live.value is None:
        return Reason.VARIABLE_MISSING
    if plan.kind == RemedyKind.ROLLBACK_ALIAS and plan.after is None:
        return Reason.NO_EARLIER_VERSION
    if live.obstacle is not None:
        return live.obstacle
    # A recorded change may have been undone since, such as by `up` after the recovery.
    known = [] if draft.has_stepped(plan) else draft.standing
    stands = [each.plan.after for each in known if each.plan.key == plan.key]
    # A concurrency limit must never be raised. Someone may have set a lower one.
    limited = plan.kind == RemedyKind.LIMIT_CONCURRENCY and live.value is not None and plan.after is not None
    tighter = limited and int(live.value or 0) < int(plan.after or 0)
    if live.value == plan.after or live.value in stands or tighter:
        return Reason.ALREADY_APPLIED
    exhausted = draft.effect is Effect.APPLY and draft.attempts >= MAX_ATTEMPTS
    return Reason.ATTEMPTS_EXHAUSTED if exhausted else None


def _stuck(seen: Observation) -> bool:
    """Return whether the target has been busy for as long as the healer waits for evidence."""
    last = seen.incident
    if last is None or not last.is_open or last.guard is None or last.waiting_since is None:
        return False
    limit = deadlines.within(last.status, Reason.TARGET_BUSY)
    lasts = limit is not None and seen.now >= parse_iso(last.waiting_since) + limit
    return lasts and last.guard.reason in UNSETTLED


def _plan(live: Live, remedy: Remedy, draft: Incident) -> Plan:
    """Return the plan of a remedy for the present code and configuration."""
    if live.world is None:
        raise OwnError(f"{draft.target}: nothing can be planned for what is gone")
    # A resumed intent keeps its value. A newly read candidate may be another one.
    begun = draft.plan if draft.effect is Effect.APPLY else None
    after = begun.after if begun is not None and begun.key == remedy.setting else live.candidate
    expires = None if draft.purpose is Reason.RELAPSED else remedy.expires_after
    if remedy.value is not None:
        after = remedy.value
    return Plan(remedy.kind, remedy.name, live.value, after, *live.world, expires_after=expires)
