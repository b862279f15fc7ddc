"""Waits that never end by themselves: when people are told, what they are told, and what follows."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.faults import die_before, throttle
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import OVERRIDE, PAUSE, failing, looping
from tests.functions.support.world import REMEDY

LASTING_PAUSE = replace(PAUSE, expires_after=None)
FLEET = {"pk": {"S": "fleet"}, "sk": {"S": "open"}}
CALLED = 15
"""Minutes after which people are called."""


def minutes(loop: Loop, count: int) -> None:
    """Run once a minute."""
    for _ in range(count):
        loop.pass_time(50)
        loop.tick()


def subjects(loop: Loop) -> list[str]:
    return [each["Subject"] for each in loop.sns.sent]


def stuck_mapping(effect: Effect) -> Loop:
    """Return a target whose mapping stays in Updating in the middle of an apply or a revert."""
    loop = failing(replace(LASTING_PAUSE, revert_safe=effect is Effect.REVERT))
    if effect is Effect.REVERT:
        run_until(loop, lambda: loop.incident.status is Status.VERIFYING)
    loop.tap.fail_acts(throttle)
    run_until(loop, lambda: loop.incident.effect is effect)
    loop.function.mapping = "Updating"
    loop.tap.mend()
    return loop


def run_until(loop: Loop, holds: Callable[[], bool]) -> None:
    for _ in range(60):
        loop.run(1)
        if holds():
            return
    raise AssertionError(f"never: {loop.last}")


def planned(*remedies: Remedy) -> Loop:
    """Return a failing target with a recorded plan: another target's change has kept it waiting."""
    loop = failing(*remedies)
    loop.fleet_size = 2
    loop.dynamodb.items["fleet", "open"] = FLEET | {"acting": {"SS": ["cart"]}}
    minutes(loop, 1)
    assert loop.incident.reason is Reason.BLAST_RADIUS
    loop.dynamodb.items["fleet", "open"] = FLEET
    loop.sns.sent.clear()
    return loop


@pytest.mark.parametrize("effect", [Effect.APPLY, Effect.REVERT])
def test_a_mapping_that_stays_in_updating_is_left_to_people_and_frees_the_fleet(effect: Effect) -> None:
    loop = stuck_mapping(effect)
    minutes(loop, CALLED - 2)
    assert (loop.incident.status, loop.sns.sent) == (Status.ACTING, [])
    assert loop.book.read_fleet().acting == {"shop"}
    minutes(loop, 3)
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.TARGET_BUSY)
    assert loop.book.read_fleet().acting == frozenset()
    assert len(loop.sns.sent) == 1
    assert loop.standing == [f"pause_consumer:{PAUSE.name}"], "it may have been done"


@pytest.mark.parametrize("effect", [Effect.APPLY, Effect.REVERT])
def test_a_rollback_of_a_change_that_cannot_be_seen_is_answered(effect: Effect) -> None:
    loop = stuck_mapping(effect)
    request = loop.ask(Verb.ROLLBACK, minutes=30)
    minutes(loop, 1)
    if effect is Effect.APPLY:
        assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.ROLLED_BACK)
    loop.cause = lambda: False
    minutes(loop, 40)
    assert request.id in loop.incident.answered
    assert loop.incident.status in (Status.ESCALATED, Status.RECOVERED)
    assert any("command-expired" in each or "target-busy" in each for each in subjects(loop))


def test_a_rollback_of_a_change_in_transition_is_done_once_it_can_be_seen() -> None:
    loop = stuck_mapping(Effect.APPLY)
    request = loop.ask(Verb.ROLLBACK)
    minutes(loop, 5)
    assert request.id not in loop.incident.answered
    loop.function.mapping, loop.cause = "Disabled", lambda: False
    minutes(loop, 3)
    assert request.id in loop.incident.answered
    assert (loop.function.mapping, loop.standing) == ("Enabled", [])
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.ROLLED_BACK)
    assert len(loop.sns.sent) == 1


def test_a_rollback_while_a_remedy_is_taken_back_anyway_holds_the_target() -> None:
    """Else the request would be refused, as nothing stands any more, and the next remedy applied."""
    loop = failing(replace(REMEDY, revert_safe=True), OVERRIDE)
    run_until(loop, lambda: loop.incident.status is Status.VERIFYING)
    loop.tap.fail_acts(throttle)
    run_until(loop, lambda: loop.incident.effect is Effect.REVERT)
    request = loop.ask(Verb.ROLLBACK)
    loop.tap.mend()
    loop.run(20)
    assert request.id in loop.incident.answered
    assert (loop.incident.status, loop.incident.reason) == (Status.ESCALATED, Reason.ROLLED_BACK)
    assert loop.live() == {"environment:FAILURE_RATE": "0.3", "override:MODE": None}


def test_a_run_that_dies_at_each_act_is_given_up_after_five() -> None:
    loop = looping(REMEDY)
    loop.tap.fail_acts(die_before)
    minutes(loop, 10)
    assert loop.incident.reason is Reason.ATTEMPTS_EXHAUSTED
    assert loop.book.read_fleet().acting == frozenset()
    assert len(loop.sns.sent) == 1


def test_a_deployment_that_never_ends_is_told_once_and_waited_for() -> None:
    loop = planned(REMEDY)
    for number in range(40):
        loop.function.extra = {"MemorySize": number}
        minutes(loop, 1)
    assert loop.acts == []
    assert subjects(loop) == ["[selfheal] OPEN: shop (deployment-in-progress)"]
    loop.function.extra = {}
    minutes(loop, 5)
    assert len(loop.applies()) == 1


