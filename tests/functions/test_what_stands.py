"""What the healer changed is not forgotten, whatever hides it, and is told when it is let go of."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.functions.healer.decide import retire
from selfheal.functions.healer.execute import execute
from selfheal.functions.healer.observation import Observation
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.target import Remedy, Target
from selfheal.functions.shared.contract import Mode
from tests.functions.support.faults import aws_error, die_after, die_before
from tests.functions.support.loop import Loop
from tests.functions.support.remedy_fakes import MAPPING
from tests.functions.support.scenarios import LIMIT, OVERRIDE, failing, helped_by_override
from tests.functions.support.world import REMEDY, START, TARGET

PAUSE = Remedy("pause_consumer", MAPPING, "Disabled", expires_after=300)
FOR_EVER = replace(PAUSE, expires_after=None)


def overridden() -> Loop:
    """A target that recovered by an override, which stands."""
    loop = helped_by_override()
    loop.run(25)
    assert loop.incident.status is Status.RECOVERED
    return loop


def leave(loop: Loop) -> None:
    """A deployment takes the target away."""
    removed = Target(loop.target.name, "", 0, (), ())
    seen = Observation(removed, loop.now, loop.mode, {}, loop.incident, fleet=loop.book.read_fleet())
    execute(seen, retire(seen), loop.aws, loop.clock)


@pytest.mark.parametrize(("ticks", "helps"), [(12, False), (25, True), (3, True)])
def test_an_environment_that_cannot_be_read_is_no_sign_that_it_was_changed_back(
    ticks: int, helps: bool
) -> None:
    """In people's hands, after recovery, and while it is verified."""
    loop = failing(REMEDY)
    if helps:
        loop.cause = loop.fails_by_variable
    loop.run(ticks)
    blocked = loop.book.read_fleet().blocking
    loop.function.readable = False
    loop.run(2)
    loop.function.readable = True
    loop.run(2)
    assert loop.standing == ["environment:FAILURE_RATE"]
    assert loop.book.read_fleet().blocking == blocked


def test_a_mapping_that_is_updating_is_no_sign_either() -> None:
    loop = failing(FOR_EVER)
    loop.run(12)
    loop.function.mapping, loop.function.settle = "Updating", lambda: None
    loop.run(1)
    loop.function.mapping = "Disabled"
    loop.run(2)
    assert loop.standing == [str(FOR_EVER.setting)]


def test_a_pause_that_was_done_and_is_still_updating_is_waited_for() -> None:
    loop = failing(PAUSE)
    loop.function.settle = lambda: None
    loop.tap.fail_acts(die_after)
    loop.run(2)
    loop.tap.mend()
    loop.function.mapping = "Updating"
    loop.pass_time(60)
    loop.run(1)
    assert loop.incident.effect is Effect.APPLY
    loop.function.mapping = "Disabled"
    loop.run(2)
    assert (loop.incident.reason, loop.standing) == (Reason.APPLIED_EARLIER, [str(PAUSE.setting)])


def test_a_revert_is_not_taken_for_done_while_the_mapping_is_updating() -> None:
    loop = Loop(replace(TARGET, remedies=(replace(PAUSE, expires_after=60),)))
    loop.cause = lambda: loop.now < START + timedelta(seconds=20)
    loop.run(4)
    loop.tap.fail_acts(die_before)
    loop.run(8)
    loop.tap.mend()
    loop.pass_time(60)
    loop.function.mapping = "Updating"
    loop.run(1)
    loop.function.mapping = "Disabled"
    assert loop.standing == [str(PAUSE.setting)]
    loop.run(30)
    assert (loop.function.mapping, loop.standing) == ("Enabled", [])


def test_that_one_setting_is_gone_says_nothing_of_the_others() -> None:
    loop = failing(REMEDY, FOR_EVER)
    loop.function.mapping, loop.function.settle = None, lambda: None
    loop.run(12)
    assert (loop.incident.reason, loop.standing) == (Reason.TARGET_GONE, ["environment:FAILURE_RATE"])
    assert loop.book.read_fleet().blocking == {"shop"}


@pytest.mark.parametrize("mode", [Mode.ACT, Mode.OBSERVE])
def test_what_expires_does_so_in_peoples_hands_and_after_recovery_too(mode: Mode) -> None:
    """A pause in vain; and one whose time was over while the healer only observed."""
    loop = Loop(replace(TARGET, remedies=(PAUSE,)))
    loop.cause = lambda: loop.now < START + timedelta(seconds=60)
    loop.run(5)
    if mode is Mode.OBSERVE:
        loop.set_mode(mode)
        loop.run(60)
        assert loop.function.mapping == "Disabled"
        loop.set_mode(None, 2)
    loop.run(60)
    assert (loop.function.mapping, loop.standing) == ("Enabled", [])
    assert loop.incident.status is Status.RECOVERED


