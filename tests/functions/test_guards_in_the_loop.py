"""Guards that show only where the world answers back: limits, holds, other alarms, windows, old probes."""

from dataclasses import replace
from datetime import timedelta

from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Limits
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import LIMIT
from tests.functions.support.world import BACKSTOP, TARGET


def test_a_limit_that_a_person_set_is_never_raised() -> None:
    loop = Loop(replace(TARGET, remedies=(LIMIT,)))
    loop.function.reserved, loop.cause = 0, lambda: True
    loop.run(5)
    assert (loop.function.reserved, loop.incident.reason) == (0, Reason.ALREADY_APPLIED)


def test_a_hold_that_waits_for_a_release_outlives_other_escalations() -> None:
    loop = Loop()
    loop.cause = loop.fails_by_variable
    loop.run(5)
    loop.ask(Verb.ROLLBACK)
    loop.cause = lambda: False
    loop.run(30)
    loop.forced = "ALARM"
    loop.run(100)
    assert loop.incident.reason is Reason.ALARM_STUCK
    loop.forced = None
    loop.run(30)
    acts = len(loop.acts)
    loop.pass_time(7200)
    loop.cause = lambda: True
    loop.run(6)
    assert (loop.incident.reason, len(loop.acts)) == (Reason.HELD, acts)


def test_what_comes_back_after_a_restore_is_not_applied_again_on_a_held_target() -> None:
    loop = Loop()
    loop.cause = lambda: True
    loop.run(12)
    loop.cause = lambda: False
    loop.run(40)
    loop.ask(Verb.RESTORE)
    loop.run(2)
    loop.cause = lambda: True
    loop.run(3)
    assert (loop.incident.reason, len(loop.applies())) == (Reason.RELAPSED, 1)


def test_another_alarm_that_rings_and_is_borne_out_keeps_the_incident_open() -> None:
    """Half of the calls die before the service can count them."""
    loop = Loop()
    loop.cause = loop.fails_by_variable
    loop.run(1)
    loop.cloudwatch.set("backstop", "ALARM", loop.now)
    for _ in range(30):
        if loop.now.second == 0:
            loop.cloudwatch.put(loop.now - timedelta(seconds=60), 600, 300, BACKSTOP)
        loop.run(1)
    assert Status.RECOVERED not in [line.to for line in loop.incident.history]


def test_the_stability_window_sees_all_of_itself() -> None:
    """A burst of 10 s, whose alarm rang between two runs."""
    loop = Loop()
    loop.limits, loop.requests = Limits(stability_seconds=300), 1000
    burst = [False]
    loop.cause = lambda: loop.fails_by_variable() or burst[0]
    loop.run(30)
    burst[0] = True
    loop.elapse()
    burst[0] = False
    loop.elapse()
    loop.run(25)
    assert loop.incident.status is Status.VERIFYING
    loop.run(20)
    assert loop.incident.status is Status.RECOVERED


def test_probes_of_an_earlier_time_decide_nothing() -> None:
    loop = Loop(replace(TARGET, probe="{}"))
    failing = [True]
    loop.cause = lambda: failing[0]
    loop.run(3)
    loop.requests, loop.forced = 0, "ALARM"
    loop.run(20)
    failing[0], loop.forced, loop.requests = False, None, 100
    loop.run(40)
    assert loop.incident.status is Status.RECOVERED
