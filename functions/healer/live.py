"""The live state of a target: the function's configuration, and the setting that a decision is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from selfheal.functions.healer.states import Reason
from selfheal.functions.shared.contract import RemedyKind


@dataclass(frozen=True)
class Configuration:
    """The live configuration of $LATEST, which every remedy reads first."""

    revision_id: str
    settled: bool
    """False while an earlier update is in progress."""
    readable: bool
    """False when Lambda could not decrypt the environment. Its variables are then unknown, not empty."""
    code_hash: str
    config_hash: str
    """Hash of everything except the variables that remedies set."""
    variables: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    """The whole environment. It may contain secrets and is never recorded, logged or sent."""
    timeout: int = 0
    """Seconds after which Lambda ends a call."""
    failed: str | None = None
    """AWS's code of why the last update failed. The function then still runs as it was before it."""


@dataclass(frozen=True)
class Live:
    """The live state of one setting of a target."""

    value: str | None
    """None when it is not set: there is no variable, override or reservation."""
    token: str
    """Revision or version of this read, for a conditional write. Empty where AWS has none."""
    configuration: Configuration | None
    """None when the function, or the resource that the setting belongs to, does not exist."""
    settled: bool = True
    """False while the setting is being changed, or a rollout of it is in progress."""
    candidate: str | None = None
    """The value that the remedy would set, if it has to be read from AWS: the earlier version of an alias."""
    obstacle: Reason | None = None
    """Why the remedy must not be applied, if what was read says so. It does not prevent a revert."""
    breaker_at_work: bool = False
    """Whether the circuit breaker of the target is dealing with an outage by itself, or just has. Only known
    of a target with a remedy `force_breaker`."""

    @property
    def exists(self) -> bool:
        """Whether the function, and what the setting belongs to, exists."""
        return self.configuration is not None

    @property
    def is_settled(self) -> bool:
        """Whether neither the setting nor its function is being changed."""
        return self.settled and self.configuration is not None and self.configuration.settled

    @property
    def world(self) -> tuple[str, str] | None:
        """Hashes of code and configuration, which a plan is valid for."""
        configuration = self.configuration
        return (configuration.code_hash, configuration.config_hash) if configuration else None

    def is_known(self, kind: str) -> bool:
        """Return whether the value can be compared: it is readable and not in transition."""
        return self.is_readable(kind) and not self.is_between(kind)

    def is_between(self, kind: str) -> bool:
        """Return whether the value is in transition, such as that of a mapping in state Updating."""
        return self.exists and kind == RemedyKind.PAUSE_CONSUMER and not self.settled

    def is_readable(self, kind: str) -> bool:
        """Return whether the value could be read. Only an environment can be unreadable (KMS).

        It also names the circuit.
        """
        in_environment = kind in (RemedyKind.ENVIRONMENT, RemedyKind.FORCE_BREAKER)
        return not in_environment or (self.configuration is not None and self.configuration.readable)
