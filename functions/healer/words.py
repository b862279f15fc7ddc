"""The words of the healer: where an incident stands, and why. Codes of logs and ledger."""

from enum import StrEnum


class Status(StrEnum):
    """Where an incident stands."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    ACTING = "ACTING"
    VERIFYING = "VERIFYING"
    RECOVERED = "RECOVERED"
    INEFFECTIVE = "INEFFECTIVE"
    INCONCLUSIVE = "INCONCLUSIVE"
    ESCALATED = "ESCALATED"


class Effect(StrEnum):
    """What is to be done outside the ledger, once its intent is recorded."""

    APPLY = "apply"
    REVERT = "revert"
    PROBE = "probe"
    NOTIFY = "notify"


class Verb(StrEnum):
    """What a person may ask of the healer."""

    APPROVE = "approve"
    """Execute exactly the plan that was proposed."""
    ROLLBACK = "rollback"
    """Undo what stands in an open incident, and hold it."""
    RELEASE = "release"
    """End a hold: the healer may act again."""
    RESTORE = "restore"
    """Undo, under watch, what still stands after recovery."""
    ACCEPT = "accept"
    """Take what still stands after recovery for the baseline from now on."""


class Reason(StrEnum):
    """Why a decision was taken; a stable code for logs, ledger and messages."""

    HEALTHY = "healthy"
    BUSY = "another-run-holds-the-lease"
    ALARM_CONFIRMED = "alarm-confirmed-by-metrics"
    ALARM_CLEARED = "alarm-cleared-before-the-act"

    # Guards: why nothing is done although an alarm rings.
    ALARM_NOT_CORROBORATED = "alarm-not-corroborated-by-metrics"
    ALARM_NOT_FRESH = "alarm-not-fresh"
    MODE_FORBIDS = "mode-forbids-acting"
    TARGET_GONE = "target-gone"
    TARGET_REMOVED = "target-removed-from-configuration"
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

    # Acts and what became of them.
    APPLIED = "applied"
    APPLIED_EARLIER = "applied-by-an-earlier-run"
    REVERTED = "reverted"
    DEFERRED = "act-deferred-to-the-next-run"
    COLLECTING_EVIDENCE = "collecting-evidence"
    PROBING = "probing"
    RECOVERED = "recovered-by-evidence"
    RECOVERED_UNAIDED = "recovered-without-an-act"
    NO_REMEDY_HELPED = "remedy-ineffective"
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
    ROLLED_BACK = "rolled-back"
    REVERT_REFUSED = "revert-refused-in-alarm"
    RELEASED = "released"
    RESTORING = "restoring-the-baseline"
    DRIFT_STANDS = "drift-stands"
    DRIFT_ENDED = "drift-ended"
    DRIFT_ACCEPTED = "drift-accepted"
    NOTICE_DUE = "notice-due"
    NOTICE_OWED = "notice-owed"
