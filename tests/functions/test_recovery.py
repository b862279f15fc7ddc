"""What closes an incident: evidence of all calls since the change, however late it becomes known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.observe import alarm_state, read_alarms
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import AlarmKind, Invocation, Mode
from tests.functions.support.minutes import MINUTE, SLOW, Minutes, target_of
from tests.functions.support.world import FAST, REMEDY, START, World

OVERRIDE = Remedy("override", "MODE", "safe")
LIMIT = Remedy("limit_concurrency", "", "5")
HOUR = 60


def overridden(timeout: int, *, instrumented: bool = False) -> Minutes:
    target = target_of(timeout, instrumented=instrumented)
    return Minutes(replace(target, remedies=(OVERRIDE,)))


def hang_until_it_acts(world: Minutes, well: int = 80, hanging: int = 20) -> None:
    world.until(Reason.ALARM_CONFIRMED, 30, well, hanging)
    assert world.live()["override:MODE"] == "safe"


@pytest.mark.parametrize("instrumented", [False, True])
def test_calls_that_hang_are_waited_for_and_survivors_are_no_recovery(instrumented: bool) -> None:
    """A fifth of the calls hangs for 300 s, before the remedy and after it."""
    world = overridden(300, instrumented=instrumented)
    hang_until_it_acts(world)
    reasons = world.minutes(2 * HOUR, 80, 20)
    assert Status.RECOVERED not in world.statuses
    assert Reason.REMEDY_INEFFECTIVE in reasons[:9]
    assert world.incident.status is Status.ESCALATED


@pytest.mark.parametrize("instrumented", [False, True])
@pytest.mark.parametrize("timeout", [3, 300, 900])
def test_recovery_takes_as_long_as_a_failure_may_stay_unknown(timeout: int, instrumented: bool) -> None:
    """SETTLE, the rest of a minute, one minute, and its lateness: then the first minute is complete."""
    world = overridden(timeout, instrumented=instrumented)
    hang_until_it_acts(world)
    took = world.until(Reason.RECOVERED, 40, 200)
    assert took == -(-(60 + 60 + timeout + 60) // 60) * 60
    assert world.statuses == ["ACTING", "VERIFYING", "RECOVERED"]
    assert world.minutes(30, 200)[-1] is Reason.DRIFT_STANDS
    assert len(world.sns.sent) == 1


def test_the_timeout_that_the_function_has_counts_if_it_is_longer_than_the_declared_one() -> None:
    world = overridden(3)
    world.function.timeout = 300
    world.until(Reason.ALARM_CONFIRMED, 30, 80, failing=20)
    assert world.until(Reason.RECOVERED, 40, 200) == 8 * 60


def test_what_becomes_known_after_the_incident_has_closed_opens_another() -> None:
    world = overridden(300)
    hang_until_it_acts(world)
    world.until(Reason.RECOVERED, 40, 200)
    closed = world.incident.id
    assert world.incident.evidence is not None
    (counted,) = world.incident.evidence.counts
    assert parse_iso(counted.until) <= world.now - timedelta(seconds=360)
    # These calls began before the incident closed, and were not counted.
    world.cloudwatch.add(parse_iso(counted.until), 0, 20)
    world.until(Reason.ALREADY_APPLIED, 2, 200)
    assert world.incident.id != closed
    assert world.incident.began_at == counted.until


def test_an_alarm_of_an_hour_closes_by_evidence_although_it_still_rings() -> None:
    world = overridden(60)
    world.mode = Mode.SUGGEST
    world.until(Reason.MODE_FORBIDS, HOUR, 0, failing=5)
    assert world.incident.alarm == SLOW.name
    world.minutes(50, 0, failing=5)
    assert world.incident.plan is not None
    world.ask(Verb.APPROVE, world.incident.plan.digest("shop"))
    assert world.minute(0, failing=5) is Reason.APPROVED
    assert world.until(Reason.RECOVERED, HOUR, 8) > 138 / 8 * 60
    assert world.cloudwatch.states[SLOW.name] == "ALARM"
    told = len(world.sns.sent)
    assert set(world.minutes(2 * HOUR, 8)) == {Reason.DRIFT_STANDS}
    assert len(world.sns.sent) == told


def test_an_alarm_of_an_hour_is_given_its_hour_and_then_people_are_called() -> None:
    world = overridden(60)
    world.until(Reason.ALARM_CONFIRMED, HOUR, 0, failing=1)
    took = world.until(Reason.NO_EVIDENCE, 2 * HOUR, 1)
    assert took == (60 + 2 + 1 + 2) * 60


def test_the_configuration_from_before_serves_until_the_change_has_settled() -> None:
    """In a VPC that may take a minute and more."""
    world = Minutes(target_of(3, instrumented=True))
    world.until(Reason.ALARM_CONFIRMED, 30, 80, failing=20)
    world.function.status = "InProgress"
    assert world.minutes(3, 80, failing=20) == [Reason.TARGET_BUSY] * 3
    world.function.status = "Successful"
    assert world.minute(80, failing=20) is Reason.COLLECTING_EVIDENCE
    assert world.incident.settled_at is not None
    assert parse_iso(world.incident.settled_at) == world.now
    world.until(Reason.RECOVERED, 10, 200)
    assert len(world.function.updates) == 1


def test_a_change_that_does_not_settle_is_left_to_people_as_busy() -> None:
    world = Minutes(target_of(3))
    world.until(Reason.ALARM_CONFIRMED, 30, 80, failing=20)
    world.function.status = "InProgress"
    assert world.until(Reason.TARGET_BUSY, 1, 80, failing=20) == 60
    reasons = world.minutes(20, 80, failing=20)
    assert Reason.AWAITING_PEOPLE in reasons
    assert (world.incident.status, world.incident.reason) == (Status.ESCALATED, Reason.TARGET_BUSY)


@pytest.mark.parametrize("instrumented", [False, True])
def test_one_request_in_ninety_seconds_closes_by_evidence_that_is_carried_on(instrumented: bool) -> None:
    """138 of them take three and a half hours: longer than CloudWatch keeps periods of ten seconds."""
    world = overridden(3, instrumented=instrumented)
    world.until(Reason.ALARM_CONFIRMED, 30, 0, failing=20)
    acted = world.now
    reasons = [world.minute(int(minute % 3 != 0)) for minute in range(4 * HOUR)]
    closed = reasons.index(Reason.RECOVERED) + 1
    evidence = world.incident.evidence
    assert evidence is not None
    assert min(each.requests for each in evidence.counts) == 138
    assert len(evidence.counts) == 1 + instrumented
    assert parse_iso(evidence.since) == acted + timedelta(seconds=10)
    assert 138 * 90 / 60 <= closed <= 138 * 90 / 60 + 5
    assert reasons.count(Reason.NO_EVIDENCE) == 1, "people are called meanwhile, once"
    written = world.incident.version
    assert written < 12, "recorded by the hour, and not in each run"


@pytest.mark.slow
def test_what_people_have_mended_closes_although_it_failed_for_hours() -> None:
    """A failing hour does not have to be outweighed: a test that says broken begins anew."""
    world = overridden(3)
    world.until(Reason.ALARM_CONFIRMED, 30, 80, failing=20)
    world.until(Reason.REMEDY_INEFFECTIVE, 30, 80, failing=20)
    assert Status.RECOVERED not in world.statuses
    world.minutes(5 * HOUR, 80, failing=20)
    assert world.incident.status is Status.ESCALATED
    took = world.until(Reason.RECOVERED, 3 * HOUR, 200)
    assert took <= 15 * 60


@pytest.mark.slow
def test_so_it_is_where_too_few_fail_for_an_alarm() -> None:
    """No alarm changes its state, so it is the recorded test that ends, within the hour."""
    world = overridden(3)
    world.until(Reason.ALARM_CONFIRMED, 30, 80, failing=20)
    world.until(Reason.REMEDY_INEFFECTIVE, 30, 80, failing=20)
    world.minutes(5 * HOUR, 3, failing=1)
    assert set(world.cloudwatch.states.values()) == {"OK"}
    assert world.observe().evidence.verdict == "broken"
    took = world.until(Reason.RECOVERED, 3 * HOUR, 4)
    assert 138 / 4 * 60 < took <= 138 / 4 * 60 + 70 * 60


def test_a_long_incident_reads_no_further_back_than_cloudwatch_has_kept() -> None:
    """A start of more than three hours ago and periods of ten seconds are answered with nothing."""
    world = overridden(3, instrumented=True)
    world.until(Reason.ALARM_CONFIRMED, 30, 0, failing=20)
    world.minutes(5 * HOUR, 0)
    assert world.incident.status is Status.ESCALATED
    assert world.until(Reason.RECOVERED, 30, 200) <= 5 * 60


def test_nor_does_one_whose_healer_did_not_run_for_hours() -> None:
    world = overridden(3, instrumented=True)
    world.until(Reason.ALARM_CONFIRMED, 30, 0, failing=20)
    for _ in range(4 * HOUR):
        world.unattended(5)
    assert world.minute(5) is Reason.RECOVERED


def test_throttles_alone_open_an_incident_and_are_acted_on() -> None:
    """A reservation of 0, or a quota that is used up: no invocation, and no error that Lambda counts."""
    world = overridden(60)
    assert Reason.ALARM_CONFIRMED in world.minutes(4, 0, throttled=600)
    assert world.live()["override:MODE"] == "safe"
    assert world.until(Reason.RECOVERED, 10, 200) <= 6 * 60


@pytest.mark.parametrize("invocation", [Invocation.ASYNCHRONOUS, Invocation.QUEUED])
def test_throttles_of_what_is_tried_again_open_none(invocation: Invocation) -> None:
    world = overridden(60)
    world.target = replace(world.target, invocation=invocation)
    assert set(world.minutes(HOUR, 20, throttled=600)) == {Reason.HEALTHY}


def test_a_limit_that_takes_all_errors_away_is_a_recovery_although_its_throttles_ring() -> None:
    world = Minutes(replace(target_of(60), remedies=(LIMIT,)))
    world.until(Reason.ALARM_CONFIRMED, 30, 150, failing=50)
    assert world.function.reserved == 5
    world.until(Reason.RECOVERED, 10, 150, throttled=600)
    assert world.cloudwatch.states["backstop"] == "ALARM"
    assert set(world.minutes(2 * HOUR, 150, throttled=600)) == {Reason.DRIFT_STANDS}
    assert len(world.sns.sent) == 1
    world.ask(Verb.RESTORE)
    assert world.minute(150, throttled=600) is Reason.RESTORING
    assert world.function.reserved is None
    world.until(Reason.RECOVERED, 12, 200)


def test_a_limit_that_takes_no_errors_away_is_ineffective() -> None:
    world = Minutes(replace(target_of(60), remedies=(LIMIT,)))
    world.until(Reason.ALARM_CONFIRMED, 30, 150, failing=50)
    world.until(Reason.REMEDY_INEFFECTIVE, 10, 150, failing=50, throttled=600)


def test_a_failure_that_is_over_is_not_acted_on_although_its_alarm_looks_back() -> None:
    """It could not act in time, and the alarm rings on for most of an hour."""
    world = overridden(60)
    world.function.status = "InProgress"
    world.until(Reason.TARGET_BUSY, HOUR, 0, failing=1)
    assert world.minutes(2, 1) == [Reason.TARGET_BUSY] * 2, "the next minute is not complete yet"
    world.minutes(2, 1)
    world.function.status = "Successful"
    assert world.cloudwatch.states[SLOW.name] == "ALARM"
    world.minutes(2, 0)
    assert world.cloudwatch.states[SLOW.name] == "ALARM"
    assert Reason.ALARM_CONFIRMED not in world.reasons
    assert world.live()["override:MODE"] is None


def test_a_stuck_alarm_is_told_although_its_update_time_moves_each_minute(world: World) -> None:
    """EvaluationState changes, and StateUpdatedTimestamp with it; the state does not."""
    world.cloudwatch.set("fast", "ALARM", START)
    for _ in range(16):
        world.traffic(100, 0, seconds=60)
        world.cloudwatch.more["fast"] = {"StateUpdatedTimestamp": world.now}
        world.step()
    assert world.incident.reason is Reason.ALARM_STUCK
    assert len(world.sns.sent) == 1


def test_an_alarm_without_a_time_of_transition_is_read_by_that_of_its_update() -> None:
    described = {"AlarmName": "fast", "StateValue": "OK", "StateUpdatedTimestamp": START}
    assert alarm_state(described).since == START
    assert alarm_state(described | {"StateTransitionedTimestamp": START - MINUTE}).since == START - MINUTE


@pytest.mark.parametrize(
    ("state", "closes"),
    [("EVALUATION_ERROR", False), ("EVALUATION_FAILURE", False), ("PARTIAL_DATA", True), (None, True)],
)
def test_the_ok_of_an_alarm_that_is_not_evaluated_closes_nothing(
    world: World, state: str | None, closes: bool
) -> None:
    world.act()
    if state:
        world.cloudwatch.more["fast"] = {"EvaluationState": state}
    world.be_well()
    assert read_alarms(world.aws.cloudwatch, ["fast"])["fast"].is_evaluated is closes
    assert (world.step().reason is Reason.RECOVERED) is closes


def test_an_incident_in_observe_is_counted_and_recorded_as_well() -> None:
    world = overridden(3)
    world.mode = Mode.OBSERVE
    world.until(Reason.MODE_FORBIDS, 30, 0, failing=20)
    world.minutes(4 * HOUR, 1)
    assert world.incident.reason is Reason.RECOVERED_UNAIDED
    assert world.sns.sent == []


def test_evidence_of_one_alarm_is_that_of_all_on_the_same_metrics() -> None:
    world = overridden(60, instrumented=True)
    kinds = [rule.kind for rule in world.target.alarms]
    assert kinds == [AlarmKind.FAST, AlarmKind.BACKSTOP, AlarmKind.SLOW]
    world.until(Reason.ALARM_CONFIRMED, 30, 80, failing=20)
    evidence = world.observe().evidence
    assert [each.namespace for each in evidence.counts] == ["selfheal", "AWS/Lambda"]
    assert FAST in world.target.alarms
    assert world.incident.effect is not Effect.PROBE
    assert REMEDY not in world.target.remedies
