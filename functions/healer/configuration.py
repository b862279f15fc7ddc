"""A function's unpublished configuration: what tells one deployment from the next."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from selfheal.functions.healer.observation import Configuration

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


def read(client: Any, function: str, ignore: frozenset[str]) -> Configuration | None:
    """Read a function's configuration with one consistent call.

    Aliases, concurrency and event source mappings are no part of it, so changing them changes no hash.

    Args:
        client: A boto3 Lambda client.
        function: The function's name, without a version or alias.
        ignore: Variables that `config_hash` leaves out, because remedies set them.

    Returns:
        None when the function is gone.

    Raises:
        botocore.exceptions.ClientError: anything but "not found" that Lambda answers.

    """
    try:
        answer: dict[str, Any] = client.get_function_configuration(FunctionName=function)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
            return None
        raise
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


def _config_hash(answer: Mapping[str, Any], variables: Mapping[str, str], ignore: frozenset[str]) -> str:
    """Hash the configuration in canonical form, without what is volatile and what remedies set."""
    kept = {key: value for key, value in answer.items() if key not in _VOLATILE}
    others = {key: value for key, value in variables.items() if key not in ignore}
    canonical = json.dumps([kept, others], sort_keys=True, default=str)
    return sha256(canonical.encode()).hexdigest()
