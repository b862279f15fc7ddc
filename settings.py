"""The stack's configuration, read once and checked whole."""

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypeVar, cast

import pulumi
from pulumi.runtime import config as pulumi_config

from selfheal.components.fragile_service import Traffic
from selfheal.components.function import RETENTION_DAYS
from selfheal.components.thresholds import MAX_FALSE_ALARMS_PER_YEAR, MAX_NATURAL_ERROR_RATE
from selfheal.components.topics import is_email
from selfheal.functions.shared.contract import LIMIT_RANGES, FaultMode, Limits, Mode, RemedyKind

_Word = TypeVar("_Word", bound=StrEnum)

REMEDIES = (RemedyKind.ENVIRONMENT, RemedyKind.OVERRIDE, RemedyKind.ROLLBACK_ALIAS)
"""What can help the fragile service. A limit of concurrency cannot: its failures do not come from load."""


_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")

_WORKS_WITH = {RemedyKind.ENVIRONMENT: Traffic.LATEST, RemedyKind.ROLLBACK_ALIAS: Traffic.ALIAS}
"""Remedies that work with one kind of traffic only: the environment of a published version is frozen."""


class SettingsError(pulumi.RunError):
    """A configuration value cannot be used. The text names the key, what is allowed, what was given."""

    def __init__(self, key: str, allowed: str, given: str, arguments: str) -> None:
        super().__init__(
            f"configuration key {key} must be {allowed}, got {given}. Set it with: pulumi config set "
            f"{arguments}"
        )


@dataclass(frozen=True)
class Settings:
    """All that `Pulumi.<stack>.yaml` decides. Pulumi.yaml describes every key and holds its default."""

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
    escalation_emails: tuple[str, ...]
    reserve_concurrency: bool
    protect_ledger: bool
    ledger_name: str
    """Of the table. A stack that is renamed keeps its ledger if this does not change."""
    log_retention_days: int
    restore_baseline: bool

    @classmethod
    def load(cls) -> "Settings":
        """Read the configuration of the current stack.

        Raises:
            SettingsError: for a value that is missing, of the wrong kind or out of range.
            pulumi.RunError: for a key of this project's namespace that it does not know.

        """
        reader = _Reader(pulumi.Config())
        reader.refuse_unknown(_camel(field.name) for field in fields(cls))
        traffic = reader.word("traffic", Traffic.LATEST)
        remedies = reader.words("remedies", REMEDIES, (RemedyKind.OVERRIDE,))
        for kind in remedies:
            reader.refuse_combination(kind, traffic)
        protect_ledger = reader.boolean("protectLedger", default=True)
        return cls(
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
            escalation_emails=reader.emails("escalationEmails"),
            reserve_concurrency=reader.boolean("reserveConcurrency", default=True),
            protect_ledger=protect_ledger,
            ledger_name=reader.ledger_name("ledgerName", protect_ledger),
            log_retention_days=reader.days("logRetentionDays", 14),
            restore_baseline=reader.boolean("restoreBaseline", default=False),
        )


