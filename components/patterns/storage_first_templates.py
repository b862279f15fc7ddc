"""What a storage-first API sends to its queue and answers to its callers, as plain data."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from selfheal.functions.shared.tokens import TOKEN

ID = "id"
"""The path parameter."""

PUBLIC_CALLER = "anonymous"
"""The caller of every request to a public API."""

CONTENT_TYPE = "application/json"

FORM = "application/x-www-form-urlencoded"

TOKEN_PATTERN = f"^[Bb]earer {TOKEN.pattern}$"
"""What API Gateway asks the authorizer about. Anything else is 401 at once."""

LOG_FORMAT = json.dumps(
    {
        key: f"$context.{variable}"
        for key, variable in {
            "requestId": "requestId",
            "time": "requestTime",
            "ip": "identity.sourceIp",
            "caller": "authorizer.principalId",
            "method": "httpMethod",
            "resource": "resourcePath",
            "status": "status",
            "refused": "error.responseType",
            "integrationStatus": "integration.status",
            "integrationError": "integration.error",
            "latencyMs": "responseLatency",
        }.items()
    }
)
"""Neither body nor token, nor an error's text, which may quote the body; nor the path, which callers choose
and which could break the line's JSON."""


def form(caller: str) -> str:
    """Return the template of the call of SendMessage.

    Every value that a request brings is encoded: `x&DelaySeconds=900` would otherwise add a parameter.

    Args:
        caller: A reference such as `$context.authorizer.principalId`, or a constant in quotes.

    """
    values = {"id": f"$input.params('{ID}')", "caller": caller, "requestId": "$context.requestId"}
    attributes = [
        f"MessageAttribute.{number}.Name={name}"
        f"&MessageAttribute.{number}.Value.DataType=String"
        f"&MessageAttribute.{number}.Value.StringValue=$util.urlEncode({value})"
        for number, (name, value) in enumerate(values.items(), start=1)
    ]
    return "&".join(
        ["Action=SendMessage", "Version=2012-11-05", "MessageBody=$util.urlEncode($input.body)", *attributes]
    )


# Encoded, because an id may hold quotes: the encoded form is also what belongs into a URL.
STORED = json.dumps(
    {"id": f"$util.urlEncode($input.params('{ID}'))", "state": "stored", "requestId": "$context.requestId"}
)
"""The answer when the queue has it."""

NOT_STORED = json.dumps(
    {
        "error": "not stored: the queue did not take it",
        "do": "send it again with the same id: what has the same id is stored or done once",
        "requestId": "$context.requestId",
    }
)

LOCATION = "method.response.header.Location"

INTEGRATION_RESPONSES: Mapping[str, Mapping[str, Any]] = {
    "202": {
        "selection_pattern": r"2\d{2}",
        "response_parameters": {LOCATION: "context.path"},
        "response_templates": {CONTENT_TYPE: STORED},
    },
    # Without a pattern: it is for everything else. So no failure of the queue can ever answer 202.
    "502": {"response_templates": {CONTENT_TYPE: NOT_STORED}},
}
"""Keyword arguments by status."""


def gateway_responses(
    path: str, reads: Sequence[str], most_bytes: int, rate: float, *, public: bool
) -> Mapping[str, Mapping[str, Any]]:
    """Return how API Gateway itself refuses: keyword arguments by type of response.

    Args:
        path: First part of the path.
        reads: The same of further paths, which can only be read.
        most_bytes: Of a body that the schema allows.
        rate: Requests a second.
        public: Whether there is no authorizer.

    """
    readable = "".join(f", GET of /{each}/<id>" for each in reads)
    who = "anybody" if public else "a caller with a token, in the header `Authorization: Bearer <token>`"
    return {
        "BAD_REQUEST_BODY": _refusal(
            "400",
            "the body is not as the schema says: $context.error.validationErrorString",
            f"a JSON body of the API's schema, {most_bytes:,} bytes at most",
        ),
        "UNAUTHORIZED": _refusal("401", "there is no bearer token", who, {"WWW-Authenticate": "'Bearer'"}),
        "ACCESS_DENIED": _refusal("403", "the token is not known, or may not do this", who),
        "MISSING_AUTHENTICATION_TOKEN": _refusal(  # so AWS calls a path or method that there is not
            "404", "there is no such path or method", f"PUT and GET of /{path}/<id>{readable}"
        ),
        "REQUEST_TOO_LARGE": _refusal(
            "413", "the request is too large", f"a body of {most_bytes:,} bytes at most"
        ),
        "UNSUPPORTED_MEDIA_TYPE": _refusal(
            "415", "the content type is not supported", f"Content-Type: {CONTENT_TYPE}"
        ),
        "THROTTLED": _refusal(
            "429",
            "too many requests",
            f"{rate:g} requests a second of all callers together",
            {"Retry-After": "'1'"},
        ),
        # Of no status, so that each keeps its own: 500, 503 and 504.
        "DEFAULT_5XX": _refusal(
            None,
            "something failed, and it may be stored or not",
            "send it again with the same id, or ask for it by GET",
        ),
    }


def _refusal(
    status: str | None, error: str, allowed: str, headers: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    body = {"error": error, "allowed": allowed, "requestId": "$context.requestId"}
    kept = {"Cache-Control": "'no-store'"}  # a 404 may be cached otherwise: RFC 9110, 15.1
    return {
        "status_code": status,
        "response_templates": {CONTENT_TYPE: json.dumps(body)},
        "response_parameters": {
            f"gatewayresponse.header.{name}": value for name, value in (kept | dict(headers or {})).items()
        },
    }
