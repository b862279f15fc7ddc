"""The states of an incident, the transitions between them, and the reason codes of the ledger and the logs.

An incident refuses any other way, and docs/states.md is made from here. Which effect goes with which state:
incident_rules.py.
"""

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """The state of an incident."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    ACTING = "ACTING"
    VERIFYING = "VERIFYING"
    RECOVERED = "RECOVERED"
    INEFFECTIVE = "INEFFECTIVE"
    INCONCLUSIVE = "INCONCLUSIVE"
    ESCALATED = "ESCALATED"
    CLOSED = "CLOSED"


class Effect(StrEnum):
    """What is done outside the ledger once its intent is recorded."""

    APPLY = "apply"
    REVERT = "revert"
    PROBE = "probe"
    NOTIFY = "notify"


class Verb(StrEnum):
    """What a person may request of the healer."""

    APPROVE = "approve"
    """Carry out exactly the plan that was proposed."""
    ROLLBACK = "rollback"
    """Revert the changes of an open incident, and hold the target."""
    RELEASE = "release"
    """End a hold, so that the healer may act again."""
    RESTORE = "restore"
    """Revert drift after recovery, and verify that the service stays healthy."""
    ACCEPT = "accept"
    """Accept drift after recovery."""
    CLOSE = "close"
    """Close the incident of a target that is no longer configured."""


class Reason(StrEnum):
    """Why a decision was taken, as a stable code for logs, ledger and messages."""

    HEALTHY = "healthy"
    BUSY = "another-run-holds-the-lease"
    ALARM_CONFIRMED = "alarm-confirmed-by-metrics"
    ALARM_CLEARED = "alarm-cleared-before-the-act"

    # Guards: why nothing is changed although an alarm is in ALARM.
    ALARM_NOT_CORROBORATED = "alarm-not-corroborated-by-metrics"
    ALARM_NOT_FRESH = "alarm-not-fresh"
    MODE_FORBIDS = "mode-forbids-acting"
    TARGET_GONE = "target-gone"
    TARGET_REMOVED = "target-removed-from-configuration"
    TARGET_REPOINTED = "target-points-to-another-function"
    TARGET_BUSY = "target-busy"
    DEPLOYMENT_IN_PROGRESS = "deployment-in-progress"
    COOL_DOWN = "cool-down"
    BUDGET_SPENT = "budget-spent"
    BLAST_RADIUS = "blast-radius"
    FLAPPING = "flapping"
    HELD = "held-until-released"
    ATTEMPTS_EXHAUSTED = "attempts-exhausted"

    # Why a remedy cannot be used.
    NO_REMEDY = "no-remedy-configured"
    CONFIGURATION_UNREADABLE = "configuration-unreadable"
    VARIABLE_MISSING = "variable-missing"
    NO_EARLIER_VERSION = "no-earlier-version"
    ALREADY_APPLIED = "remedy-already-in-place"
    BREAKER_OWNS = "circuit-breaker-owns-the-mapping"
    CIRCUIT_FORCED = "circuit-forced-by-someone-else"
    CHANGE_REFUSED = "change-refused-by-aws"
    CHANGE_FAILED = "change-failed-at-aws"

    # Remediations and their outcomes.
    APPLIED = "applied"
    APPLIED_EARLIER = "applied-by-an-earlier-run"
    REVERTED = "reverted"
    DEFERRED = "act-deferred-to-the-next-run"
    COLLECTING_EVIDENCE = "collecting-evidence"
    PROBING = "probing"
    RECOVERED = "recovered-by-evidence"
    RECOVERED_UNAIDED = "recovered-without-an-act"
    REMEDY_INEFFECTIVE = "remedy-ineffective"
    NO_EVIDENCE = "no-evidence-in-time"
    ALARM_STUCK = "alarm-stuck-while-healthy"
    ALARM_SILENT = "alarm-silent-while-failing"
    VALUE_CHANGED = "value-changed-by-someone-else"
    EXPIRED = "remedy-expired"
    RELAPSED = "relapsed-after-the-revert"

    # People.
    AWAITING_PEOPLE = "awaiting-people"
    APPROVED = "approved"
    APPROVAL_STALE = "approval-stale"
    APPROVAL_EXPIRED = "approval-expired"
    COMMAND_EXPIRED = "command-expired"
    COMMAND_REFUSED = "command-not-applicable"
    VALID_TOO_LONG = "request-valid-for-too-long"
    ROLLED_BACK = "rolled-back"
    REVERT_REFUSED = "revert-refused-in-alarm"
    RELEASED = "released"
    RESTORING = "restoring-the-baseline"
    DRIFT_STANDS = "drift-stands"
    DRIFT_ENDED = "drift-ended"
    DRIFT_ACCEPTED = "drift-accepted"
    CLOSED = "closed-by-a-person"
    RECORD_LOST = "incident-lost-from-the-ledger"
    TARGET_UNREADABLE = "target-not-readable-in-time"
    NOTICE_DUE = "notice-due"
    NOTICE_OWED = "notice-owed"


MEANING: Mapping[Status, str] = {
    Status.OPEN: "An alarm is borne out by its metrics; a guard or the next remedy decides what follows.",
    Status.PROPOSED: "A plan is recorded; in mode suggest people were asked to approve exactly this plan.",
    Status.ACTING: "An apply or a revert is intended. It may or may not have been done yet.",
    Status.VERIFYING: "The change is in place, or was taken back; evidence is being collected.",
    Status.INEFFECTIVE: "The evidence says that the remedy did not help; passed through, never rested in.",
    Status.INCONCLUSIVE: "There was not enough evidence in time; passed through, never rested in.",
    Status.ESCALATED: "People were called. The healer does nothing more until its hold ends.",
    Status.RECOVERED: "Evidence showed the service well for the stability window. The incident is over.",
    Status.CLOSED: (
        "A person closed it, because its target is no longer configured. What stood is theirs; nothing was "
        "shown about the service."
    ),
}

WAYS: Mapping[tuple[Status, Status], str] = {
    (Status.OPEN, Status.OPEN): "a guard waits, or the next remedy's turn comes",
    (Status.OPEN, Status.PROPOSED): "the mode forbids acting",
    (Status.OPEN, Status.ACTING): "the intent to apply is recorded",
    (Status.OPEN, Status.ESCALATED): "no remedy is left, or a guard calls people",
    (Status.OPEN, Status.RECOVERED): "well by evidence",
    (Status.PROPOSED, Status.PROPOSED): "the world changed: a new plan",
    (Status.PROPOSED, Status.OPEN): "a remedy cannot be used, or a deployment is in progress",
    (Status.PROPOSED, Status.ACTING): "approved, or the mode allows it now",
    (Status.PROPOSED, Status.ESCALATED): "no remedy is left, or a guard calls people",
    (Status.PROPOSED, Status.RECOVERED): "well by evidence",
    (Status.ACTING, Status.ACTING): "an undone intent is made again",
    (Status.ACTING, Status.VERIFYING): "the change is in place, or was taken back under watch",
    (
        Status.ACTING,
        Status.OPEN,
    ): "not done: the alarm cleared, a guard waits or AWS refused it; or undone: the next remedy's turn",
    (Status.ACTING, Status.PROPOSED): "not done, and the mode forbids it now",
    (Status.ACTING, Status.ESCALATED): "not possible or refused, or rolled back, or applied a second time",
    (Status.VERIFYING, Status.RECOVERED): "well by evidence, for the stability window",
    (Status.VERIFYING, Status.INEFFECTIVE): "still failing by evidence",
    (Status.VERIFYING, Status.INCONCLUSIVE): "no evidence in time, or the value was changed",
    (Status.VERIFYING, Status.ACTING): "expired or rolled back: revert; relapsed: apply again",
    (Status.VERIFYING, Status.OPEN): "relapsed, and the mode asks for an approval; or AWS failed to make it",
    (Status.VERIFYING, Status.ESCALATED): "relapsed, and the healer may not act; or AWS failed to make it",
    (Status.INEFFECTIVE, Status.ACTING): "safe to revert: undo it first",
    (Status.INEFFECTIVE, Status.OPEN): "the next remedy's turn",
    (Status.INEFFECTIVE, Status.ESCALATED): "that was the last remedy",
    (Status.INCONCLUSIVE, Status.ESCALATED): "people decide",
    (Status.ESCALATED, Status.OPEN): "released, or the hold's time is over",
    (Status.ESCALATED, Status.ACTING): "rolled back by a person; expired: revert",
    (Status.ESCALATED, Status.RECOVERED): "well by evidence",
    (Status.ESCALATED, Status.CLOSED): "closed by a person: the target is no longer configured",
    (Status.RECOVERED, Status.CLOSED): "closed by a person: drift on a target that is no longer configured",
    (Status.RECOVERED, Status.ACTING): "restored by a person, or expired: revert under watch",
}
"""When an incident moves, by (from, to). A new incident begins in OPEN."""

TERMINAL = frozenset({Status.RECOVERED, Status.ESCALATED, Status.CLOSED})
"""The states in which every incident ends if nobody does anything."""
