"""Remedy `environment`: one variable of a function's environment, by compare-and-swap on the RevisionId.

It reads the whole environment because Lambda replaces it as a whole; only the one variable is ever recorded.
"""

import json
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from functions.healer.model import LiveConfiguration

# What changes by itself, or is the code (hashed apart), or is the environment (hashed without the variable).
_VOLATILE = frozenset(
    {
        "CodeSha256",
        "CodeSize",
        "Environment",
        "LastModified",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "ResponseMetadata",
        "RevisionId",
        "State",
        "StateReason",
        "StateReasonCode",
    }
)

_NOT_NOW = frozenset({"PreconditionFailedException", "ResourceConflictException", "TooManyRequestsException"})
"""Someone else changed the function, or is changing it, or Lambda asks for patience: look again next run."""


def read(client: Any, function: str, variable: str) -> LiveConfiguration:
    """Read a function's configuration with one consistent call."""
    answer: dict[str, Any] = client.get_function_configuration(FunctionName=function)
    environment = answer.get("Environment", {})
    variables: dict[str, str] = environment.get("Variables", {})
    return LiveConfiguration(
        revision_id=answer["RevisionId"],
        settled=answer.get("LastUpdateStatus", "Successful") != "InProgress"
        and answer.get("State", "Active") != "Pending",
        readable="Error" not in environment,
        code_hash=answer["CodeSha256"],
        config_hash=_config_hash(answer, variables, variable),
        value=variables.get(variable),
        variables=variables,
    )


def write(client: Any, function: str, live: LiveConfiguration, variable: str, value: str) -> str | None:
    """Set the variable, keep every other one, and do not wait for the update to settle.

    Returns:
        None when it is done; the error code when the world refused it for now. Nothing was changed then.

    Raises:
        ValueError: when the environment could not be read: writing it back would wipe it.
        botocore.exceptions.ClientError: anything else that Lambda answers.

    """
    if not live.readable:
        raise ValueError(f"{function}: the environment could not be read, so it must not be written")
    try:
        client.update_function_configuration(
            FunctionName=function,
            Environment={"Variables": {**live.variables, variable: value}},
            RevisionId=live.revision_id,
        )
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _NOT_NOW:
            return code
        raise
    return None


def _config_hash(answer: dict[str, Any], variables: dict[str, str], variable: str) -> str:
    """Hash the configuration in canonical form, without the remedied variable."""
    kept = {key: value for key, value in answer.items() if key not in _VOLATILE}
    others = {key: value for key, value in variables.items() if key != variable}
    canonical = json.dumps([kept, others], sort_keys=True, default=str)
    return sha256(canonical.encode()).hexdigest()
