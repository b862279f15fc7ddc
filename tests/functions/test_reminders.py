"""What is unresolved is told again until somebody acts; what repeats itself is summed up."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.functions.healer import forgotten
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.observe import Setup
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.handler import Healer
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import failing
from tests.functions.support.world import OPERATOR, REMEDY

DAY = 86400


def subjects(loop: Loop) -> list[str]:
    return [each["Subject"] for each in loop.sns.sent]


def hours(loop: Loop, count: int) -> None:
    for _ in range(count):
        loop.pass_time(3580)
        loop.run(2)  # the first may only write down what it has counted


@pytest.mark.parametrize(("every", "least", "most"), [(DAY, 2, 3), (3600, 45, 73), (7 * DAY, 0, 0)])
def test_an_escalation_is_told_again_as_often_as_configured(every: int, least: int, most: int) -> None:
    """A run that writes down what it has counted leaves the reminder to the next."""
    loop = failing()
    loop.limits = Limits(remind_seconds=every)
    loop.run(2)
    hours(loop, 73)
    assert "reminder" not in subjects(loop)[0]
    again = subjects(loop)[1:]
    assert set(again) <= {"[selfheal] reminder: ESCALATED: shop (no-remedy-configured)"}
    assert least <= len(again) <= most
    if again:
        assert "A reminder: this is unresolved" in loop.sns.sent[-1]["Message"]
        assert "A reminder" not in loop.sns.sent[0]["Message"]


def test_a_release_ends_the_reminders_of_a_hold() -> None:
    loop = failing(REMEDY)
    loop.run(12)
    loop.cause = lambda: False
    loop.run(40)
    assert loop.incident.status is Status.RECOVERED
    assert loop.incident.hold is not None
    loop.function.change(FAILURE_RATE="0.3")  # nothing stands any more; only the hold is left
    hours(loop, 25)
    assert "reminder: RECOVERED" in subjects(loop)[-1]
    loop.ask(Verb.RELEASE)
    loop.run(2)
    sent = len(loop.sns.sent)
    hours(loop, 49)
    assert len(loop.sns.sent) == sent


def test_a_lost_mail_is_no_silence() -> None:
    """SNS took it, and nobody got it."""
    loop = failing()
    loop.run(2)
    loop.sns.sent.clear()
    hours(loop, 25)
    assert len(loop.sns.sent) == 1


def flap(loop: Loop, days: int) -> None:
    """Fail for half a minute, and be well again, every 25 minutes."""
    ends = loop.now + timedelta(days=days)
    while loop.now < ends:
        loop.cloudwatch.forget(timedelta(hours=3))
        loop.cause = lambda: True
        loop.run(3)
        loop.cause = lambda: False
        loop.run(10)
        loop.pass_time(1500 - 130)


@pytest.mark.slow
@pytest.mark.parametrize("why", ["held", "budget spent", "no remedy"])
def test_a_target_that_is_left_alone_and_flaps_for_days_is_told_once_and_summed_up_daily(why: str) -> None:
    loop = failing(*([] if why == "no remedy" else [REMEDY]))
    loop.limits = Limits(target_budget=1, flapping_limit=3)
    if why == "held":
        loop.run(12)
        assert loop.incident.hold is not None
    flap(loop, 1)
    first_day = len(loop.sns.sent)
    assert first_day <= 10
    flap(loop, 2)
    later = subjects(loop)[first_day:]
    assert 2 <= len(later) <= 4, later
    summaries = [
        each["Message"] for each in loop.sns.sent if "of which no notice was sent" in each["Message"]
    ]
    assert 2 <= len(summaries) <= 3


@pytest.mark.slow
def test_what_is_summed_up_is_counted_from_one_summary_to_the_next() -> None:
    loop = failing()
    loop.limits = Limits(flapping_limit=1)
    flap(loop, 1)
    assert loop.incident.quiet > 10
    flap(loop, 1)
    told = [each["Message"] for each in loop.sns.sent if "no notice was sent" in each["Message"]]
    assert len(told) == 1
    assert loop.incident.quiet < 60


def test_a_person_who_releases_it_hears_of_the_next_incident_at_once() -> None:
    loop = failing()
    loop.limits = Limits(flapping_limit=1)
    flap(loop, 1)
    assert loop.incident.quiet
    loop.cause = lambda: True
    loop.run(3)
    assert loop.incident.status is Status.ESCALATED
    loop.ask(Verb.RELEASE)
    sent = len(loop.sns.sent)
    loop.run(3)
    assert len(loop.sns.sent) == sent + 1
    assert loop.incident.quiet == 0


def test_an_incident_with_a_remedy_applied_is_always_told() -> None:
    loop = failing(replace(REMEDY, revert_safe=True))
    loop.limits = Limits(flapping_limit=1)
    loop.run(15)
    assert loop.incident.acts
    assert len(loop.sns.sent) == 1


def test_a_notice_that_is_never_accepted_makes_each_run_fail_until_it_is_sent(healer: Healer) -> None:
    """So that the alarm on the healer's errors rings once and stays."""
    healer.target = replace(healer.target, remedies=())
    healer.look_after(healer.target)
    healer.sns.failing = True
    failed = list[str]()
    healer.dynamodb.clock = healer.clock  # the runs take place at the world's time
    healer.break_down()
    for _ in range(30):
        with pytest.raises(healer.handler.RunFailedError) as ended:
            healer.handle()
        failed.append(str(ended.value))
        healer.pass_time(60)
    assert "ClientError InternalError Publish" in failed[0]
    assert any("a notice of shop-" in each and "could not be sent" in each for each in failed)
    assert healer.incident.reason is Reason.NO_REMEDY
    healer.sns.failing = False
    for _ in range(20):
        healer.pass_time(60)
        try:
            healer.handle()
        except healer.handler.RunFailedError:
            continue
    assert len([each for each in healer.sns.sent if "no-remedy" in each["Subject"]]) == 1
    healer.handle()


