from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import (
    Approval,
    Evidence,
    Guard,
    Hold,
    Plan,
    Standing,
    Transition,
)
from selfheal.functions.healer.items import from_item, to_item
from selfheal.functions.healer.ledger import Ledger, LostRaceError
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.shared.contract import Mode
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.remedy_fakes import create_table
from tests.functions.support.scenarios import OVERRIDE
from tests.functions.support.world import REMEDY, START, TARGET, World

PLAN = Plan("environment", "FAILURE_RATE", "0.3", "0", "code", "config")
INCIDENT = Incident(
    id="shop-1",
    target="shop",
    alarm="fast",
    opened_at="2026-11-21T09:40:00.000Z",
    status=Status.ACTING,
    reason=Reason.ALARM_CONFIRMED,
    mode=Mode.ACT,
    version=3,
    plan=PLAN,
    acts=1,
    attempts=2,
    effect=Effect.APPLY,
    lease_until="2026-11-21T09:40:40.000Z",
    acted_at="2026-11-21T09:40:01.000Z",
    standing=(
        Standing(replace(PLAN, kind="override", before=None, expires_after=60), "2026-11-21T09:39:00.000Z"),
    ),
    purpose=Reason.RELAPSED,
    tried=("override:FAILURE_RATE",),
    guard=Guard(Reason.BLAST_RADIUS, 1, 2, 3),
    hold=Hold(Reason.FLAPPING, "2026-11-21T09:40:00.000Z"),
    approval=Approval("digest", "arn", "2026-11-21T09:40:00.000Z"),
    recent_acts=("2026-11-21T09:40:00.000Z",),
    evidence=Evidence("2026-11-21T09:40:11.000Z", 200, 1, "undecided"),
    history=(Transition("2026-11-21T09:40:00.000Z", "OPEN", "ACTING", "alarm-confirmed-by-metrics"),),
)


@pytest.fixture(params=["memory", "moto"])
def table(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The fake that all other tests use, and moto's DynamoDB, which checks expressions as AWS does."""
    if request.param == "memory":
        yield MemoryTable()
        return
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client)
        yield client


@pytest.fixture
def ledger(table: Any) -> Ledger:
    return Ledger(table, "ledger")


@pytest.mark.slow
def test_the_healer_writes_what_dynamodb_accepts(table: Any) -> None:
    """Two incidents, with and without an override of the mode, and what people ask for."""
    world = World(replace(TARGET, remedies=(REMEDY, OVERRIDE)), table=table)
    for _ in range(2):
        world.act()
        world.keep_failing()
        world.step()
        world.step()
        world.be_well()
        assert world.step().reason is Reason.RECOVERED
        assert (world.incident.acts, len(world.standing)) == (2, 2)
        assert world.book.read_fleet().standing == {"shop"}
        for _ in range(2):
            world.ask(Verb.RESTORE)
            world.step()
            world.be_well()
            world.step()
        assert world.standing == []
        world.set_mode(Mode.ACT)
        world.pass_time(120)
        world.align()
    fleet = world.book.read_fleet()
    assert (len(fleet.acts), fleet.acting, fleet.standing) == (4, frozenset(), frozenset())


def test_an_incident_survives_the_ledger_unchanged(ledger: Ledger) -> None:
    ledger.write(None, None, INCIDENT)
    assert ledger.read("shop") == INCIDENT


def test_a_write_on_an_old_version_is_refused(ledger: Ledger) -> None:
    ledger.write(None, None, INCIDENT)
    newer = replace(INCIDENT, version=4)
    ledger.write(None, INCIDENT, newer)
    with pytest.raises(LostRaceError):
        ledger.write(None, INCIDENT, replace(INCIDENT, version=4, acts=9))
    assert ledger.read("shop") == newer


def test_a_second_opening_is_refused(ledger: Ledger) -> None:
    ledger.write(None, None, INCIDENT)
    with pytest.raises(LostRaceError):
        ledger.write(None, None, INCIDENT)


def test_the_pointer_names_exactly_the_targets_whose_override_stands(ledger: Ledger) -> None:
    other = replace(INCIDENT, target="cart")
    ledger.write(None, None, INCIDENT)
    ledger.write(None, None, other)
    assert ledger.read_fleet().blocking == {"shop", "cart"}
    cleared = replace(INCIDENT, standing=()).reopened(START, Reason.ALARM_CLEARED)
    ledger.write(None, INCIDENT, cleared)
    assert ledger.read_fleet().blocking == {"cart"}


def test_an_item_of_a_later_schema_is_not_guessed_at() -> None:
    item = to_item(INCIDENT) | {"schema": {"N": "3"}}
    with pytest.raises(ValueError, match="schema 3"):
        from_item(item)
