"""Which fields of an incident go together: what the ledger refuses to write."""

from dataclasses import replace
from typing import Any

import pytest

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Hold, Plan
from selfheal.functions.healer.incident_rules import broken_rules
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode
from tests.functions.support.world import START, World

AT = "2026-11-21T09:40:00.000Z"
PLAN = Plan("environment", "FAILURE_RATE", "0.3", "0", "code", "config")
OPEN = Incident("shop-1", "shop", "fast", AT, Status.OPEN, Reason.ALARM_CONFIRMED, Mode.ACT, plan=PLAN)
ACTING = OPEN.applying(START, Reason.ALARM_CONFIRMED, PLAN, "1", Mode.ACT)
VERIFYING = ACTING.applied(START)
EXPIRING = VERIFYING.reverting(START, Reason.EXPIRED, PLAN, "2", Mode.ACT)
ESCALATED = OPEN.escalated(START, Reason.NO_REMEDY)
RECOVERED = VERIFYING.recovered(START, Reason.RECOVERED)


@pytest.mark.parametrize(
    "incident",
    [
        OPEN,
        ACTING,
        ACTING.deferred(),
        VERIFYING,
        VERIFYING.probing(START),
        EXPIRING,
        EXPIRING.reverted(START),
        ESCALATED,
        RECOVERED,
        RECOVERED.retired(START),
        RECOVERED.closed(START, "ann", "retired"),
        VERIFYING.closed(START, "ann", "retired"),
        OPEN.proposing(START, Reason.MODE_FORBIDS, PLAN, Mode.SUGGEST),
        ESCALATED.released(START),
    ],
)
def test_what_the_moves_lead_to_goes_together(incident: Incident) -> None:
    assert list(broken_rules(incident)) == []


@pytest.mark.parametrize(
    ("incident", "changes", "broken"),
    [
        (VERIFYING, {"status": Status.INEFFECTIVE}, "passed through"),
        (VERIFYING, {"status": Status.INCONCLUSIVE}, "passed through"),
        (ACTING, {"effect": None}, "cannot have the effect None"),
        (ACTING, {"effect": Effect.NOTIFY}, "cannot have the effect notify"),
        (OPEN, {"effect": Effect.APPLY}, "cannot have the effect apply"),
        (RECOVERED, {"effect": Effect.REVERT}, "cannot have the effect revert"),
        (OPEN, {"effect": Effect.PROBE}, "cannot be probing"),
        (ACTING, {"purpose": Reason.EXPIRED}, "purpose remedy-expired with the effect apply"),
        (EXPIRING, {"purpose": None}, "purpose None with the effect revert"),
        (VERIFYING, {"purpose": Reason.ROLLED_BACK}, "purpose rolled-back with the effect None"),
        (OPEN, {"purpose": Reason.RELAPSED}, "purpose relapsed"),
        (ACTING, {"plan": None}, "needs a plan"),
        (VERIFYING, {"plan": None}, "needs a plan"),
        (ESCALATED, {"hold": None}, "needs a hold"),
        (RECOVERED, {"closed_at": None}, "needs the time"),
        (OPEN, {"lease_until": AT}, "has a lease of no effect"),
    ],
)
def test_what_does_not_go_together_is_not_written(
    world: World, incident: Incident, changes: dict[str, Any], broken: str
) -> None:
    wrong = replace(incident, **changes)
    with pytest.raises(ValueError, match=f"{broken}.*Nothing was written"):
        world.aws.ledger.write(None, None, wrong)
    assert world.aws.ledger.read("shop") is None


def test_a_removed_target_is_left_to_people_without_a_hold() -> None:
    assert not OPEN.retired(START).hold
    assert list(broken_rules(replace(OPEN.retired(START), hold=Hold(Reason.HELD, AT)))) == []
