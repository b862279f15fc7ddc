"""What must hold of every act and at every end, however it came to that."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.states import TERMINAL, WAYS, Effect, Status
from selfheal.functions.shared.contract import Mode
from tests.functions.support.loop import Act, Loop

DAY = timedelta(days=1)


def is_at_rest(loop: Loop) -> bool:
    """Nobody waits for the healer: the incident is over, or in the hands of people."""
    last = loop.last
    if last is None:
        return True
    if last.effect is not None:
        return False
    return last.status in TERMINAL or (last.status is Status.PROPOSED and loop.mode_in_effect is not Mode.ACT)


def check_acts(loops: Sequence[Loop]) -> None:
    for loop in loops:
        for act in loop.acts:
            check_act(loop, act)
        intents = [act.intent for act in loop.acts]
        assert len(intents) == len(set(intents)), f"twice for one intent: {intents}"
        check_cool_down(loop)
        check_approvals(loop)
        check_budget([act.intent[1] for act in loop.applies()], loop.limits.target_budget)
    check_budget([act.intent[1] for loop in loops for act in loop.applies()], loops[0].limits.budget)


def check_act(loop: Loop, act: Act) -> None:
    incident, plan = act.incident, act.incident.plan
    assert act.mode is not Mode.OBSERVE or act.is_asked_for, f"acted in observe: {act}"
    assert plan is not None
    assert act.remedy is not None, f"an act that is no remedy: {act}"
    applies = act.effect is Effect.APPLY
    assert act.was == (plan.before if applies else plan.after), f"overwrote what someone else had set: {act}"
    assert applies or act.remedy.revert_safe or not act.in_alarm, f"reverted while the alarm rang: {act}"
    assert not applies or incident.hold is None, f"acted on what is held: {act}"
    lately = parse_iso(incident.opened_at) - timedelta(seconds=loop.limits.flapping_window_seconds)
    found = [at for at in incident.recent_incidents if parse_iso(at) >= lately]
    ends = parse_iso(incident.opened_at) + timedelta(seconds=loop.limits.flapping_hold_seconds)
    flaps = len(found) > loop.limits.flapping_limit and act.at < ends
    assert not (applies and flaps), f"acted on what flaps: {act}"


def check_cool_down(loop: Loop) -> None:
    applies = loop.applies()
    for one, other in pairwise(applies):
        waited = parse_iso(other.intent[1]) - parse_iso(one.intent[1])
        same = one.incident.id == other.incident.id
        assert same or waited >= timedelta(seconds=loop.limits.cool_down_seconds), (
            f"no cool-down: {one}, {other}"
        )


def check_approvals(loop: Loop) -> None:
    """In mode suggest each act rests on an approval of its own."""
    given = [act.incident.approval for act in loop.applies() if act.incident.mode is Mode.SUGGEST]
    assert None not in given
    assert len(given) == len(set(given)), f"one approval, several acts: {given}"


def check_budget(moments: list[str], limit: int) -> None:
    acts = sorted(parse_iso(moment) for moment in moments)
    for first, over in zip(acts, acts[limit:], strict=False):
        assert over - first > DAY, f"more than {limit} acts in a day: {acts}"


def check_standing(loop: Loop) -> None:
    """What the healer wrote last, and nobody else since, is in the ledger as standing or as intended."""
    last, live = loop.last, loop.live()
    if last is None:
        return
    known = {str(each.plan.key) for each in last.standing}
    known |= {str(last.plan.key)} if last.plan is not None and last.effect is not None else set()
    written: dict[str, str | None] = {}
    for act in loop.acts[loop.touched :]:
        plan = act.incident.plan
        assert plan is not None
        written.pop(str(plan.key), None)
        remedy = loop.target.remedy_of(plan.key)
        # What the configuration says as well is drift no more (docs/remedies.md).
        if act.effect is Effect.APPLY and (remedy is None or remedy.baseline != plan.after):
            written[str(plan.key)] = plan.after
    forgotten = [name for name, value in written.items() if live[name] == value and name not in known]
    assert not forgotten, f"stands and is not recorded: {forgotten}, {last}"


def check_history(loop: Loop) -> None:
    last = loop.last
    history = last.history if last else ()
    source = Status.OPEN
    for line in history:
        assert line.source == source
        assert (Status(line.source), Status(line.to)) in WAYS
        source = Status(line.to)
    assert last is None or last.status is source
