"""What happens to a fleet over time, given or generated: no act that is not allowed, and always an end."""

from dataclasses import replace
from functools import partial

from hypothesis import HealthCheck, settings

from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.events import Event, TargetIs, ask, fleet_of
from tests.functions.support.faults import throttle
from tests.functions.support.invariants import check_acts, check_history, check_standing, is_at_rest
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import OVERRIDE, expired, helped, looping
from tests.functions.support.world import REMEDY

SETTINGS = settings(
    derandomize=True,
    max_examples=200,
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    database=None,
)


def allow_no_act_against_the_rules(given_targets: list[TargetIs], mode: Mode, happened: list[Event]) -> None:
    fleet = fleet_of(given_targets, mode)
    fleet.run(2)
    for kind, place, what in happened:
        fleet.happen(kind, fleet.loops[place % len(fleet.loops)], what)
        fleet.run(1)
        for loop in fleet.loops:
            check_standing(loop)
    check_acts(fleet.loops)
    fleet.settle()
    check_acts(fleet.loops)
    for loop in fleet.loops:
        check_standing(loop)
        check_history(loop)
        assert is_at_rest(loop), f"no end: {loop.last}"


def leave_alone_what_flaps() -> None:
    loop = looping(REMEDY)
    loop.limits = Limits(flapping_limit=2, cool_down_seconds=500)
    for _ in range(5):
        loop.cause = lambda: False
        loop.function.change(FAILURE_RATE="0.3")
        loop.run(2)
        loop.cause = loop.fails_by_variable
        loop.run(40)
    check_acts([loop])
    assert loop.incident.reason is Reason.FLAPPING
    assert len(loop.applies()) == 2


def remember_what_did_not_help() -> None:
    loop = looping(REMEDY)
    for cause in (True, False, True):
        loop.cause = partial(bool, cause)
        loop.run(30)
        loop.function.change(FAILURE_RATE="0.3")
    check_acts([loop])
    assert loop.incident.reason is Reason.HELD
    assert len(loop.applies()) == 1


def revert_nothing_while_an_alarm_rings() -> None:
    loop = looping(replace(REMEDY, expires_after=120))
    loop.run(6)
    loop.forced = "ALARM"
    loop.run(100)
    check_acts([loop])
    assert loop.incident.reason is Reason.ALARM_STUCK


def revert_nothing_that_someone_else_set() -> None:
    loop = expired()
    loop.run(6)
    loop.function.change(FAILURE_RATE="0.7")
    loop.run(20)
    check_acts([loop])
    assert loop.function.variables["FAILURE_RATE"] == "0.7"


def use_no_approval_again_after_a_release() -> None:
    loop = looping(replace(REMEDY, revert_safe=True), mode=Mode.SUGGEST)
    loop.cause = lambda: True
    loop.run(1)
    ask(loop, True)
    loop.run(20)
    assert loop.incident.status is Status.ESCALATED
    loop.function.change(FAILURE_RATE="0.3")
    loop.run(1)
    ask(loop, Verb.RELEASE)
    loop.run(20)
    check_acts([loop])
    assert loop.incident.status is Status.PROPOSED


def apply_nothing_that_is_no_longer_a_remedy() -> None:
    """A deployment takes the remedy away while its revert is watched, and then the failure comes back."""
    loop = expired()
    loop.run(15)
    assert loop.incident.is_watching
    loop.target, loop.cause = replace(loop.target, remedies=(OVERRIDE,)), lambda: True
    loop.run(40)
    check_acts([loop])
    assert loop.function.variables["FAILURE_RATE"] == "0.3"


def change_nothing_that_a_forged_intent_names() -> None:
    loop = helped()
    loop.run(1)
    loop.forge_intent()
    loop.run(20)
    assert loop.function.variables["OTHER"] == "kept"


def end_an_incident_whose_act_was_dropped(state: str) -> None:
    """The alarm cleared before the act, and then neither alarm nor traffic says anything more."""
    loop = Loop()
    loop.cause = loop.fails_by_variable
    loop.tap.fail_acts(throttle)
    loop.run(1)
    loop.cause, loop.requests = (lambda: False), 0
    loop.run(12)
    assert loop.incident.reason is Reason.ALARM_CLEARED
    loop.forced = state
    loop.run(100)
    assert loop.incident.status is Status.ESCALATED, loop.incident.reason
    assert len(loop.sns.sent) == 1
    assert loop.acts == []
