"""What the kinds of remedies share: the function's configuration, and calls that AWS may refuse for now."""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Configuration, Live
from selfheal.functions.healer.target import Target
from selfheal.functions.shared.contract import RemedyKind

GONE = Live(value=None, token="", configuration=None)
"""The function, or what the setting belongs to, is not there any more."""

CHANGED_MEANWHILE = "ChangedMeanwhile"
"""The refusal of the kinds without a revision: the setting is not what it should be."""

NOT_FOUND = "ResourceNotFoundException"

# Someone else changed it, or is changing it, or removed it, or Lambda asks for patience. Nothing was changed:
# the next run looks again, and then finds a new revision, or that the target is gone.
_NOT_NOW = frozenset(
    {
        NOT_FOUND,
        "PreconditionFailedException",
        "ResourceConflictException",
        "ResourceInUseException",
        "TooManyRequestsException",
    }
)

# What changes by itself or with any write, is the code (hashed apart), or holds the environment (hashed
# without what remedies set). ConfigSha256 is Lambda's own hash, environment included. RuntimeVersionConfig
# moves when AWS patches the runtime, which it also does on an update of the function: on our own write.
_VOLATILE = frozenset(
    {
        "CodeSha256",
        "CodeSize",
        "ConfigSha256",
        "Environment",
        "LastModified",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "ResponseMetadata",
        "RevisionId",
        "RuntimeVersionConfig",
        "State",
        "StateReason",
        "StateReasonCode",
    }
)


def look(aws: Aws, target: Target) -> Configuration | None:
    """Read the unpublished configuration of a target's function with one consistent call.

    It tells one deployment from the next. Aliases, concurrency and event source mappings are no part of it,
    and the variables that remedies set are left out of its hash, so that no remedy changes it. None: the
    function is gone.

    Raises:
        botocore.exceptions.ClientError: anything but "not found" that Lambda answers.

    """
    answer = find(aws.lambda_.get_function_configuration, FunctionName=target.function)
    if answer is None:
        return None
    ignore = frozenset(remedy.name for remedy in target.remedies if remedy.kind == RemedyKind.ENVIRONMENT)
    environment = answer.get("Environment", {})
    variables: dict[str, str] = environment.get("Variables", {})
    return Configuration(
        revision_id=answer["RevisionId"],
        settled=answer.get("LastUpdateStatus", "Successful") != "InProgress"
        and answer.get("State", "Active") not in ("Pending", "Deleting"),
        readable="Error" not in environment,
        code_hash=answer["CodeSha256"],
        config_hash=_config_hash(answer, variables, ignore),
        variables=variables,
    )


def find(call: Callable[..., Any], **arguments: Any) -> dict[str, Any] | None:
    """Return what an AWS call answers, or None when Lambda does not know what it names."""
    try:
        return call(**arguments)
    except ClientError as error:
        if error_code(error) == NOT_FOUND:
            return None
        raise


def attempt(call: Callable[..., Any], not_now: frozenset[str] = _NOT_NOW, **arguments: Any) -> str | None:
    """Make a change; return None, or the code with which AWS refused it for now."""
    try:
        call(**arguments)
    except ClientError as error:
        code = error_code(error)
        if code in not_now:
            return code
        raise
    return None


def error_code(error: ClientError) -> str:
    """Return the code of an AWS error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _config_hash(answer: Mapping[str, Any], variables: Mapping[str, str], ignore: frozenset[str]) -> str:
    """Hash the configuration in canonical form, without what is volatile and what remedies set."""
    kept = {key: value for key, value in answer.items() if key not in _VOLATILE}
    others = {key: value for key, value in variables.items() if key not in ignore}
    canonical = json.dumps([kept, others], sort_keys=True, default=str)
    return sha256(canonical.encode()).hexdigest()