@pytest.mark.parametrize("removed", [False, True])
def test_an_override_that_was_accepted_is_not_reminded_of_and_can_still_be_restored(removed: bool) -> None:
    """There is no reminder either when a deployment has removed the remedy."""
    loop = overridden()
    loop.cause = lambda: False
    loop.ask(Verb.ACCEPT)
    loop.run(1)
    told, target = len(loop.sns.sent), loop.target
    if removed:
        loop.target = replace(target, remedies=(REMEDY,))
    loop.pass_time(3 * 24 * 3600)
    loop.run(2)
    assert (len(loop.sns.sent), loop.standing) == (told, ["override:MODE"])
    loop.target = target
    loop.ask(Verb.RESTORE)
    loop.run(1)
    assert loop.live() == {"override:MODE": None}


def test_a_pause_that_does_not_come_to_an_end_stays_recorded() -> None:
    loop = Loop(replace(TARGET, remedies=(FOR_EVER,)))
    loop.cause = lambda: loop.now < START + timedelta(seconds=20)
    loop.run(2)
    loop.function.mapping, loop.function.settle = "Updating", lambda: None
    loop.run(100)
    assert Reason.CONFIGURATION_UNREADABLE in loop.reasons
    assert loop.standing == [str(FOR_EVER.setting)]


def test_restore_takes_back_all_that_stands_one_after_the_other() -> None:
    loop = Loop(replace(TARGET, remedies=(REMEDY, OVERRIDE)))
    loop.cause = lambda: loop.live()["override:MODE"] != "safe"
    loop.run(40)
    assert len(loop.standing) == 2
    loop.cause = lambda: False
    request = loop.ask(Verb.RESTORE)
    loop.run(40)
    assert loop.live() == {"environment:FAILURE_RATE": "0.3", "override:MODE": None}
    assert request.id in loop.incident.answered


@pytest.mark.parametrize("done", [True, False])
def test_of_a_target_that_was_removed_people_hear_all_that_stands_or_may(done: bool) -> None:
    loop = failing(REMEDY, OVERRIDE)
    if not done:
        loop.tap.fail_acts(die_after)
    loop.run(8 if done else 2)
    loop.pass_time(60)
    leave(loop)
    told = loop.sns.sent[-1]["Message"]
    assert "environment:FAILURE_RATE from '0.3' to '0'" in told
    assert ("override:MODE from unset to 'safe'" in told) is done
    assert "Put back by hand" in told
    assert re.findall(r"`selfheal (\w+)", told) == ["close"]
    assert loop.book.read_fleet().blocking == frozenset()


def test_a_removed_target_stays_known_until_people_were_told() -> None:
    loop = overridden()
    assert loop.book.read_fleet().standing == {"shop"}
    loop.sns.failing = True
    with pytest.raises(type(aws_error("x"))):
        leave(loop)
    fleet = loop.book.read_fleet()
    assert (fleet.acting, fleet.blocking, fleet.standing) == (frozenset(),) * 3
    assert fleet.unfinished == {"shop"}
    loop.sns.failing = False
    loop.pass_time(60)
    leave(loop)
    assert "override:MODE" in loop.sns.sent[-1]["Message"]
    fleet = loop.book.read_fleet()
    assert (fleet.acting, fleet.blocking, fleet.standing) == (frozenset(), frozenset(), frozenset())


def test_what_is_no_remedy_any_more_is_not_read_and_can_still_be_accepted() -> None:
    """The healer's role may not read it either."""
    loop = Loop(replace(TARGET, remedies=(LIMIT,)))
    loop.cause = lambda: loop.function.reserved is None
    loop.run(25)
    assert loop.standing == ["limit_concurrency"]
    loop.target, loop.cause = replace(loop.target, remedies=(OVERRIDE,)), lambda: False
    loop.function.refuse = {"get_function_concurrency": "AccessDeniedException"}
    loop.run(1)
    told = len(loop.sns.sent)
    loop.pass_time(24 * 3600)
    loop.elapse()
    assert loop.step().reason is Reason.DRIFT_STANDS
    assert len(loop.sns.sent) == told + 1
    loop.ask(Verb.ACCEPT)
    loop.run(1)
    assert loop.standing == []
