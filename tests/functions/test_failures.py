"""People, log, probes and the healer's own time fail: docs/failures.md."""

import io
import sys
import time
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident import LEASE
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import HEALER_TIMEOUT_SECONDS, Limits
from tests.functions.support.handler import Healer
from tests.functions.support.world import TARGET, World, aws_error

SCHEDULE = {"wake": "schedule"}
PROBED = replace(TARGET, probe='{"rawPath": "/health"}')


@mock_aws
def test_a_notice_that_reaches_nobody_counts_as_sent_and_the_ledger_has_the_incident(world: World) -> None:
    sns: Any = boto3.client("sns", region_name="us-east-1")
    topic = sns.create_topic(Name="people")["TopicArn"]
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    world.aws = replace(world.aws, sns=sns, escalation_topic=topic)
    world.target = replace(TARGET, remedies=())
    assert world.act().reason is Reason.NO_REMEDY
    assert (world.incident.status, world.incident.effect) == (Status.ESCALATED, None)
    assert world.step().reason is Reason.AWAITING_PEOPLE


def test_a_baseline_that_is_back_and_fails_at_once_is_not_taken_for_the_remedy(world: World) -> None:
    """Whether a run happens to come between the two must not matter: with one it acts."""
    world.heal()
    assert world.step().reason is Reason.RECOVERED
    world.function.change(FAILURE_RATE="0.3")
    world.pass_time(10 - world.now.second % 10)
    assert world.act().reason is Reason.ALARM_CONFIRMED
    assert world.function.variables["FAILURE_RATE"] == "0"


class Closed(io.StringIO):
    """An output that takes nothing."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_log_that_cannot_be_written_makes_no_second_act(
    healer: Healer, monkeypatch: pytest.MonkeyPatch
) -> None:
    healer.break_down()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Closed())
        with pytest.raises(BrokenPipeError):
            healer.handle()
    assert (healer.incident.status, healer.incident.acts) == (Status.VERIFYING, 1)
    healer.handle()
    assert len(healer.function.updates) == 1


def test_a_run_is_ended_before_its_lease_is_over() -> None:
    assert LEASE.total_seconds() > HEALER_TIMEOUT_SECONDS


def test_probes_that_the_healer_may_not_send_are_no_evidence_and_people_are_called(world: World) -> None:
    class Denied:
        def invoke(self, **_: Any) -> Any:
            raise aws_error("AccessDeniedException", "Invoke")

    world.target = PROBED
    world.aws = replace(world.aws, prober=Denied())
    world.act()
    world.cloudwatch.set("fast", "OK", world.now)
    assert world.step().reason is Reason.COLLECTING_EVIDENCE
    for _ in range(14):
        world.pass_time(60)
        with pytest.raises(ClientError, match="AccessDenied"):
            world.step()
    world.pass_time(60)
    assert world.step().reason is Reason.NO_EVIDENCE
    assert world.statuses[-2:] == ["INCONCLUSIVE", "ESCALATED"]
    assert (world.incident.evidence and world.incident.evidence.probes, len(world.sns.sent)) == (0, 1)


def test_slow_probes_of_many_targets_leave_the_run_its_time(
    healer: Healer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    class Slow:
        def invoke(self, **_: Any) -> Any:
            clock[0] += 4.9
            return {"Payload": io.BytesIO(b'{"statusCode": 200}')}

    targets = tuple(
        replace(PROBED, name=name, remedies=(Remedy("override", "MODE", "safe"),)) for name in "abcd"
    )
    healer.set(LIMITS=Limits(blast_radius=1))
    healer.set(TARGETS=targets)
    healer.set(AWS=replace(healer.aws, prober=Slow()))
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    healer.break_down()
    healer.handle()
    healer.cloudwatch.set("fast", "OK", healer.now)
    for target in targets:
        # Probes begin once the act had time to settle.
        incident = healer.aws.ledger.read(target.name)
        assert incident is not None
        then = iso(healer.now)
        earlier = replace(incident, version=incident.version + 1, acted_at=then, settled_at=then)
        healer.aws.ledger.write(None, incident, earlier)
    healer.handle()
    assert 0 < clock[0] < HEALER_TIMEOUT_SECONDS
