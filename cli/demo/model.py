"""What a run of the demonstration recorded, from which everything else is derived."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Incident


class MomentKey(StrEnum):
    """The moments of a run, in the order in which they must happen."""

    DEPLOYED = "deployed"
    FIRST_ERROR = "first_error"
    ALARM = "alarm"
    ACT = "act"
    LAST_ERROR = "last_error"
    ALARM_OK = "alarm_ok"
    RECOVERED = "recovered"
    BASELINE_RESTORED = "baseline_restored"
    ERRORS_AGAIN = "errors_again"


@dataclass(frozen=True)
class Sample:
    """One HTTP request that was sent to the service."""

    sent: float
    """When it was sent, in seconds since traffic began."""
    done: float
    """When it was answered or given up, in seconds since traffic began."""
    status: int | None
    """The HTTP status; None when there was no answer (time-out, connection refused)."""
    number: int = 0
    """Of the request, from 0 in the order in which they were due."""

    @property
    def failed(self) -> bool:
        """Whether a caller would call it an error: no answer, or a 5xx."""
        return self.status is None or self.status >= 500  # noqa: PLR2004 - the HTTP class of server errors


@dataclass(frozen=True)
class AlarmChange:
    """One change of an alarm's state, from the alarm's history."""

    name: str
    """The alarm."""
    state: str
    """OK, ALARM or INSUFFICIENT_DATA."""
    at: float
    """When, in seconds since traffic began."""
    reason: str
    """As CloudWatch gives it."""


@dataclass(frozen=True)
class BaselineRestore:
    """The second `up`, after recovery."""

    started: float
    """When it began, in seconds since traffic began: errors are expected again from here on."""
    finished: float
    """When it ended, in seconds since traffic began."""
    changes: dict[str, int]
    """Resources by operation, for example {"update": 1, "same": 27}."""


@dataclass(frozen=True)
class Rates:
    """The FAILURE_RATE in the function's live environment, as read from AWS; None when it was never read."""

    baseline: str
    """What stack configuration says."""
    deployed: str | None = None
    """After the first `up`."""
    healed: str | None = None
    """When the incident was recovered."""
    restored: str | None = None
    """After the second `up`."""


@dataclass(frozen=True)
class Recording:
    """Everything that was seen in one run; times in seconds since traffic began unless they say otherwise."""

    stack: str
    """The stack that was deployed."""
    began: datetime
    """When traffic began, UTC."""
    deployed: float
    """When the first `up` ended; zero or negative, as traffic began right after."""
    deploy_seconds: float
    """How long the first `up` took."""
    samples: tuple[Sample, ...]
    """Every request, in the order of their answers."""
    skipped: int
    """Requests that were due and not sent, because all workers were waiting for an answer."""
    alarm_changes: tuple[AlarmChange, ...]
    """Every state change of the stack's alarms, oldest first."""
    incident: Incident | None
    """The incident in the ledger, or None when there was none."""
    rates: Rates
    """The function's live failure rate at the three points that matter."""
    restore: BaselineRestore | None = None
    """The second `up`, or None when it was not reached."""
    stopped_because: str | None = None
    """Why the run ended early: a refused `up`, the time limit. None when it ran to its end."""
    iam_enforced: bool = False
    """Whether the emulator checked every call of the functions against their roles."""
    left_out: tuple[str, ...] = ()
    """What this run could not do for want of a Pulumi CLI, in words."""
    versions: dict[str, str] = field(default_factory=dict[str, str])
    """Of what took part, by name."""
    setting: dict[str, str] = field(default_factory=dict[str, str])
    """Where it ran: the endpoint's kind, the target rate of requests and the like."""

    def since_began(self, iso: str) -> float:
        """Turn one of the ledger's times into seconds since traffic began."""
        return (parse_iso(iso) - self.began).total_seconds()
