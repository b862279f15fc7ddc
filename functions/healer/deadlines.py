"""How long each wait may last, who is told when it is over, and what follows. docs/states.md prints it.

A wait is a run after which the incident is as it was. Every one has a line here, by the incident's state and
the reason that the run gives; `respond`, `verify` and `decide` read the times from it. No line ends in
silence: people are told, it is short, or there is a reason why nobody is.

Besides, whatever its state: an incident that nobody was told of is told after UNTOLD_FOR, and what is
unresolved is told again every `remind_seconds` (`notices.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from selfheal.functions.healer.incident import LEASE
from selfheal.functions.healer.states import Reason, Status

WITHIN = timedelta(minutes=15)
"""How long the healer waits for somebody else before it tells people, or goes on to something else."""

UNTOLD_FOR = timedelta(hours=1)
"""Age at which people are told of an open incident that they have not heard of; one in observe is silent."""


class Told(StrEnum):
    """How people hear of a wait that lasts."""

    CALLED = "are called; the healer leaves it to them"
    NOTICE = "are told once; the healer goes on waiting"
    BEFORE = "were told when it began, and are reminded"
    NOBODY = "are not told"


@dataclass(frozen=True)
class Wait:
    """One kind of wait."""

    within: timedelta | None
    """From when it began. None: `lasts` says it."""
    told: Told
    then: str
    """What follows."""
    lasts: str = ""
    """When it is over, where that is not a fixed time."""
    why: str = ""
    """Why nobody is told, where nobody is."""


_EVIDENCE = "15 minutes, or as long as its alarms need; if the change expires, from then on"
_VERIFYING = Wait(None, Told.CALLED, "ESCALATED", _EVIDENCE)
_UNPROVEN = Wait(WITHIN, Told.CALLED, "ESCALATED, or RECOVERED by evidence")
_ASKED = Wait(None, Told.NOTICE, "the request is answered: it has expired", "until the request expires")
_PROPOSAL = "as `mode-forbids-acting`"
_REMOVED = Wait(None, Told.BEFORE, "CLOSED", "until somebody closes it")
_PEOPLE = Wait(None, Told.BEFORE, "OPEN when the hold ends", "until somebody acts, or it is well by evidence")
_STANDS = Wait(None, Told.BEFORE, "it is over", "until it is restored or accepted")
_BUSY = Wait(LEASE, Told.NOBODY, "the run is resumed, five times at most", why="it is short")

WAITS: Mapping[tuple[Status, Reason], Wait] = {
    **{(status, Reason.BUSY): _BUSY for status in Status},
    (Status.OPEN, Reason.TARGET_BUSY): Wait(WITHIN, Told.CALLED, "the next remedy, or ESCALATED"),
    (Status.OPEN, Reason.DEPLOYMENT_IN_PROGRESS): Wait(WITHIN, Told.NOTICE, "it acts once nothing changes"),
    (Status.OPEN, Reason.COOL_DOWN): Wait(WITHIN, Told.NOTICE, "it acts when the cool-down ends"),
    (Status.OPEN, Reason.BLAST_RADIUS): Wait(
        timedelta(0), Told.NOTICE, "it acts once fewer targets are under a change"
    ),
    (Status.OPEN, Reason.ALARM_NOT_CORROBORATED): _UNPROVEN,
    (Status.OPEN, Reason.ALARM_NOT_FRESH): _UNPROVEN,
    (Status.OPEN, Reason.COLLECTING_EVIDENCE): _UNPROVEN,
    (Status.PROPOSED, Reason.MODE_FORBIDS): Wait(
        None,
        Told.BEFORE,
        "ACTING once approved; ESCALATED when the alarm is over without evidence",
        "until somebody approves it, or the alarm is over",
        why="in observe, which only records",
    ),
    (Status.PROPOSED, Reason.APPROVAL_STALE): Wait(
        None, Told.BEFORE, _PROPOSAL, "until somebody approves it, or the alarm is over"
    ),
    (Status.PROPOSED, Reason.APPROVAL_EXPIRED): Wait(
        None, Told.BEFORE, _PROPOSAL, "until somebody approves it, or the alarm is over"
    ),
    (Status.PROPOSED, Reason.COLLECTING_EVIDENCE): Wait(
        WITHIN, Told.CALLED, "ESCALATED once no alarm rings, or RECOVERED by evidence"
    ),
    (Status.PROPOSED, Reason.TARGET_BUSY): Wait(WITHIN, Told.CALLED, "the next remedy, or ESCALATED"),
    (Status.PROPOSED, Reason.DEPLOYMENT_IN_PROGRESS): Wait(WITHIN, Told.NOTICE, _PROPOSAL),
    (Status.PROPOSED, Reason.COOL_DOWN): Wait(WITHIN, Told.NOTICE, _PROPOSAL),
    (Status.PROPOSED, Reason.BLAST_RADIUS): Wait(timedelta(0), Told.NOTICE, _PROPOSAL),
    (Status.ACTING, Reason.TARGET_BUSY): Wait(
        WITHIN, Told.CALLED, "ESCALATED; the change counts as in place, as it may be"
    ),
    (Status.VERIFYING, Reason.TARGET_BUSY): _VERIFYING,
    (Status.VERIFYING, Reason.COLLECTING_EVIDENCE): _VERIFYING,
    (Status.VERIFYING, Reason.CONFIGURATION_UNREADABLE): _ASKED,
    (Status.ESCALATED, Reason.AWAITING_PEOPLE): _PEOPLE,
    (Status.ESCALATED, Reason.TARGET_REMOVED): _REMOVED,
    (Status.ESCALATED, Reason.CONFIGURATION_UNREADABLE): _ASKED,
    (Status.ESCALATED, Reason.TARGET_BUSY): _ASKED,
    (Status.RECOVERED, Reason.CONFIGURATION_UNREADABLE): _ASKED,
    (Status.RECOVERED, Reason.TARGET_BUSY): _ASKED,
    (Status.RECOVERED, Reason.DRIFT_STANDS): _STANDS,
    (Status.RECOVERED, Reason.TARGET_REMOVED): _REMOVED,
    **{
        (status, doubt): Wait(WITHIN, Told.CALLED, "an incident of its own, which is ESCALATED")
        for status in (Status.RECOVERED, Status.CLOSED)
        for doubt in (Reason.ALARM_NOT_CORROBORATED, Reason.ALARM_NOT_FRESH)
    },
    (Status.RECOVERED, Reason.HEALTHY): Wait(
        None, Told.BEFORE, "the next incident begins with the hold", "while a hold outlives its incident"
    ),
}
"""By the incident's state, and the reason of a run that leaves it as it is."""


def within(status: Status, reason: Reason) -> timedelta | None:
    """Return after how long a wait is over; None where it is no fixed time, or no wait."""
    wait = WAITS.get((status, reason))
    return wait.within if wait else None


def told(status: Status, reason: Reason) -> Told | None:
    """Return how people hear of a wait; None where it is none."""
    wait = WAITS.get((status, reason))
    return wait.told if wait else None
