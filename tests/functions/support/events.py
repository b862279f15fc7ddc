"""What may happen to a fleet: to its services, to AWS, to the healer, and what people do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from selfheal.functions.healer.states import Effect, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.faults import die_after, die_before, throttle
from tests.functions.support.invariants import is_at_rest
from tests.functions.support.loop import Loop
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.scenarios import LIMIT, OVERRIDE, PAUSE, ROLLBACK, unremedied
from tests.functions.support.world import FAST_TARGET, REMEDY

LIMITS = Limits(
    budget=3,
    target_budget=2,
    flapping_limit=2,
    flapping_hold_seconds=600,
    cool_down_seconds=30,
    stability_seconds=30,
)
SAFE = replace(REMEDY, revert_safe=True)
REMEDIES = (
    (REMEDY,),
    (SAFE,),
    (replace(REMEDY, expires_after=60),),
    (replace(SAFE, expires_after=60), OVERRIDE),
    (OVERRIDE, SAFE),
    (replace(OVERRIDE, expires_after=120), replace(REMEDY, baseline="0")),
    (ROLLBACK, replace(LIMIT, revert_safe=True)),
    (replace(LIMIT, expires_after=60), PAUSE),
    (replace(PAUSE, revert_safe=True), replace(ROLLBACK, expires_after=60)),
    (),
)
CAUSES = ("none", "variable", "override", "unremedied", "unremedied", "always")
PROBES = (None, None, "{}")
MODES = (Mode.ACT, Mode.ACT, Mode.ACT, Mode.SUGGEST, Mode.OBSERVE)
SETTLE_TICKS = 400
"""Over an hour: the longest wait of a healer that nobody disturbs is the 600 s of a flapping target."""

TargetIs = tuple[tuple[Remedy, ...], str, str | None]
"""Remedies, cause and probe."""
Event = tuple[str, int, Any]
"""Kind, place of the target, and what."""

EXEMPT = (
    "reserved",
    "mapping",
)
"""Not while an act is pending: without a revision, an act that is taken back then looks like one not done."""

TOUCHES = ("change", "alias", "reserved", "mapping", "taken back")
"""What someone else may change of what the healer has set."""

FAULTS = {"throttled": throttle, "dies before": die_before, "dies after": die_after}

EVENTS: dict[str, SearchStrategy[Any]] = {
    "run": st.integers(1, 12),
    "cause": st.sampled_from(CAUSES),
    "fails or not": st.sampled_from(("none", "unremedied")),
    "force": st.sampled_from((None, "ALARM", "OK", "INSUFFICIENT_DATA")),
    "override": st.sampled_from((None, *Mode)),
    "approve": st.booleans(),
    "command": st.sampled_from([verb for verb in Verb if verb != Verb.APPROVE]),
    "change": st.sampled_from(("0", "0.3", "0.7")),
    "alias": st.sampled_from(("1", "3", "4", "10")),
    "taken back": st.none(),
    "reserved": st.sampled_from((None, 5, 7)),
    "mapping": st.sampled_from(("Enabling", "Enabled", "Disabling", "Disabled")),
    "deploy": st.integers(0, 3),
    "status": st.sampled_from(("InProgress", "Successful")),
    "readable": st.booleans(),
    "requests": st.sampled_from((0, 5, 100)),
    "fault": st.sampled_from((*FAULTS, None)),
    "mail": st.booleans(),
    "hours": st.integers(1, 30),
}
targets: SearchStrategy[list[TargetIs]] = st.lists(
    st.tuples(st.sampled_from(REMEDIES), st.sampled_from(CAUSES), st.sampled_from(PROBES)),
    min_size=1,
    max_size=3,
)
events: SearchStrategy[list[Event]] = st.lists(
    st.one_of([st.tuples(st.just(kind), st.integers(0, 2), what) for kind, what in EVENTS.items()]),
    min_size=10,
    max_size=40,
)


@dataclass
class Fleet:
    """Several targets with one clock, one ledger and one override of the mode."""

    loops: Sequence[Loop]
    versions: int = 0

    def happen(self, kind: str, loop: Loop, what: Any) -> None:  # noqa: C901, PLR0912 - one case an event
        if kind in EXEMPT and is_pending(loop):
            return
        if kind in TOUCHES or (kind, what) == ("command", Verb.ACCEPT):
            loop.touched = len(loop.acts)
        match kind:
            case "run":
                self.run(what)
            case "cause" | "fails or not":
                loop.cause = cause_of(loop, what)
            case "force":
                loop.forced = what
            case "override":
                self.versions += 1
                loop.set_mode(what, self.versions)
            case "approve" | "command":
                ask(loop, what)
            case "taken back":
                loop.tap.fail_acts(die_after)
                self.run(1)
                loop.tap.mend()
                self.happen("change", loop, "0.3")
                self.happen("alias", loop, "4")
            case "change":
                loop.function.change(FAILURE_RATE=what)
            case "alias":
                loop.function.point_alias(what)
            case "reserved" | "mapping":
                setattr(loop.function, kind, what)
            case "deploy":
                loop.function.change(OTHER=str(what))
            case "status" | "readable":
                setattr(loop.function, kind, what)
            case "requests":
                loop.requests = what
            case "fault":
                loop.tap.fail_acts(FAULTS[what]) if what else loop.tap.mend()
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
            loop.tap.mend()
            loop.function.status, loop.sns.failing = "Successful", False
        for _ in range(SETTLE_TICKS):
            if all(is_at_rest(loop) for loop in self.loops):
                return
            self.run(1)


def fleet_of(given: list[TargetIs], mode: Mode) -> Fleet:
    table, loops = MemoryTable(), list[Loop]()
    for number, (remedies, cause, probe) in enumerate(given):
        name, function = f"t{number}", f"fn{number}"
        target = replace(FAST_TARGET, name=name, function=function, remedies=remedies, probe=probe)
        loop = Loop(target, mode, table)
        loop.limits, loop.fleet_size, loop.cause = LIMITS, len(given), cause_of(loop, cause)
        loops.append(loop)
    return Fleet(loops)


def cause_of(loop: Loop, name: str) -> Callable[[], bool]:
    match name:
        case "variable":
            return loop.fails_by_variable
        case "override":
            return lambda: loop.live().get("override:MODE") != "safe"
        case "unremedied":
            return unremedied(loop)
        case _:
            return lambda: name == "always"


def is_pending(loop: Loop) -> bool:
    return loop.last is not None and loop.last.effect in (Effect.APPLY, Effect.REVERT)


def ask(loop: Loop, what: Verb | bool) -> None:
    last = loop.last
    if last is None:
        return
    if isinstance(what, Verb):
        loop.ask(what)
    elif last.plan is not None:
        loop.ask(Verb.APPROVE, last.plan.digest(loop.target.name) if what else "0" * 16)
