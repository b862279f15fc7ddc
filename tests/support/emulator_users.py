"""Users of an enforcing emulator, each allowed what a test says, and whether a call of theirs is allowed."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.emulator import Emulator

ACCOUNT = "000000000000"
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
"""The error codes of various services."""
_NUMBERS = itertools.count(1)


def statement(
    *actions: str, resource: str, condition: dict[str, Any] | None = None, effect: str = "Allow"
) -> dict[str, Any]:
    """Return a statement of an identity policy."""
    plain = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return {**plain, "Condition": condition} if condition else plain


def user(emulator: Emulator, *statements: dict[str, Any], retries: int = 1) -> Clients:
    """Return the clients of a new user; without statements it is allowed nothing."""
    iam = emulator.clients.get("iam")
    name = f"user-{next(_NUMBERS)}"
    iam.create_user(UserName=name)
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    return Clients(emulator.endpoint, emulator.region, credentials, retries)


def administrator(emulator: Emulator) -> Clients:
    """Return the clients of a new user who may do everything, unless a resource's policy denies it."""
    return user(emulator, statement("*", resource="*"), retries=4)


def refused(call: Callable[[], Any]) -> str | None:
    """Return the action that a call was refused for, or None if it was allowed."""
    try:
        call()
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if error.response["Error"]["Code"] not in DENIED:
            raise
        return message.split("not authorized to perform: ")[1].split()[0]
    return None
