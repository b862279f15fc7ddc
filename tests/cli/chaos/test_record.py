"""The record of a run in the ledger: one at a time, renewed, stopped, and gone when all is undone."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.cli.chaos.lease import Lease
from selfheal.cli.chaos.record import (
    KEY,
    LEASE_SECONDS,
    Records,
    RunItem,
    TakenError,
    Undo,
    this_process,
)
from selfheal.cli.errors import CliError
from tests.cli.support import TABLE

pytestmark = pytest.mark.slow

NOW = 1_000.5
ONE = RunItem(
    id="one",
    scenario="small",
    by="arn:aws:iam::1:user/ann",
    started="2026-11-26T12:00:00.000Z",
    alive_until=NOW + LEASE_SECONDS,
    ends=NOW + 60,
    undo=(Undo("switch", {"table": "t", "until": "1060.5"}),),
)
OTHER = RunItem("two", "big", "arn:aws:iam::1:user/bob", ONE.started, NOW, NOW, ())


@pytest.fixture
def records(dynamodb: Any) -> Records:
    return Records(dynamodb, TABLE)


def test_a_record_is_read_as_it_was_written(records: Records) -> None:
    assert records.read() is None
    records.begin(ONE)
    assert records.read() == ONE
    records.begin(ONE)  # an answer that was lost, and the call repeated


def test_one_run_at_a_time(records: Records) -> None:
    records.begin(ONE)
    with pytest.raises(TakenError) as refused:
        records.begin(OTHER)
    assert refused.value.other == ONE
    records.end(OTHER.id)
    assert records.read() == ONE  # nobody deletes another's
    records.end(ONE.id)
    assert records.read() is None
    records.begin(OTHER)


def test_a_run_is_alive_as_long_as_it_renews(records: Records) -> None:
    records.begin(ONE)
    assert records.renew(ONE.id, NOW + 100) == ""
    found = records.read()
    assert found is not None
    assert [found.is_alive(at) for at in (NOW + 99, NOW + 100)] == [True, False]
    assert found.undo == ONE.undo
    assert records.renew(OTHER.id, NOW + 200) is None
    assert records.read() == found


def test_a_run_whose_process_has_ended_on_this_machine_is_dead_at_once() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    here, _, own = this_process().rpartition(" ")
    assert own == str(os.getpid())
    for process, alive in (
        (this_process(), True),
        (f"{here} {child.pid}", False),
        (f"elsewhere {child.pid}", True),  # of another machine nothing is known
        ("", True),
    ):
        assert replace(ONE, process=process).is_alive(NOW) is alive, process
    assert not replace(ONE, process=this_process()).is_alive(ONE.alive_until)


def test_a_stop_is_heard_at_the_next_renewal_and_before_the_fault(records: Records) -> None:
    records.begin(ONE)
    assert records.may_go_on(ONE.id, NOW + 50)
    assert records.ask_to_stop(ONE.id, "arn:bob")
    assert records.renew(ONE.id, NOW + 60) == "arn:bob"
    assert not records.may_go_on(ONE.id, NOW + 70)
    assert not records.ask_to_stop(OTHER.id, "arn:bob")


def test_a_run_whose_record_is_gone_may_not_go_on(records: Records) -> None:
    assert not records.may_go_on(ONE.id, NOW)
    assert records.read() is None  # and makes none by asking


def test_a_record_of_a_later_version_is_left_alone(records: Records, dynamodb: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item=ONE.to_item() | {"schema": {"N": "9"}})
    with pytest.raises(CliError, match="schema 9"):
        records.read()
    assert "Item" in dynamodb.get_item(TableName=TABLE, Key=KEY)


class Answers:
    """Records that answer a renewal with what comes next."""

    def __init__(self, *answers: str | Exception | None) -> None:
        self.answers = list(answers)

    def renew(self, _run_id: str, _until: float) -> str | None:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "UpdateItem")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (("", "", ""), ""),
        (("", "arn:bob"), "arn:bob stopped it"),
        ((None,), "its record is gone"),
        # Four seconds apart: after sixteen it counts as dead soon, and others may begin.
        ((THROTTLED, THROTTLED, ""), ""),
        ((THROTTLED,) * 4, "cannot be renewed"),
    ],
)
def test_a_lease_tells_when_its_run_must_stop(answers: Any, reason: str) -> None:
    clock = [NOW]
    lease = Lease(Answers(*answers), "one", now=lambda: clock[0], every=4.0)  # pyright: ignore[reportArgumentType]
    lease.renewed_at = NOW
    for _ in answers:
        clock[0] += 4
        lease.renew()
    assert reason in lease.reason
    assert bool(lease.reason) is bool(reason)


def test_a_lease_renews_by_itself(records: Records) -> None:
    records.begin(ONE)
    with Lease(records, ONE.id, now=lambda: NOW + 500, every=0.01):
        for _ in range(500):
            if (found := records.read()) and found.alive_until > NOW + 500:
                break
            time.sleep(0.01)
    found = records.read()
    assert found is not None
    assert found.alive_until == NOW + 500 + LEASE_SECONDS
