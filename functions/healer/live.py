"""A target as it is now: the function's configuration, and the one setting that a decision is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Configuration:
    """A function's unpublished configuration as it is now; what every remedy looks at first."""

    revision_id: str
    settled: bool
    """False while an earlier update is in progress."""
    readable: bool
    """False when Lambda could not decrypt the environment: its variables are then absent, not empty."""
    code_hash: str
    config_hash: str
    """Of everything but the variables that remedies set."""
    variables: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    """The whole environment. It may hold secrets: never recorded, logged or sent."""


@dataclass(frozen=True)
class Live:
    """One setting of a target as it is now."""

    value: str | None
    """None when it is not set: no variable, no override, no reservation."""
    token: str
    """What makes a later write conditional on this read: a revision or version. Empty where AWS has none."""
    configuration: Configuration | None
    """None when the function, or what the setting belongs to, is gone."""
    settled: bool = True
    """False while the setting itself, or a rollout over it, is being changed."""
    candidate: str | None = None
    """The value that the remedy would set, where only AWS knows it: an alias's earlier version."""

    @property
    def exists(self) -> bool:
        """Whether there is anything to change."""
        return self.configuration is not None

    @property
    def is_settled(self) -> bool:
        """Whether neither the setting nor its function is being changed by anyone."""
        return self.settled and self.configuration is not None and self.configuration.settled

    @property
    def world(self) -> tuple[str, str] | None:
        """Hashes of code and configuration: what a plan was made for."""
        configuration = self.configuration
        return (configuration.code_hash, configuration.config_hash) if configuration else None

    def is_known(self, kind: str) -> bool:
        """Return whether the value can be compared: one that is hidden, or between two, is not "changed"."""
        return self.is_readable(kind) and not self.is_between(kind)

    def is_between(self, kind: str) -> bool:
        """Return whether it is on its way from one value to another: a mapping that is Updating."""
        return self.exists and kind == "pause_consumer" and not self.settled

    def is_readable(self, kind: str) -> bool:
        """Return whether the value could be read; only an environment hides behind a key."""
        return kind != "environment" or (self.configuration is not None and self.configuration.readable)
