"""What is unresolved is told again until somebody acts; what repeats itself is summed up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Limits
from tests.functions.support.handler import Healer
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import failing
from tests.functions.support.world import REMEDY

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