@pytest.mark.parametrize("alternate", [True, False])
def test_a_target_that_is_always_being_changed_is_left_to_people(alternate: bool) -> None:
    """Also where busy and changed configurations take turns: to the healer both are one wait."""
    loop = planned(REMEDY)
    for number in range(40):
        loop.function.status = "InProgress" if number % 2 or not alternate else "Successful"
        loop.function.extra = {"MemorySize": number}
        minutes(loop, 1)
    assert loop.incident.status is Status.ESCALATED
    assert loop.acts == []
    assert len(loop.sns.sent) == 1


def test_a_cool_down_that_is_longer_than_people_should_wait_is_told_and_then_over() -> None:
    loop = looping(REMEDY)
    loop.limits = Limits(cool_down_seconds=7200)
    minutes(loop, 6)
    assert loop.incident.status is Status.RECOVERED
    sent = len(loop.sns.sent)
    loop.function.change(FAILURE_RATE="0.3")
    minutes(loop, 10)
    assert loop.incident.reason is Reason.COOL_DOWN
    assert len(loop.sns.sent) == sent
    minutes(loop, 60)
    assert len(loop.sns.sent) == sent + 1
    assert "Guard: cool-down until" in loop.sns.sent[-1]["Message"]
    minutes(loop, 60)
    assert len(loop.applies()) == 2


def test_a_blast_radius_of_targets_that_never_leave_is_told_at_once_and_each_day() -> None:
    loop = looping(REMEDY)
    loop.fleet_size = 2
    loop.dynamodb.items["fleet", "open"] = {
        "pk": {"S": "fleet"},
        "sk": {"S": "open"},
        "acting": {"SS": ["cart"]},
    }
    for _ in range(3 * 24):
        loop.pass_time(3590 - 10)
        loop.tick()
    assert loop.acts == []
    assert subjects(loop)[0] == "[selfheal] OPEN: shop (blast-radius)"
    assert subjects(loop)[1:] == ["[selfheal] reminder: OPEN: shop (blast-radius)"] * 2


def test_a_proposal_that_nobody_approves_is_told_again_each_day() -> None:
    loop = looping(REMEDY, mode=Mode.SUGGEST)
    for _ in range(3 * 24):
        loop.pass_time(3590)
        loop.tick()
    assert loop.incident.status is Status.PROPOSED
    assert [each.count("reminder") for each in subjects(loop)] == [0, 1, 1]
    assert "`selfheal approve " in loop.sns.sent[-1]["Message"]


def test_an_override_of_the_mode_in_an_incident_is_no_end_of_it() -> None:
    """It was proposed in suggest; then the healer is restricted to observe, and nobody comes back to it."""
    loop = looping(REMEDY, mode=Mode.SUGGEST)
    loop.run(2)
    loop.set_mode(Mode.OBSERVE)
    for _ in range(2 * 24 + 1):
        loop.pass_time(3590)
        loop.tick()
    assert loop.incident.mode is Mode.OBSERVE
    assert [each.count("reminder") for each in subjects(loop)] == [0, 1, 1]


def test_in_observe_nobody_is_told_however_long_it_lasts() -> None:
    loop = failing(REMEDY, mode=Mode.OBSERVE)
    for _ in range(3 * 24):
        loop.pass_time(3590)
        loop.tick()
    assert loop.incident.status is Status.PROPOSED
    assert loop.sns.sent == []


def test_a_long_pause_is_told_though_it_was_declared() -> None:
    """Nothing is wrong yet, but a consumer that stands still for half a day is nothing to find by chance."""
    loop = looping(replace(PAUSE, expires_after=43200))
    minutes(loop, 58)
    assert (loop.incident.status, loop.sns.sent) == (Status.VERIFYING, [])
    minutes(loop, 5)
    assert subjects(loop) == ["[selfheal] VERIFYING: shop (applied)"]


def test_of_several_changes_one_that_is_stuck_does_not_keep_the_request_open() -> None:
    """A restore of two changes; the mapping, which is the first to be reverted, stays in Updating."""
    loop = failing(REMEDY, LASTING_PAUSE)
    minutes(loop, 8)
    loop.cause = lambda: False
    minutes(loop, 10)
    assert loop.incident.status is Status.RECOVERED
    assert len(loop.standing) == 2
    request, sent = loop.ask(Verb.RESTORE), len(loop.sns.sent)
    loop.function.mapping = "Updating"
    minutes(loop, 40)
    assert request.id in loop.incident.answered
    assert subjects(loop)[sent:] == ["[selfheal] RECOVERED: shop (command-expired)"]
    assert len(loop.standing) == 2


def test_drift_whose_function_is_gone_is_told_and_over() -> None:
    loop = looping(REMEDY)
    minutes(loop, 6)
    assert loop.incident.status is Status.RECOVERED
    loop.function.exists, loop.requests = False, 0
    minutes(loop, 3)
    assert loop.standing == []
    assert subjects(loop)[-1] == "[selfheal] RECOVERED: shop (target-gone)"
    sent = len(loop.sns.sent)
    for _ in range(48):
        loop.pass_time(3600)
        loop.tick()
    assert len(loop.sns.sent) == sent


def test_drift_that_cannot_be_read_is_told_again_all_the_same() -> None:
    loop = looping(REMEDY)
    minutes(loop, 6)
    loop.function.readable = False
    for _ in range(49):
        loop.pass_time(3600)
        loop.tick()
    assert [each for each in subjects(loop) if "drift-stands" in each] == [
        "[selfheal] reminder: RECOVERED: shop (drift-stands)"
    ] * 2
