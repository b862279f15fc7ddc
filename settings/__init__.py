"""The stack's configuration, read once and checked whole."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import NotRequired, TypedDict

import pulumi

from selfheal.components.healing.thresholds import MAX_FALSE_ALARMS_PER_YEAR, MAX_NATURAL_ERROR_RATE
from selfheal.components.security import KEY_ARN, KEY_EXAMPLE, POLICY_ARN, POLICY_EXAMPLE, SecurityArgs
from selfheal.components.services.fragile_service import Traffic
from selfheal.functions.shared.contract import LIMIT_RANGES, FaultMode, Limits, Mode, RemedyKind
from settings.orders import OrdersSettings
from settings.reader import Reader, SettingsError

__all__ = ["REMEDIES", "OrdersSettings", "Service", "Settings", "SettingsError"]

REMEDIES = (RemedyKind.ENVIRONMENT, RemedyKind.OVERRIDE, RemedyKind.ROLLBACK_ALIAS)
"""What can help the fragile service. A limit of concurrency cannot: its failures do not come from load."""

_WORKS_WITH = {RemedyKind.ENVIRONMENT: Traffic.LATEST, RemedyKind.ROLLBACK_ALIAS: Traffic.ALIAS}
"""Remedies that work with one kind of traffic only: the environment of a published version is frozen."""


class Service(StrEnum):
    """What a stack deploys."""

    FRAGILE = "fragile"
    """A function that fails at a configured rate."""
    ORDERS = "orders"
    """A service that takes orders and loses none."""


class Resilience(StrEnum):
    """How the policy pack takes its rules of resilience."""

    ADVISED = "advised"
    """They advise."""
    REQUIRED = "required"
    """A violation refuses the deployment."""


class Everywhere(SecurityArgs):
    """Arguments of every component."""

    log_retention_days: int


class Detected(TypedDict):
    """Arguments of every target."""

    instrumented: bool
    natural_error_rate: float
    false_alarms_per_year: float
    environment_key_arn: NotRequired[str]


@dataclass(frozen=True)
class Settings:
    """All that `Pulumi.<stack>.yaml` decides. Pulumi.yaml describes every key and holds its default."""

    service: Service
    resilience: Resilience
    """Read by the policy pack only; here, so that it is known and a misspelt value is refused."""
    sandbox: bool
    """Whether nobody depends on the stack. The policy pack reads it as well."""
    orders: OrdersSettings
    """Of the orders service."""
    failure_rate: float
    """Baseline share of failing requests, 0 to 1."""
    fault_mode: FaultMode
    traffic: Traffic
    natural_error_rate: float
    """Above 0, at most 0.2."""
    false_alarms_per_year: float
    """Above 0, at most 1,000."""
    mode: Mode
    remedies: tuple[RemedyKind, ...]
    """In the order in which they are tried; none: the service is only watched."""
    budget: int
    """Acts in a day, 1 to 24."""
    remind_seconds: int
    """Seconds between reminders of what is unresolved, 3,600 to 604,800."""
    escalation_emails: tuple[str, ...]
    reserve_concurrency: bool
    protect_ledger: bool
    ledger_name: str
    """Of the table. A stack that is renamed keeps its ledger if this does not change."""
    log_retention_days: int
    restore_baseline: bool
    encryption_key_arn: str
    """Of everything that is stored; empty for keys that AWS owns."""
    permissions_boundary_arn: str
    """Of every role; empty for one of each role's own."""

    @property
    def security(self) -> SecurityArgs:
        """What the organisation demands."""
        demands: SecurityArgs = {}
        if self.encryption_key_arn:
            demands["encryption_key_arn"] = self.encryption_key_arn
        if self.permissions_boundary_arn:
            demands["permissions_boundary_arn"] = self.permissions_boundary_arn
        return demands

    @property
    def everywhere(self) -> Everywhere:
        """Arguments of every component."""
        return {"log_retention_days": self.log_retention_days, **self.security}

    @property
    def detection(self) -> Detected:
        """From what the alarms of each target follow, and the key of its environment."""
        detected: Detected = {
            "instrumented": True,
            "natural_error_rate": self.natural_error_rate,
            "false_alarms_per_year": self.false_alarms_per_year,
        }
        if self.encryption_key_arn:
            detected["environment_key_arn"] = self.encryption_key_arn
        return detected

    @classmethod
    def load(cls) -> "Settings":
        """Read the configuration of the current stack.

        Raises:
            SettingsError: for a value that is missing, of the wrong kind or out of range.
            pulumi.RunError: for a key of this project's namespace that it does not know.

        """
        reader = Reader(pulumi.Config())
        reader.refuse_unknown(_keys())
        traffic = reader.word("traffic", Traffic.LATEST)
        remedies = reader.words("remedies", REMEDIES, (RemedyKind.OVERRIDE,))
        for kind in remedies:
            _refuse_combination(reader, kind, traffic)
        sandbox = reader.boolean("sandbox", default=False)
        protect_ledger = reader.boolean("protectLedger", default=True)
        return cls(
            service=reader.word("service", Service.FRAGILE),
            resilience=reader.word("resilience", Resilience.ADVISED),
            sandbox=sandbox,
            orders=OrdersSettings.load(reader, sandbox=sandbox),
            failure_rate=reader.number("failureRate", None, 0, 1, "0.3"),
            fault_mode=reader.word("faultMode", FaultMode.EXCEPTION),
            traffic=traffic,
            natural_error_rate=reader.number(
                "naturalErrorRate", "0.001", 0, MAX_NATURAL_ERROR_RATE, "0.001", above=True
            ),
            false_alarms_per_year=reader.number(
                "falseAlarmsPerYear", "1", 0, MAX_FALSE_ALARMS_PER_YEAR, "1", above=True
            ),
            mode=reader.word("mode", Mode.OBSERVE),
            remedies=remedies,
            budget=reader.whole("budget", Limits.budget, *LIMIT_RANGES["budget"][:2]),
            remind_seconds=reader.whole(
                "remindSeconds", Limits.remind_seconds, *LIMIT_RANGES["remind_seconds"][:2]
            ),
            escalation_emails=reader.emails("escalationEmails"),
            reserve_concurrency=reader.boolean("reserveConcurrency", default=False),
            protect_ledger=protect_ledger,
            ledger_name=reader.ledger_name("ledgerName", protect_ledger),
            log_retention_days=reader.days("logRetentionDays", 14),
            restore_baseline=reader.boolean("restoreBaseline", default=False),
            encryption_key_arn=reader.arn("encryptionKeyArn", KEY_ARN, KEY_EXAMPLE),
            permissions_boundary_arn=reader.arn("permissionsBoundaryArn", POLICY_ARN, POLICY_EXAMPLE),
        )


def _keys() -> Iterable[str]:
    """Return the keys of both services: Pulumi hands the defaults of all of them to every stack."""
    own = [field.name for field in fields(Settings) if field.name != "orders"]
    return [_camel(name) for name in (*own, *(field.name for field in fields(OrdersSettings)))]


def _refuse_combination(reader: Reader, kind: RemedyKind, traffic: Traffic) -> None:
    """Raise for a remedy that cannot work with this traffic."""
    needed = _WORKS_WITH.get(kind, traffic)
    if traffic is not needed:
        key, allowed = reader.full_key("remedies"), [each for each in REMEDIES if each is not kind]
        raise pulumi.RunError(
            f"configuration key {key} holds {kind}, which works with traffic {needed} only, and traffic "
            f"is {traffic}. Set it with: pulumi config set traffic {needed}; or remove the remedy: with "
            f"traffic {traffic} allowed are {', '.join(allowed)}"
        )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
