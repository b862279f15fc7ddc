"""The targets of the healer, as the Healer component configures them."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from selfheal.functions.shared.contract import (
    DEFAULT_INVOCATION,
    DEFAULT_NATURAL_ERROR_RATE,
    DEFAULT_TIMEOUT_SECONDS,
    PERIODS,
    AlarmKind,
    Invocation,
    Series,
    series_of,
)
from selfheal.functions.shared.errors import OwnError


@dataclass(frozen=True)
class AlarmRule:
    """An alarm and its rule, so that the healer can check the alarm against the metrics."""

    name: str
    kind: AlarmKind
    period: int
    """Seconds that one datapoint of the alarm covers. May be longer than the period of its metrics."""
    periods: int
    """How many periods the alarm looks back. One that breaches is enough to alarm."""
    min_errors: int
    """Fewer errors than this in one period may be chance."""
    error_rate: float
    """Errors divided by requests, from which the alarm fires."""

    @property
    def window(self) -> timedelta:
        """How far the alarm looks back: it stays in ALARM so long after the last failure."""
        return timedelta(seconds=self.period * self.periods)


@dataclass(frozen=True)
class Setting:
    """What a remedy changes: its kind, and the name within the kind."""

    kind: str
    """One of those in `remedies.json`, such as environment."""
    name: str
    """A variable, an override's key, an alias, the UUID of a mapping, the name of a circuit, or "" for the
    function itself."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True)
class Remedy:
    """Set one setting to one value."""

    kind: str
    name: str
    value: str | None
    """None if it is read from AWS: the version to roll an alias back to."""
    revert_safe: bool = False
    """Whether the change may be reverted while the service still fails."""
    expires_after: int | None = None
    """Seconds after which it is reverted and verified. None: it stays until the baseline is restored."""
    baseline: str | None = None
    """The value in stack configuration, if known. Drift ends when the live value equals it."""

    @property
    def setting(self) -> Setting:
        """What it changes."""
        return Setting(self.kind, self.name)


@dataclass(frozen=True)
class Target:
    """A function to heal, the alarms that watch it and the remedies to try."""

    name: str
    function: str
    natural_error_rate: float
    alarms: tuple[AlarmRule, ...]
    """At least one."""
    remedies: tuple[Remedy, ...]
    """In the order in which they are tried. If empty, the target is only watched."""
    probe: str | None = None
    """Payload of an idempotent request, as JSON text. None: no probes."""
    alias: str | None = None
    """The alias that its traffic uses. None: traffic reaches $LATEST."""
    timeout: int = DEFAULT_TIMEOUT_SECONDS
    """The function's timeout in seconds, as declared. The live one may be another."""
    invocation: Invocation = DEFAULT_INVOCATION
    """Who invokes it: whether throttles are failures."""

    def series(self, rule: AlarmRule) -> Series:
        """Return the metrics of one of its alarms, without throttles where those are no failures."""
        return series_of(rule.kind, self.invocation)

    def late(self, rule: AlarmRule) -> timedelta:
        """Return how long after a period its datapoint may still change.

        Lambda counts a call when it ends, in the minute in which it began. The function counts its own call
        where it ends, so a call that its timeout kills is missing there.
        """
        running = 0 if rule.kind is AlarmKind.FAST else self.timeout
        return timedelta(seconds=self.series(rule).late_seconds + running)

    @property
    def invoked(self) -> str:
        """What callers and probes invoke: the function, or its alias."""
        return f"{self.function}:{self.alias}" if self.alias else self.function

    def remedy_of(self, setting: Setting) -> Remedy | None:
        """Return the configured remedy of a setting, if there is one."""
        return next((remedy for remedy in self.remedies if remedy.setting == setting), None)

    def next_remedy(self, tried: tuple[str, ...]) -> Remedy | None:
        """Return the first remedy whose setting is not among those tried."""
        return next((remedy for remedy in self.remedies if str(remedy.setting) not in tried), None)


def parse_targets(text: str) -> tuple[Target, ...]:
    """Read the targets from the healer's environment.

    Raises:
        ValueError: when the text does not have the form that the Healer component writes.

    """
    try:
        return tuple(_target(item) for item in _list(json.loads(text)))
    except (KeyError, TypeError, ValueError) as error:
        raise OwnError(f"TARGETS must be the list that the Healer component writes: {error!r}") from error


def _list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise TypeError(f"a list is needed, got {type(value).__name__}")
    return cast("list[dict[str, Any]]", value)


def _target(item: dict[str, Any]) -> Target:
    """Read a target. What is left out has its default: the environment holds 4 KB."""
    return Target(
        name=item["name"],
        function=item["function"],
        natural_error_rate=float(item.get("natural_error_rate", DEFAULT_NATURAL_ERROR_RATE)),
        alarms=tuple(_alarm_rule(alarm) for alarm in item["alarms"]),
        remedies=tuple(Remedy(**remedy) for remedy in item["remedies"]),
        probe=item.get("probe"),
        alias=item.get("alias"),
        timeout=int(item.get("timeout", DEFAULT_TIMEOUT_SECONDS)),
        invocation=Invocation(item.get("invocation", DEFAULT_INVOCATION)),
    )


def _alarm_rule(item: dict[str, Any]) -> AlarmRule:
    kind = AlarmKind(item["kind"])
    return AlarmRule(
        name=item["name"],
        kind=kind,
        period=int(item.get("period", PERIODS[kind])),
        periods=int(item.get("periods", 1)),
        min_errors=int(item["min_errors"]),
        error_rate=float(item["error_rate"]),
    )
