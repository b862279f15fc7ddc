"""How AWS calls fail: which errors mean that a resource does not exist, and which are worth a retry."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

_GONE = frozenset(
    {"NotFound", "NotFoundException", "ResourceNotFound", "ResourceNotFoundException", "NoSuchEntity"}
    | {"DashboardNotFoundError", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
    | {"ParameterNotFound", "StateMachineDoesNotExist", "404", "NoSuchBucket", "NoSuchKey"}
    | {"NoSuchBucketPolicy", "NoSuchLifecycleConfiguration", "NoSuchPublicAccessBlockConfiguration"}
    | {"ServerSideEncryptionConfigurationNotFoundError", "NoSuchDistribution"}
    | {"NoSuchOriginAccessControl", "NoSuchResponseHeadersPolicy", "InvalidDocument"}
)
"""The error codes by which the services of the table say that something does not exist."""


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error, for example `ResourceNotFoundException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_gone(error: ClientError) -> bool:
    """Return whether a call failed because what it names does not exist."""
    return code_of(error) in _GONE


def refused(operation: str, code: str, message: str) -> ClientError:
    """Return the error that AWS raises where the emulator raises none."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def or_none(call: Callable[[], Any]) -> Any:
    """Return the answer of a call, or None if what it names does not exist."""
    try:
        return call()
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def retried(
    call: Callable[[], Any], code: str, message: str = "", *, seconds: float = 60.0, pause: float = 0.5
) -> None:
    """Repeat a call for at most `seconds` while it fails with this code, and this text in its message."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            call()
        except ClientError as error:
            passing = code_of(error) == code and message in str(error)
            if not passing or time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
        else:
            return
