from dataclasses import replace

import pytest

from functions.healer.ledger import LostRaceError, from_item, to_item
from functions.healer.model import Effect, Evidence, Incident, Mode, Plan, Reason, Status, Transition
from tests.support.healer_world import World

INCIDENT = Incident(
    id="shop-1",
    target="shop",
    alarm="fast",
    opened_at="2026-11-21T09:40:00.000Z",
    status=Status.ACTING,
    reason=Reason.ALARM_CONFIRMED,
    mode=Mode.ACT,
    version=3,
    plan=Plan("environment", "FAILURE_RATE", "0.3", "0", "code", "config"),
    acts=1,
    attempts=2,
    effect=Effect.APPLY,
    lease_until="2026-11-21T09:40:40.000Z",
    acted_at="2026-11-21T09:40:01.000Z",
    override_stands=True,
    evidence=Evidence("2026-11-21T09:40:11.000Z", 200, 1, "undecided"),
    history=(Transition("2026-11-21T09:40:00.000Z", "OPEN", "ACTING", "alarm-confirmed-by-metrics"),),
)


def test_an_incident_survives_the_ledger_unchanged(world: World) -> None:
    world.aws.ledger.write(None, INCIDENT)
    assert world.aws.ledger.read("shop") == INCIDENT


def test_a_write_on_an_old_version_is_refused(world: World) -> None:
    world.aws.ledger.write(None, INCIDENT)
    newer = replace(INCIDENT, version=4)
    world.aws.ledger.write(INCIDENT, newer)
    with pytest.raises(LostRaceError):
        world.aws.ledger.write(INCIDENT, replace(INCIDENT, version=4, acts=9))
    assert world.aws.ledger.read("shop") == newer


def test_a_second_opening_is_refused(world: World) -> None:
    world.aws.ledger.write(None, INCIDENT)
    with pytest.raises(LostRaceError):
        world.aws.ledger.write(None, INCIDENT)


def test_the_pointer_names_exactly_the_targets_whose_override_stands(world: World) -> None:
    other = replace(INCIDENT, target="cart")
    world.aws.ledger.write(None, INCIDENT)
    world.aws.ledger.write(None, other)
    assert world.open_targets() == {"shop", "cart"}
    world.aws.ledger.write(INCIDENT, replace(INCIDENT, version=4, override_stands=False))
    assert world.open_targets() == {"cart"}


def test_an_item_of_a_later_schema_is_not_guessed_at() -> None:
    item = to_item(INCIDENT) | {"schema": {"N": "2"}}
    with pytest.raises(ValueError, match="schema 2"):
        from_item(item)
