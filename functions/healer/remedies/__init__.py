"""The remedies: one module a kind, each of which reads and writes one setting of a target.

Each module's docstring says what it reads and writes, what the value before is, how it recognises that it was
already applied, how it reverts, and its concurrency guarantee. What it may call is in `remedies.json`.
"""

from collections.abc import Callable, Mapping

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies import (
    environment,
    limit_concurrency,
    override,
    pause_consumer,
    rollback_alias,
)
from selfheal.functions.healer.target import Setting, Target
from selfheal.functions.shared.contract import RemedyKind

Reader = Callable[[Aws, Target, Setting], Live]
Writer = Callable[[Aws, Target, Setting, Live, str | None], str | None]

KINDS: Mapping[str, tuple[Reader, Writer]] = {
    RemedyKind.ENVIRONMENT: (environment.read, environment.write),
    RemedyKind.OVERRIDE: (override.read, override.write),
    RemedyKind.ROLLBACK_ALIAS: (rollback_alias.read, rollback_alias.write),
    RemedyKind.LIMIT_CONCURRENCY: (limit_concurrency.read, limit_concurrency.write),
    RemedyKind.PAUSE_CONSUMER: (pause_consumer.read, pause_consumer.write),
}


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read one setting of a target, and the configuration of the function that it belongs to.

    Raises:
        ValueError: when the kind is unknown, or what is found is not understood.
        botocore.exceptions.ClientError: when AWS refuses to tell.

    """
    return _kind(setting)[0](aws, target, setting)


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Set one setting of a target, on condition that it is still as this run has read it.

    Args:
        aws: What to talk to.
        target: Whose setting it is.
        setting: What to set.
        live: What was read in this run.
        value: The new value; None takes the setting away, where the kind can.

    Returns:
        None when it is done; else the code of a refusal: the world refused for now, or someone else's value
        stands. The next run reads what there is; an answer that was lost shows there as already applied.

    Raises:
        ValueError: when the kind is unknown or cannot be set to this value. Nothing was changed.
        botocore.exceptions.ClientError: anything else that AWS answers.

    """
    return _kind(setting)[1](aws, target, setting, live, value)


def _kind(setting: Setting) -> tuple[Reader, Writer]:
    if setting.kind not in KINDS:
        raise ValueError(f"there is no remedy of kind {setting.kind!r}: known are {', '.join(KINDS)}")
    return KINDS[setting.kind]
