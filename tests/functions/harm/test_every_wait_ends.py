"""Every state under every reason, mode and world: after two days in which nobody acted, it ends or is told.

This walks what a run decides, without running: whatever state an incident is found in, and whatever is seen
of its target, a run either changes the incident or tells people. What it may leave as it is in between is the
table of deadlines, which docs/states.md prints.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.deadlines import WAITS, Told
from selfheal.functions.healer.decide import decide, retire
from selfheal.functions.healer.evidence import Bucket
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Closure, Guard, Hold, Plan, Standing
from selfheal.functions.healer.incident_rules import broken_rules
from selfheal.functions.healer.live import Configuration, Live
from selfheal.functions.healer.observation import Observation
from selfheal.functions.healer.readings import AlarmState, Fleet
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Mode
from tests.functions.support.remedy_fakes import MAPPING
from tests.functions.support.world import START, TARGET

OLD = START - timedelta(days=2)
PAUSE = Remedy("pause_consumer", MAPPING, "Disabled")
OVERRIDE = Remedy("override", "MODE", "safe")
WORLD = ("code", "config")
PLANS = {
    "pause": (
        replace(TARGET, remedies=(PAUSE,)),
        Plan("pause_consumer", MAPPING, "Enabled", "Disabled", *WORLD),
    ),
    "override": (
        replace(TARGET, remedies=(OVERRIDE, PAUSE)),
        Plan("override", "MODE", None, "safe", *WORLD),
    ),
}
"""The only remedy, and the first of two."""

CONFIGURED = Configuration("1", settled=True, readable=True, code_hash="code", config_hash="config")
LIVES = {
    "as changed": lambda plan: Live(plan.after, "1", CONFIGURED),
    "as before": lambda plan: Live(plan.before, "1", CONFIGURED),
    "by someone else": lambda _plan: Live("other", "1", CONFIGURED),
    "in transition": lambda plan: Live(plan.before, "1", CONFIGURED, settled=False),
    "being deployed": lambda plan: Live(plan.after, "1", replace(CONFIGURED, settled=False)),
    "deployed anew": lambda plan: Live(plan.before, "1", replace(CONFIGURED, code_hash="new")),
    "a breaker at work": lambda plan: Live(plan.before, "1", CONFIGURED, breaker_at_work=True),
    "unreadable": lambda plan: Live(plan.before, "1", replace(CONFIGURED, readable=False)),
    "gone": lambda _plan: Live(None, "", None),
}
SOME = (Reason.TARGET_BUSY, Reason.TARGET_REMOVED, Reason.REMEDY_INEFFECTIVE)
"""Reasons that decisions depend on, besides one on which none does."""

ALARMS = ("ALARM and failing", "ALARM and silent", "INSUFFICIENT_DATA", "OK and few requests")
EVERY_WORLD = tuple(product(ALARMS, LIVES, (True,)))
WORST_WORLD = (("ALARM and failing", "in transition", True),)
RESTING = [status for status in Status if status not in (Status.INEFFECTIVE, Status.INCONCLUSIVE)]


def incidents(
    plan: Plan, since: datetime, told: datetime | None, reasons: Iterable[Reason] = Reason
) -> Iterator[Incident]:
    """Yield an incident in each state, with each reason, mode and pending effect that go together."""
    at = iso(since)
    for status, reason, mode, stands in product(RESTING, reasons, Mode, (True, False)):
        base = Incident("shop-1", "shop", "fast", at, status, reason, mode, version=3, plan=plan)
        base = replace(
            base,
            acts=int(stands),
            acted_at=at if stands else None,
            standing=(Standing(plan, at),) if stands else (),
            reminded_at=iso(told) if told else None,
            guard=Guard(reason) if status is Status.OPEN else None,
            waiting_since=at,
            acting_since=at,
            escalated_at=at if status is Status.ESCALATED else None,
            hold=Hold(reason, at) if status is Status.ESCALATED else None,
            closed_at=None if status in OPEN_STATES else at,
            closure=Closure("ann", at, "over") if status is Status.CLOSED else None,
            recent_incidents=(at,),
        )
        for effect, purpose in EFFECTS.get(status, [(None, None)]):
            found = replace(base, effect=effect, purpose=purpose, attempts=1)
            if not list(broken_rules(found)):
                yield found


OPEN_STATES = (Status.OPEN, Status.PROPOSED, Status.ACTING, Status.VERIFYING, Status.ESCALATED)
EFFECTS = {
    Status.ACTING: [
        (Effect.APPLY, None),
        (Effect.REVERT, Reason.REMEDY_INEFFECTIVE),
        (Effect.REVERT, Reason.ROLLED_BACK),
        (Effect.REVERT, Reason.RESTORING),
    ],
    Status.VERIFYING: [(None, None), (None, Reason.RESTORING)],
}


def observations(
    incident: Incident, plan_of: str, mode: Mode, worlds: Iterable[tuple[str, str, bool]]
) -> Iterator[tuple[str, Observation]]:
    target, plan = PLANS[plan_of]
    for alarm, kind, crowded in worlds:
        live = LIVES[kind]
        state = alarm.split()[0]
        states = {rule.name: AlarmState("OK", OLD) for rule in target.alarms}
        states["fast"] = AlarmState(state, OLD)
        failing = (Bucket(START - timedelta(seconds=20), 100, 30),) if "failing" in alarm else ()
        samples = {
            "fast": failing or ((Bucket(START - timedelta(seconds=20), 3, 0),) if "few" in alarm else ())
        }
        seen = Observation(
            target,
            START,
            mode,
            states,
            incident,
            baseline=Mode.ACT,
            samples=samples,
            fleet=Fleet(version=1, acting=frozenset({"cart"} if crowded else ())),
            fleet_size=2,
        )
        about = seen.subject
        shown = live(plan) if about else None
        yield f"{alarm}, {kind}, crowded: {crowded}", replace(seen, about=about, live=shown)


def is_over(incident: Incident) -> bool:
    """Whether there is nothing that anybody has to do."""
    hold = incident.hold
    waits = hold is not None and hold.until is None and hold.outlives
    return not incident.is_open and not incident.drifts and not waits and not incident.quiet


def is_silent(incident: Incident, seen: Observation) -> bool:
    """Whether it is only observed: nothing was changed, and nobody was told that there is anything."""
    return Mode.OBSERVE in (incident.mode, seen.mode) and incident.reminded_at is None and not incident.acts


def cases(
    plan_of: str, since: datetime, told: datetime | None
) -> Iterator[tuple[str, Incident, Observation]]:
    """Yield each state with each reason in the worst worlds, and each state in each world and mode."""
    _, plan = PLANS[plan_of]
    for incident in incidents(plan, since, told):
        for world, seen in observations(incident, plan_of, incident.mode, WORST_WORLD):
            yield world, incident, seen
    for incident in incidents(plan, since, told, SOME):
        other = {Mode.ACT: Mode.OBSERVE, Mode.OBSERVE: Mode.ACT, Mode.SUGGEST: Mode.SUGGEST}[incident.mode]
        for world, seen in observations(incident, plan_of, other, EVERY_WORLD):
            yield world, incident, seen


@pytest.mark.slow
@pytest.mark.parametrize(("plan_of", "told"), [("pause", OLD), ("override", None)])
def test_after_two_days_it_ends_or_people_are_told(plan_of: str, told: datetime | None) -> None:
    left, reasons = list[str](), Counter[Reason]()
    for world, incident, seen in cases(plan_of, OLD, told):
        decision = decide(seen)
        reasons[decision.reason] += 1
        excused = is_over(incident) or is_silent(incident, seen)
        if decision.incident is None and not excused:
            left.append(f"{incident.status} ({incident.reason}), {seen.mode}: {world}: {decision.reason}")
    assert not left, f"{len(left)} wait in silence, such as {left[:5]}"
    assert len(reasons) > 15, reasons


@pytest.mark.slow
def test_what_a_run_leaves_as_it_is_has_a_deadline_in_the_table() -> None:
    """Of an incident in which all has just happened."""
    unknown, found = Counter[tuple[Status, Reason]](), set[tuple[Status, Reason]]()
    for _, incident, seen in cases("override", START - timedelta(seconds=45), START):
        decision = decide(seen)
        if decision.incident is None and not is_over(incident):
            pair = incident.status, decision.reason
            found.add(pair)
            unknown[pair] += pair not in WAITS
    assert not +unknown, f"not in deadlines.WAITS: {+unknown}"
    assert len(found) > 5, found


def test_each_line_of_the_table_says_who_is_told_or_why_nobody_is() -> None:
    for (status, reason), wait in WAITS.items():
        where = f"{status}, {reason}"
        assert wait.within is not None or wait.lasts, f"{where}: no deadline"
        assert wait.told is not Told.NOBODY or wait.why, f"{where}: silence without a reason"
        assert wait.within is None or wait.within <= timedelta(minutes=15), where


def test_a_removed_target_is_told_again_until_somebody_closes_it() -> None:
    _, plan = PLANS["override"]
    for incident in incidents(plan, OLD, OLD, (*SOME, Reason.CLOSED)):
        if incident.reason is Reason.TARGET_REMOVED and incident.status in OPEN_STATES[:4]:
            continue  # what is retired is ESCALATED, or was over
        seen = Observation(TARGET, START, Mode.ACT, {}, incident, fleet=Fleet())
        assert retire(seen).incident is not None or is_over(incident), incident
