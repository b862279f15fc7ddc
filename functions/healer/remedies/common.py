"""What the kinds of remedies share."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from selfheal.functions.healer import configuration
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.observation import Configuration, Live
from selfheal.functions.healer.target import Target

GONE = Live(value=None, token="", configuration=None)
"""The function, or what the setting belongs to, is not there any more."""

CHANGED_MEANWHILE = "ChangedMeanwhile"
"""The refusal of the kinds without a revision: the setting is not what it should be."""

NOT_FOUND = "ResourceNotFoundException"

# Someone else changed it, or is changing it, or removed it, or Lambda asks for patience. Nothing was changed:
# look again next run, which then finds a new revision, or that the target is gone.
_NOT_NOW = frozenset(
    {
        NOT_FOUND,
        "PreconditionFailedException",
        "ResourceConflictException",
        "ResourceInUseException",
        "TooManyRequestsException",
    }
)


def look(aws: Aws, target: Target) -> Configuration | None:
    """Read the configuration of a target's function; its hash leaves out every variable that remedies set."""
    ignore = frozenset(remedy.name for remedy in target.remedies if remedy.kind == "environment")
    return configuration.read(aws.lambda_, target.function, ignore)


def find(call: Callable[..., Any], **arguments: Any) -> dict[str, Any] | None:
    """Return what an AWS call answers, or None when Lambda does not know what it names."""
    try:
        return call(**arguments)
    except ClientError as error:
        if error_code(error) == NOT_FOUND:
            return None
        raise


def attempt(call: Callable[..., Any], **arguments: Any) -> str | None:
    """Call Lambda to change something; return None, or the code with which the world refused it for now."""
    try:
        call(**arguments)
    except ClientError as error:
        code = error_code(error)
        if code in _NOT_NOW:
            return code
        raise
    return None


def error_code(error: ClientError) -> str:
    """Return the code of an AWS error."""
    return str(error.response.get("Error", {}).get("Code", ""))
