"""Which fields of an incident go together; the ledger writes no other combination.

    status      effect                      purpose                                 must have
    OPEN        None, NOTIFY                None                                    -
    PROPOSED    None, NOTIFY                None                                    plan
    ACTING      APPLY                       None, RELAPSED                          plan
    ACTING      REVERT                      why it is reverted                      plan
    VERIFYING   None, NOTIFY, PROBE         None; `is_watching`: EXPIRED, RESTORING plan
    ESCALATED   None, NOTIFY                None                                    hold (not TARGET_REMOVED)
    RECOVERED   None, NOTIFY                None                                    closed_at
    CLOSED      None, NOTIFY                None                                    closed_at, closure

INEFFECTIVE and INCONCLUSIVE are passed through within one write. Only an effect has a lease.
"""

from collections.abc import Iterator

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.states import Effect, Reason, Status

WATCHED = frozenset({Reason.EXPIRED, Reason.RESTORING})
"""Reverts after which evidence is collected."""

_PURPOSES = {
    Effect.APPLY: {None, Reason.RELAPSED},
    Effect.REVERT: {*WATCHED, Reason.REMEDY_INEFFECTIVE, Reason.ROLLED_BACK},
}


def broken_rules(incident: Incident) -> Iterator[str]:
    """Yield what is wrong with the combination of an incident's fields: the table above, line by line."""
    status, effect, purpose = incident.status, incident.effect, incident.purpose
    if status in (Status.INEFFECTIVE, Status.INCONCLUSIVE):
        yield "is passed through, never rested in"
    if (status is Status.ACTING) is not (effect in (Effect.APPLY, Effect.REVERT)):
        yield f"cannot have the effect {effect}"
    if effect is Effect.PROBE and status is not Status.VERIFYING:
        yield "cannot be probing"
    allowed = {None, *WATCHED} if status is Status.VERIFYING else {None}
    if purpose not in (_PURPOSES.get(effect, allowed) if effect else allowed):
        yield f"cannot have the purpose {purpose} with the effect {effect}"
    if (incident.is_acting or status is Status.PROPOSED) and incident.plan is None:
        yield "needs a plan"
    if status is Status.ESCALATED and incident.hold is None and incident.reason is not Reason.TARGET_REMOVED:
        yield "needs a hold"
    if not incident.is_open and incident.closed_at is None:
        yield "needs the time at which it was closed"
    if status is Status.CLOSED and (incident.closure is None or incident.standing):
        yield "needs who closed it, and leaves its changes to them"
    if incident.lease_until is not None and effect is None:
        yield "has a lease of no effect"