class _Reader:
    """Reads one namespace. Each method returns a checked value or raises a SettingsError."""

    def __init__(self, config: pulumi.Config) -> None:
        self._config = config

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Raise for a key that nobody reads: a misspelt one would silently leave its default in force."""
        names = sorted(known)
        prefix = f"{self._config.name}:"
        # The CLI hands configuration over in the environment, the Automation API in the context.
        given = {*pulumi_config.CONFIG.get(), *pulumi_config.get_config_env()}
        for key in sorted(key.removeprefix(prefix) for key in given if key.startswith(prefix)):
            if key in names:
                continue
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise pulumi.RunError(
                f"configuration key {prefix}{key} is not known. {hint}Known are: {', '.join(names)}. "
                f"Remove it with: pulumi config rm {key}"
            )

    def number(
        self, key: str, default: str | None, low: float, high: float, example: str, *, above: bool = False
    ) -> float:
        """Return a number from `low` (not itself, with `above`) to `high`."""
        bounds = (
            f"a number above {low:g} and at most {high:g}" if above else f"a number from {low:g} to {high:g}"
        )
        text = self._config.get(key)
        if text is None:
            text = default
        if text is None:
            raise SettingsError(self._config.full_key(key), bounds, "nothing", f"{key} {example}")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        # NaN fails every comparison, so it is refused here too.
        if not (low < value <= high if above else low <= value <= high):
            raise SettingsError(self._config.full_key(key), bounds, repr(text), f"{key} {example}")
        return value

    def word(self, key: str, default: _Word) -> _Word:
        """Return a member of the default's enumeration."""
        kind = type(default)
        text = self._config.get(key)
        if text is None:
            return default
        if text not in list(kind):
            close = difflib.get_close_matches(text, list(kind), n=1)
            example = close[0] if close else default.value
            raise SettingsError(
                self._config.full_key(key), f"one of {', '.join(kind)}", repr(text), f"{key} {example}"
            )
        return kind(text)

    def words(self, key: str, allowed: tuple[_Word, ...], default: tuple[_Word, ...]) -> tuple[_Word, ...]:
        """Return a list of these words, which configuration holds as JSON, each at most once."""
        text = self._config.get(key)
        if text is None:
            return default
        entries = _strings(text)
        if entries is None or len(set(entries)) < len(entries) or not set(entries) <= set(allowed):
            raise SettingsError(
                self._config.full_key(key),
                f"a list of {', '.join(allowed)}, each at most once",
                repr(text),
                f"--path '{key}[0]' {default[0]}",
            )
        return tuple(type(allowed[0])(entry) for entry in entries)

    def refuse_combination(self, kind: RemedyKind, traffic: Traffic) -> None:
        """Raise for a remedy that cannot work with this traffic."""
        needed = _WORKS_WITH.get(kind, traffic)
        if traffic is not needed:
            key, allowed = self._config.full_key("remedies"), [each for each in REMEDIES if each is not kind]
            raise pulumi.RunError(
                f"configuration key {key} holds {kind}, which works with traffic {needed} only, and traffic "
                f"is {traffic}. Set it with: pulumi config set traffic {needed}; or remove the remedy: with "
                f"traffic {traffic} allowed are {', '.join(allowed)}"
            )

    def ledger_name(self, key: str, protected: bool) -> str:
        """Return a table's name. What nothing protects needs one that does not follow the stack's."""
        text = self._config.get(key)
        default = f"{pulumi.get_project()}-{pulumi.get_stack()}-ledger"
        if not text and protected:
            return default
        if not text or not _TABLE_NAME.fullmatch(text):
            why = "" if protected else " while protectLedger is false (a renamed stack would lose its ledger)"
            allowed = f"a table's name, 3 to 255 letters, digits, dots, hyphens and underscores{why}"
            given = repr(text) if text else "nothing"
            raise SettingsError(self._config.full_key(key), allowed, given, f"{key} {default}")
        return text

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        text = self._config.get(key)
        if text is None:
            return default
        if text not in map(str, range(low, high + 1)):
            allowed = f"a whole number from {low} to {high}"
            raise SettingsError(self._config.full_key(key), allowed, repr(text), f"{key} {default}")
        return int(text)

    def boolean(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        text = self._config.get(key)
        if text is None:
            return default
        if text not in ("true", "false"):
            raise SettingsError(
                self._config.full_key(key), "true or false", repr(text), f"{key} {str(default).lower()}"
            )
        return text == "true"

    def days(self, key: str, default: int) -> int:
        """Return a retention that CloudWatch Logs knows."""
        text = self._config.get(key)
        if text is None:
            return default
        if text not in map(str, RETENTION_DAYS):
            allowed = f"one of {', '.join(map(str, RETENTION_DAYS))}"
            raise SettingsError(self._config.full_key(key), allowed, repr(text), f"{key} {default}")
        return int(text)

    def _is_secret(self, key: str) -> bool:
        return pulumi_config.is_config_secret(self._config.full_key(key))

    def emails(self, key: str) -> tuple[str, ...]:
        """Return a list of addresses, which configuration holds as JSON."""
        text = self._config.get(key)
        if text is None:
            return ()
        addresses = _strings(text)
        if addresses is not None and all(map(is_email, addresses)) and len(set(addresses)) == len(addresses):
            return tuple(addresses)
        raise SettingsError(
            self._config.full_key(key),
            'a list of e-mail addresses such as ["oncall@example.com"], each once',
            # What is secret stays so; a list that cannot be read may hold addresses too.
            "a secret" if self._is_secret(key) else repr(text),
            f"--path '{key}[0]' oncall@example.com",
        )


def _strings(text: str) -> list[str] | None:
    """Return a JSON list of strings; None if it is anything else."""
    try:
        entries = json.loads(text)
    except ValueError:
        return None
    if not isinstance(entries, list):
        return None
    found = [entry for entry in cast("list[object]", entries) if isinstance(entry, str)]
    return found if len(found) == len(cast("list[object]", entries)) else None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
