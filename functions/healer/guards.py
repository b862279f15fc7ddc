"""What keeps the healer from acting although an alarm is real: each guard is a reason, with its numbers."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.incident import Guard, Incident
from selfheal.functions.healer.observation import Live, Observation
from selfheal.functions.healer.transitions import since
from selfheal.functions.healer.words import Reason

BUDGET_WINDOW = timedelta(days=1)


def flapping(seen: Observation, draft: Incident, now: datetime) -> Guard | None:
    """Return the guard against a target whose incidents come again and again.

    More incidents than the limit in one window: what the healer does there does not last.
    """
    limits = seen.limits
    window = now - timedelta(seconds=limits.flapping_window_seconds)
    found = len(since(draft.recent_incidents, window))
    if found <= limits.flapping_limit:
        return None
    until = iso(now + timedelta(seconds=limits.flapping_hold_seconds))
    return Guard(Reason.FLAPPING, limit=limits.flapping_limit, found=found, until=until)


def unready(live: Live, draft: Incident) -> Guard | None:
    """Return the guard against a target that is being changed by others."""
    if not live.is_settled:
        return Guard(Reason.TARGET_BUSY)
    plan = draft.plan
    if plan is None or plan.world == live.world:
        return None
    # What the incident saw last is no longer so. The next run sees whether it has come to rest.
    return Guard(Reason.DEPLOYMENT_IN_PROGRESS)


def spent(seen: Observation, draft: Incident, now: datetime) -> Guard | None:
    """Return the guard of the budgets: acts on the target, then on the fleet, within a day."""
    earliest = now - BUDGET_WINDOW
    for limit, moments in (
        (seen.limits.target_budget, draft.recent_acts),
        (seen.limits.budget, seen.fleet.acts),
    ):
        acts = since(moments, earliest)
        if len(acts) >= limit:
            return Guard(Reason.BUDGET_SPENT, limit=limit, found=len(acts), until=_frees(acts, limit))
    return None


def waiting(seen: Observation, draft: Incident, now: datetime) -> Guard | None:
    """Return the guards that pass by themselves: cool-down after the last incident, and blast radius."""
    earlier = [moment for moment in draft.recent_acts if moment < draft.opened_at]
    if draft.acts == 0 and earlier:
        until = parse_iso(earlier[-1]) + timedelta(seconds=seen.limits.cool_down_seconds)
        if now < until:
            return Guard(Reason.COOL_DOWN, until=iso(until))
    limit = max(1, ceil(seen.fleet_size * seen.limits.blast_radius))
    found = len(seen.fleet.acting | {draft.target})
    if found > limit:
        # Several at once is rarely several causes, and what they share is not healed one by one.
        return Guard(Reason.BLAST_RADIUS, limit=limit, found=found, total=seen.fleet_size)
    return None


def counted(moments: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Return the acts of the budget's window with one more."""
    return (*since(tuple(moments), now - BUDGET_WINDOW), iso(now))


def _frees(acts: tuple[str, ...], limit: int) -> str:
    """Return when enough acts are older than the window for one more."""
    return iso(parse_iso(acts[len(acts) - limit]) + BUDGET_WINDOW)
