"""The remedies: one module per kind, which reads and writes one setting of a target.

Each module's docstring describes what it reads and writes, the value before, how it recognises that it was
already applied, how it reverts, and its concurrency guarantee. `remedies.json` lists what it may call.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies import (
    common,
    environment,
    force_breaker,
    limit_concurrency,
    override,
    pause_consumer,
    rollback_alias,
)
from selfheal.functions.healer.target import Setting, Target
from selfheal.functions.shared.contract import RemedyKind

REFUSED = common.REFUSED
"""The codes by which AWS refuses a change for good. Any other code of `write` means: not now."""

Reader = Callable[[Aws, Target, Setting], Live]
Writer = Callable[[Aws, Target, Setting, Live, str | None], str | None]

KINDS: Mapping[str, tuple[Reader, Writer]] = {
    RemedyKind.ENVIRONMENT: (environment.read, environment.write),
    RemedyKind.OVERRIDE: (override.read, override.write),
    RemedyKind.ROLLBACK_ALIAS: (rollback_alias.read, rollback_alias.write),
    RemedyKind.LIMIT_CONCURRENCY: (limit_concurrency.read, limit_concurrency.write),
    RemedyKind.PAUSE_CONSUMER: (pause_consumer.read, pause_consumer.write),
    RemedyKind.FORCE_BREAKER: (force_breaker.read, force_breaker.write),
}


def read(aws: Aws, target: Target, setting: Setting, rejected: Collection[str] = ()) -> Live:
    """Read one setting of a target, the configuration of its function, and whether its breaker is at work.

    Args:
        aws: The clients.
        target: The target.
        setting: The setting to read.
        rejected: Versions to which an alias is not rolled back, as `function:version`.

    Raises:
        ValueError: when the kind is unknown, or AWS returns an unknown state.
        botocore.exceptions.ClientError: when a call fails.

    """
    live = _kind(setting)[0](aws, target, setting)
    seen = live.configuration
    if seen is None or setting.kind == RemedyKind.FORCE_BREAKER:
        return live
    if setting.kind == RemedyKind.ROLLBACK_ALIAS:
        live = replace(live, candidate=rollback_alias.candidate(aws, target, live.value, rejected))
    return replace(live, breaker_at_work=force_breaker.at_work(aws, target, seen))


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Change one setting of a target, if it is unchanged since this run has read it.

    Args:
        aws: The clients.
        target: The target.
        setting: The setting to change.
        live: The setting as this run has read it.
        value: The new value. None removes the setting, if the kind supports that.

    Returns:
        None when the change is done. Otherwise the error code. With one of REFUSED, AWS would refuse the
        change again. With any other, AWS rejected it for now, or someone else has changed the setting. The
        next run reads it again; if only the answer was lost, it then finds the remedy already applied.

    Raises:
        ValueError: when the kind is unknown or does not support the value. Nothing was changed.
        botocore.exceptions.ClientError: when AWS answers with any other error.

    """
    return _kind(setting)[1](aws, target, setting, live, value)


def _kind(setting: Setting) -> tuple[Reader, Writer]:
    if setting.kind not in KINDS:
        raise ValueError(f"there is no remedy of kind {setting.kind!r}: known are {', '.join(KINDS)}")
    return KINDS[setting.kind]
