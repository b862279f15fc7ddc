"""Remedy `environment`: one variable in the environment of a function's $LATEST version.

Reads and writes: GetFunctionConfiguration and UpdateFunctionConfiguration. The whole environment is read
    because Lambda replaces it as a whole; only the one variable is ever recorded.
Value before: the variable, from the same read as the revision.
Already applied: the variable has the remedy's value.
Reverts: by setting the variable to the value before. A missing variable is never added, so none has to be
    removed.
Concurrency guarantee: compare-and-swap. The write names the RevisionId of the read, and Lambda rejects it if
    anything about the function has changed since. A write whose answer was lost is recognised as applied.
"""

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies.common import GONE, attempt, look
from selfheal.functions.healer.target import Setting, Target


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read the variable. Its value is None if it is missing or the environment is unreadable."""
    seen = look(aws, target)
    if seen is None:
        return GONE
    return Live(seen.variables.get(setting.name), seen.revision_id, seen)


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Set the variable, and keep all others. This does not wait until the update is complete.

    Raises:
        ValueError: when the function does not exist, its environment could not be read (writing would erase
            it), or the value is None.

    """
    if live.configuration is None or not live.configuration.readable:
        raise ValueError(f"{target.function}: the environment could not be read, so it must not be written")
    if value is None:
        raise ValueError(f"{target.function}: {setting.name} is only ever set, never taken away")
    variables = {**live.configuration.variables, setting.name: value}
    return attempt(
        aws.lambda_.update_function_configuration,
        FunctionName=target.function,
        Environment={"Variables": variables},
        RevisionId=live.token,
    )
