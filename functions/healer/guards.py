"""Guards: what delays or prevents a remediation although the alarm is real."""

from datetime import timedelta
from math import ceil

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.incident import BUDGET_WINDOW, Incident, not_before
from selfheal.functions.healer.incident_fields import Guard
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Observation
from selfheal.functions.healer.states import Reason


def flapping(seen: Observation, draft: Incident) -> Guard | None:
    """Return the guard against flapping: more incidents within one window than the limit allows.

    It means that the healer's changes to this target do not last.
    """
    limits = seen.limits
    window = seen.now - timedelta(seconds=limits.flapping_window_seconds)
    found = len(not_before(draft.recent_incidents, window))
    if found <= limits.flapping_limit:
        return None
    until = iso(seen.now + timedelta(seconds=limits.flapping_hold_seconds))
    return Guard(Reason.FLAPPING, limit=limits.flapping_limit, found=found, until=until)


def unready(live: Live, draft: Incident) -> Guard | None:
    """Return the guard against a target that someone else is changing, or whose circuit breaker is at work.

    What fails while a dependency is out says nothing about the target: nothing may be rolled back because of
    it, and the breaker ends the outage by itself.
    """
    if not live.is_settled or live.breaker_at_work:
        return Guard(Reason.TARGET_BUSY)
    if draft.plan is None or draft.plan.world == live.world:
        return None
    # Code or configuration have changed since the plan. The next run checks whether they are stable.
    return Guard(Reason.DEPLOYMENT_IN_PROGRESS)


def before_act(seen: Observation, draft: Incident) -> Guard | None:
    """Return the guard that a new act meets: a budget, or one that passes by itself."""
    return spent(seen, draft) or waiting(seen, draft)


def spent(seen: Observation, draft: Incident) -> Guard | None:
    """Return the guard of the budgets, first of the target, then of the fleet, within 24 hours."""
    for limit, moments in (
        (seen.limits.target_budget, draft.recent_acts),
        (seen.limits.budget, seen.fleet.acts),
    ):
        acts = not_before(moments, seen.now - BUDGET_WINDOW)
        if len(acts) >= limit:
            frees = iso(parse_iso(acts[len(acts) - limit]) + BUDGET_WINDOW)
            return Guard(Reason.BUDGET_SPENT, limit=limit, found=len(acts), until=frees)
    return None


def waiting(seen: Observation, draft: Incident) -> Guard | None:
    """Return the guards that end by themselves: cool-down after the last incident, and blast radius."""
    earlier = [moment for moment in draft.recent_acts if moment < draft.opened_at]
    if draft.acts == 0 and earlier:
        until = parse_iso(earlier[-1]) + timedelta(seconds=seen.limits.cool_down_seconds)
        if seen.now < until:
            return Guard(Reason.COOL_DOWN, until=iso(until))
    limit = max(1, ceil(seen.fleet_size * seen.limits.blast_radius))
    found = len(seen.fleet.acting | {draft.target})
    if found > limit:
        # Several failures at once usually share a cause, which changes to single targets do not remove.
        return Guard(Reason.BLAST_RADIUS, limit=limit, found=found, total=seen.fleet_size)
    return None
