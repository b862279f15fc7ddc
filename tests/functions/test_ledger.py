from dataclasses import replace

import pytest
from boto3.dynamodb.types import TypeSerializer

from selfheal.functions.healer.incident import (
    Approval,
    Evidence,
    Guard,
    Hold,
    Incident,
    Plan,
    Standing,
    Transition,
)
from selfheal.functions.healer.items import from_item, to_item
from selfheal.functions.healer.ledger import LostRaceError
from selfheal.functions.healer.words import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode
from tests.support.healer_world import World

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
    answered=("one",),
    recent_acts=("2026-11-21T09:40:00.000Z",),
    evidence=Evidence("2026-11-21T09:40:11.000Z", 200, 1, "undecided"),
    history=(Transition("2026-11-21T09:40:00.000Z", "OPEN", "ACTING", "alarm-confirmed-by-metrics"),),
)


def test_an_incident_survives_the_ledger_unchanged(world: World) -> None:
    world.aws.ledger.write(None, None, INCIDENT)
    assert world.aws.ledger.read("shop") == INCIDENT


def test_a_write_on_an_old_version_is_refused(world: World) -> None:
    world.aws.ledger.write(None, None, INCIDENT)
    newer = replace(INCIDENT, version=4)
    world.aws.ledger.write(None, INCIDENT, newer)
    with pytest.raises(LostRaceError):
        world.aws.ledger.write(None, INCIDENT, replace(INCIDENT, version=4, acts=9))
    assert world.aws.ledger.read("shop") == newer


def test_a_second_opening_is_refused(world: World) -> None:
    world.aws.ledger.write(None, None, INCIDENT)
    with pytest.raises(LostRaceError):
        world.aws.ledger.write(None, None, INCIDENT)


def test_the_pointer_names_exactly_the_targets_whose_override_stands(world: World) -> None:
    other = replace(INCIDENT, target="cart")
    world.aws.ledger.write(None, None, INCIDENT)
    world.aws.ledger.write(None, None, other)
    assert world.open_targets() == {"shop", "cart"}
    world.aws.ledger.write(None, INCIDENT, replace(INCIDENT, version=4, effect=None, standing=()))
    assert world.open_targets() == {"cart"}


def test_an_item_of_a_later_schema_is_not_guessed_at() -> None:
    item = to_item(INCIDENT) | {"schema": {"N": "3"}}
    with pytest.raises(ValueError, match="schema 3"):
        from_item(item)


SCHEMA_1 = {
    "id": "shop-20261121T094000Z",
    "target": "shop",
    "alarm": "fast",
    "opened_at": "2026-11-21T09:40:10.000Z",
    "status": "VERIFYING",
    "reason": "applied",
    "mode": "act",
    "version": 2,
    "plan": {
        "kind": "environment",
        "variable": "FAILURE_RATE",
        "before": "0.3",
        "after": "0",
        "code_hash": "code",
        "config_hash": "set by the test",
    },
    "acts": 1,
    "attempts": 1,
    "acted_at": "2026-11-21T09:40:10.000Z",
    "override_stands": True,
    "history": [
        {
            "at": "2026-11-21T09:40:10.000Z",
            "source": "OPEN",
            "to": "ACTING",
            "reason": "alarm-confirmed-by-metrics",
        },
        {"at": "2026-11-21T09:40:10.000Z", "source": "ACTING", "to": "VERIFYING", "reason": "applied"},
    ],
    "pk": "target#shop",
    "sk": "incident",
    "schema": 1,
}


def test_an_incident_that_the_schema_before_opened_is_closed_by_this_one(world: World) -> None:
    item = TypeSerializer().serialize(SCHEMA_1)["M"]
    world.dynamodb.put_item(TableName="ledger", Item=item)
    pointer = {"pk": {"S": "fleet"}, "sk": {"S": "open"}, "targets": {"SS": ["shop"]}}
    world.dynamodb.put_item(TableName="ledger", Item=pointer)
    world.function.change(FAILURE_RATE="0")
    world.pass_time(20)
    assert world.step().reason is Reason.DEPLOYMENT_IN_PROGRESS  # its hash was made otherwise
    world.traffic(100, 0, seconds=90)
    world.pass_time(2)
    assert world.step().reason is Reason.RECOVERED
    assert (world.incident.acts, world.open_targets()) == (1, set())
    assert [str(each.plan.key) for each in world.incident.standing] == ["environment:FAILURE_RATE"]
