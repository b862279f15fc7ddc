"""Remedy `environment`: one variable of a function's unpublished environment.

Reads and writes: GetFunctionConfiguration and UpdateFunctionConfiguration. The whole environment is read
    because Lambda replaces it as a whole; only the one variable is ever recorded.
Value before: the variable, as the same read that gave the revision shows it.
Already applied: the variable has the remedy's value.
Reverts: by setting the variable to the value before. A variable that was missing is never added, so there is
    none to take away.
Concurrency guarantee: compare-and-swap. The write names the RevisionId of the read, and Lambda refuses it
    when anything of the function has changed since. A write whose answer was lost shows as already applied.
"""

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies.common import GONE, attempt, look
from selfheal.functions.healer.target import Setting, Target


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read the variable; None when there is no such variable or the environment is unreadable."""
    seen = look(aws, target)
    if seen is None:
        return GONE
    return Live(seen.variables.get(setting.name), seen.revision_id, seen)


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Set the variable, keep every other one, and do not wait for the update to settle.

    Raises:
        ValueError: when the function is gone, when its environment could not be read (writing it back would
            wipe it), or when the value is None.

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