def mode_notices(healer: Healer, count: int, *, minutes: int = 60) -> list[str]:
    """Run that often, so far apart, and return the subjects of what people are told of the mode."""
    before = len(healer.sns.sent)
    for _ in range(count):
        healer.pass_time(60 * minutes)
        healer.handle()
    return [each["Subject"] for each in healer.sns.sent[before:]]


@pytest.fixture
def well(healer: Healer) -> Healer:
    """A healer whose target is well and has no incident, at the world's time."""
    healer.dynamodb.clock = healer.clock
    return healer


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.SUGGEST])
def test_a_forgotten_override_of_the_mode_is_told_each_day_until_it_is_cleared(
    well: Healer, mode: Mode
) -> None:
    well.set_mode(mode)
    since = iso(well.now)
    assert mode_notices(well, 23) == []
    assert mode_notices(well, 1) == [f"[selfheal] reminder: mode {mode}, overridden since {since}"]
    assert (
        f"A reminder: the mode is {mode}, overridden at {since} by {OPERATOR} (a test)."
        in (well.sns.sent[-1]["Message"])
    )
    fields = json.loads(well.sns.forms[-1]["default"])["mode_override"]
    assert fields == {"mode": mode, "baseline": "act", "at": since, "by": OPERATOR, "why": "a test"}
    assert mode_notices(well, 30, minutes=10) == []
    assert len(mode_notices(well, 48)) == 2
    well.set_mode(None, 2)
    assert mode_notices(well, 50) == []
    well.set_mode(mode, 3)  # its own day begins, whenever people were last told of another
    assert mode_notices(well, 23) == []
    assert len(mode_notices(well, 1)) == 1
    assert well.last is None


def test_an_override_that_restricts_nothing_is_not_told(well: Healer) -> None:
    well.set_mode(Mode.ACT)
    assert mode_notices(well, 30) == []
    well.set(MODE=Mode.OBSERVE)
    well.set_mode(Mode.OBSERVE, 2)
    assert mode_notices(well, 30) == []


@pytest.mark.parametrize("at", ["", "yesterday", "2026-01-01T00:00:00", "2999-01-01T00:00:00.000Z"])
def test_an_override_of_which_nobody_can_tell_since_when_is_told_at_once(well: Healer, at: str) -> None:
    well.set_mode(Mode.OBSERVE)
    well.dynamodb.items["mode", "override"]["at"] = {"S": at}
    assert len(mode_notices(well, 30)) == 2


def test_a_reminder_of_the_mode_that_cannot_be_sent_is_sent_later(well: Healer) -> None:
    well.set_mode(Mode.OBSERVE)
    well.pass_time(DAY)
    well.sns.failing = True
    for _ in range(2):
        with pytest.raises(well.handler.RunFailedError, match="the mode: its override could not be told of"):
            well.handle()
    well.sns.failing = False
    assert len(mode_notices(well, 3, minutes=1)) == 1


def test_two_runs_at_once_remind_of_the_mode_once(well: Healer) -> None:
    well.set_mode(Mode.OBSERVE)
    well.pass_time(DAY)
    glance = well.book.glance(())
    seen = glance.fleet, Setup(Mode.ACT, glance.mode(), Limits(), 1)
    for _ in range(2):
        forgotten.remind(well.aws, *seen, well.now)
    assert len(well.sns.sent) == 1
