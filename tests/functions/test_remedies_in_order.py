"""Several remedies, remedies that expire, probes, and what stands after recovery."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Mode
from tests.functions.support.world import REMEDY, World

OVERRIDE = Remedy("override", "FAILURE_RATE", "0")
EXPIRING = replace(OVERRIDE, expires_after=120)


def test_what_does_not_help_is_followed_by_the_next_then_by_people_and_nothing_more(world: World) -> None:
    world.target = replace(world.target, remedies=(REMEDY, OVERRIDE))
    world.act()
    world.keep_failing()
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    assert (world.incident.status, world.incident.tried) == (Status.OPEN, ("environment:FAILURE_RATE",))
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert world.live()["override:FAILURE_RATE"] == "0"
    world.keep_failing()
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    assert world.incident.status is Status.ESCALATED
    assert len(world.incident.standing) == 2
    assert len(world.sns.sent) == 1
    version = world.incident.version
    for _ in range(30):
        world.keep_failing(seconds=60)
        assert world.step().reason is Reason.AWAITING_PEOPLE
    assert (world.incident.version, len(world.sns.sent), len(world.function.updates)) == (version, 1, 1)


def test_a_remedy_that_cannot_be_used_is_passed_over(world: World) -> None:
    world.target = replace(world.target, remedies=(REMEDY, OVERRIDE))
    world.function.change(FAILURE_RATE="0")
    assert world.act().reason is Reason.ALREADY_APPLIED
    assert world.step().reason is Reason.ALARM_CONFIRMED
    assert (world.live()["override:FAILURE_RATE"], world.function.updates) == ("0", [])


def test_an_override_restarts_nothing_and_blocks_no_deployment(world: World) -> None:
    world.target = replace(world.target, remedies=(OVERRIDE,))
    world.act()
    assert (world.live()["override:FAILURE_RATE"], world.function.updates) == ("0", [])
    assert (world.incident.status, world.open_targets()) == (Status.VERIFYING, set())


def apply_both(world: World) -> None:
    """Have two remedies in place, neither of which helped; then the alarm clears."""
    world.target = replace(world.target, remedies=(REMEDY, OVERRIDE))
    world.act()
    world.keep_failing()
    world.step()
    world.step()
    world.cloudwatch.set("fast", "OK", world.now)


def test_rollback_undoes_all_that_stands_the_last_first(world: World) -> None:
    apply_both(world)
    request = world.ask(Verb.ROLLBACK)
    world.step()
    assert (world.live()["override:FAILURE_RATE"], world.function.variables["FAILURE_RATE"]) == (None, "0")
    world.step()
    assert world.function.variables["FAILURE_RATE"] == "0.3"
    assert world.incident.standing == ()
    assert request.id in world.incident.answered
    assert sum("rolled-back" in message["Subject"] for message in world.sns.sent) == 1


def test_a_rollback_that_expires_halfway_tells_people_what_still_stands(world: World) -> None:
    apply_both(world)
    world.ask(Verb.ROLLBACK, minutes=1)
    world.step()
    world.pass_time(61)
    assert world.step().reason is Reason.COMMAND_EXPIRED
    assert (world.live()["override:FAILURE_RATE"], world.function.variables["FAILURE_RATE"]) == (None, "0")
    told = world.sns.sent[-1]["Message"]
    assert "stands: environment:FAILURE_RATE from '0.3' to '0'" in told
    assert "`selfheal rollback" in told


def test_a_remedy_that_expires_is_taken_back_under_watch_and_leaves_no_drift(world: World) -> None:
    world.target = replace(world.target, remedies=(EXPIRING,))
    world.act()
    world.be_well(seconds=80)
    assert world.step().reason is Reason.COLLECTING_EVIDENCE
    world.pass_time(30)
    assert world.step().reason is Reason.EXPIRED
    assert world.live()["override:FAILURE_RATE"] is None
    assert world.incident.is_watching
    world.be_well()
    assert world.step().reason is Reason.RECOVERED
    assert world.incident.standing == ()
    assert "nothing is left in place" in world.sns.sent[-1]["Message"]


def test_a_relapse_after_the_revert_is_applied_again_and_people_are_called(world: World) -> None:
    world.target = replace(world.target, remedies=(EXPIRING,))
    world.heal()
    world.pass_time(30)
    world.step()
    world.keep_failing()
    world.cloudwatch.set("fast", "ALARM", world.now)
    assert world.step().reason is Reason.RELAPSED
    assert world.live()["override:FAILURE_RATE"] == "0"
    assert (world.incident.status, world.incident.reason) == (Status.ESCALATED, Reason.RELAPSED)
    assert [message["Subject"].split()[1] for message in world.sns.sent] == ["ESCALATED:"]
    world.be_well()
    world.pass_time(200)
    world.step()
    assert world.live()["override:FAILURE_RATE"] == "0"


def test_a_remedy_is_not_taken_back_while_the_alarm_rings(world: World) -> None:
    world.target = replace(world.target, remedies=(EXPIRING,))
    world.act()
    world.pass_time(125)
    assert world.step().reason is Reason.COLLECTING_EVIDENCE
    assert world.live()["override:FAILURE_RATE"] == "0"


def test_a_remedy_that_helps_for_forty_seconds_is_never_called_recovered(world: World) -> None:
    world.act()
    world.cloudwatch.set("fast", "OK", world.now)
    world.pass_time(10)
    world.traffic(100, 0, seconds=40)
    world.pass_time(2)
    assert world.step().reason is Reason.COLLECTING_EVIDENCE
    world.pass_time(8)
    world.traffic(100, 30, seconds=20)
    world.cloudwatch.set("fast", "ALARM", world.now)
    world.pass_time(2)
    assert world.step().reason is Reason.REMEDY_INEFFECTIVE
    assert "RECOVERED" not in world.statuses


def test_drift_is_told_with_the_recovery_and_every_day_until_the_baseline_is_back(world: World) -> None:
    world.heal()
    world.step()
    assert "stands as drift: environment:FAILURE_RATE from '0.3' to '0'" in world.sns.sent[-1]["Message"]
    for day in (1, 2):
        world.now += timedelta(days=1)
        for _ in range(3):
            assert world.step().reason is Reason.DRIFT_STANDS
            world.pass_time(41)
        assert len(world.sns.sent) == 1 + day
    world.function.change(FAILURE_RATE="0.3")
    assert world.step().reason is Reason.DRIFT_ENDED
    world.now += timedelta(days=3)
    assert world.step().reason is Reason.HEALTHY
    assert len(world.sns.sent) == 3


def test_drift_ends_when_the_baseline_becomes_the_value_that_stands(world: World) -> None:
    world.heal()
    world.step()
    world.target = replace(world.target, remedies=(replace(REMEDY, baseline="0"),))
    assert world.step().reason is Reason.DRIFT_ENDED


@pytest.mark.parametrize(("verb", "value"), [(Verb.ACCEPT, "0"), (Verb.RESTORE, "0.3")])
def test_people_accept_the_drift_or_have_the_baseline_restored(world: World, verb: Verb, value: str) -> None:
    world.heal()
    world.step()
    world.ask(verb)
    world.step()
    assert (world.function.variables["FAILURE_RATE"], world.incident.standing) == (value, ())
    expected = Status.RECOVERED if verb is Verb.ACCEPT else Status.VERIFYING
    assert world.incident.status is expected
    if verb is Verb.RESTORE:
        world.be_well()
        assert world.step().reason is Reason.RECOVERED


def test_a_deployment_while_verifying_makes_the_evidence_begin_anew(world: World) -> None:
    world.target = replace(world.target, remedies=(OVERRIDE,))
    world.act()
    world.be_well(seconds=50)
    world.function.change(NEW="from a deployment")
    assert world.step().reason is Reason.DEPLOYMENT_IN_PROGRESS
    assert world.step().reason is Reason.COLLECTING_EVIDENCE
    assert world.incident.status is Status.VERIFYING


class Prober:
    """A Lambda client that only probes."""

    def __init__(self, failing: int = 0) -> None:
        self.sent: list[str] = []
        self.failing = failing

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.sent.append(f"{FunctionName} {Payload.decode()}")
        failed = {"FunctionError": "Unhandled"} if len(self.sent) <= self.failing else {}
        return {"Payload": BytesIO(b"{}"), **failed}


@pytest.mark.parametrize(("failing", "expected"), [(0, Reason.RECOVERED), (999, Reason.REMEDY_INEFFECTIVE)])
def test_without_traffic_probes_tell_well_from_broken(world: World, failing: int, expected: Reason) -> None:
    prober = Prober(failing)
    world.aws = replace(world.aws, prober=prober)
    world.target = replace(world.target, probe='{"path": "/health"}')
    world.act()
    world.cloudwatch.set("fast", "OK", world.now)
    reasons: list[Reason] = []
    for _ in range(14):
        world.pass_time(60)
        reasons.append(world.step().reason)
        if reasons[-1] is expected:
            break
    assert reasons[-1] is expected
    assert set(reasons[:-1]) <= {Reason.PROBING, Reason.COLLECTING_EVIDENCE}
    assert set(prober.sent) == {'shop-fn {"path": "/health"}'}
    assert world.incident.evidence is not None
    assert world.incident.evidence.probes == len(prober.sent)


def test_nothing_is_probed_in_observe_nor_without_a_declared_payload(world: World) -> None:
    prober = Prober()
    world.aws = replace(world.aws, prober=prober)
    world.act()
    world.pass_time(60)
    assert world.step().reason is Reason.COLLECTING_EVIDENCE
    world.target = replace(world.target, probe="{}")
    world.set_mode(Mode.OBSERVE)
    world.pass_time(60)
    assert world.step().reason is Reason.COLLECTING_EVIDENCE
    assert prober.sent == []
    assert world.incident.effect is not Effect.PROBE
