"""Decides who calls, and answers as API Gateway expects of a TOKEN authorizer. Pure functions.

Sources: API Gateway developer guide, "Configure a Lambda authorizer using the API Gateway console" and
"Output from an API Gateway Lambda authorizer".
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from selfheal.functions.shared.tokens import CALLER, TOKEN, digest

_DIGEST = re.compile(r"[0-9a-f]{64}")
_METHODS = ("GET", "PUT")


class UnauthorizedError(Exception):
    """There is no token. API Gateway makes 401 of an error with exactly this text, and 500 of any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@lru_cache(maxsize=1)
def parse_callers(text: str) -> Mapping[str, str]:
    """Return names of callers by the digest of their token.

    Args:
        text: The secret: a JSON object of digests and names.

    Raises:
        ValueError: when it is anything else. The text is not quoted.

    """
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = None
    callers = cast("dict[str, Any]", found) if isinstance(found, dict) else None
    if callers is None or not all(
        _DIGEST.fullmatch(key) and isinstance(name, str) and CALLER.fullmatch(name)
        for key, name in callers.items()
    ):
        raise ValueError(
            "the secret must be a JSON object of SHA-256 digests (64 hexadecimal digits) and names (1 to 64 "
            "letters, digits, _ and -), and is something else: deploy the stack again, which writes it"
        )
    return callers


def token_of(header: str) -> str:
    """Return the token of an Authorization header.

    Raises:
        UnauthorizedError: when it is no bearer token.

    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not TOKEN.fullmatch(token):
        raise UnauthorizedError
    return token


def answer(header: str, method_arn: str, callers: Mapping[str, str]) -> dict[str, Any]:
    """Return who calls, and what he may do.

    An unknown token is denied, with 403, and not refused by an error, with 401: API Gateway caches an answer
    but no error, and errors that strangers cause would hide those that count.

    Args:
        header: The Authorization header.
        method_arn: ARN of the request: `arn:…:execute-api:…:<api>/<stage>/<method>/<path>`.
        callers: Names by digest.

    Raises:
        UnauthorizedError: when the header holds no bearer token.

    """
    # The digest is looked up, not the token: how long a comparison takes says something of a digest at most,
    # and nobody can choose a token by the beginning of its digest in any useful way.
    caller = callers.get(digest(token_of(header)))
    api, stage, *_ = method_arn.split("/")
    # The answer is cached for the token, and used for its next requests: it is about all methods of this API,
    # and not about the one that was called first.
    resources = [f"{api}/{stage}/{method}/*" for method in _METHODS]
    effect = "Deny" if caller is None else "Allow"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resources}
    return {
        "principalId": caller or "nobody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
