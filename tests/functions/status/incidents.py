"""Incidents, and their items in the ledger."""

from dataclasses import replace
from typing import Any

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Plan, Transition
from selfheal.functions.healer.items import to_item
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.shared.contract import Mode, incident_key

PLAN = Plan("environment", "FAILURE_RATE", "0.3", "0", "c" * 44, "d" * 64)


def incident(status: Status = Status.VERIFYING, target: str = "billing", **changes: Any) -> Incident:
    opened = changes.pop("opened_at", "2026-11-21T03:10:05.000Z")
    made = Incident(
        id=f"{target}-{opened}",
        target=target,
        alarm="fast",
        opened_at=opened,
        status=status,
        reason=Reason.COLLECTING_EVIDENCE,
        mode=Mode.ACT,
        plan=PLAN,
        transitions=1,
        history=(Transition("2026-11-21T03:10:06.000Z", "OPEN", "ACTING", "applied"),),
    )
    return replace(made, **changes)


def item(one: Incident, *, closed: bool = False) -> dict[str, Any]:
    return to_item(one) | incident_key(one.target, one.id if closed else "")
