"""Shared by all kinds of remedies: reading the function's configuration, and calls that may be rejected."""

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
"""The function, or the resource that the setting belongs to, does not exist."""

CHANGED_MEANWHILE = "ChangedMeanwhile"
"""The code with which kinds without a revision report that someone else has changed the setting."""

NOT_FOUND = "ResourceNotFoundException"

# Someone else has changed it, is changing it or has removed it, or Lambda throttles. Nothing was changed. The
# next run reads again, and finds a new revision or that the target is gone.
_NOT_NOW = frozenset(
    {
        NOT_FOUND,
        "PreconditionFailedException",
        "ResourceConflictException",
        "ResourceInUseException",
        "TooManyRequestsException",
    }
)

DYNAMODB_NOT_NOW = frozenset(
    {
        "ConditionalCheckFailedException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
    }
)
"""Someone else wrote an item first, or DynamoDB throttles. Nothing was changed."""

REFUSED = frozenset(
    {
        "AccessDeniedException",
        "CodeSigningConfigNotFoundException",
        "CodeVerificationFailedException",
        "InvalidCodeSignatureException",
        "InvalidParameterValueException",
        "ValidationException",
    }
)
"""The change is refused, and would be each time: it is not allowed, or AWS does not take the value. Nothing
was changed. A reservation beyond the account's quota is an InvalidParameterValueException. Sources: Lambda
API reference, the errors of the actions that write; DynamoDB developer guide, "Error handling"."""

# Not part of the configuration's hash: fields that change without a deployment or with any write, the code
# (it has its own hash) and the environment (hashed without what remedies set). ConfigSha256 is Lambda's own
# hash and includes the environment. RuntimeVersionConfig changes when AWS patches the runtime, which may also
# happen with the healer's own update of the function.
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
    """Read the configuration of $LATEST of a target's function, in one call.

    Its hashes identify a deployment. They do not include aliases, concurrency, event source mappings and the
    variables that remedies set, so no remedy changes them. None means that the function does not exist.

    Raises:
        botocore.exceptions.ClientError: when Lambda answers with any error other than "not found".

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
        # 3 s is what Lambda answers where nothing was set (Lambda API reference, FunctionConfiguration).
        timeout=int(answer.get("Timeout", 3)),
        failed=_failure(answer),
    )


def can_run(answer: Mapping[str, Any]) -> bool:
    """Return whether a version can run, by its configuration.

    One that is Inactive can: Lambda activates it with the first call. Pending and Failed ones cannot, and a
    Failed one never will. Source: AWS Lambda developer guide, "Lambda function states".
    """
    state, update = answer.get("State", "Active"), answer.get("LastUpdateStatus", "Successful")
    return state in ("Active", "Inactive") and update == "Successful"


def find(call: Callable[..., Any], **arguments: Any) -> dict[str, Any] | None:
    """Return the response of a Lambda call, or None if the resource does not exist."""
    try:
        return call(**arguments)
    except ClientError as error:
        if error_code(error) == NOT_FOUND:
            return None
        raise


def attempt(call: Callable[..., Any], not_now: frozenset[str] = _NOT_NOW, **arguments: Any) -> str | None:
    """Make a change; return None, or the error code if AWS rejected it, for now or for good."""
    try:
        call(**arguments)
    except ClientError as error:
        return rejected(error, not_now)
    return None


def rejected(error: ClientError, not_now: frozenset[str]) -> str:
    """Return the code of an error by which AWS rejected a change; raise any other again."""
    code = error_code(error)
    if code not in not_now | REFUSED:
        raise error
    return code


def error_code(error: ClientError) -> str:
    """Return the code of an AWS error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _failure(answer: Mapping[str, Any]) -> str | None:
    if answer.get("LastUpdateStatus") != "Failed":
        return None
    return str(answer.get("LastUpdateStatusReasonCode", "no reason given"))


def _config_hash(answer: Mapping[str, Any], variables: Mapping[str, str], ignore: frozenset[str]) -> str:
    """Hash the configuration in canonical form, without volatile fields and what remedies set."""
    kept = {key: value for key, value in answer.items() if key not in _VOLATILE}
    others = {key: value for key, value in variables.items() if key not in ignore}
    canonical = json.dumps([kept, others], sort_keys=True, default=str)
    return sha256(canonical.encode()).hexdigest()
