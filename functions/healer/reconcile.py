"""What the item that all targets share says of a target, compared with the target's incident.

Both are written in one transaction, so they differ only where somebody else wrote: an item deleted by hand,
or one of them restored from a backup. The incident is what counts. If it is gone, people are told.
"""

from dataclasses import replace

from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident import Incident, incident_id
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.ledger_items import membership
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.readings import Fleet
from selfheal.functions.healer.states import Reason, Status


def differs(seen: Observation, fleet: Fleet) -> bool:
    """Return whether the shared item says something else of the target than its incident."""
    known = seen.incident
    settled = known is None or known.effect is None or not known.is_leased(seen.now)
    return settled and fleet.problem is None and fleet.lists(seen.target.name) != membership(known)


def mend(seen: Observation, ledger: Ledger) -> Decision | None:
    """Make the shared item say what the incident says; return the decision to tell people if that is gone.

    Raises:
        LostRaceError: when somebody wrote meanwhile, so that there may be nothing to mend.

    """
    fleet = ledger.read_fleet()
    if not differs(seen, fleet):
        return None
    listed, known = fleet.lists(seen.target.name), seen.incident
    if known is None:
        return Decision(Reason.RECORD_LOST, _lost(seen), listed=listed)
    ledger.write(None, known, replace(known, version=known.version + 1), listed=listed)
    return None


def _lost(seen: Observation) -> Incident:
    """Return the incident in place of one that the ledger lost. A removed target's is told as removed."""
    now, target = seen.now, seen.target
    incident = Incident(
        id=incident_id(target.name, now),
        target=target.name,
        alarm=target.alarms[0].name if target.alarms else "",
        opened_at=iso(now),
        status=Status.OPEN,
        reason=Reason.RECORD_LOST,
        mode=seen.mode,
        version=0,
    )
    return incident.escalated(now, Reason.RECORD_LOST, tell=bool(target.alarms))
