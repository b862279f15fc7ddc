from dataclasses import replace

import pytest

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
from selfheal.functions.healer.ledger import LostRaceError
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode
from tests.functions.support.world import START, World

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
    cleared = replace(INCIDENT, standing=()).reopened(START, Reason.ALARM_CLEARED)
    world.aws.ledger.write(None, INCIDENT, cleared)
    assert world.open_targets() == {"cart"}


def test_an_item_of_a_later_schema_is_not_guessed_at() -> None:
    item = to_item(INCIDENT) | {"schema": {"N": "3"}}
    with pytest.raises(ValueError, match="schema 3"):
        from_item(item)
