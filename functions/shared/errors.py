"""Errors whose text may reach people: in logs, in the error of a run and in notices."""

from botocore.exceptions import ClientError

_LONGEST = 300


class OwnError(ValueError):
    """An error in our own words. They name things and settings, never the value of a variable or a secret."""


def words(error: BaseException) -> str:
    """Return what may be said of an error: all of our own words, of AWS's only the code and the operation.

    The text of any other error may quote a request or an environment, so only its type is told.
    """
    if isinstance(error, OwnError):
        return " ".join(str(error).split())[:_LONGEST]
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        return " ".join(part for part in (type(error).__name__, code, error.operation_name) if part)
    return type(error).__name__
