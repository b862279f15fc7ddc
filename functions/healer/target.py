"""What the healer looks after, as the Healer component configured it."""

import json
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True)
class AlarmRule:
    """An alarm and the arithmetic that it stands on, so that the healer can check it for itself."""

    name: str
    namespace: str
    requests: tuple[str, ...]
    """Metrics whose sum is the number of requests; the first must be there, the others count as 0."""
    errors: tuple[str, ...]
    """Metrics whose sum is the number of errors; likewise."""
    period: int
    """Seconds."""
    min_errors: int
    error_rate: float


@dataclass(frozen=True)
class Setting:
    """What a remedy changes: its kind, and the name within the kind."""

    kind: str
    """One of those in `remedies.json`, such as environment."""
    name: str
    """A variable, an override's key, an alias, the function itself (""), an event source mapping's UUID."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True)
class Remedy:
    """Set one setting to one value."""

    kind: str
    name: str
    value: str | None
    """None where only AWS knows it: the version that an alias is rolled back to."""
    revert_safe: bool = False
    """Whether the value before may be put back while the service still fails."""
    expires_after: int | None = None
    """Seconds after which it is reverted under watch. None: it stands until the baseline is restored."""
    baseline: str | None = None
    """What stack configuration says of the setting, if it is known: drift ends when the two agree."""

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
    """In the order in which they are tried. None: the target is only watched."""
    probe: str | None = None
    """Payload of an idempotent request, as JSON text. None: the target is not probed."""
    alias: str | None = None
    """The alias that its traffic uses. None: traffic reaches $LATEST."""

    @property
    def invoked(self) -> str:
        """What a caller invokes, and so a probe: the function, or its alias."""
        return f"{self.function}:{self.alias}" if self.alias else self.function

    def remedy_of(self, setting: Setting) -> Remedy | None:
        """Return the remedy of a setting, if it is configured (still)."""
        return next((remedy for remedy in self.remedies if remedy.setting == setting), None)

    def next_remedy(self, tried: tuple[str, ...]) -> Remedy | None:
        """Return the first remedy whose setting is not among those tried."""
        return next((remedy for remedy in self.remedies if str(remedy.setting) not in tried), None)


def parse_targets(text: str) -> tuple[Target, ...]:
    """Read the targets from the healer's environment.

    Raises:
        ValueError: when the text is not what the Healer component writes. The healer then does nothing.

    """
    try:
        return tuple(_target(item) for item in _list(json.loads(text)))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"TARGETS must be the list that the Healer component writes: {error!r}") from error


def _list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise TypeError(f"a list is needed, got {type(value).__name__}")
    return cast("list[dict[str, Any]]", value)


def _target(item: dict[str, Any]) -> Target:
    return Target(
        name=item["name"],
        function=item["function"],
        natural_error_rate=float(item["natural_error_rate"]),
        alarms=tuple(_alarm_rule(alarm) for alarm in item["alarms"]),
        remedies=tuple(Remedy(**remedy) for remedy in item["remedies"]),
        probe=item.get("probe"),
        alias=item.get("alias"),
    )


def _alarm_rule(item: dict[str, Any]) -> AlarmRule:
    return AlarmRule(
        name=item["name"],
        namespace=item["namespace"],
        requests=tuple(item["requests"]),
        errors=tuple(item["errors"]),
        period=int(item["period"]),
        min_errors=int(item["min_errors"]),
        error_rate=float(item["error_rate"]),
    )
