"""Whatever happens, in whatever order: no act that is not allowed, and always an end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.healer.clock import parse_iso
from functions.healer.model import Effect, Limits, Mode, Reason, Status, Verb
from functions.healer.states import TERMINAL, WAYS
from functions.healer.target import Remedy, Target
from tests.support.closed_loop import ACTS, Do, Loop
from tests.support.healer_world import REMEDY, TARGET, DiedError, aws_error
from tests.support.memory_table import MemoryTable

DAY = timedelta(days=1)
LIMITS = Limits(budget=3, target_budget=2, flapping_limit=2, flapping_hold=600, cool_down=30)
OVERRIDE = Remedy("override", "MODE", "safe")
SAFE = replace(REMEDY, revert_safe=True)
REMEDIES = (
    (REMEDY,),
    (SAFE,),
    (replace(REMEDY, expires_after=60),),
    (replace(SAFE, expires_after=60), OVERRIDE),
    (OVERRIDE, SAFE),
    (replace(OVERRIDE, expires_after=120), replace(REMEDY, baseline="0")),
    (),
)
CAUSES = ("none", "variable", "override", "always")
SETTLE_TICKS = 400
"""Over an hour: the longest wait of a healer that nobody disturbs is the 600 s of a flapping target."""

which = st.integers(0, 2)
event = st.one_of(
    st.tuples(st.just("run"), which, st.integers(1, 12)),
    st.tuples(st.just("cause"), which, st.sampled_from(CAUSES)),
    st.tuples(st.just("cause"), which, st.sampled_from(("none", "variable"))),
    st.tuples(st.just("force"), which, st.sampled_from((None, "ALARM", "OK", "INSUFFICIENT_DATA"))),
    st.tuples(st.just("override"), which, st.sampled_from((None, *Mode))),
    st.tuples(st.just("approve"), which, st.booleans()),
    st.tuples(st.just("command"), which, st.sampled_from([verb for verb in Verb if verb != Verb.APPROVE])),
    st.tuples(st.just("change"), which, st.sampled_from(("0", "0.3", "0.7"))),
    st.tuples(st.just("deploy"), which, st.integers(0, 3)),
    st.tuples(st.just("status"), which, st.sampled_from(("InProgress", "Successful"))),
    st.tuples(st.just("readable"), which, st.booleans()),
    st.tuples(st.just("requests"), which, st.sampled_from((0, 5, 100))),
    st.tuples(st.just("hook"), which, st.sampled_from(("throttled", "dies before", "dies after", None))),
    st.tuples(st.just("mail"), which, st.booleans()),
    st.tuples(st.just("hours"), which, st.integers(1, 30)),
)


def is_failing(loop: Loop, cause: str) -> bool:
    if cause == "variable":
        return loop.fails_by_variable()
    return cause == "always" or (cause == "override" and loop.live().get("override:MODE") != "safe")


@dataclass
class Fleet:
    """Several targets with one clock, one ledger and one override of the mode."""

    loops: Sequence[Loop]
    versions: int = 0

    def happen(self, kind: str, loop: Loop, what: Any) -> None:  # noqa: C901, PLR0912 - one case an event
        match kind:
            case "run":
                self.run(what)
            case "cause":
                loop.cause = partial(is_failing, loop, what)
            case "force":
                loop.forced = what
            case "override":
                self.versions += 1
                loop.set_mode(what, self.versions)
            case "approve" | "command":
                ask(loop, what)
            case "change":
                # What was taken back before the healer knows that it is done looks like an act not done.
                if loop.last is None or loop.last.effect is None:
                    loop.function.change(FAILURE_RATE=what)
            case "deploy":
                loop.function.change(OTHER=str(what))
            case "status" | "readable":
                setattr(loop.function, kind, what)
            case "requests":
                loop.requests = what
            case "hook":
                hook(loop, what)
            case "mail":
                loop.sns.failing = what
            case _:
                for each in self.loops:
                    each.pass_time(3600 * what)

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            for loop in self.loops:
                loop.elapse()
            for loop in self.loops:
                loop.attempt()

    def settle(self) -> None:
        """Let nothing more happen, until every incident is at its end."""
        for loop in self.loops:
            hook(loop, None)
            loop.function.status, loop.sns.failing = "Successful", False
        for _ in range(SETTLE_TICKS):
            if all(is_at_rest(loop) for loop in self.loops):
                return
            self.run(1)


def hook(loop: Loop, what: str | None) -> None:
    """Set what becomes of the next acts."""

    def fault(number: int, do: Do) -> Any:
        if what is None or loop.tap.calls[number][0] not in ACTS:
            return do()
        if what == "throttled":
            raise aws_error("TooManyRequestsException")
        if what == "dies after":
            do()
        raise DiedError

    loop.tap.fault = fault


def ask(loop: Loop, what: Verb | bool) -> None:
    last = loop.last
    if last is None:
        return
    if isinstance(what, Verb):
        loop.ask(what)
    elif last.plan is not None:
        loop.ask(Verb.APPROVE, last.plan.digest(loop.target.name) if what else "0" * 16)


def is_at_rest(loop: Loop) -> bool:
    last = loop.last
    if last is None:
        return True
    if last.effect is not None:
        return False
    return last.status in TERMINAL or last.status is Status.PROPOSED


def waits_for_a_reason(loop: Loop) -> bool:
    last = loop.last
    return last is not None and last.status is Status.OPEN and last.guard is not None


def check_acts(loops: Sequence[Loop]) -> None:
    for loop in loops:
        for act in loop.acts:
            assert act.mode is not Mode.OBSERVE or act.is_asked_for, f"acted in observe: {act}"
            plan = act.incident.plan
            assert plan is not None
            assert loop.target.remedy_of(plan.key) is not None, "an act that is nobody's remedy"
        intents = [act.intent for act in loop.applies()]
        assert len(intents) == len(set(intents)), f"twice for one intent: {intents}"
        check_budget([act.intent[1] for act in loop.applies()], loop.limits.target_budget)
    check_budget([act.intent[1] for loop in loops for act in loop.applies()], loops[0].limits.budget)


def check_budget(moments: list[str], limit: int) -> None:
    acts = sorted(parse_iso(moment) for moment in moments)
    for first, over in zip(acts, acts[limit:], strict=False):
        assert over - first > DAY, f"more than {limit} acts in a day: {acts}"


def check_history(loop: Loop) -> None:
    last = loop.last
    history = last.history if last else ()
    source = Status.OPEN
    for line in history:
        assert line.source == source
        assert (Status(line.source), Status(line.to)) in WAYS
        source = Status(line.to)
    assert last is None or last.status is source


@settings(
    derandomize=True,
    max_examples=200,
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    database=None,
)
@given(
    st.lists(st.tuples(st.sampled_from(REMEDIES), st.sampled_from(CAUSES)), min_size=1, max_size=3),
    st.sampled_from((Mode.ACT, Mode.ACT, Mode.SUGGEST, Mode.OBSERVE)),
    st.lists(event, min_size=4, max_size=30),
)
def test_whatever_happens(
    targets: list[tuple[tuple[Remedy, ...], str]], mode: Mode, events: list[tuple[str, int, Any]]
) -> None:
    table, loops = MemoryTable(), list[Loop]()
    for number, (remedies, cause) in enumerate(targets):
        target: Target = replace(TARGET, name=f"t{number}", function=f"fn{number}", remedies=remedies)
        loop = Loop(target, mode, table)
        loop.limits, loop.fleet_size = LIMITS, len(targets)
        loop.cause = partial(is_failing, loop, cause)
        loops.append(loop)
    fleet = Fleet(loops)
    fleet.run(2)
    for kind, place, what in events:
        fleet.happen(kind, loops[place % len(loops)], what)
        fleet.run(1)
    check_acts(loops)
    fleet.settle()
    check_acts(loops)
    for loop in loops:
        check_history(loop)
        assert is_at_rest(loop) or waits_for_a_reason(loop), f"no end: {loop.last}"
        assert Effect.PROBE not in {act.effect for act in loop.acts}


@pytest.mark.parametrize("state", ["INSUFFICIENT_DATA", "ALARM"])
def test_an_act_that_was_dropped_does_not_leave_an_incident_open_for_ever(state: str) -> None:
    """The alarm cleared before the act, and then neither alarm nor traffic says anything more."""
    loop = Loop()
    loop.cause = loop.fails_by_variable
    hook(loop, "throttled")
    loop.run(1)
    loop.cause, loop.requests = (lambda: False), 0
    loop.run(12)
    assert loop.incident.reason is Reason.ALARM_CLEARED
    loop.forced = state
    loop.run(100)
    assert loop.incident.status is Status.ESCALATED, loop.incident.reason
    assert len(loop.sns.sent) == 1
    assert loop.acts == []
